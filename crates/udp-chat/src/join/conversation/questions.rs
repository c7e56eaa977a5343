//! Questions to a person: whether to trust the server, and another nick when one is taken.

use std::time::Instant;

use chat_link::RefusalCode;

use super::super::display::DisplayEvent;
use super::super::error::JoinError;
use super::super::output::{Asked, Output};
use super::super::server_trust::Verdict;
use super::super::session::End;
use super::{Conversation, State};

impl<O: Output> Conversation<O> {
    /// Decides about the server's key, or asks a person; then the handshake is dropped, since its
    /// time is short.
    pub(super) fn judge_server(&mut self, now: Instant) -> Result<(), JoinError> {
        let Some(key) = self.parts.session.take_server_key() else {
            return Ok(());
        };
        let address = self.parts.transport.address();
        match self.parts.trust.judge(key, address)? {
            Verdict::Trusted => self.parts.session.trust(key, now),
            Verdict::Ask(question) => {
                self.parts.session.pause();
                match self.output.ask_to_trust(&question) {
                    Asked::Later => self.asked_about = Some(key),
                    Asked::Now(answer) => {
                        self.parts.trust.answer(key, Some(answer))?;
                        self.parts.session.trust(key, Instant::now());
                    }
                    Asked::Nobody => self.parts.trust.answer(key, None)?,
                }
            }
        }
        Ok(())
    }

    /// Whether a refused nick is asked for again.
    pub(super) fn asks_again(&mut self, end: &End) -> bool {
        let End::Refused {
            code: RefusalCode::NickTaken | RefusalCode::BadNick,
            message,
            ..
        } = end
        else {
            return false;
        };
        let can_ask = self.parts.asks_for_nick && self.output.is_for_a_person();
        if !can_ask || self.state != State::Talking {
            return false;
        }
        if !std::mem::replace(&mut self.is_asking_for_nick, true) {
            self.output.show(&DisplayEvent::Trouble(message.clone()));
            self.output.ask_for_nick(true);
        }
        true
    }
}
