//! What a service message costs the thread that sends it, beside simplelog's own line to a buffered file.
//!
//! Run with `cargo bench -p cli`. Both write the same message to a file of their own in a temporary folder.

use std::fs::File;
use std::io::BufWriter;

use clap::Parser;
use cli::{LogFlags, Program};
use divan::Bencher;
use log::{Level, LevelFilter, Log, Record};
use simplelog::{ConfigBuilder, WriteLogger};

/// Few enough in a sample to fit into the buffer of lines, which the pause between samples empties: dropped lines would
/// be cheaper.
const LINES: u32 = 10_000;
const SAMPLES: u32 = 50;

const PROGRAM: Program = Program {
    name: "log-line",
    default_port: 1,
};

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    log: LogFlags,
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ours.log");
    let arguments = ["log-line".as_ref(), "--log-file".as_ref(), path.as_os_str()];
    let flags: Flags = PROGRAM.try_parse_from(arguments).expect("good flags");
    let guard = flags.log.start(&PROGRAM, &[]).expect("a log");
    divan::main();
    drop(guard);
    let text = std::fs::read_to_string(&path).expect("a log file");
    assert!(
        !text.contains("dropped"),
        "lines were dropped, so the figures flatter"
    );
    println!("{} lines in the file", text.lines().count());
}

#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn ours(bencher: Bencher) {
    let lines = bencher.counter(divan::counter::ItemsCount::new(LINES));
    lines
        .with_inputs(|| log::logger().flush())
        .bench_values(|()| {
            for number in 0..LINES {
                log::info!(
                    "client 127.0.0.1:54321 #{number}: received {} bytes, 1 message",
                    1028
                );
            }
        });
}

#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn simplelog_own(bencher: Bencher) {
    let file = tempfile::tempfile().expect("a temporary file");
    let config = ConfigBuilder::new()
        .set_time_format_rfc3339()
        .set_time_level(LevelFilter::Error)
        .set_level_padding(simplelog::LevelPadding::Right)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .build();
    let logger = WriteLogger::new(
        LevelFilter::Info,
        config,
        BufWriter::<File>::with_capacity(1 << 20, file),
    );
    let lines = bencher.counter(divan::counter::ItemsCount::new(LINES));
    lines.bench(|| {
        for number in 0..LINES {
            logger.log(
                &Record::builder()
                    .level(Level::Info)
                    .args(format_args!(
                        "client 127.0.0.1:54321 #{number}: received {} bytes, 1 message",
                        1028
                    ))
                    .build(),
            );
        }
    });
}
