//! For tests only: starts a program, talks to it, stops it, and shows its output when a test fails.
//!
//! A [`Program`] runs to its end ([`Program::output`]), beside the test ([`Running`]) or in a pseudo-terminal
//! ([`Terminal`]), in a [`Folder`] of its own and with a clean environment. This crate does not know the programs'
//! protocols.
//!
//! Every wait has a time limit, by default [`TIME_LIMIT`]; [`Program::time_limit`] changes it. When a wait fails, it
//! panics at the test's line with the program's output and log. A dropped process is killed.
//!
//! ```no_run
//! # use testbed::Program;
//! let server = Program::new("target/debug/echo-server").args(["--port", "0"]).spawn();
//! let client = Program::new("target/debug/echo-client")
//!     .args(["--port", &server.await_address().port().to_string()])
//!     .stdin_bytes("hello\n")
//!     .output()
//!     .expect_success();
//! assert_eq!(client.stdout_text(), "hello\n");
//! server.log().wait_for("client disconnected");
//! server.terminate();
//! server.wait().expect_success();
//! ```

mod corpus;
mod escapes;
mod failure;
mod finished;
mod folder;
mod hostile_json;
mod installed;
mod kill_rounds;
mod memory_stream;
#[cfg(target_os = "linux")]
mod network;
mod non_reading;
mod parallel;
mod platform;
mod process;
mod program;
mod python;
mod random;
mod relay;
mod running;
mod section;
mod stream;
mod terminal;
mod time_limit;

pub use corpus::{changed_seed, fuzz_seeds};
pub use finished::Finished;
pub use folder::{Folder, LogFile};
pub use hostile_json::{NUMBER_KEY, RAW_VALUE_KEY, unfolding_json, unreadable_json};
pub use installed::installed;
pub use kill_rounds::{KillRounds, KillSwitch};
pub use memory_stream::MemoryStream;
#[cfg(target_os = "linux")]
pub use network::{Host, Network};
pub use non_reading::write_until_blocked;
pub use parallel::in_parallel;
pub use platform::{Signal, is_interrupted};
pub use process::{Memory, Process};
pub use program::Program;
pub use python::python;
pub use random::Random;
pub use relay::{NetProfile, Relay};
pub use running::Running;
#[cfg(target_os = "linux")]
pub use rustix::process::Resource;
pub use terminal::Terminal;
pub use time_limit::TIME_LIMIT;
