//! The sizes that both ends of a connection agree on.

/// Length of a header: the payload's length in bytes, as an unsigned big-endian integer.
pub const HEADER_BYTES: usize = 4;

/// The longest payload that echo programs accept by default: 1 MiB.
pub const MAX_ECHO_BYTES: usize = 1 << 20;

/// The longest payload in a dialogue of ident or auth: 16 KiB.
pub const MAX_DIALOGUE_BYTES: usize = 16 << 10;
