//! Why a session is closed: a number in the link's close, a word in messages.

use serde::{Deserialize, Serialize};

/// Why a session is closed. On the wire it is the number given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CloseReason {
    /// The member leaves.
    Quit = 0,
    /// The server stops.
    Stopping = 1,
    /// Too much waits for the member.
    TooSlow = 2,
    /// The member was silent, or acknowledged nothing.
    TimedOut = 3,
    /// An operator removed the member.
    Kicked = 4,
    /// An operator excluded the member.
    Banned = 5,
    /// The same person joined with the same nick from elsewhere.
    TakenOver = 6,
    /// A reason of a later version, or a breach of the protocol.
    #[serde(other)]
    Other = 255,
}

impl CloseReason {
    pub(crate) fn from_code(code: u8) -> Self {
        use CloseReason::{Banned, Kicked, Quit, Stopping, TakenOver, TimedOut, TooSlow};
        let known = [Quit, Stopping, TooSlow, TimedOut, Kicked, Banned, TakenOver];
        known.get(usize::from(code)).copied().unwrap_or(Self::Other)
    }
}
