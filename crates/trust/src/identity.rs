//! Identity files: a secret key and what belongs to it, made when it is first needed. Programs that are started
//! together agree on one key.
//!
//! ```text
//! socket-lab identity 1 tls
//! Fingerprint: SHA256:…
//! Keep this file secret: …
//! -----BEGIN PRIVATE KEY-----
//! …
//! ```
//!
//! The blocks are PEM, so that `openssl` reads the file as well.

mod chat;
mod tls;

pub use chat::ChatIdentity;
pub use tls::TlsIdentity;

use std::path::Path;

use pem::Pem;

use crate::error::FileError;
use crate::files::{self, Exposure, WriteLock};
use crate::fingerprint::Fingerprint;

/// An identity file has about 1 KiB. Anything of this length is another file.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The start of the first line of every identity file.
const MAGIC: &str = "socket-lab identity ";
/// The version of the format that this program writes, and the only one it reads.
const VERSION: &str = "1";

/// The PEM label of a secret key (PKCS #8, RFC 7468).
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// What a kind of identity is made of.
trait Kind: Sized {
    /// The last word of the first line.
    const NAME: &'static str;

    /// A new key, and whatever belongs to it.
    fn generate() -> Result<Self, String>;

    /// Reads what [`to_blocks`](Self::to_blocks) gave. The error says what is wrong.
    fn from_blocks(blocks: &[Pem]) -> Result<Self, &'static str>;

    fn to_blocks(&self) -> Vec<Pem>;

    fn fingerprint(&self) -> Fingerprint;
}

/// Loads the identity in a file, or makes the file. Also says whether others could read it.
fn load_or_create<K: Kind>(path: &Path) -> Result<(K, Option<Exposure>), FileError> {
    if let Some(content) = files::read(path, MAX_FILE_BYTES)? {
        return loaded(path, &content);
    }
    let lock = WriteLock::acquire(path)?;
    // Another process may have made it meanwhile.
    if let Some(content) = files::read(path, MAX_FILE_BYTES)? {
        return loaded(path, &content);
    }
    let identity = K::generate().map_err(|problem| FileError::KeyGeneration {
        path: path.to_owned(),
        problem,
    })?;
    lock.replace(to_text(&identity).as_bytes())?;
    Ok((identity, None))
}

fn loaded<K: Kind>(path: &Path, content: &[u8]) -> Result<(K, Option<Exposure>), FileError> {
    let parsed = parse(content).map_err(|problem| FileError::Damaged {
        path: path.to_owned(),
        problem,
    });
    Ok((parsed?, files::make_private(path)?))
}

fn to_text<K: Kind>(identity: &K) -> String {
    format!(
        "{MAGIC}{VERSION} {}\nFingerprint: {}\nKeep this file secret: anyone with a copy can impersonate you.\n{}",
        K::NAME,
        identity.fingerprint(),
        pem::encode_many_config(
            &identity.to_blocks(),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF)
        )
    )
}

fn parse<K: Kind>(content: &[u8]) -> Result<K, &'static str> {
    let text = std::str::from_utf8(content).map_err(|_| "it is not an identity file")?;
    let first_line = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(MAGIC));
    let (version, kind) = first_line
        .and_then(|line| line.split_once(' '))
        .ok_or("it is not an identity file")?;
    if version != VERSION {
        return Err("it has another version than this program reads");
    }
    if kind != K::NAME {
        return Err("it has another kind of key; TLS and the chat need a file each");
    }
    let blocks = pem::parse_many(text).map_err(|_| "a block of it is cut off or changed")?;
    K::from_blocks(&blocks)
}

/// The content of the only block with a label.
fn block<'a>(blocks: &'a [Pem], label: &str) -> Option<&'a [u8]> {
    let mut found = blocks.iter().filter(|block| block.tag() == label);
    let first = found.next()?;
    found.next().is_none().then(|| first.contents())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::thread;

    use super::*;

    fn in_folder(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join(name);
        (folder, path)
    }

    #[test]
    fn an_identity_is_made_once_and_loaded_after() {
        let (_folder, path) = in_folder("tls.identity");
        let made = TlsIdentity::load_or_create(&path).unwrap();
        let loaded = TlsIdentity::load_or_create(&path).unwrap();
        assert_eq!(made.fingerprint(), loaded.fingerprint());
        assert_eq!(made.certificate_der(), loaded.certificate_der());
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains(&made.fingerprint().to_string())
        );

        let (_folder, path) = in_folder("chat.identity");
        let made = ChatIdentity::load_or_create(&path).unwrap();
        let loaded = ChatIdentity::load_or_create(&path).unwrap();
        assert_eq!(
            (made.public(), made.private()),
            (loaded.public(), loaded.private())
        );
    }

    #[test]
    fn programs_that_start_together_agree() {
        let (_folder, path) = in_folder("chat.identity");
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                thread::spawn(move || ChatIdentity::load_or_create(&path).unwrap().fingerprint())
            })
            .collect();
        let mut fingerprints: Vec<_> = starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect();
        fingerprints.dedup();
        assert_eq!(fingerprints.len(), 1);
    }

    #[test]
    fn secrets_are_not_printed() {
        let (_folder, path) = in_folder("chat.identity");
        let identity = ChatIdentity::load_or_create(&path).unwrap();
        let printed = format!("{identity:?}");
        assert!(
            !printed.contains(&format!("{:?}", identity.private())) && printed.contains("SHA256:"),
            "{printed}"
        );
    }

    #[test]
    fn a_file_that_is_no_identity_is_refused_and_kept() {
        let (_folder, path) = in_folder("tls.identity");
        TlsIdentity::load_or_create(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let chat = {
            let (_folder, path) = in_folder("chat.identity");
            ChatIdentity::load_or_create(&path).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        let no_key = good.replace("PRIVATE KEY", "EC PRIVATE KEY");
        let end_of_key = |text: &str| text.find("-----BEGIN CERT").unwrap();
        let other = to_text(&<TlsIdentity as Kind>::generate().unwrap());
        let mixed = [&other[..end_of_key(&other)], &good[end_of_key(&good)..]].concat();
        for (text, problem) in [
            (String::new(), "not an identity file"),
            ("-----BEGIN PRIVATE KEY-----".into(), "not an identity file"),
            (good.replacen(" 1 ", " 2 ", 1), "another version"),
            (chat, "another kind of key"),
            (good[..good.len() - 30].to_owned(), "no certificate"),
            (good.replacen("\nMI", "\n!!", 1), "cut off or changed"),
            (no_key, "no secret key"),
            (good.replacen("\nMI", "\nAA", 1), "not a P-256 key"),
            (mixed, "belong to another key"),
            ("x".repeat(70_000), "too long"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = TlsIdentity::load_or_create(&path).unwrap_err().to_string();
            assert!(
                error.contains(problem) && error.contains("tls.identity"),
                "{problem}: {error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_becomes_private() {
        use std::os::unix::fs::PermissionsExt;

        let (_folder, path) = in_folder("tls.identity");
        assert_eq!(TlsIdentity::load_or_create(&path).unwrap().exposure(), None);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let identity = TlsIdentity::load_or_create(&path).unwrap();
        let warning = identity.exposure().unwrap().to_string();
        assert!(
            warning.contains("0644") && warning.contains("0600"),
            "{warning}"
        );
        assert_eq!(mode(), 0o600);
    }
}
