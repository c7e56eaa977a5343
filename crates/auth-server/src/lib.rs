//! The authentication server: users with passwords, and sessions that a token keeps.
//!
//! [`AuthService`] is served on any listener, over an [`Auth`] of two stores, with a [`Keeper`] beside it. `README.md`, beside
//! this crate's manifest, says what is protected against whom.
//!
//! Its rules are modules of their own without sockets or files, and are handed the time and the random bytes that they need.
//!
//! - [`PasswordRules`] says which passwords a user may choose.
//! - [`Hasher`] turns a password into what is stored, and checks it; [`Pool`] bounds how much of that is done at once.
//! - [`Throttle`] slows guessing down.
//! - [`Session`] is what the server keeps of a [`Token`], and [`SessionLimits`] says until when.

mod accounts;
mod auth;
mod bounded_table;
mod guessing;
mod hashing;
mod keeper;
mod password;
mod pool;
mod presence;
mod random;
mod refusal;
mod service;
mod session;
mod sessions;
mod user;
mod user_key;

pub use accounts::Policy;
pub use auth::Auth;
pub use guessing::{Attempt, Throttle, TooEarly};
pub use hashing::{BadHash, Cost, CostError, Hasher, Memory, OutOfMemory, StoredHash};
pub use keeper::Keeper;
pub use password::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, Password, PasswordRules, WeakPassword};
pub use pool::{Busy, Pool};
pub use random::random;
pub use service::AuthService;
pub use session::{MAX_SESSIONS, Session, SessionLimits, Token, longest_unseen};
pub use user::{Generation, User};
pub use user_key::UserKey;
