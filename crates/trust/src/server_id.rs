//! The name under which a client remembers a server.

use std::fmt;

/// The longest host name that DNS knows (RFC 1035, section 2.3.4), and room for an IPv6 zone.
const MAX_HOST_CHARS: usize = 300;

/// A server as a client knows it: protocol, host as typed, and port. Displayed as `tcp 192.0.2.7:9290`,
/// `udp lab.example:9390` or `tcp [::1]:9290`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(String);

/// The transport protocol of a server. A TCP port and a UDP port of the same number belong to different servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP, with TLS.
    Tcp,
    /// UDP: the chat.
    Udp,
}

impl ServerId {
    /// The server at a host, as typed but without brackets, and a port.
    ///
    /// Control characters are dropped and the length is bounded: the text is stored and shown.
    #[must_use]
    pub fn new(protocol: Protocol, host: &str, port: u16) -> Self {
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let host: String = host
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_HOST_CHARS)
            .collect();
        Self(if host.contains(':') {
            format!("{protocol} [{host}]:{port}")
        } else {
            format!("{protocol} {host}:{port}")
        })
    }

    /// The text of it, which is its key in the file of known servers.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_protocol_host_and_port() {
        for (protocol, host, port, expected) in [
            (Protocol::Tcp, "192.0.2.7", 9290, "tcp 192.0.2.7:9290"),
            (Protocol::Udp, "lab.example", 9390, "udp lab.example:9390"),
            (Protocol::Tcp, "fe80::1%eth0", 1, "tcp [fe80::1%eth0]:1"),
            (Protocol::Tcp, "a\x1b[2Jb", 1, "tcp a[2Jb:1"),
        ] {
            assert_eq!(ServerId::new(protocol, host, port).as_str(), expected);
        }
        assert!(
            ServerId::new(Protocol::Udp, &"x".repeat(9999), 1)
                .as_str()
                .len()
                < 320
        );
    }
}
