//! What a person reads, a line a check, and what a script reads, one JSON document.

use std::io::{self, Write};

use proto::Count;
use serde::Serialize;
use serde_json::{Value, json};

use crate::check::{Outcome, Verdict};
use crate::failure::{Excerpt, Failure};

/// How many checks ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The server does it.
    pub passed: usize,
    /// It does not.
    pub failed: usize,
    /// It does not, which is only noted.
    pub notes: usize,
    /// Not tried, because of another failure.
    pub skipped: usize,
}

impl Summary {
    /// Counts one outcome.
    pub fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Noted(_) => self.notes += 1,
            Verdict::Skipped(_) => self.skipped += 1,
        }
    }
}

/// Writes the line of a check, and for one that did not pass what happened and why it may have.
///
/// # Errors
///
/// When `output` cannot be written to.
pub fn write_outcome<T>(output: &mut impl Write, outcome: &Outcome<T>) -> io::Result<()> {
    let check = outcome.check;
    let (word, failure) = match &outcome.verdict {
        Verdict::Passed => ("ok", None),
        Verdict::Failed(failure) => ("FAIL", Some(failure)),
        Verdict::Noted(failure) => ("note", Some(failure)),
        Verdict::Skipped(why) => return writeln!(output, "skip  {:<16} {why}", check.name),
    };
    writeln!(output, "{word:<5} {:<16} {}", check.name, check.about)?;
    if let Some(failure) = failure {
        writeln!(output, "      problem   {}", failure.problem)?;
        writeln!(output, "      sent      {}", failure.excerpts.sent)?;
        writeln!(output, "      received  {}", failure.excerpts.received)?;
        writeln!(output, "      task {:<4} {}", check.task, check.hint)?;
    }
    output.flush()
}

/// Writes the last line: how many checks ended in which way.
///
/// # Errors
///
/// When `output` cannot be written to.
pub fn write_summary(output: &mut impl Write, summary: Summary) -> io::Result<()> {
    let Summary {
        passed,
        failed,
        notes,
        skipped,
    } = summary;
    let notes = Count(notes as u64, "note");
    writeln!(
        output,
        "{passed} passed, {failed} failed, {notes}, {skipped} skipped"
    )
}

/// An outcome as JSON.
#[must_use]
pub fn outcome_json<T>(outcome: &Outcome<T>) -> Value {
    let check = outcome.check;
    let mut report = json!({
        "name": check.name,
        "about": check.about,
        "task": check.task,
        "seconds": outcome.time.as_secs_f64(),
    });
    match &outcome.verdict {
        Verdict::Passed => report["verdict"] = "passed".into(),
        Verdict::Failed(failure) => add_failure(&mut report, "failed", failure, check.hint),
        Verdict::Noted(failure) => add_failure(&mut report, "note", failure, check.hint),
        Verdict::Skipped(why) => {
            report["verdict"] = "skipped".into();
            report["problem"] = why.as_str().into();
        }
    }
    report
}

fn add_failure(report: &mut Value, verdict: &str, failure: &Failure, hint: &str) {
    report["verdict"] = verdict.into();
    report["problem"] = failure.problem.as_str().into();
    report["sent"] = excerpt_json(&failure.excerpts.sent);
    report["received"] = excerpt_json(&failure.excerpts.received);
    report["hint"] = hint.into();
}

fn excerpt_json(excerpt: &Excerpt) -> Value {
    json!({"bytes": excerpt.total(), "last_hex": excerpt.hex(), "last_text": excerpt.text()})
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Check;

    static CHECK: Check<()> = Check {
        name: "text",
        task: 1,
        about: "a line of text comes back",
        hint: "Look at send.",
        advice: false,
        needs: &[],
        run: |()| Ok(()),
    };

    fn shown(verdict: Verdict) -> (String, Value) {
        let outcome = Outcome {
            check: &CHECK,
            verdict,
            time: Duration::from_millis(1500),
        };
        let mut text = vec![];
        write_outcome(&mut text, &outcome).unwrap();
        (String::from_utf8(text).unwrap(), outcome_json(&outcome))
    }

    #[test]
    fn a_failure_says_what_happened_and_why() {
        let (text, json) = shown(Verdict::Failed(Failure::new("no reply in time")));
        let expected = [
            "FAIL  text             a line of text comes back",
            "      problem   no reply in time",
            "      sent      nothing",
            "      received  nothing",
            "      task 1    Look at send.",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(
            (&json["verdict"], &json["problem"]),
            (&"failed".into(), &"no reply in time".into())
        );
        assert_eq!((&json["seconds"], &json["task"]), (&1.5.into(), &1.into()));
    }

    #[test]
    fn a_check_that_passes_is_one_line() {
        let (text, json) = shown(Verdict::Passed);
        assert_eq!(text, "ok    text             a line of text comes back\n");
        assert_eq!(json["verdict"], "passed");
        let (text, _) = shown(Verdict::Skipped("it needs turns".into()));
        assert_eq!(text, "skip  text             it needs turns\n");
    }

    #[test]
    fn outcomes_are_counted() {
        let mut summary = Summary::default();
        summary.add(&Verdict::Passed);
        summary.add(&Verdict::Noted(Failure::new("")));
        let mut text = vec![];
        write_summary(&mut text, summary).unwrap();
        assert_eq!(text, b"1 passed, 0 failed, 1 note, 0 skipped\n");
    }
}
