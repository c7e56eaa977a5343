//! What the conversation needs of a terminal or a page.

use super::shown::Shown;

/// Where the conversation is shown.
pub(super) trait Output {
    /// Whether it takes more; told by [`Input::Wake`](super::input::Input::Wake) when it does again.
    fn is_ready(&self) -> bool;

    /// Shows one thing.
    fn show(&mut self, shown: &Shown);

    /// Whether a person looks at it.
    fn is_for_a_person(&self) -> bool;

    /// Whether it is known that nobody here is called `nick`.
    fn misses(&self, nick: &str) -> bool;

    /// Returns when all is shown.
    fn close(self);
}
