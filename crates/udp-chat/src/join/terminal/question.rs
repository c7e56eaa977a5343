//! Questions that are answered with a line: yes or no.
//!
//! A single key decides nothing. What a person was typing when the question came may well begin with a `y`.

use std::collections::VecDeque;

use cli::yes_or_no;
use line_editor::{Edited, Key, Line, MAX_PASTE_BYTES};
use proto::Escaped;

use super::editor::{Action, long_paste};

/// How many characters of an answer that decides nothing are repeated, so that the explanation is one line.
const SHOWN_CHARACTERS: usize = 20;

/// Something that is not done before the person agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// To send several pasted lines.
    Paste {
        texts: Vec<String>,
        to: Option<String>,
    },
    /// Asked from outside the editor; this is the prompt.
    Other(String),
}

impl Question {
    pub(super) fn prompt(&self) -> String {
        match self {
            Self::Other(prompt) => prompt.clone(),
            Self::Paste { texts, to } => {
                let to = to
                    .as_ref()
                    .map_or_else(String::new, |to| format!(" to {to}"));
                format!("send {} lines{to}? [y/N] ", texts.len())
            }
        }
    }
}

/// What a key did to the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is none yet.
    Unanswered(Option<Action>),
    /// `rest` was pasted after the answer's line.
    Answered {
        question: Question,
        is_yes: bool,
        rest: String,
    },
}

/// The questions that wait for an answer; the first one is asked.
#[derive(Debug, Default)]
pub(super) struct Questions {
    waiting: VecDeque<Question>,
    answer: line_editor::Editor,
    /// What was pasted after lines that were no answers. No answer is looked for in it.
    rest: String,
}

impl Questions {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn prompt(&self) -> Option<String> {
        self.waiting.front().map(Question::prompt)
    }

    /// The answer being typed.
    pub(super) fn answer(&self) -> &Line {
        self.answer.line()
    }

    /// Asks a question after the others: the answer being typed belongs to the first one.
    pub(super) fn ask(&mut self, question: Question) {
        self.waiting.push_back(question);
    }

    pub(super) fn press(&mut self, key: Key) -> Step {
        let key = match self.answer.edit(key) {
            Edited::Done => return Step::Unanswered(None),
            Edited::Full => return hint("the line is full".into()),
            Edited::Other(key) => key,
        };
        let is_paste = matches!(self.waiting.front(), Some(Question::Paste { .. }));
        match key {
            Key::Enter => self.decide(),
            Key::EndOfInput => self.end(false),
            Key::Interrupt | Key::Escape if is_paste => self.end(false),
            Key::Interrupt => Step::Unanswered(Some(Action::Interrupt)),
            Key::Suspend => Step::Unanswered(Some(Action::Suspend)),
            Key::Paste(text) => self.paste(&text),
            Key::LongPaste(length) => Step::Unanswered(Some(long_paste(length))),
            // The screen is not cleared, either: the facts to decide on are there.
            _ => Step::Unanswered(None),
        }
    }

    /// Takes the line as the answer if it is one, and else explains what is.
    fn decide(&mut self) -> Step {
        let answer = self.answer.line_mut().take();
        match yes_or_no(&answer) {
            Some(is_yes) => self.end(is_yes),
            None => {
                let shown = Escaped::new(&answer).quoted().cut(SHOWN_CHARACTERS);
                hint(format!("{shown} is neither yes nor no: type y or n"))
            }
        }
    }

    fn end(&mut self, is_yes: bool) -> Step {
        let Some(question) = self.waiting.pop_front() else {
            return Step::Unanswered(None);
        };
        self.answer.line_mut().take();
        Step::Answered {
            question,
            is_yes,
            rest: std::mem::take(&mut self.rest),
        }
    }

    /// The first line goes on with the answer, and the end of that line is Enter. Lines that are pasted at the question
    /// about a paste are more of the same, and no answer: they wait, too.
    fn paste(&mut self, text: &str) -> Step {
        let text = text.replace('\t', " ");
        let is_more = matches!(self.waiting.front(), Some(Question::Paste { .. }));
        let (answer, rest) = match text.split_once('\n') {
            Some(_) if is_more => ("", Some(&*text)),
            Some((answer, rest)) => (answer, Some(rest)),
            None => (&*text, None),
        };
        let rest_length = rest.map_or(0, str::len);
        if self.rest.len() + rest_length >= MAX_PASTE_BYTES
            || !self.answer.line_mut().insert(answer)
        {
            return hint("not pasted: it is too long for an answer".into());
        }
        let Some(rest) = rest else {
            return Step::Unanswered(None);
        };
        if !self.rest.is_empty() && !self.rest.ends_with('\n') {
            self.rest.push('\n');
        }
        self.rest.push_str(rest);
        match is_more {
            true => hint("the second paste waits; answer for the first one: y or n".into()),
            false => self.decide(),
        }
    }
}

