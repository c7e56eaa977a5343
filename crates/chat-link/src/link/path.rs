//! Which addresses a session's datagrams use, and how a new one is validated (RFC 9000, section 8.2 and 9).

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many times the bytes that came from an unproven address may go there.
const MAX_AMPLIFICATION: usize = 3;

/// The two ends of a datagram's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The peer's address.
    pub remote: SocketAddr,
    /// The own address that the peer writes to, where the system reports it.
    pub local: Option<IpAddr>,
}

impl Path {
    /// The path to an address, from whatever own address the system chooses.
    #[must_use]
    pub fn to(remote: SocketAddr) -> Self {
        Self {
            remote,
            local: None,
        }
    }
}

/// The path in use, and another one that the peer may have moved to.
#[derive(Debug)]
pub(super) struct Paths {
    current: Path,
    candidate: Option<Candidate>,
    /// Derives the tokens of challenges. A client has none: it chooses its path itself.
    secret: Option<[u8; 32]>,
    challenges: u64,
}

#[derive(Debug)]
struct Candidate {
    path: Path,
    token: [u8; 8],
    received: usize,
    sent: usize,
    challenge_due: bool,
}

impl Paths {
    pub(super) fn new(current: Path, secret: Option<[u8; 32]>) -> Self {
        Self {
            current,
            candidate: None,
            secret,
            challenges: 0,
        }
    }

    pub(super) fn current(&self) -> Path {
        self.current
    }

    pub(super) fn set_current(&mut self, path: Path) {
        self.current = path;
    }

    /// Whether this end validates the addresses of the other.
    pub(super) fn validates(&self) -> bool {
        self.secret.is_some()
    }

    /// An authentic packet of `bytes` came over `path`; it has the highest number so far if `newest`.
    pub(super) fn received(&mut self, path: Path, bytes: usize, newest: bool) {
        let Some(secret) = self.secret else { return };
        if path == self.current {
            if newest {
                self.candidate = None;
            }
            return;
        }
        if let Some(candidate) = self
            .candidate
            .as_mut()
            .filter(|candidate| candidate.path == path)
        {
            candidate.received += bytes;
            candidate.challenge_due |= newest;
        } else if newest {
            self.challenges += 1;
            let mut keyed =
                Hmac::<Sha256>::new_from_slice(&secret).expect("HMAC takes a key of any length");
            keyed.update(&self.challenges.to_be_bytes());
            let mut token = [0; 8];
            token.copy_from_slice(&keyed.finalize().into_bytes()[..8]);
            self.candidate = Some(Candidate {
                path,
                token,
                received: bytes,
                sent: 0,
                challenge_due: true,
            });
        }
    }

    /// The challenge to send now in a datagram of `bytes`, and where to.
    pub(super) fn poll_challenge(&mut self, bytes: usize) -> Option<(Path, [u8; 8])> {
        let candidate = self
            .candidate
            .as_mut()
            .filter(|candidate| candidate.challenge_due)?;
        candidate.challenge_due = false;
        if candidate.sent + bytes > MAX_AMPLIFICATION * candidate.received {
            return None;
        }
        candidate.sent += bytes;
        Some((candidate.path, candidate.token))
    }

    /// A challenge was echoed over `path`. Gives the path left behind, if the peer has moved.
    pub(super) fn validate(&mut self, path: Path, token: [u8; 8]) -> Option<Path> {
        let candidate = self
            .candidate
            .take_if(|candidate| candidate.path == path && candidate.token == token)?;
        Some(std::mem::replace(&mut self.current, candidate.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path::to(SocketAddr::from(([192, 0, 2, 1], port)))
    }

    #[test]
    fn a_new_address_is_used_once_it_has_echoed_the_challenge() {
        let mut paths = Paths::new(path(1), Some([7; 32]));
        paths.received(path(2), 60, false);
        assert_eq!(paths.poll_challenge(50), None, "an old packet moves nobody");
        paths.received(path(2), 60, true);
        let (to, token) = paths.poll_challenge(50).unwrap();
        assert_eq!((to, paths.current()), (path(2), path(1)));
        assert_eq!(
            paths.validate(path(3), token),
            None,
            "echoed from elsewhere"
        );
        assert_eq!(paths.validate(path(2), [0; 8]), None);
        assert_eq!(paths.validate(path(2), token), Some(path(1)));
        assert_eq!(paths.current(), path(2));
        assert_eq!(paths.validate(path(2), token), None);
    }

    #[test]
    fn an_unproven_address_gets_three_times_its_bytes() {
        let mut paths = Paths::new(path(1), Some([7; 32]));
        paths.received(path(2), 50, true);
        let mut sent = 0;
        for _ in 0..10 {
            sent += paths.poll_challenge(50).map_or(0, |_| 50);
            paths.received(path(2), 0, true);
        }
        assert_eq!(sent, 150);
    }

    #[test]
    fn a_client_never_sends_a_challenge() {
        let mut paths = Paths::new(path(1), None);
        paths.received(path(2), 60, true);
        assert_eq!(paths.poll_challenge(50), None);
    }
}
