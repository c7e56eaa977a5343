//! Over what a client may talk: TLS from anywhere, plaintext from this machine alone unless a flag allows more.

use std::net::IpAddr;

use proto::Network;
use proto::auth::{ErrorCode, Reply};
use tcp_server::Client;
use tls::{MaybeTls, Peeked, ServerTls, TlsError};

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

#[cfg(test)]
mod tests {
    use trust::TlsIdentity;

    use super::*;

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
