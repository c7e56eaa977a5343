//! Security events: records with the target [`SECURITY`], which also go to a log file of their own. That log counts
//! events by kind, network and name.

use std::fmt;

use log::info;
use proto::log_target::SECURITY;
use proto::{Escaped, Name, Network};

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Login,
    FailedLogin,
    /// An attempt that came too early.
    RateLimited,
    Registration,
    PasswordChange,
    /// A session was ended by its user or by an administrator.
    Revocation,
    /// An administrator removed a user.
    Removal,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "login",
            Self::FailedLogin => "failed login",
            Self::RateLimited => "wait",
            Self::Registration => "registration",
            Self::PasswordChange => "password change",
            Self::Revocation => "revocation",
            Self::Removal => "removal",
        })
    }
}

/// Logs an event. `name` must be the name of an existing user. A name that no user has is not logged, since it may be a
/// password typed into the wrong field.
pub(crate) fn log_event(
    event: Event,
    network: Option<Network>,
    name: Option<&Name>,
    message: fmt::Arguments<'_>,
) {
    let name = name.map(|name| Escaped::new(name.as_str()));
    match (network, name) {
        (Some(network), Some(name)) => {
            info!(target: SECURITY, event:% = event, network:% = network, name:% = name; "{message}");
        }
        (Some(network), None) => {
            info!(target: SECURITY, event:% = event, network:% = network; "{message}");
        }
        (None, Some(name)) => info!(target: SECURITY, event:% = event, name:% = name; "{message}"),
        (None, None) => info!(target: SECURITY, event:% = event; "{message}"),
    }
}
