//! Why a request is not granted, for the client and for the log.

use std::fmt;
use std::io;

use proto::auth::{ErrorCode, Reply};
use proto::{Name, NameError};

use crate::guessing::TooEarly;
use crate::hashing::OutOfMemory;
use crate::password::WeakPassword;
use crate::pool::Busy;
use crate::sessions::OpenError;

/// Why a request is not granted. It holds nothing of a password or token.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No such user, or not this password.
    BadCredentials {
        /// The user, if there is one: for the log alone. What names nobody may be a password in the wrong place.
        user: Option<Name>,
    },
    /// Not the password of the user who wants to change it.
    WrongOldPassword {
        /// Who speaks, or somebody in that one's place.
        user: Name,
    },
    /// There is a user of that name.
    NameTaken,
    /// What should be a name is none.
    BadName(NameError),
    /// The new password may not be chosen.
    WeakPassword(WeakPassword),
    /// The attempt came too early.
    TooEarly(TooEarly),
    /// The session is not live.
    SessionExpired,
    /// The user has no session of that id.
    NoSuchSession,
    /// The connection speaks for no session.
    NotLoggedIn,
    /// The server takes no new users.
    RegistrationClosed,
    /// The server cannot do it now.
    Unavailable(Fault),
    /// A user was registered or a password changed, but no session could be opened then.
    NoSession(Fault),
}

/// What keeps a server from what it would do.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Too many wait for a hash.
    Busy(Busy),
    /// There is no memory for a hash.
    OutOfMemory(OutOfMemory),
    /// The operating system gives no random bytes.
    NoRandom(io::Error),
    /// The disk did not take the change.
    Store(store::Error),
}

impl Refusal {
    /// What the client is told.
    pub(crate) fn reply(&self) -> Reply {
        Reply::Error {
            code: self.code(),
            message: self.told(),
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
            Self::TooEarly(error) => ErrorCode::TooManyAttempts {
                retry_after: error.seconds(),
            },
            Self::SessionExpired => ErrorCode::SessionExpired,
            Self::NoSuchSession => ErrorCode::NoSuchSession,
            Self::NotLoggedIn => ErrorCode::NotLoggedIn,
            Self::RegistrationClosed => ErrorCode::RegistrationClosed,
            Self::Unavailable(_) | Self::NoSession(_) => ErrorCode::Unavailable,
        }
    }

    /// What is wrong with the server is its owner's business, and not told.
    fn told(&self) -> String {
        let words = match self {
            Self::BadName(error) => return error.to_string(),
            Self::WeakPassword(error) => return error.to_string(),
            Self::TooEarly(error) => return error.to_string(),
            Self::BadCredentials { .. } => "the user or the password is wrong",
            Self::WrongOldPassword { .. } => "the old password is wrong",
            Self::NameTaken => "there is a user of that name",
            Self::SessionExpired => "the session is over; log in again",
            Self::NoSuchSession => "you have no session of that id",
            Self::NotLoggedIn => "this needs a session; log in first",
            Self::RegistrationClosed => "this server takes no new users",
            Self::Unavailable(Fault::Busy(_)) => "the server is busy; try again later",
            Self::Unavailable(_) => "the server cannot do it now; try again later",
            Self::NoSession(_) => "it is done, but no session could be opened; log in later",
        };
        words.to_owned()
    }
}

/// For the log.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(fault) => fault.fmt(f),
            Self::NoSession(fault) => write!(f, "it is done, but without a session: {fault}"),
            _ => f.write_str(&self.told()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(error) => error.fmt(f),
            Self::OutOfMemory(error) => error.fmt(f),
            Self::NoRandom(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        Self::BadName(error)
    }
}

impl From<WeakPassword> for Refusal {
    fn from(error: WeakPassword) -> Self {
        Self::WeakPassword(error)
    }
}

impl From<TooEarly> for Refusal {
    fn from(error: TooEarly) -> Self {
        Self::TooEarly(error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault)
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::Unavailable(Fault::Store(error))
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NoRandom(error) => Self::Unavailable(Fault::NoRandom(error)),
            OpenError::Store(error) => Self::Unavailable(Fault::Store(error)),
            OpenError::TooLate => Self::BadCredentials { user: None },
        }
    }
}
