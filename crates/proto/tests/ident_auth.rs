//! Checks the examples of the dialogues in `PROTOCOL.md` against the types.

use std::collections::BTreeSet;

use proto::{FramedSocket, MAX_DIALOGUE_BYTES, Name, RecvError, auth, from_json, ident};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../PROTOCOL.md");

/// The lines of all blocks of one kind. There must be some.
fn examples(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    let blocks = DOCUMENT.split(&fence).skip(1);
    let lines: Vec<_> = blocks
        .flat_map(|rest| rest.split("```").next().unwrap().lines())
        .collect();
    assert!(!lines.is_empty(), "no example of {kind}");
    lines
}

/// Reads a message, and checks that writing it gives the same fields and values.
fn read_and_written<T: Serialize + DeserializeOwned>(json: &str) -> Value {
    let message: T = from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    serde_json::to_value(message).unwrap()
}

/// The messages in the examples of a dialogue and who sends them. Each is read and written again.
fn checked<Q, R>(kind: &str) -> Vec<(char, Value)>
where
    Q: Serialize + DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    let check = |line: &&str| {
        let (side, again) = match line.split_at(3) {
            ("C: ", json) => ('C', read_and_written::<Q>(json)),
            ("S: ", json) => ('S', read_and_written::<R>(json)),
            _ => panic!("neither side says {line}"),
        };
        assert_eq!(again, serde_json::from_str::<Value>(&line[3..]).unwrap());
        (side, again)
    };
    examples(kind).iter().map(check).collect()
}

/// The values that `type` can have, taken from the error about an unknown one.
fn known<T: DeserializeOwned>(json: &str) -> BTreeSet<String> {
    let Err(RecvError::UnknownMessage(error)) = from_json::<T>(json) else {
        panic!("{json} is a message");
    };
    let error = error.to_string();
    let (_, words) = error.split_once("known: ").expect("a list of words");
    words.split(", ").map(String::from).collect()
}

fn seen(messages: &[(char, Value)], side: char, field: &str) -> BTreeSet<String> {
    let of_side = messages.iter().filter(|(from, _)| *from == side);
    of_side
        .filter_map(|(_, message)| Some(message.get(field)?.as_str()?.to_owned()))
        .collect()
}

