//! Hosts and ports as a user types them: checked, explained, never resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use proto::Escaped;

/// The longest name that DNS allows (RFC 1035, section 2.3.4, without its two length bytes).
const MAX_HOST_BYTES: usize = 253;
/// How many characters of a wrong address an error repeats.
const SHOWN_CHARACTERS: usize = 60;

/// `HOST[:PORT]` from the command line, such as `localhost`, `192.0.2.7:9090` or `[::1]:9090`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// `None`: the default port.
    pub port: Option<u16>,
}

impl HostPort {
    /// Parses `HOST[:PORT]`.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = split_port(text);
        Ok(Self {
            host: parse_host(host)?,
            port: port.map(parse_server_port).transpose()?,
        })
    }

    /// Like [`parse`](Self::parse), for a position where a command can stand, too: a plain word is taken for a mistyped
    /// command.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn parse_unless_command(text: &str) -> Result<Self, String> {
        if !text.contains(['.', ':']) && text != "localhost" {
            let shown = shown(text);
            return Err(format!(
                "there is no command {shown}; for a host of that name use --host {shown}"
            ));
        }
        Self::parse(text)
    }
}

/// Splits the port off, unless the text is a bare IPv6 address or a URL.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if text.contains("://") {
        return (text, None);
    }
    match text.rsplit_once(':') {
        Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

/// A host as the resolver takes it, without brackets. Only the resolver knows whether it exists.
pub(crate) fn parse_host(text: &str) -> Result<String, String> {
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let host = bracketed.unwrap_or(text);
    if host.is_empty() {
        Err("a host is a name or an address".into())
    } else if host.len() > MAX_HOST_BYTES {
        Err(format!("a host has at most {MAX_HOST_BYTES} bytes"))
    } else if host.contains("://") {
        Err(
            "this is a URL; give the host alone, such as 127.0.0.1, and the port with --port"
                .into(),
        )
    } else if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Err("a host has no spaces and no control characters".into())
    } else if host.contains(['/', '@', '?', '#', '\\']) {
        Err("a host is a name or an address alone, without path or user".into())
    } else if host.contains(['[', ']']) || bracketed.is_some() && !host.contains(':') {
        Err(
            "brackets go around an IPv6 address alone, as in [::1]; give the port with --port"
                .into(),
        )
    } else if host.contains(':') {
        check_ipv6(host)
    } else {
        check_ipv4(host)
    }
    .and_then(|()| {
        let (address, _) = host.split_once('%').unwrap_or((host, ""));
        address.parse().map_or(Ok(()), check_one_machine)
    })
    .map(|()| host.to_owned())
}

fn check_ipv6(host: &str) -> Result<(), String> {
    if host.matches(':').count() == 1 {
        return Err("give the port with --port".into());
    }
    let (address, zone) = match host.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (host, None),
    };
    if address.parse::<Ipv6Addr>().is_err() || zone == Some("") {
        return Err("this is not an IPv6 address such as ::1 or fe80::1%eth0".into());
    }
    Ok(())
}

/// Refuses text that looks like an IPv4 address and is not one. Resolvers accept such texts, and take `9090` for
/// 0.0.35.130 and `010` for 8.
fn check_ipv4(host: &str) -> Result<(), String> {
    let labels = || host.trim_end_matches('.').split('.');
    let is_number = |label: &str| {
        let hex = label.strip_prefix("0x").or(label.strip_prefix("0X"));
        match hex {
            Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()),
        }
    };
    if !labels().next_back().is_some_and(is_number) || host.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    if let Ok(port) = host.parse::<u16>() {
        return Err(format!(
            "this is a number, not a host; for a port give --port {port}"
        ));
    }
    let is_ambiguous = |label: &str| label.len() > 1 && label.starts_with('0');
    if let Some(label) = labels().find(|label| is_ambiguous(label)) {
        return Err(format!(
            "{} is octal or hexadecimal to some programs and decimal to others; give decimal numbers without leading \
             zeros",
            shown(label)
        ));
    }
    Err("an IPv4 address has four numbers from 0 to 255, such as 192.0.2.7".into())
}

/// A port. 0 is for servers alone, which `EndpointFlags` checks.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    port(text).ok_or_else(|| "a port is a number from 0 to 65535".into())
}

/// The port of a server to connect to. `EndpointFlags` explains why it cannot be 0.
fn parse_server_port(text: &str) -> Result<u16, String> {
    port(text).ok_or_else(|| "a port is a number from 1 to 65535".into())
}

fn port(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Why no single machine has this address: it is that of a group or of a whole network.
pub(crate) fn check_one_machine(address: IpAddr) -> Result<(), String> {
    let means = match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::BROADCAST) => {
            "the broadcast address, which means all machines of a network"
        }
        address if address.is_multicast() => "a multicast address, which means a group of machines",
        _ => return Ok(()),
    };
    Err(format!(
        "{address} is {means}; give the address of one machine"
    ))
}

