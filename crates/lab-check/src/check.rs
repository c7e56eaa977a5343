//! A check: what a right server does, how it is tried, and what came of it.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// One requirement on a server whose connections are made by a `T`.
pub struct Check<T> {
    /// Short name, for `--only`.
    pub name: &'static str,
    /// The task of the course that it concerns, 1 to 15.
    pub task: u8,
    /// What a right server does, in one line.
    pub about: &'static str,
    /// The usual cause of a failure, in two sentences at most.
    pub hint: &'static str,
    /// Whether a failure is only noted.
    pub advice: bool,
    /// Checks that must have passed, because their fault would fail this one too.
    pub needs: &'static [&'static str],
    /// Tries the server.
    pub run: fn(&T) -> Result<(), Failure>,
}

impl<T> Check<T> {
    /// The fields that most checks share: a failure counts, and nothing is needed first. The others are to be set.
    pub const REQUIRED: Self = Self {
        name: "",
        task: 1,
        about: "",
        hint: "",
        advice: false,
        needs: &[],
        run: |_| Ok(()),
    };
}

/// What came of a check.
#[derive(Debug)]
pub enum Verdict {
    /// The server does it.
    Passed,
    /// It does not.
    Failed(Failure),
    /// It does not, which is only noted.
    Noted(Failure),
    /// The check was not tried, for this reason.
    Skipped(String),
}

/// A check that was tried, or skipped.
pub struct Outcome<T: 'static> {
    /// The check.
    pub check: &'static Check<T>,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub time: Duration,
}

/// Runs `checks` in order and reports each outcome as it is known. After each check `still_serves` tries whether the
/// server serves a new client, except after the first one, since the second check connects again anyway. Once the
/// server does not, the check that just ran has failed, and the rest is skipped.
pub fn run<T>(
    checks: &[&'static Check<T>],
    target: &T,
    still_serves: impl Fn(&T) -> Result<(), Failure>,
    mut report: impl FnMut(&Outcome<T>),
) -> Vec<Outcome<T>> {
    let mut outcomes: Vec<Outcome<T>> = Vec::with_capacity(checks.len());
    let mut is_gone = false;
    for &check in checks {
        let start = Instant::now();
        let verdict = if is_gone {
            Verdict::Skipped("gone".into())
        } else if let Some(name) = check.needs.iter().find(|name| has_failed(&outcomes, name)) {
            Verdict::Skipped(format!("it needs {name}"))
        } else {
            let tried = (check.run)(target);
            let alive = if outcomes.is_empty() {
                Ok(())
            } else {
                still_serves(target)
            };
            match (alive, tried) {
                (Err(after), _) => {
                    is_gone = true;
                    Verdict::Failed(Failure {
                        problem: format!(
                            "after it the server does not serve a new client: {}",
                            after.problem
                        ),
                        ..after
                    })
                }
                (Ok(()), Ok(())) => Verdict::Passed,
                (Ok(()), Err(failure)) if check.advice => Verdict::Noted(failure),
                (Ok(()), Err(failure)) => Verdict::Failed(failure),
            }
        };
        let outcome = Outcome {
            check,
            verdict,
            time: start.elapsed(),
        };
        report(&outcome);
        outcomes.push(outcome);
    }
    outcomes
}

/// Whether the named check was tried and did not pass, or was skipped. One that `--only` left out counts as passed.
fn has_failed<T>(outcomes: &[Outcome<T>], name: &str) -> bool {
    let mut named = outcomes.iter().filter(|outcome| outcome.check.name == name);
    named.any(|outcome| !matches!(outcome.verdict, Verdict::Passed | Verdict::Noted(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn check(
        name: &'static str,
        needs: &'static [&'static str],
        run: fn(&u8) -> Result<(), Failure>,
    ) -> Check<u8> {
        Check {
            name,
            task: 1,
            about: "",
            hint: "",
            advice: false,
            needs,
            run,
        }
    }

    static PASSES: Check<u8> = check("passes", &[], |_| Ok(()));
    static FAILS: Check<u8> = check("fails", &["passes"], |_| Err(Failure::new("no")));
    static NEEDY: Check<u8> = check("needy", &["fails"], |_| panic!("it is skipped"));
    static ADVICE: Check<u8> = Check {
        advice: true,
        ..check("advice", &[], |_| Err(Failure::new("no")))
    };

    fn verdicts(checks: &[&'static Check<u8>], lives: u8) -> String {
        let still_serves = |lives: &u8| {
            if *lives > 0 {
                Ok(())
            } else {
                Err(Failure::new("it is gone"))
            }
        };
        let mut seen = String::new();
        run(checks, &lives, still_serves, |outcome| {
            seen.push(match outcome.verdict {
                Verdict::Passed => '.',
                Verdict::Failed(_) => 'F',
                Verdict::Noted(_) => 'n',
                Verdict::Skipped(_) => 's',
            });
        });
        seen
    }

    #[test]
    fn a_check_is_skipped_when_one_that_it_needs_has_failed() {
        assert_eq!(verdicts(&[&PASSES, &FAILS, &NEEDY, &ADVICE], 1), ".Fsn");
        assert_eq!(verdicts(&[&FAILS], 1), "F");
    }

    #[test]
    fn nothing_is_tried_on_a_server_that_is_gone() {
        assert_eq!(verdicts(&[&PASSES, &FAILS, &ADVICE], 0), ".Fs");
        let gone = |_: &u8| Err(Failure::new("it is gone"));
        let outcomes = run(&[&PASSES, &FAILS, &ADVICE], &0, gone, |_| {});
        assert!(matches!(&outcomes[2].verdict, Verdict::Skipped(why) if why == "gone"));
    }
}
