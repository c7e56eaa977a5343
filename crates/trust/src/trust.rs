//! The whole of trust on first use: looks a server up, decides, asks, and remembers.

use std::fmt;
use std::io;

use crate::decision::{Decision, TrustPolicy, decide};
use crate::error::{TrustError, UnknownServerReason};
use crate::fingerprint::Fingerprint;
use crate::known_servers::KnownServers;
use crate::server_id::ServerId;

/// How a client trusts servers, as its flags say.
#[derive(Clone, Debug)]
pub struct Trust {
    /// `--trust`
    pub policy: TrustPolicy,
    /// `--fingerprint`: the only key that is accepted.
    pub pinned: Option<Fingerprint>,
    /// What is remembered.
    pub known: KnownServers,
}

/// What a person is asked about an unknown server. Displayed, it is a text of several lines that ends with the
/// question; the answer yes is `y` or `yes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    server: ServerId,
    presented: Fingerprint,
}

/// Asks a person, and says whether the answer was yes.
pub type Ask<'a> = &'a mut dyn FnMut(&Question) -> io::Result<bool>;

impl Trust {
    /// The key that a server must have, if it is pinned or known. A handshake with another one can end at once;
    /// [`check`](Self::check) then says why.
    ///
    /// # Errors
    ///
    /// When the known servers cannot be read.
    pub fn expected(&self, server: &ServerId) -> Result<Option<Fingerprint>, TrustError> {
        match self.pinned {
            Some(pinned) => Ok(Some(pinned)),
            None => Ok(self.known.get(server)?),
        }
    }

    /// Returns if the server is trusted, and remembers its key where it was not known.
    ///
    /// `ask` is `None` where there is no person to ask. The answer may take minutes.
    ///
    /// # Errors
    ///
    /// Why the server is not trusted: nothing must be sent to it.
    pub fn check(
        &self,
        server: &ServerId,
        is_loopback: bool,
        presented: Fingerprint,
        ask: Option<Ask<'_>>,
    ) -> Result<(), TrustError> {
        let known = self.known.get(server)?;
        let unknown = |reason| TrustError::Unknown {
            server: server.clone(),
            presented,
            reason,
        };
        match self.decide(is_loopback, known, presented) {
            Decision::Accept => return Ok(()),
            Decision::AcceptAndRemember => {}
            Decision::RefuseUnknown => return Err(unknown(UnknownServerReason::OnlyKnown)),
            Decision::RefuseChanged { known } => return Err(changed(server, known, presented)),
            Decision::RefuseNotPinned { pinned } => {
                return Err(TrustError::NotPinned {
                    server: server.clone(),
                    pinned,
                    presented,
                });
            }
            Decision::Ask => {
                let ask = ask.ok_or_else(|| unknown(UnknownServerReason::NobodyToAsk))?;
                let question = Question::new(server.clone(), presented);
                let is_accepted = ask(&question).map_err(|cause| TrustError::Ask {
                    server: server.clone(),
                    cause,
                })?;
                if !is_accepted {
                    return Err(unknown(UnknownServerReason::Declined));
                }
            }
        }
        match self.known.remember(server, known, presented)? {
            None => Ok(()),
            Some(other) => Err(changed(server, other, presented)),
        }
    }

    /// The decision alone, for a client that cannot wait for an answer in the middle of a handshake. `known` is what
    /// [`KnownServers::get`] gives.
    #[must_use]
    pub fn decide(
        &self,
        is_loopback: bool,
        known: Option<Fingerprint>,
        presented: Fingerprint,
    ) -> Decision {
        decide(self.policy, is_loopback, self.pinned, known, presented)
    }
}

impl Question {
    /// The question whether a server with this key is to be trusted.
    #[must_use]
    pub fn new(server: ServerId, presented: Fingerprint) -> Self {
        Self { server, presented }
    }
}

fn changed(server: &ServerId, known: Fingerprint, presented: Fingerprint) -> TrustError {
    TrustError::Changed {
        server: server.clone(),
        known,
        presented,
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, presented } = self;
        write!(
            f,
            "The server {server} is unknown. Its fingerprint is\n\
             \x20 {presented}\n\
             Compare it with the one that the server shows when it starts. If they differ, someone may be between you\n\
             and the server. Trust this server from now on? [y/N] "
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server_id::Protocol;

    fn key(number: u8) -> Fingerprint {
        Fingerprint::of_spki(&[number])
    }

    fn server() -> ServerId {
        ServerId::new(Protocol::Tcp, "192.0.2.7", 9290)
    }

    fn trust() -> (tempfile::TempDir, Trust) {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownServers::new(folder.path().join("known-servers.json"));
        (
            folder,
            Trust {
                policy: TrustPolicy::Ask,
                pinned: None,
                known,
            },
        )
    }

    #[test]
    fn a_person_is_asked_once() {
        let (_folder, trust) = trust();
        let mut questions = vec![];
        let mut yes = |question: &Question| {
            questions.push(question.to_string());
            Ok(true)
        };
        trust
            .check(&server(), false, key(1), Some(&mut yes))
            .unwrap();
        trust
            .check(&server(), false, key(1), Some(&mut yes))
            .unwrap();
        trust.check(&server(), false, key(1), None).unwrap();
        assert_eq!(questions.len(), 1);
        assert!(
            questions[0].contains(&key(1).to_string()) && questions[0].contains("192.0.2.7:9290")
        );
        assert!(questions[0].ends_with("[y/N] "), "{questions:?}");
    }

    #[test]
    fn no_is_no_and_is_not_remembered() {
        let (_folder, trust) = trust();
        let mut no = |_: &Question| Ok(false);
        for _ in 0..2 {
            let error = trust
                .check(&server(), false, key(1), Some(&mut no))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("was not accepted") && error.contains(&key(1).to_string()),
                "{error}"
            );
        }
        let error = trust
            .check(&server(), false, key(1), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no terminal") && error.contains(&format!("--fingerprint {}", key(1))),
            "{error}"
        );
        assert_eq!(trust.expected(&server()).unwrap(), None);
    }

    #[test]
    fn a_changed_key_is_refused_until_it_is_pinned() {
        let (_folder, mut trust) = trust();
        trust.check(&server(), true, key(1), None).unwrap();
        for policy in TrustPolicy::ALL {
            trust.policy = policy;
            let mut yes = |_: &Question| Ok(true);
            let error = trust
                .check(&server(), true, key(2), Some(&mut yes))
                .unwrap_err()
                .to_string();
            for part in [
                key(1).to_string(),
                key(2).to_string(),
                format!("--fingerprint {}", key(2)),
            ] {
                assert!(error.contains(&part), "{error}");
            }
        }
        trust.pinned = Some(key(2));
        let error = trust.check(&server(), true, key(1), None).unwrap_err();
        assert!(matches!(error, TrustError::NotPinned { .. }), "{error}");
        trust.check(&server(), true, key(2), None).unwrap();
        trust.pinned = None;
        trust.check(&server(), true, key(2), None).unwrap();
        assert!(trust.check(&server(), true, key(1), None).is_err());
    }

    #[test]
    fn a_key_that_another_process_stored_meanwhile_is_not_replaced() {
        let (_folder, trust) = trust();
        let known = trust.known.clone();
        let mut ask = |_: &Question| {
            known.remember(&server(), None, key(2)).unwrap();
            Ok(true)
        };
        let error = trust
            .check(&server(), false, key(1), Some(&mut ask))
            .unwrap_err();
        assert!(matches!(error, TrustError::Changed { .. }), "{error}");
        assert_eq!(trust.expected(&server()).unwrap(), Some(key(2)));
    }
}
