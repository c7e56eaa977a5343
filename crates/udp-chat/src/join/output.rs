//! What the conversation needs of a terminal or a pipe.

use trust::Question;

use super::display::DisplayEvent;

/// What comes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The answer comes as an [`Input::Answer`](super::input::Input::Answer).
    Later,
    Now(bool),
    /// Nobody can be asked.
    Nobody,
}

/// Where the conversation is shown.
pub(super) trait Output {
    /// Whether it takes more; [`Input::Wake`](super::input::Input::Wake) comes when it does again.
    fn is_ready(&self) -> bool;

    /// Shows one thing.
    fn show(&mut self, event: &DisplayEvent);

    /// Clears what is shown, where that makes sense.
    fn clear(&mut self);

    /// Whether a person looks at it.
    fn is_for_a_person(&self) -> bool;

    /// Asks a person whether to trust the server.
    fn ask_to_trust(&mut self, question: &Question) -> Asked;

    /// Asks for another nick, or no longer: the next line is the answer.
    fn ask_for_nick(&mut self, asks: bool);

    /// Returns when all is shown.
    fn close(self);
}
