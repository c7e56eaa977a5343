//! The command line of every program: flags, prompts, start-up, service messages, signals, exit status.
//!
//! It does not know what the programs do.

mod address;
mod command_line;
mod completions;
mod connect;
mod console;
mod descriptors;
mod dialogue_client;
mod encrypt;
mod endpoint;
mod env;
mod exit;
mod flags;
mod frame_dump;
mod input;
mod listen;
mod logging;
mod one_line;
mod platform;
mod print_stderr;
mod program;
mod prompt;
mod resolve;
mod service_messages;
mod standard_streams;
mod startup;
mod stop;
mod traffic;
mod trust;

pub use self::trust::{
    IdentityFlags, TlsFlags, TrustFlags, ask_to_trust, show_fingerprint, yes_or_no,
};
pub use address::HostPort;
pub use connect::{ConnectError, TcpClientFlags, connect, log_connected};
pub use console::Console;
pub use descriptors::raise_descriptor_limit;
pub use dialogue_client::DialogueClient;
pub use endpoint::{ClientFlags, Endpoint, EndpointError, EndpointFlags, Prompt};
pub use exit::{StdoutError, UsageError};
pub use flags::{ServerFlags, TcpServerFlags};
pub use frame_dump::FrameDump;
pub use input::TextInput;
pub use listen::{ListenError, announce, bind_udp, listen};
pub use logging::{LinePrefix, LogError, LogFlags, LogGuard, LogTo, log_to_person, log_to_stderr};
pub use platform::is_interactive;
pub use program::Program;
pub use prompt::{AskError, Asked, ask, ask_on_stdin};
pub use proto::Reason;
pub use resolve::ResolveError;
pub use service_messages::explain_client_message;
pub use standard_streams::RetryWouldBlock;
pub use startup::{BoundServer, LoggedServer, RunningServer, StartupError};
pub use stop::{exit_on_stop, on_server_signals};
pub use traffic::{FrameBytes, Traffic, Watched};
