//! The file that keeps tokens, by the address of the server that gave them. What they open is not known here.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cli::Reason;
use proto::Secret;
use serde_json::{Map, Value, json};

/// Thousands of servers.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where tokens are kept: one JSON object, `{"127.0.0.1:9290":{"token":"…"}}`, which only its owner may read. It is replaced as
/// a whole, so that whoever reads it finds the old or the new one.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// Why a token could not be looked up or kept. It holds nothing of the file's text.
#[derive(Debug)]
pub struct TokenFileError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

impl TokenFile {
    /// The file at a path; it need not exist, nor its folder.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where the file is by default: `socket-lab/tokens.json` in the user's state folder, which is `state_home` (the variable
    /// `XDG_STATE_HOME`, if it is an absolute path), or `.local/state` in `home`.
    #[must_use]
    pub fn default_path(state_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
        let state = state_home.filter(|path| path.is_absolute());
        let state =
            state.or_else(|| Some(home.filter(|path| path.is_absolute())?.join(".local/state")));
        Some(state?.join("socket-lab").join("tokens.json"))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file from others who could read or write it; gives the mode that let them.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be made private.
    pub fn make_private(&self) -> Result<Option<u32>, TokenFileError> {
        let made = || {
            let file = match File::open(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            let found = file.metadata()?;
            let mode = found.permissions().mode() & 0o777;
            // A device is nobody's own.
            if !found.is_file() || mode & 0o077 == 0 {
                return Ok(None);
            }
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            Ok(Some(mode))
        };
        made().map_err(self.failed("make private"))
    }

    /// The token of a server.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be read.
    pub fn token(&self, server: &str) -> Result<Option<Secret>, TokenFileError> {
        let tokens = self.read().map_err(self.failed("read"))?;
        let token = tokens
            .get(server)
            .and_then(|entry| entry.get("token")?.as_str());
        Ok(token.map(|token| Secret::new(token.to_owned())))
    }

    /// Keeps the token of a server, in place of another.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written; then it is as it was.
    pub fn keep(&self, server: &str, token: &Secret) -> Result<(), TokenFileError> {
        let entry = json!({ "token": token.expose() });
        let put = |tokens: &mut Map<String, Value>| {
            tokens.insert(server.to_owned(), entry);
            true
        };
        self.change(put).map_err(self.failed("keep the token in"))
    }

    /// Drops the token of a server, unless another has been kept meanwhile.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written; then it is as it was.
    pub fn forget(&self, server: &str, token: &Secret) -> Result<(), TokenFileError> {
        let remove = |tokens: &mut Map<String, Value>| {
            let kept = tokens.get(server).and_then(|entry| entry.get("token"));
            let is_same = kept.and_then(Value::as_str) == Some(token.expose());
            is_same && tokens.remove(server).is_some()
        };
        self.change(remove)
            .map_err(self.failed("drop the token in"))
    }

    /// Changes what the file says, while no other program does.
    fn change(&self, change: impl FnOnce(&mut Map<String, Value>) -> bool) -> io::Result<()> {
        let folder = folder_of(&self.path);
        let mut private = fs::DirBuilder::new();
        private.recursive(true).mode(0o700).create(folder)?;
        let mut lock = OpenOptions::new();
        let lock = lock.write(true).create(true).truncate(false).mode(0o600);
        let lock = lock.open(self.beside(".lock"))?;
        lock.lock()?;
        let mut tokens = self.read()?;
        if change(&mut tokens) {
            self.write(&tokens)?;
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn read(&self) -> io::Result<Map<String, Value>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Map::new()),
            file => file?,
        };
        let mut text = vec![];
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::other("it is too long"));
        }
        // The parser's words could quote a token.
        serde_json::from_slice(&text).map_err(|_| io::Error::other("it is not one JSON object"))
    }

    fn write(&self, tokens: &Map<String, Value>) -> io::Result<()> {
        let draft_path = self.beside(".tmp");
        // One that a crash left may have any mode.
        match fs::remove_file(&draft_path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut draft = OpenOptions::new();
        let mut draft = draft
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft_path)?;
        let written = serde_json::to_writer_pretty(&mut draft, tokens)
            .map_err(io::Error::from)
            .and_then(|()| draft.write_all(b"\n"))
            .and_then(|()| draft.sync_all())
            .and_then(|()| fs::rename(&draft_path, &self.path));
        if written.is_err() {
            // The first error counts.
            let _ = fs::remove_file(&draft_path);
        }
        written
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> TokenFileError {
        let path = self.path.clone();
        move |cause| TokenFileError {
            action,
            path,
            cause,
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

impl fmt::Display for TokenFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} {}: {}; mend or remove it, or choose another with --token-file",
            self.action,
            self.path.display(),
            Reason(&self.cause)
        )
    }
}

impl std::error::Error for TokenFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn kept(file: &TokenFile, server: &str) -> Option<String> {
        let token = file.token(server).unwrap();
        token.map(|token| token.expose().to_owned())
    }

    #[test]
    fn tokens_are_kept_by_server_and_for_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/tokens.json");
        let file = TokenFile::new(path.clone());
        assert_eq!(kept(&file, "a:1"), None);
        file.forget("a:1", &secret("t")).unwrap();
        assert!(!path.exists());
        file.keep("a:1", &secret("one")).unwrap();
        file.keep("b:1", &secret("two")).unwrap();
        file.keep("a:1", &secret("three")).unwrap();
        assert_eq!(kept(&file, "a:1").as_deref(), Some("three"));
        file.forget("a:1", &secret("one")).unwrap();
        assert_eq!(kept(&file, "a:1").as_deref(), Some("three"));
        file.forget("a:1", &secret("three")).unwrap();
        assert_eq!(kept(&file, "a:1"), None);
        assert_eq!(kept(&file, "b:1").as_deref(), Some("two"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_crash_while_writing_harms_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let file = TokenFile::new(path.clone());
        file.keep("a:1", &secret("one")).unwrap();
        let draft = folder.path().join("tokens.json.tmp");
        fs::write(&draft, "{\"a:1\":{\"tok").unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o666)).unwrap();
        file.keep("b:1", &secret("two")).unwrap();
        assert_eq!(kept(&file, "a:1").as_deref(), Some("one"));
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!draft.exists());
    }

    #[test]
    fn a_damaged_file_is_told_of_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        for text in ["", "[]", "{\"a:1\": hunter22"] {
            fs::write(&path, text).unwrap();
            let file = TokenFile::new(path.clone());
            for error in [
                file.token("a:1").unwrap_err(),
                file.keep("a:1", &secret("hunter22")).unwrap_err(),
            ] {
                let words = error.to_string();
                assert!(words.contains("not one JSON object") && words.contains("--token-file"));
                assert!(!format!("{error:?}{words}").contains("hunter22"));
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn the_default_is_in_the_users_state_folder() {
        let path = |state: Option<&str>, home: Option<&str>| {
            TokenFile::default_path(state.map(Into::into), home.map(Into::into))
        };
        let in_state = Some(PathBuf::from("/s/socket-lab/tokens.json"));
        let in_home = Some(PathBuf::from("/h/.local/state/socket-lab/tokens.json"));
        assert_eq!(path(Some("/s"), Some("/h")), in_state);
        assert_eq!(path(Some("relative"), Some("/h")), in_home);
        assert_eq!(path(None, Some("/h")), in_home);
        assert_eq!(path(Some(""), None), None);
    }
}
