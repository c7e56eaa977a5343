//! Steps of the disk that fail, and races, each drawn by hand: who is told, what readers see, and what goes on.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::error::Error;
use crate::sim::{PATIENCE, Sim, Step};
use crate::store::{Store, Value};

/// Above what any of these tests leaves behind.
const NEVER_COMPACT: u64 = 1_000;

fn lines(sim: &Sim) -> String {
    String::from_utf8(sim.file()).unwrap()
}

/// Waits until `count` callers have taken their turn, which `turns` tells from within it.
fn await_turns<V: Value>(store: &Store<V>, turns: &Receiver<()>, count: usize) {
    (0..count).for_each(|_| turns.recv_timeout(PATIENCE).unwrap());
    // Takes the queue's lock, so the last turn is over.
    store.stats();
}

#[test]
fn readers_see_a_change_when_it_is_on_disk_and_deciders_before() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    let held = sim.hold_next_sync();
    let (turn, turns) = channel();
    thread::scope(|scope| {
        let held = held;
        let winner = scope.spawn(|| store.put_if_absent("a", 1));
        held.await_begun();
        let loser = scope.spawn(|| {
            store.update(|all| {
                turn.send(()).unwrap();
                all.get("a").copied()
            })
        });
        await_turns(&store, &turns, 1);
        assert_eq!(store.get("a"), None, "not on disk yet");
        assert!(!winner.is_finished() && !loser.is_finished());
        drop(held);
        assert_eq!(winner.join().unwrap().unwrap(), None);
        assert_eq!(loser.join().unwrap().unwrap(), Some(1));
    });
    assert_eq!(store.get("a"), Some(1));
    assert_eq!(store.stats().syncs, 1, "the loser changed nothing");
}

#[test]
fn callers_that_wait_together_share_one_sync() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    let held = sim.hold_next_sync();
    let (turn, turns) = channel();
    thread::scope(|scope| {
        let held = held;
        scope.spawn(|| store.put("first", 0).unwrap());
        held.await_begun();
        for caller in 0..64 {
            let (store, turn) = (&store, turn.clone());
            scope.spawn(move || {
                let first = store.update(|all| {
                    turn.send(()).unwrap();
                    let first = all.get("race").copied();
                    if first.is_none() {
                        all.put("race", caller);
                    }
                    all.put(&format!("caller {caller}"), caller);
                    first.unwrap_or(caller)
                });
                assert_eq!(first.unwrap(), store.get("race").unwrap());
            });
        }
        await_turns(&store, &turns, 64);
        drop(held);
    });
    let stats = store.stats();
    assert_eq!((stats.updates, stats.syncs, stats.records), (65, 2, 66));
}

#[test]
fn a_full_disk_fails_all_that_was_decided_upon_it_and_is_survived() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    store.put("a", 1).unwrap();
    let before = lines(&sim);
    // The next append fails half-way; the fsync after the cut is held, so that more callers come while it fails.
    sim.fail_next(Step::Append, 10);
    let held = sim.hold_next_sync();
    let (turn, turns) = channel();
    thread::scope(|scope| {
        let held = held;
        let failing = scope.spawn(|| store.put("a", 2));
        held.await_begun();
        let upon_it = scope.spawn(|| {
            store.update(|all| {
                turn.send(()).unwrap();
                all.put("sum", all.get("a").unwrap() + 1);
            })
        });
        await_turns(&store, &turns, 1);
        drop(held);
        for caller in [failing, upon_it] {
            let error = caller.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::Write { .. }), "{error}");
        }
    });
    assert_eq!(
        (lines(&sim), store.get("a"), store.get("sum")),
        (before, Some(1), None)
    );
    store.put("a", 3).unwrap();
    assert_eq!(
        lines(&sim),
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"a\",\"value\":3}\n"
    );
}

