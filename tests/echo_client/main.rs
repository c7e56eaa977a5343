//! `echo-client` as its user meets it: the real binary, in pipes and in a terminal, against an
//! echo server over loopback and against servers that do what they should not.

mod bench;
mod connecting;
mod dialogue;
mod editing;
mod faults;
mod lines;
mod messages;
mod prompts;
mod server;
mod terminal;
mod tls;
mod usage;