fn hint(text: String) -> Step {
    Step::Unanswered(Some(Action::Hint(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asking() -> Questions {
        let mut questions = Questions::default();
        questions.ask(Question::Other("Trust it? [y/N] ".into()));
        questions
    }

    /// Presses keys up to the first decision.
    fn press(questions: &mut Questions, keys: impl IntoIterator<Item = Key>) -> Vec<Step> {
        let steps = keys.into_iter().map(|key| questions.press(key));
        steps
            .filter(|step| *step != Step::Unanswered(None))
            .collect()
    }

    fn typed(text: &str) -> impl Iterator<Item = Key> + '_ {
        text.chars().map(|character| match character {
            '\n' => Key::Enter,
            character => Key::Character(character),
        })
    }

    fn answered(is_yes: bool, rest: &str) -> Step {
        Step::Answered {
            question: Question::Other("Trust it? [y/N] ".into()),
            is_yes,
            rest: rest.into(),
        }
    }

    #[test]
    fn only_a_whole_line_decides() {
        for (text, is_yes) in [
            ("y\n", true),
            ("YES \n", true),
            ("n\n", false),
            ("No\n", false),
            ("\n", false),
        ] {
            assert_eq!(
                press(&mut asking(), typed(text)),
                [answered(is_yes, "")],
                "{text:?}"
            );
        }
        assert_eq!(press(&mut asking(), typed("y")), []);
    }

    #[test]
    fn what_is_no_answer_is_explained_and_asked_again() {
        let long = "SHA256:".to_owned() + &"y".repeat(43);
        for text in ["maybe", "why?", "yn", "\u{1b}[2J", &long] {
            let mut questions = asking();
            let steps = press(&mut questions, typed(&format!("{text}\n")));
            let [Step::Unanswered(Some(Action::Hint(hint)))] = &steps[..] else {
                panic!("{text:?}: {steps:?}");
            };
            assert!(
                hint.chars().count() < 77
                    && !hint.contains('\u{1b}')
                    && hint.contains("type y or n"),
                "{hint}"
            );
            assert!(questions.prompt().is_some() && questions.answer().is_empty());
            assert_eq!(press(&mut questions, typed("y\n")), [answered(true, "")]);
        }
    }

    #[test]
    fn the_answer_is_edited() {
        let keys = typed("yn").chain([Key::Backspace, Key::Enter]);
        assert_eq!(press(&mut asking(), keys), [answered(true, "")]);
        let keys = typed("yes").chain([Key::DeleteToStart, Key::Enter]);
        assert_eq!(press(&mut asking(), keys), [answered(false, "")]);
    }

    #[test]
    fn ctrl_c_and_ctrl_d_are_never_yes() {
        let interrupted = || Step::Unanswered(Some(Action::Interrupt));
        let keys = typed("y").chain([Key::Interrupt]);
        assert_eq!(press(&mut asking(), keys), [interrupted()]);
        assert_eq!(
            press(&mut asking(), [Key::EndOfInput]),
            [answered(false, "")]
        );
        let mut questions = asking();
        let keys = typed("y").chain([Key::EndOfInput]);
        assert_eq!(press(&mut questions, keys), []);
        let paste = || Question::Paste {
            texts: vec!["one".into(), "two".into()],
            to: None,
        };
        for key in [Key::Interrupt, Key::Escape, Key::EndOfInput] {
            let mut questions = Questions::default();
            questions.ask(paste());
            let (question, is_yes, rest) = (paste(), false, String::new());
            let no = Step::Answered {
                question,
                is_yes,
                rest,
            };
            assert_eq!(press(&mut questions, [key]), [no]);
        }
    }

    #[test]
    fn what_is_pasted_after_the_answer_is_kept_and_is_no_answer() {
        let paste = |text: &str| Key::Paste(text.into());
        assert_eq!(
            press(&mut asking(), [paste("yes\none\ntwo\n")]),
            [answered(true, "one\ntwo\n")]
        );
        let mut questions = asking();
        let steps = press(&mut questions, [paste("maybe\ny\nyes"), paste("why\nmore")]);
        let is_hint = |step| matches!(step, &Step::Unanswered(Some(Action::Hint(_))));
        assert!(steps.len() == 2 && steps.iter().all(is_hint), "{steps:?}");
        assert_eq!(
            press(&mut questions, [paste("n"), Key::Enter]),
            [answered(false, "y\nyes\nmore")]
        );
        let mut questions = asking();
        let long = "x\n".repeat(MAX_PASTE_BYTES / 2);
        for _ in 0..3 {
            press(&mut questions, [paste(&long)]);
        }
        assert!(questions.rest.len() <= MAX_PASTE_BYTES);
    }

    #[test]
    fn lines_that_are_pasted_at_the_question_about_a_paste_are_no_answer() {
        for text in ["yes\nI agree", "\nfoo\nbar", "foo\nbar"] {
            let paste = Question::Paste {
                texts: vec!["one".into(), "two".into()],
                to: None,
            };
            let mut questions = Questions::default();
            questions.ask(paste.clone());
            let steps = press(&mut questions, [Key::Paste(text.into())]);
            assert!(
                matches!(&steps[..], [Step::Unanswered(Some(Action::Hint(_)))]),
                "{steps:?}"
            );
            let all = Step::Answered {
                question: paste,
                is_yes: true,
                rest: text.into(),
            };
            assert_eq!(press(&mut questions, typed("y\n")), [all]);
        }
    }

    #[test]
    fn a_question_waits_for_the_answer_to_the_one_before() {
        let mut questions = asking();
        press(&mut questions, typed("y"));
        questions.ask(Question::Other("next? ".into()));
        assert_eq!(press(&mut questions, typed("\n")), [answered(true, "")]);
        assert_eq!(questions.prompt().as_deref(), Some("next? "));
        assert!(questions.answer().is_empty());
    }

    proptest! {
        #[test]
        fn no_line_but_yes_is_yes(line in "[yesnoYES \u{7f}?-]{0,5}") {
            let is_yes = ["y", "yes"].contains(&line.trim().to_lowercase().as_str());
            let steps = press(&mut asking(), typed(&line).chain([Key::Enter]));
            prop_assert_eq!(steps == [answered(true, "")], is_yes);
        }
    }
}
