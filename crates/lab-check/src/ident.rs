//! What an identification server must do (task 11): greet a known address by its name, ask an unknown one.

use serde_json::{Value, json};

use crate::check::Check;
use crate::dialogue::Dialogue;
use crate::failure::Failure;
use crate::target::Target;

/// The name that the checks give themselves.
const NAME: &str = "lab-check";
const BASIC: &[&str] = &["greeting", "name"];

/// A check that means something only once the basic ones have passed.
const AFTER_BASIC: Check<Target> = Check {
    needs: BASIC,
    ..Check::REQUIRED
};

/// The checks, in the order in which they are tried.
pub static CHECKS: &[Check<Target>] = &[
    Check {
        name: "greeting",
        task: 11,
        about: "the server speaks first: welcome with the name, or who_are_you",
        hint: "The server must greet right after accept(): the client sends nothing before. If it speaks TLS, give \
               --tls here.",
        run: |target| greeting(target).map(drop),
        ..Check::REQUIRED
    },
    Check {
        name: "name",
        task: 11,
        about: "a name is stored, and welcome repeats it",
        hint: "The reply to a name is welcome with that name, once it is in the file.",
        needs: &["greeting"],
        run: |target| named(target).map(drop),
        ..Check::REQUIRED
    },
    Check {
        name: "whoami",
        task: 11,
        about: "whoami shows the name and the address",
        hint: "you_are has the fields name and address. The address is that of the client, without its port.",
        run: |target| {
            let mut client = named(target)?;
            let address = client.connection().socket().local_addr();
            let address = address.map_err(|error| {
                client.failure(format!("the own address is not known: {error}"))
            })?;
            let reply = client.request(&json!({"type": "whoami"}))?;
            let is_right =
                reply["type"] == "you_are" && reply["name"] == NAME && reply["address"].is_string();
            if !is_right {
                return Err(client.failure(format!(
                    "the reply is {reply} instead of you_are with name and address"
                )));
            }
            // Behind NAT the server sees another address; on loopback it cannot.
            if address.ip().is_loopback()
                && reply["address"] != address.ip().to_canonical().to_string()
            {
                return Err(client.failure(format!(
                    "the address is {} instead of {}",
                    reply["address"],
                    address.ip()
                )));
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "reconnect",
        task: 11,
        about: "a name is kept over a new connection",
        hint: "The name must be stored by IP address, without the port, which differs for each connection.",
        run: |target| {
            named(target)?.exit()?;
            let (client, greeting) = greeting(target)?;
            client.is(&greeting, &welcome(NAME))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "rename",
        task: 11,
        about: "rename changes the name for later connections, too",
        hint: "The new name must replace the old one in the file.",
        needs: &["greeting", "name", "reconnect"],
        run: |target| {
            named(target)?.expect(&rename("lab-check 2"), &welcome("lab-check 2"))?;
            let (client, greeting) = greeting(target)?;
            client.is(&greeting, &welcome("lab-check 2"))
        },
        ..Check::REQUIRED
    },
    Check {
        name: "known-name",
        task: 11,
        about: "a known client that gives a name gets its stored one",
        hint: "The first answer wins: name from a known client changes nothing. rename changes the name.",
        run: |target| {
            named(target)?.expect(&json!({"type": "name", "name": "Somebody"}), &welcome(NAME))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "forget",
        task: 11,
        about: "after forget the client is unknown: who_are_you on the next connection, not_known on this one",
        hint: "forget removes the name from memory and from the file.",
        run: |target| {
            let mut client = named(target)?;
            client.expect(&json!({"type": "forget"}), &json!({"type": "forgotten"}))?;
            for request in [
                json!({"type": "whoami"}),
                json!({"type": "forget"}),
                rename("Bo"),
            ] {
                client.expect_error(&request, "not_known")?;
            }
            let (next, greeting) = greeting(target)?;
            next.is(&greeting, &json!({"type": "who_are_you"}))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "scripts",
        task: 11,
        about: "names in any script come back: Cyrillic, Chinese, emoji, 64 letters",
        hint: "Count characters for the limit of 64, and bytes for the header. Store the file as UTF-8.",
        run: |target| {
            let mut client = named(target)?;
            let long = "я".repeat(64);
            for name in ["Аня", "李小龍", "🙂🇷🇺", "O'Neil \"Shaq\"", &long] {
                client.expect(&rename(name), &welcome(name))?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "normal-form",
        task: 11,
        about: "names are trimmed and composed (NFC): one name has one spelling",
        hint: "The letter é can be one code point or two. Normalise the name before it is stored \
               (unicodedata.normalize).",
        run: |target| {
            let mut client = named(target)?;
            client.expect(&rename("  Zoe\u{301} "), &welcome("Zo\u{e9}"))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "bad-names",
        task: 11,
        about: "an empty name, one of 65 letters and one with control characters are refused with bad_name",
        hint: "Check a name before it is stored. A name with control characters can change what a terminal shows.",
        run: |target| {
            for name in [
                "",
                " \u{3000}",
                &"x".repeat(65),
                "two\nlines",
                "\u{1b}[2J",
                "\u{202e}evil",
            ] {
                named(target)?.expect_error(&rename(name), "bad_name")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "third-bad-name",
        task: 11,
        about: "after the third bad name the server closes the connection",
        hint: "Count bad names for each connection, and close after the third.",
        needs: &["greeting", "name", "bad-names"],
        run: |target| {
            let mut client = named(target)?;
            for _ in 0..3 {
                client.expect_error(&rename(""), "bad_name")?;
            }
            client.connection().expect_close()
        },
        ..Check::REQUIRED
    },
    Check {
        name: "bad-message",
        task: 14,
        about: "JSON that is not a request is refused with bad_message, and the dialogue goes on",
        hint: "Only text that is not JSON ends the connection. An unknown type or a field of the wrong kind is \
               answered.",
        run: |target| {
            let mut client = named(target)?;
            for wrong in [
                json!({"type": "dance"}),
                json!({}),
                json!([1]),
                json!({"type": "rename"}),
                json!({"type": 7}),
            ] {
                client.expect_error(&wrong, "bad_message")?;
            }
            client.expect(&rename(NAME), &welcome(NAME))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "unknown-fields",
        task: 14,
        about: "fields that the server does not know are ignored, whatever they contain",
        hint: "A later version of a client may send more. Take the fields that are known and leave the rest.",
        run: |target| {
            let reserved = json!({"$serde_json::private::RawValue": "no JSON"});
            let more = json!({"type": "rename", "name": NAME, "later": [1, {"deep": [[]]}], "x": reserved});
            named(target)?.expect(&more, &welcome(NAME))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "not-json",
        task: 14,
        about: "text that is not JSON is refused with bad_message, and the connection is closed",
        hint: "Catch the parser's error, answer, and close this client's connection.",
        run: |target| {
            let mut client = named(target)?;
            client.connection().send_message(b"hello")?;
            let reply = client.receive()?;
            client.is_error(&reply, "bad_message")?;
            client.connection().expect_close()
        },
        ..AFTER_BASIC
    },
    Check {
        name: "too-long",
        task: 13,
        about: "a message of over 16 KiB is refused with bad_message, and the connection is closed",
        hint: "Check the header against the limit before the payload is read.",
        run: |target| {
            let mut client = named(target)?;
            let wire = client.connection().encode(&[b' '; 16 * 1024 + 1]);
            client.connection().send(&wire[..4])?;
            let reply = client.receive()?;
            client.is_error(&reply, "bad_message")?;
            client.connection().expect_close()
        },
        ..AFTER_BASIC
    },
    Check {
        name: "together",
        task: 14,
        about: "three requests that arrive in one piece get three replies in order",
        hint: "What was read behind the first request belongs to the next one.",
        needs: &["greeting", "name", "whoami"],
        run: |target| {
            let mut client = named(target)?;
            let requests = [rename("lab-check 1"), rename("lab-check 2"), rename(NAME)];
            let encode = |request: &Value| request.to_string().into_bytes();
            let wire: Vec<_> = requests
                .iter()
                .flat_map(|r| client.connection().encode(&encode(r)))
                .collect();
            client.connection().send(&wire)?;
            for name in ["lab-check 1", "lab-check 2", NAME] {
                let reply = client.receive()?;
                client.is(&reply, &welcome(name))?;
            }
            Ok(())
        },
        ..Check::REQUIRED
    },
    Check {
        name: "exit",
        task: 6,
        about: "exit is answered with bye, and the server closes the connection",
        hint: "Send bye first, then close this client's socket.",
        run: |target| named(target)?.exit(),
        ..AFTER_BASIC
    },
    Check {
        name: "two-clients",
        task: 7,
        about: "a second client is greeted while the first one is connected",
        hint: "The server serves one client at a time. Give each client a thread.",
        run: |target| {
            let first = named(target)?;
            let served = named(target).map(drop);
            drop(first);
            served
        },
        ..AFTER_BASIC
    },
];

/// The name that the server has stored for this address, to be put back after the checks.
///
/// # Errors
///
/// When the server does not greet.
pub fn stored_name(target: &Target) -> Result<Option<String>, Failure> {
    let (_, greeting) = greeting(target)?;
    Ok(greeting["name"].as_str().map(str::to_owned))
}

/// Puts back what [`stored_name`] found.
///
/// # Errors
///
/// When the server refuses.
pub fn restore(target: &Target, name: Option<&str>) -> Result<(), Failure> {
    let mut client = named(target)?;
    match name {
        Some(name) => client.expect(&rename(name), &welcome(name)),
        None => client.expect(&json!({"type": "forget"}), &json!({"type": "forgotten"})),
    }
}

/// Whether a new client is still greeted.
///
/// # Errors
///
/// When it is not.
pub fn still_serves(target: &Target) -> Result<(), Failure> {
    greeting(target).map(drop)
}

/// A client that has been greeted, and the greeting.
fn greeting(target: &Target) -> Result<(Dialogue, Value), Failure> {
    let mut client = Dialogue::connect(target)?;
    let greeting = client.receive()?;
    let is_known = greeting["type"] == "welcome" && greeting["name"].is_string();
    if is_known || greeting == json!({"type": "who_are_you"}) {
        return Ok((client, greeting));
    }
    Err(client.failure(format!(
        "the greeting is {greeting} instead of welcome with a name, or who_are_you"
    )))
}

/// A client that the server knows as [`NAME`].
fn named(target: &Target) -> Result<Dialogue, Failure> {
    let (mut client, greeting) = greeting(target)?;
    match greeting["name"].as_str() {
        Some(NAME) => {}
        Some(_) => client.expect(&rename(NAME), &welcome(NAME))?,
        None => client.expect(&json!({"type": "name", "name": NAME}), &welcome(NAME))?,
    }
    Ok(client)
}

fn rename(name: &str) -> Value {
    json!({"type": "rename", "name": name})
}

fn welcome(name: &str) -> Value {
    json!({"type": "welcome", "name": name})
}
