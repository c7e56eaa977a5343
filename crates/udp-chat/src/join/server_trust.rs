//! Whether the server's key is trusted: known servers, flags, and a question to a person.

use std::net::SocketAddr;

use chat_link::PublicKey;
use cli::{Endpoint, TrustFlags};
use trust::{Decision, Fingerprint, Protocol, Question, ServerId, Trust, TrustError};

pub(super) struct ServerTrust {
    trust: Trust,
    server: ServerId,
}

/// What is to be done about a key.
pub(super) enum Verdict {
    Trusted,
    /// A person decides; this is the question.
    Ask(Question),
}

impl ServerTrust {
    pub(super) fn new(flags: &TrustFlags, endpoint: &Endpoint) -> Result<Self, TrustError> {
        Ok(Self {
            trust: flags.trust()?,
            server: ServerId::new(Protocol::Udp, &endpoint.host, endpoint.port),
        })
    }

    /// Judges the key that answers from `address`. A key that is trusted is remembered.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when it is not trusted, with what to do about it.
    pub(super) fn judge(&self, key: PublicKey, address: SocketAddr) -> Result<Verdict, TrustError> {
        let mut question = None;
        let presented = Fingerprint::of_x25519(key.as_bytes());
        let is_loopback = address.ip().to_canonical().is_loopback();
        let known = self.trust.known.get(&self.server)?;
        let must_ask = self.trust.decide(is_loopback, known, presented) == Decision::Ask;
        let mut ask = |asked: &Question| {
            question = Some(asked.clone());
            Ok(false)
        };
        match self
            .trust
            .check(&self.server, is_loopback, presented, Some(&mut ask))
        {
            Err(TrustError::Unknown { .. }) if must_ask => {}
            judged => return judged.map(|()| Verdict::Trusted),
        }
        question.map(Verdict::Ask).ok_or(TrustError::Unknown {
            server: self.server.clone(),
            presented,
            reason: trust::UnknownServerReason::NobodyToAsk,
        })
    }

    /// Takes the answer to the question, or finds that nobody can be asked.
    ///
    /// # Errors
    ///
    /// [`TrustError`] when the answer is no.
    pub(super) fn answer(&self, key: PublicKey, answer: Option<bool>) -> Result<(), TrustError> {
        let presented = Fingerprint::of_x25519(key.as_bytes());
        let Some(answer) = answer else {
            return self.trust.check(&self.server, false, presented, None);
        };
        let mut ask = |_: &Question| Ok(answer);
        self.trust
            .check(&self.server, false, presented, Some(&mut ask))
    }
}
