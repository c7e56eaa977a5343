//! A person's side of every program.
