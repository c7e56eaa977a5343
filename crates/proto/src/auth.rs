//! The messages of the authentication dialogue. It does not know what a server does with them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::secret::Secret;

/// What a client says. It speaks first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Creates a user, and opens a session.
    Register {
        /// The user's name, not yet known to be a [`Name`].
        user: String,
        /// The password.
        password: Secret,
    },
    /// Opens a session.
    Login {
        /// The user's name, in any case and compatibility form.
        user: String,
        /// The password.
        password: Secret,
    },
    /// Resumes a session.
    Resume {
        /// The token that came with the session.
        token: Secret,
    },
    /// Asks whose session this is.
    Whoami,
    /// Changes the password, revokes all sessions of the user, and opens a new one.
    ChangePassword {
        /// The password so far.
        old: Secret,
        /// The password from now on.
        new: Secret,
    },
    /// Asks for the user's sessions.
    Sessions,
    /// Ends a session of the user.
    Revoke {
        /// The session's [`id`](SessionInfo::id).
        id: String,
    },
    /// Ends this session.
    Logout,
    /// Ends all sessions of the user.
    LogoutAll,
    /// Ends the dialogue; the session goes on.
    Exit,
}

/// What the server says, one reply a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// The connection is in a session from now on.
    Session {
        /// The user's name as registered.
        user: Name,
        /// The token of a new session; none when a session goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Secret>,
        /// When the session ends if nothing more is said in it, in Unix seconds.
        expires_at: u64,
    },
    /// Answers [`Request::Whoami`].
    YouAre {
        /// The user's name as registered.
        user: Name,
    },
    /// Answers [`Request::Sessions`].
    Sessions {
        /// The user's live sessions.
        sessions: Vec<SessionInfo>,
    },
    /// The session is ended.
    Revoked {
        /// The session's [`id`](SessionInfo::id).
        id: String,
    },
    /// The session, or all of them, is ended.
    LoggedOut,
    /// The last message; the server closes.
    Bye,
    /// The request was not granted.
    Error {
        /// Why, for programs.
        #[serde(flatten)]
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
}

/// A session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// What [`Request::Revoke`] names it by. It opens nothing.
    pub id: String,
    /// Where the session was opened from.
    pub address: IpAddr,
    /// When it was opened, in Unix seconds.
    pub created_at: u64,
    /// When the server last heard from it, in Unix seconds.
    pub last_seen: u64,
    /// Whether it is the session of this connection.
    pub current: bool,
}

/// Why a request was not granted. The words on the wire stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ErrorCode {
    /// No such user, or not this password; the reply does not say which.
    BadCredentials,
    /// A user of that name, in whatever case or compatibility form, exists.
    NameTaken,
    /// The user's name breaks a rule of [`Name`].
    BadName,
    /// The new password breaks a rule; the message has the reason.
    WeakPassword,
    /// The attempt came too early and was not looked at.
    TooManyAttempts {
        /// Seconds after which the next attempt will be looked at.
        retry_after: u64,
    },
    /// The token is of no live session: unknown, expired or revoked.
    SessionExpired,
    /// The user has no session of that id.
    NoSuchSession,
    /// The request needs a session.
    NotLoggedIn,
    /// This server takes no new users.
    RegistrationClosed,
    /// The server cannot do it now. Nothing has changed.
    Unavailable,
    /// The user is registered, or the password changed, but no session could be opened after it.
    NoSession,
    /// The server takes this request only over TLS.
    TlsRequired,
    /// No message of this dialogue.
    BadMessage,
    /// A code that a newer server has. It is received, never sent.
    #[serde(other, skip_serializing)]
    Other,
}
