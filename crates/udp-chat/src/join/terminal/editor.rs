//! What keys do: edit the line, recall lines, complete words, ask about a paste.
//!
//! It draws nothing and reads nothing: keys go in, actions come out.

use line_editor::{Edited, Key, Line, MAX_PASTE_BYTES};

use super::super::command::{Command, private_recipient};
use super::question::{Question, Questions, Step};

/// What is to be done outside the editor after a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// A line was typed: a text or a command.
    Typed(String),
    /// Lines were pasted: texts for all, or for one member.
    Pasted {
        texts: Vec<String>,
        to: Option<String>,
    },
    /// A question and the answer to it, which stay to be seen.
    Keep(String),
    /// The question that was asked from outside was answered with yes or no.
    Answered(bool),
    /// A word for the person.
    Hint(String),
    Interrupt,
    EndOfInput,
    Suspend,
    ClearScreen,
}

#[derive(Debug, Default)]
pub(super) struct Editor {
    typed: line_editor::Editor,
    questions: Questions,
    /// Tab was pressed and several words are possible.
    candidates_known: bool,
    closed: bool,
}

/// What a word may become, for a line and a cursor: where the word starts, and the candidates.
pub(super) type Complete<'a> = dyn Fn(&str, usize) -> (usize, Vec<String>) + 'a;

impl Editor {
    /// What is asked before any other line is taken.
    pub(super) fn question(&self) -> Option<String> {
        self.questions.prompt()
    }

    /// Asks a question that is answered with yes or no, after those that wait for their answer.
    pub(super) fn ask(&mut self, prompt: String) {
        self.questions.ask(Question::Other(prompt));
    }

    /// The line being typed, which may be the answer to a question.
    pub(super) fn line(&self) -> &Line {
        match self.questions.is_empty() {
            true => self.typed.line(),
            false => self.questions.answer(),
        }
    }

    /// Whether lines are no longer taken.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes no more lines; Ctrl-C still works.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// The line that was typed and not sent.
    pub(super) fn unsent(&self) -> &str {
        self.typed.line().text()
    }

    pub(super) fn handle(&mut self, key: Key, complete: &Complete<'_>) -> Vec<Action> {
        if !self.closed && !self.questions.is_empty() {
            return self.answer(key);
        }
        Vec::from_iter(self.edit(key, complete))
    }

    fn edit(&mut self, key: Key, complete: &Complete<'_>) -> Option<Action> {
        if self.closed {
            return match key {
                Key::Interrupt => Some(Action::Interrupt),
                Key::Suspend => Some(Action::Suspend),
                _ => None,
            };
        }
        let knew_candidates = std::mem::take(&mut self.candidates_known);
        let key = match self.typed.edit(key) {
            Edited::Done => return None,
            Edited::Full => return Some(Action::Hint("the line is full".into())),
            Edited::Other(key) => key,
        };
        match key {
            Key::Enter => self.enter(),
            Key::Tab => self.complete(complete, knew_candidates),
            Key::EndOfInput => {
                self.closed = true;
                Some(Action::EndOfInput)
            }
            Key::ClearScreen => Some(Action::ClearScreen),
            Key::Interrupt => Some(Action::Interrupt),
            Key::Suspend => Some(Action::Suspend),
            Key::Paste(text) => self.paste(&text),
            Key::LongPaste(length) => Some(long_paste(length)),
            _ => None,
        }
    }

    fn enter(&mut self) -> Option<Action> {
        let line = self.typed.accept();
        if line.trim().is_empty() {
            return None;
        }
        self.closed = Command::parse(&line) == Ok(Command::Quit);
        Some(Action::Typed(line))
    }

    /// A single line is inserted; several wait for the person's answer, and the line being typed
    /// stays as it is.
    fn paste(&mut self, text: &str) -> Option<Action> {
        let text = text.replace('\t', " ");
        let single = text.strip_suffix('\n').unwrap_or(&text);
        if !single.contains('\n') {
            let fits = self.typed.line_mut().insert(single);
            let hint = || Action::Hint("not pasted: the line would be too long".into());
            return (!fits).then(hint);
        }
        let has_text = |line: &&str| !line.trim().is_empty();
        let texts: Vec<_> = text.lines().filter(has_text).map(str::to_owned).collect();
        let to = private_recipient(self.typed.line().text()).map(str::to_owned);
        if to.is_none() && self.typed.line().text().trim_start().starts_with('/') {
            let hint = "not pasted: several lines cannot be part of a command; finish it first";
            return Some(Action::Hint(hint.into()));
        }
        if !texts.is_empty() {
            self.questions.ask(Question::Paste { texts, to });
        }
        None
    }

