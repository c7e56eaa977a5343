//! Over what a client may talk: TLS from anywhere, plaintext from this machine alone unless a flag allows more.

use std::io::{Read, Write};
use std::net::IpAddr;

use dialogue::NETWORK_OVER_SHARE;
use proto::auth::{ErrorCode, Reply};
use proto::{FramedSocket, Network};
use tcp_server::Client;
use tls::{MaybeTls, Peeked, ServerTls, TlsError, is_tls_handshake};

/// The server's key, and whether clients on other machines may do without TLS.
#[derive(Clone, Debug)]
pub struct Transport {
    /// Accepts TLS handshakes.
    pub tls: ServerTls,
    /// Accepts plaintext from other machines, whose passwords and tokens then can be read on the way.
    pub allow_plaintext: bool,
}

impl Transport {
    /// Finds out what a client speaks. `None` if it closed the connection at once.
    pub(crate) fn accept<'a>(
        &self,
        client: &'a mut Client,
    ) -> Result<Option<MaybeTls<Peeked<&'a mut Client>>>, TlsError> {
        self.tls
            .accept_either(client, |client, timeout| client.set_read_timeout(timeout))
    }

    /// Whether passwords may be sent over such a stream from this address.
    pub(crate) fn is_allowed(&self, is_tls: bool, address: IpAddr) -> bool {
        is_tls || self.allow_plaintext || Network::of(address).is_loopback()
    }
}

/// The answer to a client that has to use TLS.
pub(crate) fn tls_required() -> Reply {
    Reply::Error {
        code: ErrorCode::TlsRequired,
        message: "this server takes passwords and tokens over TLS only".into(),
    }
}

/// Refuses a client because its network has reached its limit of connections. A client that starts a TLS handshake gets
/// no reply: the handshake would cost more than the connection that the client does not get.
pub(crate) fn refuse_plaintext(stream: impl Read + Write) {
    let Ok((Some(first_byte), mut stream)) = Peeked::new(stream) else {
        return;
    };
    if !is_tls_handshake(first_byte) {
        // A client that is gone needs no reply.
        let _ = stream.send_json(&Reply::Error {
            code: ErrorCode::Unavailable,
            message: NETWORK_OVER_SHARE.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proto::MAX_DIALOGUE_BYTES;
    use trust::TlsIdentity;

    use super::*;

    /// A client that has sent something, and what it receives.
    struct Client<'a> {
        sent: &'a [u8],
        received: Vec<u8>,
    }

    impl Read for &mut Client<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.sent.read(room)
        }
    }

    impl Write for &mut Client<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.received.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_client_over_its_networks_share_gets_unavailable_but_not_over_tls() {
        let refused = |sent| {
            let mut client = Client {
                sent,
                received: vec![],
            };
            refuse_plaintext(&mut client);
            client.received
        };
        let mut reply = io::Cursor::new(refused(b"\0\0\0\x0f{\"type\":"));
        let reply: Option<Reply> = reply.recv_json(MAX_DIALOGUE_BYTES).unwrap();
        let Some(Reply::Error { code, .. }) = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(code, ErrorCode::Unavailable);
        assert_eq!(refused(&[0x16, 3, 1]), b"");
        assert_eq!(refused(b""), b"");
    }

    #[test]
    fn only_tls_passes_between_machines() {
        let folder = tempfile::tempdir().unwrap();
        let identity = TlsIdentity::load_or_create(&folder.path().join("identity")).unwrap();
        let tls = ServerTls::new(&identity).unwrap();
        for (is_tls, allow_plaintext, address, expected) in [
            (true, false, "192.0.2.7", true),
            (false, false, "192.0.2.7", false),
            (false, true, "192.0.2.7", true),
            (false, false, "2001:db8::7", false),
            (false, false, "127.0.0.9", true),
            (false, false, "::1", true),
            (false, false, "::ffff:127.0.0.1", true),
        ] {
            let transport = Transport {
                tls: tls.clone(),
                allow_plaintext,
            };
            assert_eq!(
                transport.is_allowed(is_tls, address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
