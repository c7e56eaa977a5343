//! What the conversation needs of a terminal or a pipe.

use super::display::DisplayEvent;

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

    /// Whether it is known that nobody here is called `nick`.
    fn misses(&self, nick: &str) -> bool;

    /// Returns when all is shown.
    fn close(self);
}
