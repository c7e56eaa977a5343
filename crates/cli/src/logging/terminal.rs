//! A client's service messages on a person's terminal: short, and dimmed, so that the dialogue itself stands out.

use std::env;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::format::message;

/// Dims what follows, and ends that (ECMA-48: SGR).
const DIM: &str = "\x1b[2m";
const NORMAL: &str = "\x1b[m";

/// Which side of a dialogue logged a message with this target, as the start of its line; `None` hides the message.
pub type LinePrefix = fn(&str) -> Option<&'static str>;

pub(super) struct TerminalLog<W> {
    level: LevelFilter,
    line_prefix: LinePrefix,
    is_dimmed: bool,
    output: Mutex<W>,
}

impl<W: Write + Send> TerminalLog<W> {
    pub(super) fn new(level: LevelFilter, line_prefix: LinePrefix, output: W) -> Self {
        Self {
            level,
            line_prefix,
            is_dimmed: dims(|name| env::var(name).ok()),
            output: Mutex::new(output),
        }
    }

    fn line(&self, record: &Record<'_>) -> Option<String> {
        let line_prefix = (self.line_prefix)(record.target())?;
        let message = message(*record.args());
        let line = match record.level() {
            Level::Error => format!("{line_prefix}error: {message}"),
            Level::Warn => format!("{line_prefix}warning: {message}"),
            _ if self.is_dimmed => format!("{DIM}{line_prefix}{message}{NORMAL}"),
            _ => format!("{line_prefix}{message}"),
        };
        Some(line + "\n")
    }
}

/// Whether the environment allows colours (no-color.org). Consoles of Windows may not know escape sequences.
fn dims(variable: impl Fn(&str) -> Option<String>) -> bool {
    let has_no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_plain = variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    cfg!(unix) && !has_no_color && !is_plain
}

impl<W: Write + Send> Log for TerminalLog<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata())
            && let Some(line) = self.line(record)
        {
            let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
            // There is nowhere to report that stderr is gone.
            let _ = output.write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(is_dimmed: bool, level: Level, text: &str) -> Option<String> {
        let log = TerminalLog {
            level: LevelFilter::Info,
            line_prefix: |target| (target != "hidden").then_some("client  "),
            is_dimmed,
            output: Mutex::new(vec![]),
        };
        let target = if text.is_empty() { "hidden" } else { "shown" };
        let args = format_args!("{text}");
        log.line(
            &Record::builder()
                .level(level)
                .target(target)
                .args(args)
                .build(),
        )
    }

    #[test]
    fn a_line_names_its_speaker_and_only_information_is_dimmed() {
        let shown = |is_dimmed, level| line(is_dimmed, level, "a\x1b[m\n").unwrap();
        assert_eq!(shown(false, Level::Info), "client  a\\x1b[m\\n\n");
        assert_eq!(
            shown(true, Level::Info),
            "\x1b[2mclient  a\\x1b[m\\n\x1b[m\n"
        );
        assert_eq!(shown(true, Level::Warn), "client  warning: a\\x1b[m\\n\n");
        assert_eq!(line(true, Level::Info, ""), None);
    }

    #[test]
    #[cfg(unix)]
    fn the_environment_can_forbid_dimming() {
        let dims = |term: &str, no_color: &str| {
            dims(|name| Some(if name == "TERM" { term } else { no_color }.to_owned()))
        };
        assert!(dims("xterm", ""));
        assert!(!dims("xterm", "1"));
        assert!(!dims("dumb", ""));
        assert!(!dims("", ""));
    }
}
