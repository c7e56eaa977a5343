//! Random bytes for keys, salts and tokens, from the operating system.

use std::io;

use rand::TryRng;
use rand::rngs::SysRng;

/// Returns unpredictable bytes.
///
/// # Errors
///
/// When the operating system gives none.
pub fn random<const BYTES: usize>() -> io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| io::Error::other(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let drawn: std::collections::HashSet<[u8; 32]> =
            (0..100).map(|_| random().unwrap()).collect();
        assert_eq!(drawn.len(), 100);
    }
}
