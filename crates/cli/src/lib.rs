//! The command line of every program: flags, prompts, start-up, service messages, signals, exit status.
//!
//! It does not know what the programs do.

mod connect;
mod descriptors;
mod endpoint;
mod env;
mod flags;
mod listen;
mod messages;
mod one_line;
mod plaintext;
mod program;
mod prompt;
mod reason;
mod say;
mod startup;
mod stop;
mod traffic;

pub use connect::{ConnectError, connect};
pub use descriptors::raise_descriptor_limit;
pub use endpoint::{Endpoint, EndpointError, EndpointFlags, Prompt, ResolveError};
pub use flags::{ServerFlags, TcpServerFlags};
pub use listen::{ListenError, announce, bind_udp, listen};
pub use messages::{LogError, LogFlags, LogGuard, LogTo, log_to_stderr};
pub use plaintext::{PlaintextFlags, PlaintextRefused};
pub use program::{Program, StdoutError, UsageError};
pub use prompt::{BadLine, ask, read_line};
pub use reason::Reason;
pub use startup::{BoundServer, LoggedServer, StartupError};
pub use stop::{exit_on_stop, on_stop};
pub use traffic::Traffic;
