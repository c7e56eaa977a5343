//! The commands that an administrator types in the server's terminal.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_server::{AdminError, Auth};
use cli::Console;
use proto::Name;

/// Names that `users` lists, so that a screen is not flooded.
const MAX_LISTED: usize = 100;

/// The console over a server's users and sessions.
pub fn console(auth: &Arc<Auth>) -> Console {
    let command = |run: fn(&Auth, &str) -> Result<String, AdminError>| {
        let auth = Arc::clone(auth);
        move |name: &str| run(&auth, name).map_err(|error| error.to_string())
    };
    Console::new()
        .command("users", "lists the users", command(users))
        .command(
            "sessions NAME",
            "lists a user's sessions",
            command(sessions),
        )
        .command("logout NAME", "ends a user's sessions", command(logout))
        .command(
            "passwd NAME",
            "gives a user a new password and ends all sessions",
            command(passwd),
        )
        .command(
            "remove NAME",
            "removes a user with all sessions",
            command(remove),
        )
}

fn users(auth: &Auth, _: &str) -> Result<String, AdminError> {
    let names = auth.user_names();
    let listed: Vec<_> = names.iter().take(MAX_LISTED).map(Name::as_str).collect();
    Ok(match names.len().saturating_sub(MAX_LISTED) {
        0 if listed.is_empty() => "there are no users yet".to_owned(),
        0 => listed.join("\n"),
        more => format!(
            "{}\nand {more} more; auth-server user list shows all while the server is stopped",
            listed.join("\n")
        ),
    })
}

fn sessions(auth: &Auth, name: &str) -> Result<String, AdminError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    let mut lines = String::new();
    for (id, session) in auth.sessions_of_name(name)? {
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{id} from {}, opened {} s ago, last used {} s ago",
            session.address,
            now.saturating_sub(session.created_at),
            now.saturating_sub(session.last_seen)
        );
    }
    match lines.is_empty() {
        true => Ok("there are no sessions".to_owned()),
        false => Ok(lines),
    }
}

fn logout(auth: &Auth, name: &str) -> Result<String, AdminError> {
    let (name, count) = auth.end_sessions(name)?;
    Ok(format!("ended all sessions of {name}, {count} in all"))
}

fn passwd(auth: &Auth, name: &str) -> Result<String, AdminError> {
    let password = auth.generate_password()?;
    let name = auth.set_password(name, &password)?;
    Ok(format!("the new password of {name}: {}", password.expose()))
}

fn remove(auth: &Auth, name: &str) -> Result<String, AdminError> {
    let name = auth.remove_user(name)?;
    Ok(format!("removed {name}"))
}
