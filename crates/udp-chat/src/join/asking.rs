//! Asking to join, or to come back: hello after hello until the server has decided.
//!
//! What a welcome or a refusal means for the conversation is not known here.

use std::time::{Duration, Instant};

use proto::chat::{Datagram, Hello, Nonce, Refused, SessionId, VERSION, Welcome};

/// How often a hello is said again.
const AGAIN: Duration = Duration::from_secs(1);

/// For how long.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The longest cookie the wire allows, in bytes.
const MAX_COOKIE_BYTES: usize = 128;

/// One hello and its repetitions; all have one nonce.
#[derive(Debug)]
pub(super) struct Asking {
    hello: Hello,
    again_at: Instant,
    over_at: Instant,
}

/// What the server decided.
#[derive(Debug)]
pub(super) enum Answer {
    Welcome(Welcome),
    Refused(Refused),
}

impl Asking {
    /// Asks for `nick`, and for `session` to come back to it.
    pub(super) fn new(
        nick: String,
        session: Option<SessionId>,
        nonce: Nonce,
        now: Instant,
    ) -> Self {
        Self {
            hello: Hello {
                version: VERSION,
                nonce,
                nick,
                session,
                cookie: None,
            },
            again_at: now,
            over_at: now + PATIENCE,
        }
    }

    /// The hello, when it is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Hello> {
        (self.again_at <= now).then(|| {
            self.again_at = now + AGAIN;
            self.hello.clone()
        })
    }

    /// Takes an answer in; one to another hello is none.
    pub(super) fn handle(&mut self, datagram: &Datagram<'_>, now: Instant) -> Option<Answer> {
        let nonce = self.hello.nonce;
        match datagram {
            Datagram::Challenge(challenge) if challenge.nonce == nonce => {
                if challenge.cookie.len() <= MAX_COOKIE_BYTES {
                    // Only the first is answered at once: a server that likes no cookie gets one
                    // hello a second, like a server that is silent.
                    if self.hello.cookie.is_none() {
                        self.again_at = now;
                    }
                    self.hello.cookie = Some(challenge.cookie.clone());
                }
                None
            }
            Datagram::Welcome(welcome) if welcome.nonce == nonce => {
                Some(Answer::Welcome(welcome.clone()))
            }
            Datagram::Refused(refused) if refused.nonce == nonce => {
                Some(Answer::Refused(refused.clone()))
            }
            _ => None,
        }
    }

    /// Whether the server was heard at all.
    pub(super) fn is_challenged(&self) -> bool {
        self.hello.cookie.is_some()
    }

    /// Whether it was asked for long enough.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.over_at <= now
    }

    pub(super) fn deadline(&self) -> Instant {
        self.again_at.min(self.over_at)
    }
}

#[cfg(test)]
mod tests {
    use proto::chat::{Challenge, Refusal};

    use super::*;

    const NONCE: Nonce = Nonce::from_bytes([7; 16]);

    fn challenge(cookie: &str) -> Datagram<'static> {
        Datagram::Challenge(Challenge {
            nonce: NONCE,
            cookie: cookie.into(),
        })
    }

    fn asking(now: Instant) -> Asking {
        Asking::new("Аня".into(), None, NONCE, now)
    }

    #[test]
    fn a_hello_is_said_every_second_for_30_seconds() {
        let start = Instant::now();
        let mut asking = asking(start);
        let mut hellos = 0;
        let mut now = start;
        while !asking.is_over(now) {
            hellos += usize::from(asking.poll(now).is_some());
            assert!(asking.poll(now).is_none(), "once each time");
            now = asking.deadline();
        }
        assert_eq!((hellos, now - start), (30, PATIENCE));
    }

    #[test]
    fn the_first_cookie_goes_back_at_once_and_a_later_one_in_its_time() {
        let now = Instant::now();
        let mut asking = asking(now);
        assert_eq!(asking.poll(now).unwrap().cookie, None);
        assert!(asking.handle(&challenge("a"), now).is_none());
        assert_eq!(asking.poll(now).unwrap().cookie.as_deref(), Some("a"));
        asking.handle(&challenge("b"), now);
        assert!(asking.poll(now).is_none(), "no storm");
        let hello = asking.poll(now + AGAIN).unwrap();
        assert_eq!(hello.cookie.as_deref(), Some("b"));
    }

    #[test]
    fn only_an_answer_to_this_hello_counts() {
        let now = Instant::now();
        let mut asking = asking(now);
        let refused = |nonce| {
            Datagram::Refused(Refused {
                nonce,
                code: Refusal::Full,
                message: "no room".into(),
            })
        };
        let stranger = Nonce::from_bytes([8; 16]);
        assert!(asking.handle(&refused(stranger), now).is_none());
        assert!(matches!(
            asking.handle(&refused(NONCE), now),
            Some(Answer::Refused(_))
        ));
    }
}
