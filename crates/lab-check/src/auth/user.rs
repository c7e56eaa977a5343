//! What the checks of auth have in common: a user, and the requests and replies of a session.

use serde_json::{Value, json};
use trust::random;

use super::PASSWORD;
use crate::dialogue::Dialogue;
use crate::failure::Failure;
use crate::target::Target;

/// A user that a check has registered.
pub(super) struct User {
    pub(super) client: Dialogue,
    pub(super) name: String,
    pub(super) token: String,
}

impl User {
    pub(super) fn register(target: &Target) -> Result<Self, Failure> {
        let (mut client, name) = (Dialogue::connect(target)?, name()?);
        let reply = client.patient_request(&credentials("register", &name, PASSWORD))?;
        session_of(&client, &reply, &name)?;
        match reply["token"].as_str() {
            Some(token) => Ok(Self {
                token: token.to_owned(),
                client,
                name,
            }),
            None => Err(client.failure("session comes without a token")),
        }
    }

    pub(super) fn is_logged_in(&mut self) -> Result<(), Failure> {
        self.client.expect(&plain("whoami"), &you_are(&self.name))
    }
}

/// The reply to a login that must succeed.
pub(super) fn login(target: &Target, name: &str, password: &str) -> Result<Value, Failure> {
    let mut client = Dialogue::connect(target)?;
    let reply = client.patient_request(&credentials("login", name, password))?;
    session_of(&client, &reply, name)?;
    Ok(reply)
}

/// `reply` must open or resume a session of `name`.
pub(super) fn session_of(client: &Dialogue, reply: &Value, name: &str) -> Result<(), Failure> {
    if reply["code"] == "registration_closed" {
        return Err(client.failure(
            "the server registers nobody; start it with --registration open for the checks",
        ));
    }
    if reply["type"] == "session" && reply["user"] == name && reply["expires_at"].is_u64() {
        return Ok(());
    }
    let what = reply["code"]
        .as_str()
        .or(reply["type"].as_str())
        .unwrap_or("something else");
    Err(client.failure(format!(
        "the reply is {what} instead of session with user and expires_at"
    )))
}

/// An unused name.
pub(super) fn name() -> Result<String, Failure> {
    let bytes = random().map_err(|error| Failure::new(error.to_string()))?;
    Ok(format!("lab-check-{:08x}", u32::from_be_bytes(bytes)))
}

pub(super) fn plain(kind: &str) -> Value {
    json!({"type": kind})
}

pub(super) fn you_are(name: &str) -> Value {
    json!({"type": "you_are", "user": name})
}

pub(super) fn resume(token: &str) -> Value {
    json!({"type": "resume", "token": token})
}

pub(super) fn credentials(kind: &str, name: &str, password: &str) -> Value {
    json!({"type": kind, "user": name, "password": password})
}
