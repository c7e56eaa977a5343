//! `echo-server` as its clients, its log's readers and its operator meet it: the real binary over
//! loopback.

mod console;
mod deaf;
mod descriptors;
mod dialogue;
mod full_disk;
mod hostile;
mod limits;
mod log;
mod many;
mod memory;
mod ports;
mod prompts;
mod raw;
mod server;
mod slow;
mod stop;
mod storm;
mod threads;
mod tls;
mod usage;
mod visits;