    fn answer(&mut self, key: Key) -> Vec<Action> {
        let (question, is_yes, rest) = match self.questions.press(key) {
            Step::Unanswered(action) => return Vec::from_iter(action),
            Step::Answered {
                question,
                is_yes,
                rest,
            } => (question, is_yes, rest),
        };
        let mut actions = vec![Action::Keep(format!(
            "{}{}",
            question.prompt(),
            if is_yes { "yes" } else { "no" }
        ))];
        actions.push(match question {
            Question::Other(_) => Action::Answered(is_yes),
            Question::Paste { texts, .. } if !is_yes => {
                Action::Hint(format!("not sent: {} pasted lines", texts.len()))
            }
            Question::Paste { texts, to } => {
                if to.is_some() {
                    self.typed.line_mut().take();
                }
                Action::Pasted { texts, to }
            }
        });
        actions.extend(self.paste(&rest));
        actions
    }

    /// Completes as far as all candidates agree; the second time in vain it lists them.
    fn complete(&mut self, complete: &Complete<'_>, knew_candidates: bool) -> Option<Action> {
        let (start, candidates) = complete(self.typed.line().text(), self.typed.line().cursor());
        let word = self.typed.line().text()[start..self.typed.line().cursor()].to_owned();
        let (first, others) = candidates.split_first()?;
        let common = others
            .iter()
            .fold(first.as_str(), |common, other| common_prefix(common, other));
        if others.is_empty() || common.chars().count() > word.chars().count() {
            self.typed.line_mut().complete(start, common);
            return None;
        }
        self.candidates_known = true;
        knew_candidates.then(|| {
            let words: Vec<_> = candidates.iter().map(|word| word.trim_end()).collect();
            Action::Hint(words.join("  "))
        })
    }
}

/// Why nothing of a paste of so many bytes is taken.
pub(super) fn long_paste(length: usize) -> Action {
    Action::Hint(format!(
        "not pasted: {length} bytes, and {MAX_PASTE_BYTES} are the limit; \
         send a file with: udp-chat join < FILE"
    ))
}

fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let pairs = a.char_indices().zip(b.chars());
    let mut same = pairs.take_while(|((_, a), b)| a == b);
    let end = same
        .by_ref()
        .last()
        .map_or(0, |((at, last), _)| at + last.len_utf8());
    &a[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(line: &str, cursor: usize) -> (usize, Vec<String>) {
        let start = line[..cursor].rfind(' ').map_or(0, |at| at + 1);
        let words = ["anders: ", "Anna: ", "bo: "].map(str::to_owned);
        let word = line[start..cursor].to_lowercase();
        let found = words
            .into_iter()
            .filter(|name| name.to_lowercase().starts_with(&word));
        (start, found.collect())
    }

    fn press(editor: &mut Editor, keys: impl IntoIterator<Item = Key>) -> Vec<Action> {
        let mut actions = Vec::new();
        for key in keys {
            actions.extend(editor.handle(key, &candidates));
        }
        actions
    }

    fn typed(text: &str) -> impl Iterator<Item = Key> + '_ {
        text.chars().map(|character| match character {
            '\n' => Key::Enter,
            '\t' => Key::Tab,
            character => Key::Character(character),
        })
    }

    #[test]
    fn lines_are_typed_recalled_and_completed() {
        let mut editor = Editor::default();
        let line = |line: &str| Action::Typed(line.into());
        assert_eq!(
            press(&mut editor, typed("one\n\n  \nb\tx\n")),
            [line("one"), line("bo: x")]
        );
        assert_eq!(
            press(&mut editor, [Key::Up, Key::Up, Key::Enter]),
            [line("one")]
        );
        assert_eq!(
            press(&mut editor, typed("a\t\t")),
            [Action::Hint("anders:  Anna:".into())]
        );
        assert_eq!(press(&mut editor, typed("nn\t\n")), [line("Anna: ")]);
    }

    fn paste(text: &str) -> Key {
        Key::Paste(text.into())
    }

    fn kept(question: &str) -> Action {
        Action::Keep(question.into())
    }

    #[test]
    fn a_pasted_line_is_inserted_and_several_are_asked_about() {
        let mut editor = Editor::default();
        press(&mut editor, typed("say: "));
        assert_eq!(press(&mut editor, [paste("a\tb\n")]), []);
        assert_eq!(editor.unsent(), "say: a b");
        assert_eq!(press(&mut editor, [paste("/quit\n\n\ttwo")]), []);
        let question = "send 2 lines? [y/N] ";
        assert_eq!(editor.question().as_deref(), Some(question));
        let texts = vec!["/quit".to_owned(), " two".to_owned()];
        let all = Action::Pasted { texts, to: None };
        assert_eq!(press(&mut editor, typed("y")), []);
        assert_eq!(
            press(&mut editor, [Key::Enter]),
            [kept("send 2 lines? [y/N] yes"), all]
        );
        assert_eq!(editor.unsent(), "say: a b", "what was typed is still there");
        press(&mut editor, [paste("one\ntwo")]);
        let no = Action::Hint("not sent: 2 pasted lines".into());
        assert_eq!(
            press(&mut editor, typed("\n")),
            [kept("send 2 lines? [y/N] no"), no]
        );
        assert_eq!(editor.question(), None);
    }

    #[test]
    fn a_question_stands_before_the_line_until_it_is_answered() {
        let mut editor = Editor::default();
        press(&mut editor, typed("half"));
        editor.ask("Trust it? [y/N] ".into());
        assert_eq!(editor.question().as_deref(), Some("Trust it? [y/N] "));
        let actions = press(&mut editor, typed("maybe\n"));
        assert!(matches!(&actions[..], [Action::Hint(_)]), "{actions:?}");
        assert_eq!(press(&mut editor, typed("Y")), []);
        assert_eq!(editor.line().text(), "Y");
        assert_eq!(
            press(&mut editor, [Key::Enter]),
            [kept("Trust it? [y/N] yes"), Action::Answered(true)]
        );
        assert_eq!(editor.line().text(), "half");
    }

    #[test]
    fn what_is_pasted_after_an_answer_is_not_sent_unasked() {
        let mut editor = Editor::default();
        editor.ask("Trust it? ".into());
        let actions = press(&mut editor, [paste("y\none\ntwo\n")]);
        assert_eq!(actions, [kept("Trust it? yes"), Action::Answered(true)]);
        assert_eq!(editor.question().as_deref(), Some("send 2 lines? [y/N] "));
        let actions = press(&mut editor, [paste("yes\n")]);
        assert!(matches!(&actions[..], [Action::Hint(_)]), "{actions:?}");
        let actions = press(&mut editor, typed("y\n"));
        assert!(
            matches!(&actions[..], [_, Action::Pasted { .. }]),
            "{actions:?}"
        );
        assert_eq!(editor.unsent(), "yes");
    }

    #[test]
    fn what_is_pasted_behind_msg_stays_private() {
        let mut editor = Editor::default();
        press(&mut editor, typed(" /msg bo "));
        press(&mut editor, [Key::Paste("one\ntwo".into())]);
        let question = "send 2 lines to bo? [y/N] ";
        assert_eq!(editor.question().as_deref(), Some(question));
        let texts = vec!["one".to_owned(), "two".to_owned()];
        let private = Action::Pasted {
            texts,
            to: Some("bo".into()),
        };
        let yes = kept("send 2 lines to bo? [y/N] yes");
        assert_eq!(press(&mut editor, typed("y\n")), [yes, private]);
        assert_eq!(editor.unsent(), "");
        press(&mut editor, typed("/msg"));
        let actions = press(&mut editor, [Key::Paste("one\ntwo".into())]);
        assert!(matches!(&actions[..], [Action::Hint(_)]), "{actions:?}");
    }

    #[test]
    fn after_quit_and_ctrl_d_only_ctrl_c_counts() {
        for end in [
            &typed("/quit\n").collect::<Vec<_>>()[..],
            &[Key::EndOfInput],
        ] {
            let mut editor = Editor::default();
            press(&mut editor, end.iter().cloned());
            assert!(editor.is_closed());
            let actions = press(
                &mut editor,
                [Key::Character('x'), Key::Enter, Key::Interrupt],
            );
            assert_eq!(actions, [Action::Interrupt]);
        }
    }
}
