//! The wire: frames, and the trait that reads and writes them.
