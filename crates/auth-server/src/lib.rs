//! The authentication server: users with passwords, and sessions that a token opens.
//!
//! [`AuthService`] is served on any listener, over an [`Auth`], with [`Maintenance`] beside it. `README.md`, beside
//! this crate's manifest, says against which attackers it protects.
//!
//! The rules are modules of their own without sockets or files, and take time and random bytes as arguments:
//!
//! - [`PasswordRules`] says which passwords a user may choose.
//! - [`Hasher`] turns a password into what is stored, and checks it.
//! - [`RateLimiter`] says when the next guess may be made, and [`KnownNetworks`] which networks guesses from
//!   elsewhere do not delay.
//! - [`FairQueue`] says whose password is hashed next; [`HashPool`] makes threads wait for it.
//! - [`Session`] is what the server keeps of a [`Token`], and [`SessionLimits`] says until when.

mod accounts;
mod admin;
mod auth;
mod bounded_table;
mod error;
mod fair_queue;
mod hash_pool;
mod hashing;
mod keyed_hash;
mod known_networks;
mod maintenance;
mod password;
mod rate_limit;
mod security_log;
mod service;
mod session;
mod session_index;
mod sessions;
mod throttle;
mod transport;
mod user;
mod user_key;

pub use accounts::Policy;
pub use admin::AdminError;
pub use auth::Auth;
pub use fair_queue::{FairQueue, KNOWN_SLOTS, MAX_WAIT, Pushed, Ticket, UNKNOWN_SLOTS};
pub use hash_pool::{HashPool, QueueFull};
pub use hashing::{BadHash, Cost, CostError, Hasher, Memory, OutOfMemory, StoredHash};
pub use known_networks::KnownNetworks;
pub use maintenance::Maintenance;
pub use password::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, Password, PasswordRules, WeakPassword};
pub use rate_limit::{Attempt, Entry, RateLimited, RateLimiter, Saved, Table};
pub use service::AuthService;
pub use session::{MAX_SESSIONS, Session, SessionLimits, Token, least_recently_used};
pub use throttle::{OpenError, throttle_files};
pub use transport::Transport;
pub use user::{PasswordVersion, User};
pub use user_key::UserKey;
