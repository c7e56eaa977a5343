//! `auth-server user`: reads and changes the data files while no server has them open.

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

/// Removes a user, after all sessions: if the program ends in between, the user is merely logged out.
pub fn remove(users: &Path, sessions: &Path, name: &str) -> anyhow::Result<()> {
    let users = open_users(users)?;
    let (key, user) = find(&users, name)?;
    end_sessions(sessions, &key)?;
    users.update_and_erase(|all| all.remove(key.as_str()))?;
    // If nobody reads it, the user is removed all the same.
    let _ = writeln!(stderr(), "removed {}", user.name);
    Ok(())
}

fn end_sessions(sessions: &Path, user: &UserKey) -> anyhow::Result<()> {
    if sessions.exists() {
        let sessions = Store::<Session>::open(sessions)?;
        sessions.update_and_erase(|all| all.retain(|_, session| session.user != *user))?;
    }
    Ok(())
}

fn find(users: &Store<User>, name: &str) -> anyhow::Result<(UserKey, User)> {
    let name =
        Name::parse(name).map_err(|error| UsageError(format!("NAME cannot be a name: {error}")))?;
    let key = UserKey::of(&name);
    let Some(user) = users.get(key.as_str()) else {
        bail!(
            "there is no user {}; auth-server user list names all",
            Escaped::new(name.as_str()).quoted()
        );
    };
    Ok((key, user))
}

/// Opens the users' file. A file that is not there was named wrongly, and is not created.
fn open_users(path: &Path) -> anyhow::Result<Store<User>> {
    if !path.exists() {
        bail!(
            "there is no {}; give the server's --data-file",
            path.display()
        );
    }
    Ok(Store::open(path)?)
}
