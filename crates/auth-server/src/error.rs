//! Why a request fails: the reply to the client, and the text in the log.

use std::io;

use proto::auth::{ErrorCode, Reply};
use proto::{Name, NameError};

use crate::hash_pool::QueueFull;
use crate::hashing::OutOfMemory;
use crate::password::WeakPassword;
use crate::rate_limit::RateLimited;
use crate::sessions::OpenSessionError;

/// Why a request fails. It holds nothing of a password or token.
///
/// `Display` is for the log; [`reply`](Self::reply) is for the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// No such user, or not this password.
    #[error("the user or the password is wrong")]
    BadCredentials {
        /// The user, if there is one, for the log alone. An unknown name is left out, since it may be a password in the
        /// wrong field.
        user: Option<Name>,
    },
    /// Not the password of the user who wants to change it.
    #[error("the old password is wrong")]
    WrongOldPassword {
        /// The user whose session this is.
        user: Name,
    },
    /// There is a user of that name.
    #[error("there is a user of that name")]
    NameTaken,
    /// The text is not a name.
    #[error(transparent)]
    BadName(#[from] NameError),
    /// The new password may not be chosen.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The attempt came too early.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The session is not live.
    #[error("the session is over; log in again")]
    SessionExpired,
    /// The user has no session of that id.
    #[error("you have no session of that id")]
    NoSuchSession,
    /// The connection has no session.
    #[error("this needs a session; log in first")]
    NotLoggedIn,
    /// The server takes no new users.
    #[error("this server takes no new users")]
    RegistrationClosed,
    /// The server cannot do it now. Nothing has changed.
    #[error(transparent)]
    Unavailable(#[from] ServerFault),
    /// The change was made, but no session could be opened after it.
    #[error("{done}, but without a session: {reason}")]
    NoSession {
        /// What was done.
        done: Done,
        /// Why there is no session.
        reason: Box<AuthError>,
    },
}

/// A change that a session follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// A user was registered.
    Registered,
    /// A password was changed.
    PasswordChanged,
}

/// What keeps the server from doing its part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerFault {
    /// Too many attempts wait for a hash.
    #[error(transparent)]
    Busy(#[from] QueueFull),
    /// There is no memory for a hash.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The operating system gives no random bytes.
    #[error(transparent)]
    NoRandom(#[from] io::Error),
    /// The change is not on disk.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl AuthError {
    /// The reply to the client.
    pub(crate) fn reply(&self) -> Reply {
        Reply::Error {
            code: self.code(),
            message: self.message(),
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::BadCredentials { .. } | Self::WrongOldPassword { .. } => {
                ErrorCode::BadCredentials
            }
            Self::NameTaken => ErrorCode::NameTaken,
            Self::BadName(_) => ErrorCode::BadName,
            Self::WeakPassword(_) => ErrorCode::WeakPassword,
            Self::RateLimited(error) => ErrorCode::TooManyAttempts {
                retry_after: error.seconds(),
            },
            Self::SessionExpired => ErrorCode::SessionExpired,
            Self::NoSuchSession => ErrorCode::NoSuchSession,
            Self::NotLoggedIn => ErrorCode::NotLoggedIn,
            Self::RegistrationClosed => ErrorCode::RegistrationClosed,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::NoSession { .. } => ErrorCode::NoSession,
        }
    }

    /// The words for the client. They do not say what is wrong with the server, which concerns its owner alone.
    fn message(&self) -> String {
        match self {
            Self::Unavailable(ServerFault::Busy(_)) => {
                "the server is busy; try again later".to_owned()
            }
            Self::Unavailable(_) => "the server cannot do it now; try again later".to_owned(),
            Self::NoSession { done, .. } => {
                format!("{done}, but no session could be opened; log in later")
            }
            error => error.to_string(),
        }
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Registered => "the user is registered",
            Self::PasswordChanged => "the password is changed",
        })
    }
}

impl From<QueueFull> for AuthError {
    fn from(error: QueueFull) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<store::Error> for AuthError {
    fn from(error: store::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<OpenSessionError> for AuthError {
    fn from(error: OpenSessionError) -> Self {
        match error {
            OpenSessionError::NoRandom(error) => Self::Unavailable(error.into()),
            OpenSessionError::Store(error) => Self::Unavailable(error.into()),
            // The password was changed, or the user removed, while this one was checked.
            OpenSessionError::TooLate => Self::BadCredentials { user: None },
        }
    }
}
