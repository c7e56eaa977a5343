//! The member's own key, by which others know it again under any nick.

use std::path::PathBuf;

use chat_link::StaticKey;
use trust::{ChatIdentity, FileError, state_folder};

use super::error::JoinError;

/// The file in the user's state folder.
const FILE_NAME: &str = "udp-chat-member.identity";

/// Loads the key, or makes it at the first start.
pub(super) fn own_key() -> Result<StaticKey, JoinError> {
    let folder = state_folder().ok_or(JoinError::Identity(FileError::NoStateFolder))?;
    let path: PathBuf = folder.join(FILE_NAME);
    let identity = ChatIdentity::load_or_create(&path).map_err(JoinError::Identity)?;
    if let Some(exposure) = identity.exposure() {
        eprintln!("udp-chat: {exposure}");
    }
    Ok(StaticKey::from_private(*identity.private()))
}
