//! `auth-server user`: looks at and mends the data files while no server holds them.

use std::io::{Write, stderr, stdout};
use std::path::Path;

use anyhow::bail;
use auth_server::{Session, User, UserKey};
use cli::{StdoutError, UsageError};
use proto::{Escaped, Name};
use store::Store;

/// Prints the names of all users, one a line.
pub fn list(users: &Path) -> anyhow::Result<()> {
    let mut names = String::new();
    open_users(users)?.for_each(|_, user| {
        names.push_str(user.name.as_str());
        names.push('\n');
    });
    stdout().write_all(names.as_bytes()).map_err(StdoutError)?;
    Ok(())
}

/// Removes a user, after all sessions: those of a user who is there are no danger if it ends in between.
pub fn remove(users: &Path, sessions: &Path, name: &str) -> anyhow::Result<()> {
    let name =
        Name::parse(name).map_err(|error| UsageError(format!("NAME cannot be a name: {error}")))?;
    let key = UserKey::of(&name);
    let users = open_users(users)?;
    let Some(user) = users.get(key.as_str()) else {
        bail!(
            "there is no user {}; auth-server user list names all",
            Escaped::new(name.as_str()).quoted()
        );
    };
    if sessions.exists() {
        let sessions = Store::<Session>::open(sessions)?;
        sessions.update(|all| all.retain(|_, session| session.user != key))?;
    }
    users.remove(key.as_str())?;
    // That nobody reads it does not matter.
    let _ = writeln!(stderr(), "removed {}", user.name);
    Ok(())
}

/// A file that is not there was named wrongly, and is not to be made.
fn open_users(path: &Path) -> anyhow::Result<Store<User>> {
    if !path.exists() {
        bail!(
            "there is no {}; give the server's --data-file",
            path.display()
        );
    }
    Ok(Store::open(path)?)
}
