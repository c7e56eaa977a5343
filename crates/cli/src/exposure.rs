//! Whether secrets may travel to and from an address: nothing on the wire is encrypted. It opens no sockets.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;

use clap::Args;

/// The flag of programs whose messages hold passwords.
#[derive(Args, Clone, Copy, Debug)]
pub struct PlaintextFlags {
    /// Let passwords and tokens travel between machines, although whoever listens on the way can read them
    #[arg(long)]
    allow_plaintext: bool,
}

impl PlaintextFlags {
    /// Lets an address pass that only this machine itself can have, or any with the flag.
    ///
    /// # Errors
    /// [`Exposed`], which is wrong usage.
    pub fn check(self, address: SocketAddr) -> Result<(), Exposed> {
        match self.allow_plaintext || !is_exposed(address) {
            true => Ok(()),
            false => Err(Exposed { address }),
        }
    }
}

/// Whether other machines can reach the address, or listen in on the way to it.
fn is_exposed(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

/// Secrets would travel unencrypted, and no flag permits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposed {
    address: SocketAddr,
}

impl Display for Exposed {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} is not a loopback address, and whoever listens on the way could read passwords and tokens, which are not encrypted; \
             use 127.0.0.1 (through a tunnel from elsewhere), or permit it with --allow-plaintext",
            self.address
        )
    }
}

impl Error for Exposed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, allow_plaintext: bool) -> Result<(), Exposed> {
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
