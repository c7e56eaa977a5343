//! A durable map in one readable file.
