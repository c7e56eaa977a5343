//! Reset tokens: how a server that no longer knows a session says so at once (RFC 9000, section 10.3).

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::key::StaticKey;
use crate::wire::{KIND_RESET, RESET_BYTES, SessionId};

/// Bytes of a token.
pub(crate) const TOKEN_BYTES: usize = 16;

/// How many resets leave in a second at most.
const MAX_RESETS_PER_SECOND: u32 = 100;

/// What separates the key of tokens from other uses of the server's identity.
const LABEL: &[u8] = b"chat-link reset token";

/// Makes the tokens of a server. They survive a restart, since their key is derived from the identity.
pub(crate) struct ResetTokens {
    keyed: Hmac<Sha256>,
    second: Option<Instant>,
    sent: u32,
}

impl ResetTokens {
    pub(crate) fn new(identity: &StaticKey) -> Self {
        let derived = hmac(identity.private())
            .chain_update(LABEL)
            .finalize()
            .into_bytes();
        let (keyed, second, sent) = (hmac(&derived), None, 0);
        Self {
            keyed,
            second,
            sent,
        }
    }

    /// The token of a session, which its client learns from the sealed welcome.
    pub(crate) fn token(&self, session: SessionId) -> [u8; TOKEN_BYTES] {
        let mac = self
            .keyed
            .clone()
            .chain_update(session.as_bytes())
            .finalize()
            .into_bytes();
        let mut token = [0; TOKEN_BYTES];
        token.copy_from_slice(&mac[..TOKEN_BYTES]);
        token
    }

    /// The answer to a datagram of an unknown session. It is shorter than that datagram and never answers a
    /// reset, so two servers cannot keep each other busy.
    pub(crate) fn reset(&mut self, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        let session = SessionId::of_datagram(datagram).filter(|_| datagram.len() > RESET_BYTES)?;
        if self
            .second
            .is_none_or(|second| now >= second + Duration::from_secs(1))
        {
            (self.second, self.sent) = (Some(now), 0);
        }
        if self.sent == MAX_RESETS_PER_SECOND {
            return None;
        }
        self.sent += 1;
        let mut reset = vec![KIND_RESET];
        reset.extend_from_slice(session.as_bytes());
        reset.extend_from_slice(&self.token(session));
        Some(reset)
    }
}

/// Whether a datagram resets this session.
pub(crate) fn is_reset(datagram: &[u8], session: SessionId, token: &[u8; TOKEN_BYTES]) -> bool {
    let Ok(reset) = <&[u8; RESET_BYTES]>::try_from(datagram) else {
        return false;
    };
    let differences = reset[17..]
        .iter()
        .zip(token)
        .fold(0, |all, (a, b)| all | (a ^ b));
    reset[0] == KIND_RESET && reset[1..17] == session.as_bytes()[..] && differences == 0
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Header, Protection};

    fn tokens() -> ResetTokens {
        ResetTokens::new(&StaticKey::from_private([1; 32]))
    }

    fn datagram(length: usize) -> Vec<u8> {
        let (protection, session) = (Protection::Sealed, SessionId::from_bytes([2; 16]));
        let mut datagram = Vec::new();
        Header {
            protection,
            session,
            number: 1,
        }
        .encode(&mut datagram);
        datagram.resize(length, 0);
        datagram
    }

    #[test]
    fn a_reset_is_known_by_its_token_alone() {
        let now = Instant::now();
        let session = SessionId::from_bytes([2; 16]);
        let reset = tokens().reset(&datagram(60), now).unwrap();
        assert!(
            is_reset(&reset, session, &tokens().token(session)),
            "the key is the same after a restart"
        );
        let other = ResetTokens::new(&StaticKey::from_private([3; 32]));
        assert!(!is_reset(&reset, session, &other.token(session)));
        assert!(!is_reset(&reset[..32], session, &tokens().token(session)));
    }

    #[test]
    fn it_is_shorter_than_its_cause_and_never_answers_a_reset() {
        let now = Instant::now();
        let reset = tokens().reset(&datagram(34), now).unwrap();
        assert!(reset.len() < 34);
        assert_eq!(tokens().reset(&datagram(33), now), None);
        assert_eq!(tokens().reset(&reset, now), None);
        assert_eq!(
            tokens().reset(
                b"{\"type\":\"hello\",\"pad\":\"000000000000000000000\"}",
                now
            ),
            None
        );
    }

    #[test]
    fn a_hundred_members_leave_within_a_second() {
        let now = Instant::now();
        let mut tokens = tokens();
        let count = |tokens: &mut ResetTokens, at| {
            (0..500)
                .filter_map(|_| tokens.reset(&datagram(60), at))
                .count()
        };
        assert_eq!(count(&mut tokens, now), 100);
        assert_eq!(count(&mut tokens, now + Duration::from_millis(999)), 0);
        assert_eq!(count(&mut tokens, now + Duration::from_secs(1)), 100);
    }
}
