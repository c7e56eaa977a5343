//! Where a user's state is kept: known servers, tokens, the chat's key.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The folder of this project in the user's state folder.
const FOLDER: &str = "socket-lab";

/// The folder for this user's state, whether it exists or not: `socket-lab` in `$XDG_STATE_HOME` or `~/.local/state`,
/// on Windows in `%LOCALAPPDATA%`. `None` if the environment names none of these with an absolute path.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    state_folder_from(|name| env::var_os(name))
}

/// As [`state_folder`], with the environment as an argument.
#[must_use]
pub fn state_folder_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // A relative path would mean another folder at each start (and the XDG specification says to ignore it).
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME");
    let state = if cfg!(windows) {
        state.or_else(|| folder("LOCALAPPDATA"))
    } else {
        state.or_else(|| Some(folder("HOME")?.join(".local").join("state")))
    };
    Some(state?.join(FOLDER))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_is_named_by_the_environment() {
        let folder = |state: Option<&'static str>, home: Option<&'static str>| {
            state_folder_from(|name| match name {
                "XDG_STATE_HOME" => state.map(OsString::from),
                "HOME" => home.map(OsString::from),
                _ => None,
            })
        };
        let in_state = Some(PathBuf::from("/s/socket-lab"));
        let in_home = Some(PathBuf::from("/h/.local/state/socket-lab"));
        assert_eq!(folder(Some("/s"), Some("/h")), in_state);
        assert_eq!(folder(Some("relative"), Some("/h")), in_home);
        assert_eq!(folder(None, Some("/h")), in_home);
        assert_eq!(folder(Some(""), None), None);
    }
}
