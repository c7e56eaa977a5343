//! kill -9 at random moments of a load, round after round: how often, by which chance, at which moment. What the load is and
//! what must be left of it is not known here.
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
const LONGEST_LAG: Duration = Duration::from_millis(5);

/// The rounds of a test, and all of its choices. Where the test fails, the seed is told.
pub struct Kills {
    /// What every choice is to come from.
    pub random: Random,
    seed: u64,
    rounds: u64,
}

/// Burns down with each acknowledgement; the last one ends the process.
pub struct Fuse<'a> {
    process: &'a Process,
    left: AtomicU64,
    lag: Duration,
}

impl Kills {
    /// Rounds as many as the variable `KILL_ROUNDS` says, else 20; choices by the seed `KILL_SEED`, else by one never used before.
    ///
    /// # Panics
    ///
    /// When such a variable is no number.
    #[allow(clippy::new_without_default, reason = "it is never the same")]
    pub fn new() -> Self {
        let seed = number("KILL_SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
        Self {
            random: Random::new(seed),
            seed,
            rounds: number("KILL_ROUNDS").unwrap_or(ROUNDS),
        }
    }

    /// The numbers of the rounds.
    pub fn rounds(&self) -> Range<u64> {
        0..self.rounds
    }

    /// Leaves a file of lines as people and power cuts do: with blank lines, up to `lines` in all, and half of the time with
    /// the beginning of `next`, a line that was about to come. Tells whether the file ends within a line now, be it by this
    /// or by the kill before, to which nothing is added.
    #[track_caller]
    pub fn leave_untidy(&mut self, file: &Path, lines: u64, next: &str) -> bool {
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

    /// A fuse for 1 to `longest` acknowledgements.
    pub fn fuse<'a>(&mut self, process: &'a Process, longest: u64) -> Fuse<'a> {
        Fuse {
            process,
            left: AtomicU64::new(1 + self.random.below(longest)),
            lag: LONGEST_LAG.mul_f64(self.random.share()),
        }
    }
}

impl Drop for Kills {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was KILL_SEED={}", self.seed);
        }
    }
}

impl Fuse<'_> {
    /// Counts an acknowledgement. After the last one the load goes on for a moment that is random, too: an acknowledgement
    /// follows upon an fsync, and the kill is to come at any point between two of them.
    pub fn burn(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let end = Instant::now() + self.lag;
            while Instant::now() < end {
                hint::spin_loop();
            }
            self.process.kill();
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Folder, Program, Signal};

    #[test]
    fn a_fuse_burns_down_to_the_kill() {
        let mut kills = Kills::new();
        let cat = Program::new("cat").stdin_pipe().spawn();
        let fuse = kills.fuse(&cat, 1);
        assert!(cat.is_running());
        fuse.burn();
        fuse.burn();
        cat.wait().expect_signal(Signal::KILL);
    }

    #[test]
    fn a_file_is_left_with_blank_lines_and_perhaps_the_beginning_of_another() {
        let (mut kills, folder) = (Kills::new(), Folder::new());
        let file = folder.join("lines");
        let mut torn = 0;
        for _ in 0..100 {
            fs::write(&file, "one\n").unwrap();
            let is_torn = kills.leave_untidy(&file, 3, "next");
            let text = fs::read_to_string(&file).unwrap();
            let rest = text.strip_prefix("one\n\n\n").unwrap();
            assert_eq!(is_torn, ["n", "ne", "nex"].contains(&rest), "{text:?}");
            assert!(is_torn || rest.is_empty(), "{text:?}");
            torn += u32::from(is_torn);
            if is_torn {
                assert!(kills.leave_untidy(&file, 9, "next"));
                assert_eq!(fs::read_to_string(&file).unwrap(), text);
            }
        }
        assert!((1..100).contains(&torn), "{torn}");
    }
}
