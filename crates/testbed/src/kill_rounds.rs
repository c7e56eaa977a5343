//! Crash tests: `kill -9` at random moments of a load, for a number of rounds. The test supplies the load and checks
//! what is left.
//!
//! ```text
//! KILL_ROUNDS=200 cargo test -p ident-server -p auth-server kills      more rounds than the usual 20
//! KILL_SEED=7 cargo test ...                                           the choices of a run that failed
//! ```

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::hint;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::random::Random;

/// Rounds of an ordinary run.
const ROUNDS: u64 = 20;

/// A few times what a disk needs for an fsync.
const MAX_DELAY: Duration = Duration::from_millis(5);

/// The rounds of a test and its random choices. A failing test prints the seed.
pub struct KillRounds {
    /// The source of all random choices.
    pub random: Random,
    seed: u64,
    rounds: u64,
}

/// Counts acknowledgements and kills the process after the last one.
pub struct KillSwitch<'a> {
    process: &'a Process,
    acks_left: AtomicU64,
    delay: Duration,
}

impl KillRounds {
    /// Takes the number of rounds from the variable `KILL_ROUNDS` (default 20) and the seed from `KILL_SEED` (default:
    /// random).
    ///
    /// # Panics
    ///
    /// When one of the variables is not a number.
    #[allow(clippy::new_without_default, reason = "each call gives another seed")]
    pub fn new() -> Self {
        let seed = number_from_env("KILL_SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
        Self {
            random: Random::new(seed),
            seed,
            rounds: number_from_env("KILL_ROUNDS").unwrap_or(ROUNDS),
        }
    }

    /// The numbers of the rounds.
    pub fn rounds(&self) -> Range<u64> {
        0..self.rounds
    }

    /// Damages a file of lines the way editors and power cuts do: adds blank lines up to `lines` in all, and half of
    /// the time the first part of `next`. A file that already ends within a line stays as it is. Returns whether the
    /// file now ends within a line.
    #[track_caller]
    pub fn leave_torn_line(&mut self, file: &Path, lines: u64, next: &str) -> bool {
        let mut text = fs::read(file).expect("a file that is there can be read");
        if text.last().is_some_and(|&byte| byte != b'\n') {
            return true;
        }
        let ends = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        text.extend((ends..lines).map(|_| b'\n'));
        let is_torn = self.random.below(2) == 0;
        if is_torn {
            let length = 1 + self.random.below(next.len() as u64 - 1);
            text.extend(&next.as_bytes()[..length as usize]);
        }
        fs::write(file, text).expect("a file that is there can be written");
        is_torn
    }

    /// A kill_switch for 1 to `longest` acknowledgements.
    pub fn kill_switch<'a>(&mut self, process: &'a Process, max_acks: u64) -> KillSwitch<'a> {
        KillSwitch {
            process,
            acks_left: AtomicU64::new(1 + self.random.below(max_acks)),
            delay: MAX_DELAY.mul_f64(self.random.share()),
        }
    }
}

impl Drop for KillRounds {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat this run with KILL_SEED={}", self.seed);
        }
    }
}

impl KillSwitch<'_> {
    /// Counts one acknowledgement. After the last one the load goes on for a random moment: an acknowledgement follows
    /// an fsync, and the kill must be able to hit any point between two fsyncs.
    pub fn count_ack(&self) {
        if self.acks_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let end = Instant::now() + self.delay;
            while Instant::now() < end {
                hint::spin_loop();
            }
            self.process.kill();
        }
    }
}

fn number_from_env(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Folder, Program, Signal};

    #[cfg_attr(windows, ignore = "Windows has no shell and tools of Unix")]
    #[test]
    fn the_last_acknowledgement_kills_the_process() {
        let mut kills = KillRounds::new();
        let cat = Program::new("cat").stdin_pipe().spawn();
        let kill_switch = kills.kill_switch(&cat, 1);
        assert!(cat.is_running());
        kill_switch.count_ack();
        kill_switch.count_ack();
        cat.wait().expect_signal(Signal::KILL);
    }

    #[test]
    fn a_file_gets_blank_lines_and_perhaps_a_torn_line() {
        let (mut kills, folder) = (KillRounds::new(), Folder::new());
        let file = folder.join("lines");
        let mut torn = 0;
        for _ in 0..100 {
            fs::write(&file, "one\n").unwrap();
            let is_torn = kills.leave_torn_line(&file, 3, "next");
            let text = fs::read_to_string(&file).unwrap();
            let rest = text.strip_prefix("one\n\n\n").unwrap();
            assert_eq!(is_torn, ["n", "ne", "nex"].contains(&rest), "{text:?}");
            assert!(is_torn || rest.is_empty(), "{text:?}");
            torn += u32::from(is_torn);
            if is_torn {
                assert!(kills.leave_torn_line(&file, 9, "next"));
                assert_eq!(fs::read_to_string(&file).unwrap(), text);
            }
        }
        assert!((1..100).contains(&torn), "{torn}");
    }
}
