//! `echo-server` as its clients, its log's readers and its operator meet it: the real binary over
//! loopback.

mod descriptors;
mod dialogue;
mod hostile;
mod limits;
mod log;
mod many;
mod ports;
mod prompts;
mod raw;
mod server;
mod stop;
mod usage;
mod visits;
