//! The limit of open files and sockets.

use std::io;

use crate::platform;

/// Raises the limit of open files as far as the system lets this process, and returns it (`None`: there is none). Each
/// client takes one descriptor.
///
/// # Errors
///
/// When the system refuses.
pub fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    platform::raise_descriptor_limit()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let raised = raise_descriptor_limit().unwrap();
        let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!((raised, soft), (Some(hard), hard));
    }
}
