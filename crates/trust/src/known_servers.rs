//! The file of known servers: which server showed which key. What follows from that is decided elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::FileError;
use crate::files::{self, Exposure, WriteLock};
use crate::fingerprint::Fingerprint;
use crate::server_id::ServerId;

/// About ten thousand servers.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The file's name in the user's state folder.
const FILE_NAME: &str = "known-servers.json";

/// One JSON object in a file, `{"tcp 192.0.2.7:9290": "SHA256:…"}`. The file is read at each question and replaced as
/// a whole at each change, so several programs can use it at once.
#[derive(Clone, Debug)]
pub struct KnownServers {
    path: PathBuf,
}

impl KnownServers {
    /// The servers in a file. Neither the file nor its folder need exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The servers in `known-servers.json` in the user's state folder.
    ///
    /// # Errors
    ///
    /// When the environment names no such folder.
    pub fn in_state_folder() -> Result<Self, FileError> {
        let folder = crate::state_folder().ok_or(FileError::NoStateFolder)?;
        Ok(Self::new(folder.join(FILE_NAME)))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file, if it exists, from others who could read or write it.
    ///
    /// # Errors
    ///
    /// When its mode cannot be read.
    pub fn make_private(&self) -> Result<Option<Exposure>, FileError> {
        match self.path.is_file() {
            true => files::make_private(&self.path),
            false => Ok(None),
        }
    }

    /// The fingerprint that a server is known by.
    ///
    /// # Errors
    ///
    /// When the file exists, but cannot be read or is damaged.
    pub fn get(&self, server: &ServerId) -> Result<Option<Fingerprint>, FileError> {
        let servers = self.read()?;
        let Some(text) = servers.get(server.as_str()) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| self.damaged("the value of this server is not a fingerprint"))
    }

    /// Remembers a fingerprint in place of `before`, the one that [`get`](Self::get) gave. If another process has
    /// stored a different one meanwhile, nothing changes and that one is returned.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, is damaged or full. Then it is what it was.
    pub fn remember(
        &self,
        server: &ServerId,
        before: Option<Fingerprint>,
        fingerprint: Fingerprint,
    ) -> Result<Option<Fingerprint>, FileError> {
        let lock = WriteLock::acquire(&self.path)?;
        let now = self.get(server)?;
        if now == Some(fingerprint) {
            return Ok(None);
        }
        if now != before {
            return Ok(now);
        }
        let mut servers = self.read()?;
        servers.insert(server.as_str().to_owned(), fingerprint.to_string());
        let mut text =
            serde_json::to_vec_pretty(&servers).expect("a map of texts is always valid JSON");
        text.push(b'\n');
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(FileError::Full {
                path: self.path.clone(),
                limit: MAX_FILE_BYTES,
            });
        }
        lock.replace(&text)?;
        Ok(None)
    }

    fn read(&self) -> Result<BTreeMap<String, String>, FileError> {
        match files::read(&self.path, MAX_FILE_BYTES)? {
            None => Ok(BTreeMap::new()),
            Some(text) => serde_json::from_slice(&text).map_err(|_| {
                self.damaged("it is not one JSON object with a fingerprint for each server")
            }),
        }
    }

    fn damaged(&self, problem: &'static str) -> FileError {
        FileError::Damaged {
            path: self.path.clone(),
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;
    use crate::server_id::Protocol;

    fn server(port: u16) -> ServerId {
        ServerId::new(Protocol::Tcp, "192.0.2.7", port)
    }

    fn key(number: u16) -> Fingerprint {
        Fingerprint::of_spki(&number.to_be_bytes())
    }

    fn in_folder() -> (tempfile::TempDir, KnownServers) {
        let folder = tempfile::tempdir().unwrap();
        let servers = KnownServers::new(folder.path().join("a/b/known-servers.json"));
        (folder, servers)
    }

    #[test]
    fn servers_are_remembered_in_readable_json() {
        let (_folder, servers) = in_folder();
        assert_eq!(servers.get(&server(1)).unwrap(), None);
        assert!(!servers.path().exists());
        assert_eq!(servers.remember(&server(1), None, key(1)).unwrap(), None);
        assert_eq!(servers.get(&server(1)).unwrap(), Some(key(1)));
        assert_eq!(servers.get(&server(2)).unwrap(), None);
        let text = fs::read_to_string(servers.path()).unwrap();
        assert_eq!(
            text,
            format!("{{\n  \"tcp 192.0.2.7:1\": \"{}\"\n}}\n", key(1))
        );
    }

    #[test]
    fn only_the_expected_fingerprint_is_replaced() {
        let (_folder, servers) = in_folder();
        servers.remember(&server(1), None, key(1)).unwrap();
        assert_eq!(servers.remember(&server(1), None, key(1)).unwrap(), None);
        assert_eq!(
            servers.remember(&server(1), None, key(2)).unwrap(),
            Some(key(1))
        );
        assert_eq!(
            servers.remember(&server(1), Some(key(3)), key(2)).unwrap(),
            Some(key(1))
        );
        assert_eq!(
            servers.remember(&server(1), Some(key(1)), key(2)).unwrap(),
            None
        );
        assert_eq!(servers.get(&server(1)).unwrap(), Some(key(2)));
    }

    #[test]
    fn nothing_is_lost_when_many_write() {
        let (_folder, servers) = in_folder();
        let writers: Vec<_> = (0..8)
            .map(|port| {
                let servers = servers.clone();
                thread::spawn(move || servers.remember(&server(port), None, key(port)).unwrap())
            })
            .collect();
        writers
            .into_iter()
            .for_each(|writer| assert_eq!(writer.join().unwrap(), None));
        for port in 0..8 {
            assert_eq!(servers.get(&server(port)).unwrap(), Some(key(port)));
        }
    }

    #[test]
    fn a_damaged_file_is_reported_and_kept() {
        let (_folder, servers) = in_folder();
        servers.remember(&server(1), None, key(1)).unwrap();
        for text in [
            "",
            "[]",
            "{\"tcp 192.0.2.7:1\": 7}",
            "{\"tcp 192.0.2.7:1\": \"SHA256:x\"}",
            "{} {}",
            "\u{feff}{}",
        ] {
            fs::write(servers.path(), text).unwrap();
            let get = servers.get(&server(1)).unwrap_err();
            let remember = servers.remember(&server(1), None, key(2)).unwrap_err();
            for error in [get, remember] {
                assert!(
                    error.to_string().contains("known-servers.json is damaged"),
                    "{error}"
                );
            }
            assert_eq!(fs::read_to_string(servers.path()).unwrap(), text);
        }
    }

    #[test]
    fn the_file_is_bounded() {
        let (_folder, servers) = in_folder();
        servers.remember(&server(1), None, key(1)).unwrap();
        let full = format!("{{\"x\": \"{}\"}}", "x".repeat(MAX_FILE_BYTES as usize - 9));
        fs::write(servers.path(), &full).unwrap();
        let error = servers.remember(&server(1), None, key(1)).unwrap_err();
        assert!(matches!(error, FileError::Full { .. }), "{error}");
        fs::write(servers.path(), full + "  ").unwrap();
        let error = servers.get(&server(1)).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_is_followed() {
        let (folder, servers) = in_folder();
        servers.remember(&server(1), None, key(1)).unwrap();
        let link = KnownServers::new(folder.path().join("link.json"));
        std::os::unix::fs::symlink(servers.path(), link.path()).unwrap();
        link.remember(&server(2), None, key(2)).unwrap();
        assert_eq!(servers.get(&server(2)).unwrap(), Some(key(2)));
        assert!(link.path().is_symlink());
    }
}