#[test]
fn a_failed_fsync_ends_writing_but_not_reading() {
    for steps in [
        &[Step::Sync][..],
        &[Step::Append, Step::Truncate],
        &[Step::Append, Step::Sync],
    ] {
        let sim = Sim::default();
        let store = sim.open::<u32>(NEVER_COMPACT);
        store.put("a", 1).unwrap();
        steps.iter().for_each(|step| sim.fail_next(*step, 10));
        for _ in 0..2 {
            let error = store.put("a", 2).unwrap_err();
            assert!(matches!(error, Error::Halted { .. }), "{error}");
        }
        let untouched = store.update(|all| all.get("a").copied());
        assert!(
            untouched.is_err(),
            "what a decision sees may not be on disk"
        );
        assert_eq!(store.get("a"), Some(1));
    }
}

#[test]
fn a_compaction_that_fails_leaves_the_file_as_it_was_and_is_tried_again_later() {
    for step in [
        Step::Draft,
        Step::WriteDraft,
        Step::SyncDraft,
        Step::Install,
    ] {
        let sim = Sim::default();
        let store = sim.open::<u32>(3);
        let put = |value| store.put("a", value).unwrap();
        (1..=4).for_each(put);
        sim.fail_next(step, 0);
        put(5);
        put(6);
        assert_eq!(lines(&sim).lines().count(), 6, "{step:?}");
        put(7);
        put(8);
        store.put("b", 9).unwrap();
        let compact = "{\"key\":\"a\",\"value\":8}\n{\"key\":\"b\",\"value\":9}\n";
        assert_eq!(lines(&sim), compact, "{step:?}");
        assert_eq!(store.stats().compactions, 1);
    }
}

#[test]
fn a_compaction_whose_name_may_not_be_durable_ends_writing() {
    let sim = Sim::default();
    let store = sim.open::<u32>(1);
    sim.fail_next(Step::SyncFolder, 0);
    (1..=3).for_each(|value| store.put("a", value).unwrap());
    // The third is on disk in both files; a fourth would be in the new one only.
    assert!(matches!(store.put("a", 4), Err(Error::Halted { .. })));
    assert_eq!(store.get("a"), Some(3));
}

#[test]
fn a_closure_that_panics_changes_nothing_and_harms_nobody() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    let panics = || {
        store.update(|all| {
            all.put("a", 1);
            panic!("on purpose");
        })
    };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
    assert!(caught.is_err());
    store.put("b", 2).unwrap();
    assert_eq!((store.get("a"), store.get("b")), (None, Some(2)));
}

/// Foreign code in the writer thread: it panics when a record is dropped there.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Mine(bool);

impl Drop for Mine {
    fn drop(&mut self) {
        assert!(
            !self.0 || thread::current().name() != Some("store-writer"),
            "on purpose"
        );
    }
}

#[test]
fn a_writer_that_panics_leaves_nobody_waiting() {
    let sim = Sim::default();
    let store = sim.open(NEVER_COMPACT);
    store.put("a", Mine(true)).unwrap();
    for _ in 0..2 {
        assert!(matches!(
            store.put("a", Mine(false)),
            Err(Error::Halted { .. })
        ));
    }
}

proptest! {
    #[test]
    fn what_failed_is_not_there_and_what_succeeded_is(
        puts in vec((0..5u32, any::<u32>(), proptest::option::weighted(0.3, 0..40usize)), 1..40),
    ) {
        let sim = Sim::default();
        let store = sim.open::<u32>(5);
        let mut expected = std::collections::BTreeMap::new();
        for (key, value, fault) in puts {
            if let Some(kept) = fault {
                sim.fail_next(Step::Append, kept);
            }
            let key = key.to_string();
            let done = store.put(&key, value);
            prop_assert_eq!(done.is_err(), fault.is_some());
            if done.is_ok() {
                expected.insert(key, value);
            }
        }
        for reader in [&store, &sim.open::<u32>(5)] {
            let mut shown = std::collections::BTreeMap::new();
            reader.for_each(|key, value| {
                shown.insert(key.to_owned(), *value);
            });
            prop_assert_eq!(&shown, &expected);
        }
    }
}
