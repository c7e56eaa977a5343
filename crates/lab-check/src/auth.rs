//! What an authentication server must do (task 12): names and passwords, and sessions that a token keeps.

mod user;

use serde_json::json;

use crate::check::Check;
use crate::dialogue::Dialogue;
use crate::failure::Failure;
use crate::target::Target;
use user::{User, credentials, login, name, plain, resume, session_of, you_are};

const PASSWORD: &str = "correct horse battery 7";
const OTHER_PASSWORD: &str = "staple пароль 密碼 🙂";
const BASIC: &[&str] = &["register"];

/// A check that means something only once the basic ones have passed.
const AFTER_BASIC: Check<Target> = Check {
    needs: BASIC,
    ..Check::REQUIRED
};

/// The checks, in the order in which they are tried.
pub static CHECKS: &[Check<Target>] = &[
    Check {
        name: "register",
        task: 12,
        about: "register opens a session: user, a token, and when it expires",
        hint: "The reply is session with user, token and expires_at in Unix seconds.",
        run: |target| {
            let user = User::register(target)?;
            let length = user.token.len();
            if length < 22 {
                return Err(user.client.failure(format!(
                    "the token has {length} characters: under 128 bits can be guessed"
                )));
            }
            Ok(())
        },
        ..Check::REQUIRED
    },
    Check {
        name: "tokens-differ",
        task: 12,
        about: "each session has a token of its own that shares no beginning with others",
        hint: "Take at least 128 bits from the system's random generator (secrets.token_urlsafe). A counter, the time \
               or a hash of the name can be guessed.",
        run: |target| {
            let user = User::register(target)?;
            let again = login(target, &user.name, PASSWORD)?;
            let token = again["token"].as_str().unwrap_or_default();
            let same = token
                .bytes()
                .zip(user.token.bytes())
                .take_while(|(one, two)| one == two)
                .count();
            if token.is_empty() || same > 8 {
                return Err(user
                    .client
                    .failure(format!("two tokens begin with the same {same} characters")));
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "login",
        task: 12,
        about: "login with the right password opens a session",
        hint: "Hash the password with the stored salt and parameters, and compare.",
        run: |target| {
            let user = User::register(target)?;
            login(target, &user.name, PASSWORD).map(drop)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "whoami",
        task: 12,
        about: "whoami names the user who is logged in",
        hint: "The reply is you_are with the user's name.",
        run: |target| User::register(target)?.is_logged_in(),
        ..AFTER_BASIC
    },
    Check {
        name: "not-logged-in",
        task: 12,
        about: "without a session whoami, sessions, logout and change_password are refused with not_logged_in",
        hint: "Check for a session before each request that needs one.",
        run: |target| {
            let mut client = Dialogue::connect(target)?;
            let change = json!({"type": "change_password", "old": PASSWORD, "new": OTHER_PASSWORD});
            for request in [
                plain("whoami"),
                plain("sessions"),
                plain("logout"),
                plain("logout_all"),
                change,
            ] {
                client.expect_error(&request, "not_logged_in")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "wrong-password",
        task: 12,
        about: "a wrong password is refused with bad_credentials, and an unknown name with the same words",
        hint: "Different answers show a stranger which names exist. Give both the same code and the same message.",
        needs: &["register", "login"],
        run: |target| {
            let user = User::register(target)?;
            let mut client = Dialogue::connect(target)?;
            let wrong =
                client.patient_request(&credentials("login", &user.name, "a wrong password"))?;
            client.is_error(&wrong, "bad_credentials")?;
            let unknown = client.patient_request(&credentials("login", &name()?, PASSWORD))?;
            client.is(&unknown, &wrong)
        },
        ..Check::REQUIRED
    },
    Check {
        name: "name-taken",
        task: 12,
        about: "a name that is taken is refused with name_taken, whatever its case",
        hint: "Compare names without regard to case, else Anna and anna are two users that look like one.",
        run: |target| {
            let user = User::register(target)?;
            let mut client = Dialogue::connect(target)?;
            for name in [user.name.clone(), user.name.to_uppercase()] {
                let reply =
                    client.patient_request(&credentials("register", &name, OTHER_PASSWORD))?;
                client.is_error(&reply, "name_taken")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "weak-password",
        task: 12,
        about: "a short, a blank and a common password are refused with weak_password",
        hint: "Ask for at least 8 characters, and look the password up in a list of common ones.",
        run: |target| {
            let mut client = Dialogue::connect(target)?;
            for password in ["1234567", "", "password", "        "] {
                let reply = client.patient_request(&credentials("register", &name()?, password))?;
                client.is_error(&reply, "weak_password")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "bad-name",
        task: 12,
        about: "an empty name and one with control characters are refused with bad_name",
        hint: "Check a name before it is stored.",
        run: |target| {
            let mut client = Dialogue::connect(target)?;
            for name in ["", "two\nlines", "\u{1b}[2J"] {
                let reply = client.patient_request(&credentials("register", name, PASSWORD))?;
                client.is_error(&reply, "bad_name")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "scripts",
        task: 12,
        about: "names and passwords in any script work",
        hint: "Encode as UTF-8 before hashing, and count characters for the limits.",
        needs: &["register", "login"],
        run: |target| {
            let name = format!("{} Аня 李", name()?);
            let mut client = Dialogue::connect(target)?;
            let reply = client.patient_request(&credentials("register", &name, OTHER_PASSWORD))?;
            session_of(&client, &reply, &name)?;
            login(target, &name, OTHER_PASSWORD).map(drop)
        },
        ..Check::REQUIRED
    },
    Check {
        name: "resume",
        task: 12,
        about: "a token resumes its session on a new connection, and does not come back in the reply",
        hint: "Look the token's hash up among the sessions. The reply is session without token.",
        run: |target| {
            let user = User::register(target)?;
            let mut client = Dialogue::connect(target)?;
            let reply = client.request(&resume(&user.token))?;
            session_of(&client, &reply, &user.name)?;
            match reply.get("token") {
                None => client.expect(&plain("whoami"), &you_are(&user.name)),
                Some(_) => Err(client.failure("the reply to resume repeats the token")),
            }
        },
        ..AFTER_BASIC
    },
    Check {
        name: "unknown-token",
        task: 12,
        about: "an unknown token is refused with session_expired",
        hint: "A token that is not found is refused, whatever it contains.",
        run: |target| {
            let user = User::register(target)?;
            let mut changed = user.token.clone().into_bytes();
            if let Some(first) = changed.first_mut() {
                *first = if *first == b'A' { b'B' } else { b'A' };
            }
            let changed = String::from_utf8_lossy(&changed).into_owned();
            let mut client = Dialogue::connect(target)?;
            for token in [&changed, "", &"x".repeat(1_000)] {
                client.expect_error(&resume(token), "session_expired")?;
            }
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "logout",
        task: 12,
        about: "logout ends the session: its token is refused afterwards",
        hint: "Remove the session from the server's table; it is not enough that the client forgets its token.",
        needs: &["register", "resume"],
        run: |target| {
            let mut user = User::register(target)?;
            user.client.expect(&plain("logout"), &plain("logged_out"))?;
            user.client
                .expect_error(&plain("whoami"), "not_logged_in")?;
            Dialogue::connect(target)?.expect_error(&resume(&user.token), "session_expired")
        },
        ..Check::REQUIRED
    },
    Check {
        name: "logout-all",
        task: 12,
        about: "logout_all ends all sessions of the user",
        hint: "Find all sessions of the user, not only the current one.",
        needs: &["register", "login", "resume", "logout"],
        run: |target| {
            let mut user = User::register(target)?;
            let other = login(target, &user.name, PASSWORD)?;
            user.client
                .expect(&plain("logout_all"), &plain("logged_out"))?;
            for token in [&user.token, other["token"].as_str().unwrap_or_default()] {
                Dialogue::connect(target)?.expect_error(&resume(token), "session_expired")?;
            }
            Ok(())
        },
        ..Check::REQUIRED
    },
    Check {
        name: "change-password",
        task: 12,
        about: "change_password gives a new token, revokes all others, and the old password is refused",
        hint: "A thief of the old password or of a token must lose access. Revoke all sessions and open a new one.",
        needs: &["register", "login", "resume", "wrong-password"],
        run: |target| {
            let mut user = User::register(target)?;
            let change = json!({"type": "change_password", "old": PASSWORD, "new": OTHER_PASSWORD});
            let reply = user.client.patient_request(&change)?;
            session_of(&user.client, &reply, &user.name)?;
            if reply["token"] == user.token.as_str() || !reply["token"].is_string() {
                return Err(user
                    .client
                    .failure("change_password does not give a new token"));
            }
            Dialogue::connect(target)?.expect_error(&resume(&user.token), "session_expired")?;
            login(target, &user.name, OTHER_PASSWORD)?;
            let mut client = Dialogue::connect(target)?;
            let old = client.patient_request(&credentials("login", &user.name, PASSWORD))?;
            client.is_error(&old, "bad_credentials")
        },
        ..Check::REQUIRED
    },
    Check {
        name: "sessions",
        task: 12,
        about: "sessions lists the user's sessions, and revoke ends one of them",
        hint: "Each session has an id that is not its token, an address, times, and whether it is the current one.",
        needs: &["register", "login", "resume"],
        run: |target| {
            let mut user = User::register(target)?;
            let other = login(target, &user.name, PASSWORD)?;
            let reply = user.client.request(&plain("sessions"))?;
            let sessions = reply["sessions"].as_array().cloned().unwrap_or_default();
            let others: Vec<_> = sessions
                .iter()
                .filter(|session| session["current"] == false)
                .collect();
            let (2, [session]) = (sessions.len(), &others[..]) else {
                return Err(user.client.failure(format!(
                    "of 2 sessions, one of them current, {} are listed",
                    sessions.len()
                )));
            };
            let id = &session["id"];
            let revoked = json!({"type": "revoked", "id": id});
            user.client
                .expect(&json!({"type": "revoke", "id": id}), &revoked)?;
            let token = other["token"].as_str().unwrap_or_default();
            Dialogue::connect(target)?.expect_error(&resume(token), "session_expired")?;
            user.client
                .expect_error(&json!({"type": "revoke", "id": id}), "no_such_session")?;
            user.is_logged_in()
        },
        ..Check::REQUIRED
    },
    Check {
        name: "bad-message",
        task: 14,
        about: "JSON that is not a request is refused with bad_message, and the session goes on",
        hint: "Only text that is not JSON ends the connection. An unknown type or a field of the wrong kind is \
               answered.",
        needs: &["register", "whoami"],
        run: |target| {
            let mut user = User::register(target)?;
            for wrong in [
                json!({"type": "dance"}),
                json!({}),
                json!([1]),
                json!({"type": "login", "user": 7}),
            ] {
                user.client.expect_error(&wrong, "bad_message")?;
            }
            user.is_logged_in()
        },
        ..Check::REQUIRED
    },
    Check {
        name: "unknown-fields",
        task: 14,
        about: "fields that the server does not know are ignored, whatever they contain",
        hint: "A later version of a client may send more. Take the fields that are known and leave the rest.",
        needs: &["register", "whoami"],
        run: |target| {
            let mut user = User::register(target)?;
            let reserved = json!({"$serde_json::private::RawValue": "no JSON"});
            let more = json!({"type": "whoami", "later": [1, {"deep": [[]]}], "x": reserved});
            user.client.expect(&more, &you_are(&user.name))
        },
        ..Check::REQUIRED
    },
    Check {
        name: "not-json",
        task: 14,
        about: "text that is not JSON is refused with bad_message, and the connection is closed",
        hint: "Catch the parser's error, answer, and close this client's connection.",
        run: |target| {
            let mut client = Dialogue::connect(target)?;
            client.connection().send_message(b"hello")?;
            let reply = client.receive()?;
            client.is_error(&reply, "bad_message")?;
            client.connection().expect_close()
        },
        ..Check::REQUIRED
    },
    Check {
        name: "exit",
        task: 6,
        about: "exit is answered with bye, the server closes, and the session stays",
        hint: "exit ends the connection, logout ends the session.",
        needs: &["register", "resume"],
        run: |target| {
            let user = User::register(target)?;
            user.client.exit()?;
            let mut client = Dialogue::connect(target)?;
            let reply = client.request(&resume(&user.token))?;
            session_of(&client, &reply, &user.name)
        },
        ..Check::REQUIRED
    },
];

/// Whether a new client still gets answers.
///
/// # Errors
///
/// When it does not.
pub fn still_serves(target: &Target) -> Result<(), Failure> {
    Dialogue::connect(target)?.expect_error(&plain("whoami"), "not_logged_in")
}