/// All codes that are sent, as they stand on the wire. `after` returns the next one; its `match` makes the compiler
/// report a new code.
fn sent_codes<C: Copy + Serialize>(after: impl Fn(Option<C>) -> Option<C>) -> BTreeSet<String> {
    let codes = std::iter::successors(after(None), |code| after(Some(*code)));
    let words = codes.map(|code| match serde_json::to_value(code).unwrap() {
        Value::Object(fields) => fields["code"].clone(),
        word => word,
    });
    words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

fn ident_code_after(code: Option<ident::ErrorCode>) -> Option<ident::ErrorCode> {
    use ident::ErrorCode::{BadMessage, BadName, NotKnown, Other, Unavailable};
    match code {
        None => Some(BadName),
        Some(BadName) => Some(NotKnown),
        Some(NotKnown) => Some(BadMessage),
        Some(BadMessage) => Some(Unavailable),
        Some(Unavailable | Other) => None,
    }
}

fn auth_code_after(code: Option<auth::ErrorCode>) -> Option<auth::ErrorCode> {
    use auth::ErrorCode::{
        BadCredentials, BadMessage, BadName, NameTaken, NoSession, NoSuchSession, NotLoggedIn,
        Other, RegistrationClosed, SessionExpired, TlsRequired, TooManyAttempts, Unavailable,
        WeakPassword,
    };
    match code {
        None => Some(BadCredentials),
        Some(BadCredentials) => Some(NameTaken),
        Some(NameTaken) => Some(BadName),
        Some(BadName) => Some(WeakPassword),
        Some(WeakPassword) => Some(TooManyAttempts { retry_after: 1 }),
        Some(TooManyAttempts { .. }) => Some(SessionExpired),
        Some(SessionExpired) => Some(NoSuchSession),
        Some(NoSuchSession) => Some(NotLoggedIn),
        Some(NotLoggedIn) => Some(RegistrationClosed),
        Some(RegistrationClosed) => Some(Unavailable),
        Some(Unavailable) => Some(NoSession),
        Some(NoSession) => Some(TlsRequired),
        Some(TlsRequired) => Some(BadMessage),
        Some(BadMessage | Other) => None,
    }
}

#[test]
fn a_code_of_a_newer_server_can_be_received() {
    let newer = r#"{"type":"error","code":"too_late","message":"no"}"#;
    let reply: ident::Reply = from_json(newer).unwrap();
    let (code, message) = (ident::ErrorCode::Other, String::from("no"));
    assert_eq!(reply, ident::Reply::Error { code, message });
    let reply: auth::Reply = from_json(newer).unwrap();
    let code = auth::ErrorCode::Other;
    assert!(
        matches!(reply, auth::Reply::Error { code: other, message } if other == code && message == "no")
    );
}

#[test]
fn each_message_and_code_of_ident_has_an_example() {
    let messages = checked::<ident::Request, ident::Reply>("ident");
    let none = r#"{"type":"?"}"#;
    assert_eq!(seen(&messages, 'C', "type"), known::<ident::Request>(none));
    assert_eq!(seen(&messages, 'S', "type"), known::<ident::Reply>(none));
    assert_eq!(seen(&messages, 'S', "code"), sent_codes(ident_code_after));
}

#[test]
fn each_message_and_code_of_auth_has_an_example() {
    let messages = checked::<auth::Request, auth::Reply>("auth");
    let none = r#"{"type":"?"}"#;
    assert_eq!(seen(&messages, 'C', "type"), known::<auth::Request>(none));
    assert_eq!(seen(&messages, 'S', "type"), known::<auth::Reply>(none));
    assert_eq!(seen(&messages, 'S', "code"), sent_codes(auth_code_after));
}

#[test]
fn each_code_is_in_its_table() {
    let (ident, auth) = DOCUMENT.split_once("\n## Authentication").unwrap();
    for (chapter, kind) in [(ident, "ident"), (auth, "auth")] {
        let lines = examples(kind);
        let codes = lines.iter().filter_map(|line| {
            let reply: Value = serde_json::from_str(&line[3..]).unwrap();
            Some(reply.get("code")?.as_str()?.to_owned())
        });
        for code in codes {
            assert!(chapter.contains(&format!("\n| `{code}` |")), "{code}");
        }
    }
}

#[test]
fn the_frames_are_those_that_are_sent() {
    for kind in ["ident-frame", "auth-frame"] {
        let lines = examples(kind);
        let mut sent = std::io::Cursor::new(vec![]);
        sent.send_text(lines[0].strip_prefix("C: ").unwrap())
            .unwrap();
        let hex = lines[1..].iter().flat_map(|line| line.split(' '));
        let bytes: Vec<_> = hex
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        assert_eq!(sent.into_inner(), bytes);
    }
}

fn refused<T: DeserializeOwned>(kind: &str) -> Vec<RecvError> {
    let lines = examples(kind).into_iter();
    let texts = lines.map(|line| line.strip_prefix("C: ").unwrap());
    texts
        .map(|text| match from_json::<T>(text) {
            Ok(_) => panic!("{text} is a message"),
            Err(error) => error,
        })
        .collect()
}

#[test]
fn invalid_messages_are_refused_as_it_says() {
    let mut unknown = refused::<ident::Request>("ident-unknown");
    unknown.extend(refused::<auth::Request>("auth-unknown"));
    for error in unknown {
        assert!(matches!(error, RecvError::UnknownMessage(_)), "{error}");
        let shown = format!("{error} {error:?}");
        for sent in ["12345678", "correct horse", "anna"] {
            assert!(!shown.contains(sent), "{shown}");
        }
    }
    let mut broken = refused::<ident::Request>("ident-broken");
    broken.extend(refused::<auth::Request>("auth-broken"));
    for error in broken {
        assert!(matches!(error, RecvError::NotJson(_)), "{error}");
    }
}

#[test]
fn each_example_of_a_name_is_stored_or_refused_as_it_says() {
    for line in examples("name") {
        let mut values = serde_json::Deserializer::from_str(line).into_iter::<String>();
        let sent = values.next().unwrap().unwrap();
        let result = line[values.byte_offset()..].trim();
        match Name::parse(&sent) {
            Ok(name) => assert_eq!(
                serde_json::from_str::<String>(result).unwrap(),
                name.as_str(),
                "{line}"
            ),
            Err(_) => assert_eq!(result, "bad_name", "{line}"),
        }
    }
}

#[test]
fn a_field_that_is_sent_twice_takes_its_last_value() {
    let twice = r#"{"type":"whoami","name":"Anna","type":"name","name":"Bo"}"#;
    let name = String::from("Bo");
    let request: ident::Request = from_json(twice).unwrap();
    assert_eq!(request, ident::Request::Name { name });
}

#[test]
fn names_and_secrets_show_in_json_alone() {
    let login = r#"{"type":"login","user":"anna","password":"correct horse"}"#;
    let request: auth::Request = from_json(login).unwrap();
    assert!(!format!("{request:?}").contains("horse"));
    let session = r#"{"type":"session","user":"Anna","token":"T0yG7b","expires_at":1}"#;
    let reply: auth::Reply = from_json(session).unwrap();
    assert!(!format!("{reply:?}").contains("T0yG7b"));
}

#[test]
fn a_reply_with_an_invalid_name_is_refused() {
    let error = from_json::<ident::Reply>("{\"type\":\"welcome\",\"name\":\"\\u001b[2J\"}");
    assert!(matches!(error, Err(RecvError::UnknownMessage(_))));
}

#[test]
fn only_too_many_attempts_says_when_to_come_back() {
    use auth::ErrorCode::{BadCredentials, TooManyAttempts};
    for (code, field) in [
        (TooManyAttempts { retry_after: 5 }, Some(5)),
        (BadCredentials, None),
    ] {
        let message = String::from("no");
        let reply = serde_json::to_value(auth::Reply::Error { code, message }).unwrap();
        assert_eq!(reply.get("retry_after").and_then(Value::as_u64), field);
        assert_eq!(
            reply.as_object().unwrap().len(),
            3 + usize::from(field.is_some())
        );
    }
    let without = r#"{"type":"error","code":"too_many_attempts","message":"no"}"#;
    assert!(from_json::<auth::Reply>(without).is_err());
}

#[test]
fn a_hundred_sessions_fit_in_a_message() {
    let session = |_| auth::SessionInfo {
        id: "x".repeat(12),
        address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap(),
        created_at: u32::MAX.into(),
        last_seen: u32::MAX.into(),
        current: false,
    };
    let sessions = (0..100).map(session).collect();
    let json = serde_json::to_string(&auth::Reply::Sessions { sessions }).unwrap();
    assert!(json.len() <= MAX_DIALOGUE_BYTES, "{}", json.len());
}

#[test]
fn the_longest_registration_fits_in_a_message() {
    let user = "𝐀".repeat(64);
    assert!(Name::parse(&user).is_ok());
    let request = auth::Request::Register {
        user,
        // Escaped characters take the most bytes.
        password: proto::Secret::new("\u{1}".repeat(128)),
    };
    assert!(serde_json::to_string(&request).unwrap().len() <= MAX_DIALOGUE_BYTES);
}
