//! Peers that do not keep to the protocol.

use std::io::{Read, Write};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rustls::AlertDescription;

use super::pipe::pipe;
use super::{TIME_LIMIT, identity, set_timeout};
use crate::client::handshake;
use crate::{MaybeTls, ServerTls, TlsError, is_tls_handshake};

/// A record of an alert: close_notify (RFC 8446, section 6).
const CLOSE_NOTIFY: &[u8] = &[0x15, 3, 3, 0, 2, 1, 0];

fn tls() -> ServerTls {
    static TLS: OnceLock<ServerTls> = OnceLock::new();
    TLS.get_or_init(|| ServerTls::new(&identity()).unwrap())
        .clone()
}

/// The first bytes that a client sends.
fn client_hello() -> Vec<u8> {
    let (near, mut far) = pipe(usize::MAX);
    let client = thread::spawn(move || handshake(near, None, TIME_LIMIT, set_timeout).is_ok());
    let mut hello = vec![0; 4096];
    let length = far.read(&mut hello).unwrap();
    drop(far);
    assert!(!client.join().unwrap());
    hello.truncate(length);
    hello
}

#[test]
fn a_peer_that_dawdles_does_not_stretch_the_limit() {
    let limit = Duration::from_millis(300);
    let (mut near, far) = pipe(usize::MAX);
    let dawdler = thread::spawn(move || {
        for byte in client_hello() {
            if near.write_all(&[byte]).is_err() {
                return;
            }
            // Only time can show that slow bytes do not extend the limit.
            thread::sleep(Duration::from_millis(20));
        }
        let _ = near.read(&mut [0]);
    });
    let start = Instant::now();
    let error = tls()
        .with_limit(limit)
        .accept(far, set_timeout)
        .unwrap_err();
    assert!(matches!(error, TlsError::TimedOut { .. }), "{error}");
    assert!(start.elapsed() >= limit && start.elapsed() < TIME_LIMIT);
    dawdler.join().unwrap();
}

#[test]
fn a_handshake_may_come_a_byte_at_a_time() {
    let (client, server) = super::shake(&tls(), None, 1);
    client.unwrap();
    server.unwrap();
}

#[test]
fn a_handshake_that_breaks_off_is_an_error_at_every_byte() {
    let (hello, tls) = (client_hello(), tls());
    for length in 0..hello.len() {
        let (mut near, far) = pipe(usize::MAX);
        near.write_all(&hello[..length]).unwrap();
        drop(near);
        let error = tls.accept(far, set_timeout).unwrap_err();
        assert!(
            matches!(error, TlsError::Closed),
            "after {length} bytes: {error}"
        );
    }
}

#[test]
fn an_alert_in_the_middle_ends_the_handshake() {
    let hello = client_hello();
    for before in [&hello[..0], &hello] {
        let (mut near, far) = pipe(usize::MAX);
        near.write_all(&[before, CLOSE_NOTIFY].concat()).unwrap();
        let server = thread::spawn(|| tls().accept(far, set_timeout).map(drop));
        let _alert = near.read(&mut [0; 9]);
        drop(near);
        server.join().unwrap().unwrap_err();
    }
}

#[test]
fn an_alert_is_explained_with_what_to_try() {
    for (alert, words) in [
        // What a server that speaks TLS 1.2 at most answers.
        (
            AlertDescription::ProtocolVersion,
            "does not speak TLS 1.3, the only version here (TLS alert ProtocolVersion); update it, or choose another \
             peer",
        ),
        // What the suite's clients answer to a changed key.
        (
            AlertDescription::AccessDenied,
            "does not accept the key here (TLS alert AccessDenied); if it knows another key of this server, let it \
             trust the new fingerprint",
        ),
    ] {
        let (near, mut far) = pipe(usize::MAX);
        far.write_all(b"\x15\x03\x03\0\x02\x02").unwrap();
        far.write_all(&[alert.into()]).unwrap();
        let refused = crate::client::handshake(near, None, crate::HANDSHAKE_LIMIT, set_timeout);
        let error = refused.unwrap_err();
        assert!(matches!(error, TlsError::Refused(_)));
        let expected = format!("the TLS handshake failed: the peer {words}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_peer_without_tls_is_named_as_such() {
    let (mut near, far) = pipe(usize::MAX);
    near.write_all(b"\0\0\0\x05hello").unwrap();
    assert!(matches!(
        tls().accept(far, set_timeout).unwrap_err(),
        TlsError::NotTls
    ));
    let (near, mut far) = pipe(usize::MAX);
    far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    assert!(matches!(
        handshake(near, None, TIME_LIMIT, set_timeout).unwrap_err(),
        TlsError::NotTls
    ));
}

#[test]
fn the_first_byte_decides() {
    let tls = tls();
    for first in 0..=u8::MAX {
        let (mut near, far) = pipe(usize::MAX);
        near.write_all(&[first, 2, 3]).unwrap();
        drop(near);
        match tls.accept_either(far, set_timeout) {
            Ok(Some(MaybeTls::Plaintext(mut stream))) => {
                let mut all = vec![];
                stream.read_to_end(&mut all).unwrap();
                assert_eq!((all, is_tls_handshake(first)), (vec![first, 2, 3], false));
            }
            Err(_) => assert!(is_tls_handshake(first), "{first}"),
            other => panic!("{first}: {other:?}"),
        }
    }
    let (near, far) = pipe(usize::MAX);
    drop(near);
    assert!(matches!(tls.accept_either(far, set_timeout), Ok(None)));
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        keep in 0..400usize,
        header in any::<bool>(),
    ) {
        let hello = client_hello();
        let mut wire = hello[..keep.min(hello.len())].to_vec();
        if header {
            wire.extend_from_slice(&[0x16, 3, 3]);
            wire.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        }
        wire.extend_from_slice(&bytes);
        let (mut near, far) = pipe(usize::MAX);
        near.write_all(&wire).unwrap();
        drop(near);
        prop_assert!(tls().accept(far, set_timeout).is_err());
        let (near, mut far) = pipe(usize::MAX);
        far.write_all(&wire).unwrap();
        drop(far);
        prop_assert!(handshake(near, None, TIME_LIMIT, set_timeout).is_err());
    }
}
