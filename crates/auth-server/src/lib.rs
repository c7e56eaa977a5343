//! The authentication server: users with passwords, and sessions that a token keeps.
//!
//! So far its rules. Each is a module of its own without sockets or files, and is handed the time
//! and the random bytes that it needs.
//!
//! - [`PasswordRules`] says which passwords a user may choose.
//! - [`Hasher`] turns a password into what is stored, and checks it; [`Pool`] bounds how much of
//!   that is done at once.
//! - [`Throttle`] slows guessing down.
//! - [`Session`] is what the server keeps of a [`Token`], and [`SessionLimits`] says until when.

mod bounded_table;
mod guessing;
mod hashing;
mod password;
mod pool;
mod random;
mod session;
mod user_key;

pub use guessing::{Attempt, Throttle, TooEarly};
pub use hashing::{BadHash, Cost, CostError, Hasher, Memory, OutOfMemory, StoredHash};
pub use password::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, Password, PasswordRules, WeakPassword};
pub use pool::{Busy, Pool};
pub use random::random;
pub use session::{MAX_SESSIONS, Session, SessionLimits, Token, longest_unseen};
pub use user_key::UserKey;
