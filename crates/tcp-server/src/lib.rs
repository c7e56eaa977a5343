//! The life of a TCP service.
