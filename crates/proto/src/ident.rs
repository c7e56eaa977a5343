//! The messages of the identification dialogue. It does not know what a server does with them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// The server closes a connection after this many invalid names.
pub const MAX_BAD_NAMES: u32 = 3;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Answers [`Reply::WhoAreYou`]. The text is not yet known to be a [`Name`].
    Name {
        /// What the client wants to be called.
        name: String,
    },
    /// Asks how the server knows this client.
    Whoami,
    /// Puts another name in place of the stored one.
    Rename {
        /// What the client wants to be called from now on.
        name: String,
    },
    /// Asks the server to delete what it knows of this client.
    Forget,
    /// Ends the dialogue.
    Exit,
}

/// What the server says: first of all a welcome or a question, then one reply a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// The client is known, by this name, and the name is on disk.
    Welcome {
        /// The stored name.
        name: Name,
    },
    /// The client is not known, and is asked for a name.
    WhoAreYou,
    /// Answers [`Request::Whoami`].
    YouAre {
        /// The stored name.
        name: Name,
        /// The client's address, which is all that the name hangs on.
        address: IpAddr,
    },
    /// The name is deleted.
    Forgotten,
    /// The last message; the server closes.
    Bye,
    /// The request was not granted.
    Error {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
}

/// Why a request was not granted. The words on the wire stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The text breaks a rule of [`Name`].
    BadName,
    /// The request needs a known client, and this one has no name yet.
    NotKnown,
    /// No message of this dialogue.
    BadMessage,
    /// The server cannot store or delete the name now.
    Unavailable,
    /// A code that a newer server has. It is received, never sent.
    #[serde(other, skip_serializing)]
    Other,
}
