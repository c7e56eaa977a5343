//! Decides whether unencrypted secrets may travel to an address. It opens no sockets.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use clap::Args;

/// The flag of programs whose messages contain passwords.
#[derive(Args, Clone, Copy, Debug)]
pub struct PlaintextFlags {
    /// Let passwords and tokens travel between machines unencrypted, where others can read them
    #[arg(long)]
    allow_plaintext: bool,
}

impl PlaintextFlags {
    /// Accepts loopback addresses; with the flag, any address.
    ///
    /// # Errors
    /// [`PlaintextRefused`] is a usage error.
    pub fn check(self, address: SocketAddr) -> Result<(), PlaintextRefused> {
        match self.allow_plaintext || !is_exposed(address) {
            true => Ok(()),
            false => Err(PlaintextRefused { address }),
        }
    }
}

/// Whether other machines can reach the address or read the traffic to it.
fn is_exposed(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

/// Secrets would leave this machine unencrypted, and the flag that allows it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaintextRefused {
    address: SocketAddr,
}

impl Display for PlaintextRefused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not a loopback address, and others on the network could read unencrypted passwords and tokens; \
             use 127.0.0.1 (through a tunnel from other machines), or allow it with --allow-plaintext",
            self.address
        )
    }
}

impl Error for PlaintextRefused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, allow_plaintext: bool) -> Result<(), PlaintextRefused> {
        PlaintextFlags { allow_plaintext }.check(address.parse().unwrap())
    }

    #[test]
    fn only_this_machine_passes_without_the_flag() {
        for address in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(check(address, false), Ok(()), "{address}");
        }
        for address in [
            "0.0.0.0:1",
            "[::]:1",
            "192.0.2.7:1",
            "[2001:db8::7]:1",
            "[::ffff:192.0.2.7]:1",
            "128.0.0.1:1",
        ] {
            let refused = check(address, false).unwrap_err().to_string();
            assert!(refused.starts_with(address), "{refused}");
            assert!(refused.contains("--allow-plaintext"), "{refused}");
            assert_eq!(check(address, true), Ok(()), "{address}");
        }
    }
}