/// An address of this machine to connect from, with its zone; the system chooses the port.
pub(crate) fn parse_source(text: &str) -> Result<SocketAddr, String> {
    let host = parse_host(text)?;
    let (address, _) = host.split_once('%').unwrap_or((&host, ""));
    if address.parse::<IpAddr>().is_err() {
        return Err("give an address of this machine, such as 127.0.0.2, not a name".into());
    }
    // A numeric address needs no name server; the call finds the number of the zone.
    let found = (host.as_str(), 0).to_socket_addrs();
    found
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| "there is no such zone (network interface) on this machine".into())
}

fn shown(text: &str) -> Escaped<'_> {
    Escaped::new(text).cut(SHOWN_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<(String, Option<u16>)> {
        let address = HostPort::parse(text).ok()?;
        Some((address.host, address.port))
    }

    #[test]
    fn host_and_port_are_distinguished() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("localhost:9191", "localhost", Some(9191)),
            ("192.0.2.7:1", "192.0.2.7", Some(1)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:9090", "::1", Some(9090)),
            ("[fe80::1%eth0]:9090", "fe80::1%eth0", Some(9090)),
            ("örtlich.example", "örtlich.example", None),
            ("3com.example", "3com.example", None),
        ] {
            assert_eq!(parsed(text), Some((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn wrong_addresses_are_refused_with_a_reason() {
        let long = "x".repeat(254);
        for (text, reason) in [
            ("", "a name or an address"),
            ("[]", "a name or an address"),
            ("[", "brackets"),
            ("[::1", "brackets"),
            ("[localhost]", "brackets"),
            ("[::1]:", "a port is a number"),
            ("localhost:", "a port is a number"),
            ("localhost:+1", "a port is a number"),
            ("localhost:65536", "a port is a number"),
            (":9090", "a name or an address"),
            ("a b", "no spaces"),
            ("a\0b", "no control characters"),
            ("a\x1bb", "no control characters"),
            ("localhost:", "from 1 to 65535"),
            ("255.255.255.255", "the broadcast address"),
            ("::ffff:255.255.255.255", "the broadcast address"),
            ("224.0.0.1", "a multicast address"),
            ("[ff02::1%eth0]", "a multicast address"),
            ("9090", "for a port give --port 9090"),
            ("010.0.0.1", "010 is octal or hexadecimal to some programs"),
            ("0x7f.0.0.1", "0x7f is octal or hexadecimal"),
            ("0x7f000001", "0x7f000001 is octal or hexadecimal"),
            ("127.1", "four numbers"),
            ("127.0.0.256", "four numbers"),
            ("1.2.3.4.5", "four numbers"),
            ("127.0.0.1.", "four numbers"),
            ("http://127.0.0.1", "a URL"),
            ("http://127.0.0.1:9090/", "a URL"),
            ("127.0.0.1/", "without path"),
            ("1:2:3", "not an IPv6 address"),
            ("fe80::1%", "not an IPv6 address"),
            (&long, "at most 253 bytes"),
        ] {
            let refused = HostPort::parse(text).expect_err(text);
            assert!(refused.contains(reason), "{text:?}: {refused}");
        }
    }

    #[test]
    fn a_plain_word_is_a_mistyped_command() {
        let refused = HostPort::parse_unless_command("logni").unwrap_err();
        assert_eq!(
            refused,
            "there is no command logni; for a host of that name use --host logni"
        );
        for host in ["localhost", "lab.example", "[::1]:9290", "server:9290"] {
            assert!(HostPort::parse_unless_command(host).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_source_is_a_numeric_address() {
        let source = |text: &str| parse_source(text).map(|address| address.to_string());
        assert_eq!(source("127.0.0.2").as_deref(), Ok("127.0.0.2:0"));
        assert_eq!(source("[::1]").as_deref(), Ok("[::1]:0"));
        assert!(source("localhost").unwrap_err().contains("not a name"));
        assert!(source("fe80::1%no-such-zone").unwrap_err().contains("zone"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_in_plain_words(text: String) {
            match HostPort::parse(&text) {
                Ok(address) => prop_assert!(!address.host.contains(char::is_control)),
                Err(reason) => prop_assert!(!reason.contains(char::is_control), "{reason:?}"),
            }
        }

        #[test]
        fn every_address_of_one_machine_is_read_back(address: SocketAddr) {
            prop_assume!(check_one_machine(address.ip()).is_ok());
            let read = HostPort::parse(&address.to_string()).unwrap();
            let (host, _) = read.host.split_once('%').unwrap_or((&read.host, ""));
            prop_assert_eq!(host.parse::<IpAddr>().unwrap(), address.ip());
            prop_assert_eq!(read.port, Some(address.port()));
        }
    }
}
