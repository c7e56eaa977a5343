//! The file that keeps tokens, by the server that gave them.

use std::path::{Path, PathBuf};

use proto::Secret;
use serde_json::{Map, Value, json};
use trust::files::{self, WriteLock};
use trust::{Exposure, FileError};

/// Thousands of servers.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// One JSON object in a file, `{"SHA256:…":{"token":"…"}}`, which only its owner may read. Its keys are the
/// fingerprints of servers, and the addresses of those that were spoken to without TLS, as all were by versions without
/// TLS. The file is replaced as a whole, so that every reader finds the old or the new content. A symbolic link to it
/// is followed.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// The file at a path. Neither the file nor its folder need exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// `tokens.json` in the user's state folder; `None` if the environment names no such folder.
    #[must_use]
    pub fn in_state_folder() -> Option<Self> {
        Some(Self::new(trust::state_folder()?.join("tokens.json")))
    }

    /// Takes the file, if it exists, from others who could read or write it.
    ///
    /// # Errors
    ///
    /// When its mode cannot be read.
    pub fn make_private(&self) -> Result<Option<Exposure>, FileError> {
        // A device belongs to no user.
        match self.path.is_file() {
            true => files::make_private(&self.path),
            false => Ok(None),
        }
    }

    /// Whether the file exists and has further names (hard links), which keep its old tokens when it changes.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    pub fn has_further_names(&self) -> Result<bool, FileError> {
        Ok(self.path.is_file() && files::has_further_names(&self.path)?)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that a token can be kept, by writing the file as it is. It is created if it is missing.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub fn check_writable(&self) -> Result<(), FileError> {
        // Before the lock, so that no lock file is left beside a device or a pipe.
        self.read()?;
        self.change(|_| true)
    }

    /// The token of a server.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn token(&self, server: &str) -> Result<Option<Secret>, FileError> {
        let tokens = self.read()?;
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
    pub fn keep(&self, server: &str, token: &Secret) -> Result<(), FileError> {
        let entry = json!({ "token": token.expose() });
        self.change(|tokens| {
            tokens.insert(server.to_owned(), entry);
            true
        })
    }

    /// Removes the token of a server, unless another was kept meanwhile.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written; then it is as it was.
    pub fn forget(&self, server: &str, token: &Secret) -> Result<(), FileError> {
        self.change(|tokens| {
            let kept = tokens.get(server).and_then(|entry| entry.get("token"));
            let is_same = kept.and_then(Value::as_str) == Some(token.expose());
            is_same && tokens.remove(server).is_some()
        })
    }

    /// Changes the tokens while no other program does. Writes them if `change` returns true.
    fn change(
        &self,
        change: impl FnOnce(&mut Map<String, Value>) -> bool,
    ) -> Result<(), FileError> {
        let lock = WriteLock::acquire(&self.path)?;
        let mut tokens = self.read()?;
        if !change(&mut tokens) {
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(&tokens).expect(
            "a map with texts as keys, written to memory, \
             cannot fail",
        );
        text.push(b'\n');
        lock.replace(&text)
    }

    fn read(&self) -> Result<Map<String, Value>, FileError> {
        match files::read(&self.path, MAX_FILE_BYTES)? {
            None => Ok(Map::new()),
            // The parser's message could quote a token.
            Some(text) => serde_json::from_slice(&text).map_err(|_| FileError::Damaged {
                path: self.path.clone(),
                problem: "it is not one JSON object",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn kept(file: &TokenFile, server: &str) -> Option<String> {
        let token = file.token(server).unwrap();
        token.map(|token| token.expose().to_owned())
    }

    #[test]
    fn tokens_are_kept_by_server() {
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
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let file = TokenFile::new(path.clone());
        file.keep("a:1", &secret("one")).unwrap();
        file.check_writable().unwrap();
        assert_eq!(kept(&file, "a:1").as_deref(), Some("one"));
        // A folder in the way of the new file stops root, too.
        fs::create_dir(folder.path().join("tokens.json.tmp")).unwrap();
        file.check_writable().unwrap_err();
        let below_a_file = TokenFile::new(path.join("tokens.json"));
        below_a_file.check_writable().unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_a_link_to_it_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a/tokens"), folder.path().join("link"));
        let file = TokenFile::new(path.clone());
        file.check_writable().unwrap();
        symlink(&path, &link).unwrap();
        let file = TokenFile::new(link.clone());
        file.keep("a:1", &secret("one")).unwrap();
        assert!(link.is_symlink());
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let exposure = file.make_private().unwrap().unwrap().to_string();
        assert!(exposure.contains("mode 0640"), "{exposure}");
        assert_eq!((mode(), file.make_private().unwrap()), (0o600, None));
    }

    #[test]
    fn a_damaged_file_is_reported_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        for text in ["", "[]", "{\"a:1\": hunter22"] {
            fs::write(&path, text).unwrap();
            let file = TokenFile::new(path.clone());
            for error in [
                file.token("a:1").unwrap_err(),
                file.keep("a:1", &secret("hunter22")).unwrap_err(),
                file.check_writable().unwrap_err(),
            ] {
                let words = error.to_string();
                assert!(words.contains("not one JSON object"), "{words}");
                assert!(!format!("{error:?}{words}").contains("hunter22"));
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
