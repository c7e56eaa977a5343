//! For tests only: start a program, talk to it, stop it, and say what it printed when a test fails.
//!
//! A [`Program`] is run to its end ([`Program::output`]), beside the test ([`Running`]) or in a
//! pseudo-terminal ([`Terminal`]), in a [`Folder`] of its own and with an environment that owes
//! nothing to the machine's. Nothing here knows what the programs say to one another.
//!
//! Every wait ends within a time limit, [`TIME_LIMIT`] unless [`Program::time_limit`] says
//! otherwise. A wait in vain panics at the test's line with all that the program printed and
//! logged, so that a failing test explains itself. What is dropped is killed.
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

mod crowd;
mod deaf;
mod escapes;
mod failure;
mod finished;
mod folder;
mod kills;
#[cfg(target_os = "linux")]
mod network;
mod process;
mod program;
mod python;
mod random;
mod relay;
mod running;
mod stream;
mod terminal;

pub use crowd::at_once;
pub use deaf::ask_in_vain;
pub use finished::Finished;
pub use folder::{Folder, LogFile};
pub use kills::{Fuse, Kills};
#[cfg(target_os = "linux")]
pub use network::{Host, Network};
pub use process::{Memory, Process};
pub use program::{Program, TIME_LIMIT};
pub use python::python;
pub use random::Random;
pub use relay::{Relay, Weather};
pub use running::Running;
#[cfg(target_os = "linux")]
pub use rustix::process::Resource;
pub use rustix::process::Signal;
pub use terminal::Terminal;
