//! Measures a store on a real disk: changes per second and their fsyncs, one change at 1,000 and at 1,000,000 records,
//! the start-up with 1,000,000, and a compaction of as many.
//!
//! `cargo run --release -p store --example measure -- FOLDER` (a folder on the disk to measure; default: the current
//! one)

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use store::Store;

const MANY: u32 = 1_000_000;
const FEW: u32 = 1_000;
const TURNS: u32 = 20;
const TURN: Duration = Duration::from_millis(200);
const SECONDS_PER_ROW: f64 = 4.0;

/// About what a server keeps of a client.
#[derive(Clone, Serialize, Deserialize)]
struct Client {
    name: String,
    since: u64,
}

fn client(number: u32) -> Client {
    Client {
        name: format!("client {number}"),
        since: 1_790_000_000 + u64::from(number),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(folder)?;
    let rows = [(FEW, 1), (FEW, 64), (MANY, 1)];
    let rows: Result<Vec<Row>, _> = rows
        .iter()
        .map(|&(records, threads)| Row::open(folder.path(), records, threads))
        .collect();
    let mut rows = rows?;
    let mut bare = BareFile::create(&folder.path().join("bare"))?;
    // In turns, since the speed of a disk drifts.
    for _ in 0..TURNS {
        bare.run()?;
        rows.iter_mut().try_for_each(Row::run)?;
    }
    println!(
        "bare write and fsync: {:.0}/s",
        f64::from(bare.count) / SECONDS_PER_ROW
    );
    rows.iter().for_each(Row::print);
    drop(rows);
    compaction(&folder.path().join("dead.jsonl"))
}

/// Puts records in no order that would flatter the loading.
fn fill(path: &Path, records: u32) -> Result<(), store::Error> {
    // An odd multiplier gives each number an address of its own.
    let numbers = (0..records).map(|number| number.wrapping_mul(2_654_435_761));
    Store::<Client>::open(path)?.update(|all| {
        for number in numbers {
            all.put(&Ipv4Addr::from(number).to_string(), client(number));
        }
    })
}

/// What the disk can do: a line and an fsync, one after another.
struct BareFile {
    file: File,
    count: u32,
}

impl BareFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            count: 0,
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < TURN {
            self.file.write_all(b"{\"key\":\"0/10000\",\"value\":{\"name\":\"client 10000\",\"since\":1790010000}}\n")?;
            self.file.sync_data()?;
            self.count += 1;
        }
        Ok(())
    }
}

/// New keys from this many threads. Each waits for its change before it makes the next.
struct Row {
    store: Store<Client>,
    threads: u32,
    records: u32,
    next: AtomicU32,
    updates: u64,
    syncs: u64,
}

impl Row {
    /// A store of its own, loaded from its file.
    fn open(folder: &Path, records: u32, threads: u32) -> Result<Self, store::Error> {
        let path = folder.join(format!("{records}-{threads}.jsonl"));
        fill(&path, records)?;
        let begun = Instant::now();
        let store = Store::open(&path)?;
        println!("{records:>7} records: open in {:.2?}", begun.elapsed());
        Ok(Self {
            store,
            threads,
            records,
            next: AtomicU32::new(0),
            updates: 0,
            syncs: 0,
        })
    }

    fn run(&mut self) -> Result<(), store::Error> {
        let before = self.store.stats();
        let begun = Instant::now();
        let change = || {
            while begun.elapsed() < TURN {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                self.store
                    .put_if_absent(&format!("new {number}"), client(number))?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let callers: Vec<_> = (0..self.threads).map(|_| scope.spawn(change)).collect();
            callers
                .into_iter()
                .try_for_each(|caller| caller.join().expect("a caller does not panic"))
        })?;
        let after = self.store.stats();
        self.updates += after.updates - before.updates;
        self.syncs += after.syncs - before.syncs;
        Ok(())
    }

    fn print(&self) {
        let Self {
            threads,
            records,
            updates,
            syncs,
            ..
        } = self;
        let rate = *updates as f64 / SECONDS_PER_ROW;
        let wait = Duration::from_secs_f64(f64::from(*threads) / rate);
        println!(
            "{records:>7} records, {threads:>2} threads: {rate:>6.0} changes/s, {wait:>7.1?} each; \
             {updates} changes with {syncs} fsyncs"
        );
    }
}

/// The longest that one change and one read take while the file is rewritten.
fn compaction(path: &Path) -> Result<(), Box<dyn Error>> {
    fill(path, MANY)?;
    fill(path, MANY)?;
    let store = Store::<Client>::open(path)?;
    store.put("one more dead line", client(1))?;
    store.put("one more dead line", client(2))?;
    store.remove("one more dead line")?;
    let (mut change, mut read) = (Duration::ZERO, Duration::ZERO);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let begun = Instant::now();
            store
                .put("during compaction", client(3))
                .map(|()| begun.elapsed())
        });
        while !writer.is_finished() {
            let begun = Instant::now();
            store.get("0.0.0.0");
            read = read.max(begun.elapsed());
        }
        change = writer.join().expect("the caller does not panic")?;
        Ok::<(), store::Error>(())
    })?;
    let compactions = store.stats().compactions;
    println!(
        "compactions: {compactions}; meanwhile longest change {change:.2?}, longest read {read:.2?}"
    );
    Ok(())
}
