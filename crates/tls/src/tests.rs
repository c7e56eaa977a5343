//! Both ends of TLS over pipes in memory.

mod hostile;
mod pipe;
mod streams;

use std::io;
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use trust::{Fingerprint, TlsIdentity};

use crate::client::handshake;
use crate::{ServerTls, TlsError, TlsStream};
use pipe::{Pipe, pipe};

/// No test waits longer for something that should happen.
const TIME_LIMIT: Duration = Duration::from_secs(20);

fn set_timeout(pipe: &mut Pipe, timeout: Option<Duration>) -> io::Result<()> {
    pipe.set_read_timeout(timeout);
    Ok(())
}

fn identity() -> TlsIdentity {
    let folder = tempfile::tempdir().unwrap();
    TlsIdentity::load_or_create(&folder.path().join("tls.identity")).unwrap()
}

type Client = Result<(TlsStream<Pipe>, Fingerprint), TlsError>;
type Server = Result<TlsStream<Pipe>, TlsError>;

/// Both results of a handshake, over a pipe that gives at most `portion` bytes a read.
fn shake(tls: &ServerTls, expected: Option<Fingerprint>, portion: usize) -> (Client, Server) {
    let (near, far) = pipe(portion);
    let tls = tls.clone();
    let server = thread::spawn(move || tls.accept(far, set_timeout));
    let client = handshake(near, expected, TIME_LIMIT, set_timeout);
    // A client that gives up lets go of the pipe, which ends the server's wait.
    let client = client.inspect_err(|error| assert!(!error.to_string().is_empty()));
    (client, server.join().unwrap())
}

fn connected(portion: usize) -> (TlsStream<Pipe>, TlsStream<Pipe>) {
    let (client, server) = shake(&ServerTls::new(&identity()).unwrap(), None, portion);
    (client.unwrap().0, server.unwrap())
}

/// A server with the certificate of one identity and the key of another.
fn with_copied_certificate(victim: &TlsIdentity, thief: &TlsIdentity) -> ServerTls {
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::sign::{CertifiedKey, SingleCertAndKey};

    let key = PrivatePkcs8KeyDer::from(thief.key_der().to_vec());
    let key = ring::sign::any_ecdsa_type(&key.into()).unwrap();
    let certificate = CertificateDer::from(victim.certificate_der().to_vec());
    ServerTls::with_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
        vec![certificate],
        key,
    ))))
}

#[test]
fn the_expected_key_is_accepted_and_another_one_is_not() {
    let (identity, other) = (identity(), identity());
    let tls = ServerTls::new(&identity).unwrap();
    for expected in [None, Some(identity.fingerprint())] {
        let (client, server) = shake(&tls, expected, usize::MAX);
        assert_eq!(client.unwrap().1, identity.fingerprint());
        server.unwrap();
    }
    let (client, server) = shake(&tls, Some(other.fingerprint()), usize::MAX);
    match client.unwrap_err() {
        TlsError::OtherKey {
            expected,
            presented,
        } => {
            assert_eq!(
                (expected, presented),
                (other.fingerprint(), identity.fingerprint())
            );
        }
        error => panic!("{error}"),
    }
    server.unwrap_err();
}

#[test]
fn a_copied_certificate_without_its_key_is_refused() {
    let (victim, thief) = (identity(), identity());
    let tls = with_copied_certificate(&victim, &thief);
    for expected in [None, Some(victim.fingerprint())] {
        let (client, server) = shake(&tls, expected, usize::MAX);
        assert!(matches!(client.unwrap_err(), TlsError::NoProof));
        server.unwrap_err();
    }
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused_at_the_start() {
    let (one, other) = (identity(), identity());
    let certificate = CertificateDer::from(one.certificate_der().to_vec());
    let key = PrivatePkcs8KeyDer::from(other.key_der().to_vec());
    assert!(matches!(
        ServerTls::from_der(certificate, key.into()),
        Err(TlsError::Identity(_))
    ));
}
