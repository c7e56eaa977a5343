//! `--bench`: the server's speed in place of a dialogue.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::TcpStream;
use std::process::ExitCode;

use cli::{RetryWouldBlock, StdoutError, exit_on_stop, raise_descriptor_limit};
use tls::MaybeTls;

use crate::flags::Flags;

/// Empties the terminal's line (ECMA-48: CR, EL).
const START_OF_LINE: &str = "\r\x1b[K";

/// Measures the server over as many connections as the flags say, and prints the figures.
pub(crate) fn measure(
    flags: &Flags,
    connect: impl Fn() -> anyhow::Result<MaybeTls<TcpStream>>,
) -> anyhow::Result<ExitCode> {
    flags.check_load()?;
    let shows_progress = stderr().is_terminal() && !flags.tcp.quiet;
    exit_on_stop(move || {
        if shows_progress {
            show(START_OF_LINE);
        }
    })?;
    // If the limit is still too low, the failing connect reports it.
    let _ = raise_descriptor_limit();
    let streams = (0..flags.bench.connections)
        .map(|_| connect())
        .collect::<anyhow::Result<_>>()?;
    let report = echo_bench::bench(streams, flags.load(), |elapsed, replies| {
        if shows_progress {
            let seconds = elapsed.as_secs_f64();
            show(&format!(
                "{START_OF_LINE}{seconds:.1} s, {replies} messages came back "
            ));
        }
    });
    if shows_progress {
        show(START_OF_LINE);
    }
    let report = report?;
    let text = if flags.bench.json {
        report.to_json()? + "\n"
    } else {
        report.to_string()
    };
    let printed = RetryWouldBlock(stdout()).write_all(text.as_bytes());
    printed.map_err(StdoutError)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes to the terminal at once. Only a person can miss it.
fn show(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}
