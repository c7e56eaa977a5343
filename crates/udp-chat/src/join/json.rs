//! What is shown as JSON (`--json`): one object a line, for programs.
//!
//! Texts are whole and unchanged. What a terminal could take for a command is written as the
//! escapes of JSON, so that a line is harmless to look at, too.

use std::fmt::Write as _;

use chat_link::CloseReason;
use chat_link::message::Kind;
use serde::Serialize;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::display::DisplayEvent;

/// The fields of a line. Times are in Unix milliseconds.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Said {
        time: u64,
        id: u64,
        history: bool,
        kind: Kind,
        from: &'a str,
        text: &'a str,
    },
    Confirmed {
        time: u64,
        id: u64,
        request: u64,
    },
    Joined {
        time: u64,
        nick: &'a str,
        plaintext: bool,
    },
    Left {
        time: u64,
        nick: &'a str,
        reason: CloseReason,
    },
    Renamed {
        time: u64,
        old: &'a str,
        new: &'a str,
    },
    Members {
        time: u64,
        nicks: &'a [String],
    },
    You {
        time: u64,
        nick: &'a str,
    },
    Trouble {
        time: u64,
        text: &'a str,
    },
}

/// One event as a line with its end; `now` is its time unless it has one of its own.
pub(super) fn json_line(event: &DisplayEvent, now: u64) -> String {
    let time = now;
    let line = match event {
        DisplayEvent::Said(said) => Line::Said {
            time: said.at,
            id: said.id,
            history: said.history,
            kind: said.kind,
            from: &said.from,
            text: &said.text,
        },
        DisplayEvent::Confirmed { request, id, at } => Line::Confirmed {
            time: *at,
            id: *id,
            request: *request,
        },
        DisplayEvent::Joined { nick, plaintext } => Line::Joined {
            time,
            nick,
            plaintext: *plaintext,
        },
        DisplayEvent::Left { nick, reason } => Line::Left {
            time,
            nick,
            reason: *reason,
        },
        DisplayEvent::Renamed { old, new, .. } => Line::Renamed { time, old, new },
        DisplayEvent::Members(nicks) | DisplayEvent::Found(nicks) => Line::Members { time, nicks },
        DisplayEvent::You { nick } => Line::You { time, nick },
        DisplayEvent::Trouble(text) | DisplayEvent::Hint(text) => Line::Trouble { time, text },
    };
    let json = serde_json::to_string(&line).expect("numbers and texts can be written");
    harmless(&json) + "\n"
}

/// Writes control, bidirectional and invisible characters as JSON's escapes of four hex digits.
fn harmless(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        let is_harmful = matches!(
            character.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        );
        if is_harmful {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::display::Said;
    use super::*;

    fn said(text: &str) -> DisplayEvent {
        DisplayEvent::Said(Said {
            history: true,
            id: 7,
            at: 5,
            from: "Аня".into(),
            kind: Kind::Me,
            text: text.into(),
        })
    }

    #[test]
    fn lines_have_the_documented_form() {
        let nick = || "bo".to_owned();
        for (event, line) in [
            (
                said("hi"),
                r#"{"type":"said","time":5,"id":7,"history":true,"kind":"me","from":"Аня","text":"hi"}"#,
            ),
            (
                DisplayEvent::Confirmed {
                    request: 1,
                    id: 2,
                    at: 3,
                },
                r#"{"type":"confirmed","time":3,"id":2,"request":1}"#,
            ),
            (
                DisplayEvent::Joined {
                    nick: nick(),
                    plaintext: true,
                },
                r#"{"type":"joined","time":9,"nick":"bo","plaintext":true}"#,
            ),
            (
                DisplayEvent::Left {
                    nick: nick(),
                    reason: CloseReason::TimedOut,
                },
                r#"{"type":"left","time":9,"nick":"bo","reason":"timed_out"}"#,
            ),
            (
                DisplayEvent::Trouble("no".into()),
                r#"{"type":"trouble","time":9,"text":"no"}"#,
            ),
        ] {
            assert_eq!(json_line(&event, 9), format!("{line}\n"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_unchanged_and_shown_safely(
            text in "\\PC{0,30}|[\u{0}-\u{9f}\u{2000}-\u{2070}\u{e0020}👍]{0,30}",
        ) {
            let line = json_line(&said(&text), 0);
            let body = line.strip_suffix('\n').unwrap();
            let harmful = |c: char| c.is_control() || ('\u{200b}'..='\u{200f}').contains(&c);
            let is_harmful = body.contains(harmful);
            prop_assert!(!is_harmful, "{:?}", body);
            let value: serde_json::Value = serde_json::from_str(body).unwrap();
            prop_assert_eq!(value["text"].as_str(), Some(&*text));
        }
    }
}
