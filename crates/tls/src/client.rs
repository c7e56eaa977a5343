//! The client's half of a handshake, and the trust in the server that it needs.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, version};
use trust::{Ask, Fingerprint, ServerId, Trust};

use crate::error::{ConnectError, TlsError};
use crate::handshake::{HANDSHAKE_LIMIT, complete};
use crate::key_log::key_log;
use crate::stream::TlsStream;
use crate::verifier::KeyVerifier;

/// Makes the handshake with a server and checks that it is trusted. Nothing is sent to a server that is not.
///
/// `ask` asks a person about an unknown server, `None` where there is none to ask. The connection waits for the answer.
///
/// # Errors
///
/// When the handshake fails or takes longer than `limit` or [`HANDSHAKE_LIMIT`], or the server is not trusted.
pub fn connect(
    socket: TcpStream,
    server: &ServerId,
    trust: &Trust,
    limit: Duration,
    ask: Option<Ask<'_>>,
) -> Result<(TlsStream<TcpStream>, Fingerprint), ConnectError> {
    let address = socket.peer_addr().map_err(TlsError::Io)?;
    let is_loopback = address.ip().to_canonical().is_loopback();
    let expected = trust.expected(server)?;
    let before = socket.read_timeout().map_err(TlsError::Io)?;
    let made = handshake(
        socket,
        expected,
        limit.min(HANDSHAKE_LIMIT),
        |socket, rest| socket.set_read_timeout(rest.or(before)),
    );
    match made {
        Ok((mut stream, presented)) => match trust.check(server, is_loopback, presented, ask) {
            Ok(()) => Ok((stream, presented)),
            Err(error) => {
                // Best effort: the connection is given up anyway.
                let _ = stream.close();
                Err(error.into())
            }
        },
        Err(TlsError::OtherKey {
            expected,
            presented,
        }) => {
            // `check` gives the better error. If the file has changed and it accepts now, the handshake has failed all
            // the same.
            trust.check(server, is_loopback, presented, None)?;
            Err(TlsError::OtherKey {
                expected,
                presented,
            }
            .into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the handshake with a server that must have the `expected` key, if there is one. Returns the key that the
/// server has proved to have; without an expected one it is for the caller to decide whether to trust it.
///
/// # Errors
///
/// When the handshake fails or takes longer than `limit`, or the server has another key.
pub fn handshake<S: Read + Write>(
    mut socket: S,
    expected: Option<Fingerprint>,
    limit: Duration,
    set_read_timeout: impl FnMut(&mut S, Option<Duration>) -> io::Result<()>,
) -> Result<(TlsStream<S>, Fingerprint), TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(KeyVerifier::new(Arc::clone(&provider), expected));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .map_err(TlsError::Handshake)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
        .with_no_client_auth();
    config.key_log = key_log();
    // A resumed session would not prove the server's key again.
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    // Required, but neither sent nor checked.
    let name = ServerName::try_from("socket-lab").expect("it is a valid DNS name");
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(TlsError::Handshake)?
        .into();
    let done = complete(&mut connection, &mut socket, limit, set_read_timeout);
    match (done, expected, verifier.presented()) {
        (Err(TlsError::Handshake(_)), Some(expected), Some(presented)) if expected != presented => {
            Err(TlsError::OtherKey {
                expected,
                presented,
            })
        }
        (Err(error), ..) => Err(error),
        (Ok(()), _, Some(presented)) => Ok((TlsStream::new(socket, connection), presented)),
        // A handshake without certificate would be a resumed one.
        (Ok(()), _, None) => Err(TlsError::NoProof),
    }
}
