//! A person's side of every program: flags, prompts, where to listen and connect, service messages, stop signals, last words.
//!
//! It knows nothing of what the programs do.

mod connect;
mod descriptors;
mod endpoint;
mod exposure;
mod flags;
mod listen;
mod messages;
mod one_line;
mod opening;
mod program;
mod prompt;
mod reason;
mod say;
mod stop;
mod traffic;
mod variables;

pub use connect::{ConnectError, connect};
pub use descriptors::raise_descriptor_limit;
pub use endpoint::{Endpoint, EndpointError, EndpointFlags, Prompt, ResolveError};
pub use exposure::{Exposed, PlaintextFlags};
pub use flags::{ServerFlags, TcpServerFlags};
pub use listen::{ListenError, announce, bind_udp, listen};
pub use messages::{LogError, LogFlags, LogGuard, LogTo, log_to_stderr};
pub use opening::{OpenError, OpenServer, StartedServer};
pub use program::{Program, StdoutError, UsageError};
pub use prompt::{BadLine, ask, read_line};
pub use reason::Reason;
pub use stop::{exit_on_stop, on_stop};
pub use traffic::Traffic;
