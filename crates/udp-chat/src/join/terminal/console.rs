//! The terminal's modes and size, and the signals about it: the part that differs by platform.

use std::io::{self, IsTerminal, Write};

#[cfg(unix)]
pub(super) use unix::{Modes, columns, in_foreground, suspend, watch};
#[cfg(windows)]
pub(super) use windows::{Modes, columns, in_foreground, suspend, watch};

/// Asks the terminal to mark pasted text.
const MARK_PASTES: &str = "\x1b[?2004h";

/// Takes back what was asked of the terminal: marks around pastes, no wrapping.
const AS_USUAL: &str = "\x1b[?2004l\x1b[?7h";

/// What is assumed of a terminal that does not know its width.
const DEFAULT_COLUMNS: usize = 80;

/// A terminal whose keys come one by one and are not echoed, until it is restored.
#[derive(Clone)]
pub(super) struct Console {
    found: Modes,
    is_dumb: bool,
}

impl Console {
    /// The terminal that is stdin and stdout, if it is one that shows what is typed. One that does
    /// not belongs to a program that edits lines itself (Emacs), and gets lines.
    pub(super) fn open() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let found = Modes::of_stdin().ok().filter(Modes::echo)?;
        let term = std::env::var("TERM").unwrap_or_default();
        let is_dumb = cfg!(unix) && matches!(&*term, "" | "dumb" | "cons25" | "emacs");
        Some(Self { found, is_dumb })
    }

    pub(super) fn is_dumb(&self) -> bool {
        self.is_dumb
    }

    /// Takes the terminal over.
    pub(super) fn take_over(&self) -> io::Result<()> {
        self.found.raw().apply()?;
        if !self.is_dumb {
            io::stdout().write_all(MARK_PASTES.as_bytes())?;
        }
        Ok(())
    }

    /// Gives the terminal back as it was, at once: the output of a stopped one is not waited for.
    pub(super) fn restore(&self) {
        // If it fails the terminal is gone, and nobody is there to be told.
        let _ = self.found.apply();
        if !self.is_dumb {
            let _ = io::stdout().write_all(AS_USUAL.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}

/// Whether stdin is a terminal that shows by itself what is typed, Ctrl-C too.
pub(in super::super) fn echoes() -> bool {
    Modes::of_stdin().is_ok_and(|modes| modes.echo())
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::Arc;
    use std::thread;

    use rustix::process::{Signal, getpgrp, kill_current_process_group};
    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp,
        tcgetwinsize, tcsetattr,
    };
    use signal_hook::consts::{SIGCONT, SIGWINCH};
    use signal_hook::iterator::Signals;

    use super::super::events::Events;

    #[derive(Clone)]
    pub(in super::super) struct Modes(Termios);

    impl Modes {
        pub(super) fn of_stdin() -> io::Result<Self> {
            Ok(Self(tcgetattr(io::stdin())?))
        }

        pub(super) fn echo(&self) -> bool {
            self.0.local_modes.contains(LocalModes::ECHO)
        }

        /// Keys one by one, unchanged and without effect. Output modes stay as they are.
        pub(super) fn raw(&self) -> Self {
            let mut raw = self.0.clone();
            let (input, local) = (&mut raw.input_modes, &mut raw.local_modes);
            input.remove(InputModes::BRKINT | InputModes::ICRNL | InputModes::INLCR);
            input.remove(InputModes::IGNCR | InputModes::ISTRIP | InputModes::IXON);
            local.remove(LocalModes::ECHO | LocalModes::ICANON);
            local.remove(LocalModes::IEXTEN | LocalModes::ISIG);
            raw.special_codes[SpecialCodeIndex::VMIN] = 1;
            raw.special_codes[SpecialCodeIndex::VTIME] = 0;
            Self(raw)
        }

        pub(super) fn apply(&self) -> io::Result<()> {
            Ok(tcsetattr(io::stdin(), OptionalActions::Now, &self.0)?)
        }
    }

    pub(in super::super) fn columns() -> usize {
        let size = tcgetwinsize(io::stdout()).ok();
        let columns = size.map(|size| usize::from(size.ws_col));
        columns
            .filter(|&columns| columns > 0)
            .unwrap_or(super::DEFAULT_COLUMNS)
    }

    /// Whether the terminal may be changed; a background process that tries is stopped.
    pub(in super::super) fn in_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    /// Stops the whole job, as the terminal does at Ctrl-Z. It may return before the stop, which
    /// another thread may take: see [`Events::await_resumption`].
    pub(in super::super) fn suspend() -> io::Result<()> {
        Ok(kill_current_process_group(Signal::TSTP)?)
    }

    /// Reports each change of size, and each time the job goes on after a stop.
    pub(in super::super) fn watch(events: Arc<Events>) -> io::Result<()> {
        let mut signals = Signals::new([SIGWINCH, SIGCONT])?;
        let watcher = thread::Builder::new().name("terminal".into());
        watcher.spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGCONT => events.resume(),
                    _ => events.resize(),
                }
            }
        })?;
        Ok(())
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use winapi_util::HandleRef;
    use winapi_util::console::{mode, screen_buffer_info, set_mode};

    use super::super::events::Events;

    /// How often the width is looked at.
    const LOOK_INTERVAL: Duration = Duration::from_millis(500);

    const ENABLE_PROCESSED_INPUT: u32 = 0x1;
    const ENABLE_LINE_INPUT: u32 = 0x2;
    const ENABLE_ECHO_INPUT: u32 = 0x4;
    const ENABLE_VIRTUAL_TERMINAL_INPUT: u32 = 0x200;
    const ENABLE_PROCESSED_OUTPUT: u32 = 0x1;
    const ENABLE_VIRTUAL_TERMINAL_PROCESSING: u32 = 0x4;

    /// The modes of the console's input and output.
    #[derive(Clone)]
    pub(in super::super) struct Modes {
        input: u32,
        output: u32,
    }

    impl Modes {
        pub(super) fn of_stdin() -> io::Result<Self> {
            let (input, output) = (mode(HandleRef::stdin())?, mode(HandleRef::stdout())?);
            Ok(Self { input, output })
        }

        pub(super) fn echo(&self) -> bool {
            self.input & ENABLE_ECHO_INPUT != 0
        }

        /// Keys come one by one, as the escape sequences that Unix terminals send.
        pub(super) fn raw(&self) -> Self {
            let cooked = ENABLE_PROCESSED_INPUT | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT;
            Self {
                input: self.input & !cooked | ENABLE_VIRTUAL_TERMINAL_INPUT,
                output: self.output | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING,
            }
        }

        pub(super) fn apply(&self) -> io::Result<()> {
            set_mode(HandleRef::stdout(), self.output)?;
            set_mode(HandleRef::stdin(), self.input)
        }
    }

    pub(in super::super) fn columns() -> usize {
        let info = screen_buffer_info(HandleRef::stdout()).ok();
        let columns = info.and_then(|info| usize::try_from(info.size().0).ok());
        columns
            .filter(|&columns| columns > 0)
            .unwrap_or(super::DEFAULT_COLUMNS)
    }

    pub(in super::super) fn in_foreground() -> bool {
        true
    }

    /// There are no jobs here.
    pub(in super::super) fn suspend() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Reports each change of size. There is no signal for it, so the width is looked at.
    pub(in super::super) fn watch(events: Arc<Events>) -> io::Result<()> {
        let watcher = thread::Builder::new().name("terminal".into());
        watcher.spawn(move || {
            let mut last = columns();
            loop {
                thread::sleep(LOOK_INTERVAL);
                let now = columns();
                if std::mem::replace(&mut last, now) != now {
                    events.resize();
                }
            }
        })?;
        Ok(())
    }
}
