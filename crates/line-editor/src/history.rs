//! Earlier lines, which Up and Down recall.

use std::collections::VecDeque;

const MAX_LINES: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<String>,
    /// How far back the shown line is; 0 is the line being typed.
    back: usize,
    /// The line being typed, while an older one is shown.
    draft: String,
}

impl History {
    /// Remembers a line, unless it is the last one again.
    pub(crate) fn add(&mut self, line: &str) {
        self.back = 0;
        if self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// The line before the shown one, which is `current`.
    pub(crate) fn older(&mut self, current: &str) -> Option<String> {
        if self.back == self.lines.len() {
            return None;
        }
        if self.back == 0 {
            current.clone_into(&mut self.draft);
        }
        self.back += 1;
        Some(self.lines[self.lines.len() - self.back].clone())
    }

    /// The line after the shown one; at the end the one being typed.
    pub(crate) fn newer(&mut self) -> Option<String> {
        self.back = self.back.checked_sub(1)?;
        Some(match self.back {
            0 => std::mem::take(&mut self.draft),
            back => self.lines[self.lines.len() - back].clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_the_draft_stays() {
        let mut history = History::default();
        assert_eq!(history.older("draft"), None);
        for line in ["one", "two", "two"] {
            history.add(line);
        }
        assert_eq!(history.older("draft").as_deref(), Some("two"));
        assert_eq!(history.older("two").as_deref(), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer().as_deref(), Some("two"));
        assert_eq!(history.newer().as_deref(), Some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn the_oldest_lines_are_forgotten() {
        let mut history = History::default();
        (0..2 * MAX_LINES).for_each(|line| history.add(&line.to_string()));
        assert_eq!(history.lines.len(), MAX_LINES);
    }
}
