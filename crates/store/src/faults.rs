//! Failing steps of the disk, and races: what callers get, what readers see, and what goes on.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::compaction::Bounds;
use crate::error::Error;
use crate::sim::{Sim, Step, TIME_LIMIT};
use crate::store::Store;
use crate::value::Value;

/// Above what any of these tests leaves behind.
const NEVER_COMPACT: u64 = 1_000;

fn lines(sim: &Sim) -> String {
    String::from_utf8(sim.file()).unwrap()
}

/// Waits until `count` callers have taken their turn; each sends to `turns` from within it.
fn await_turns<V: Value>(store: &Store<V>, turns: &Receiver<()>, count: usize) {
    (0..count).for_each(|_| turns.recv_timeout(TIME_LIMIT).unwrap());
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
        Step::CreateTemp,
        Step::WriteTemp,
        Step::SyncTemp,
        Step::Replace,
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
fn a_replaced_file_gets_no_changes_and_is_not_replaced_back() {
    let sim = Sim::default();
    let store = sim.open::<u32>(1);
    store.put("a", 1).unwrap();
    sim.fail_next(Step::Unchanged, 0);
    for _ in 0..2 {
        let error = store.put("a", 2).unwrap_err();
        assert!(matches!(error, Error::Replaced { .. }), "{error}");
    }
    assert_eq!(store.get("a"), Some(1));
    drop(store);
    assert_eq!(lines(&sim), "{\"key\":\"a\",\"value\":1}\n");
}

#[test]
fn a_file_that_is_replaced_during_a_compaction_is_left_alone() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    store.put("a", 1).unwrap();
    // The change itself is written; the second look comes before the new file takes the old one's place.
    let held = sim.hold_next_sync();
    thread::scope(|scope| {
        let held = held;
        let change = scope.spawn(|| store.update_and_erase(|all| all.remove("a")));
        held.await_begun();
        sim.fail_next(Step::Unchanged, 0);
        drop(held);
        change.join().unwrap().unwrap();
    });
    assert!(matches!(store.put("b", 1), Err(Error::Replaced { .. })));
    drop(store);
    assert_eq!(lines(&sim).lines().count(), 2, "as it was");
}

#[test]
fn erased_values_leave_the_file_at_once_then_once_per_interval_and_at_the_end() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    let erase = |key| store.update_and_erase(|all| all.remove(key)).unwrap();
    for key in ["a", "b", "c"] {
        store.put(key, 1).unwrap();
    }
    erase("a");
    // The next change waits for the compaction.
    store.put("d", 1).unwrap();
    assert_eq!(store.stats().compactions, 1);
    assert!(!lines(&sim).contains("\"a\""));
    erase("b");
    store.put("d", 2).unwrap();
    assert_eq!(store.stats().compactions, 1, "not twice a minute");
    assert!(lines(&sim).contains("{\"key\":\"b\",\"value\":1}"));
    drop(store);
    assert_eq!(
        lines(&sim),
        "{\"key\":\"c\",\"value\":1}\n{\"key\":\"d\",\"value\":2}\n"
    );
}

#[test]
fn an_erasure_comes_when_its_time_has_come_although_nothing_changes() {
    let sim = Sim::default();
    let store = sim.open_with::<u32>(Bounds {
        min_dead_lines: NEVER_COMPACT,
        erase_interval: std::time::Duration::from_millis(50),
    });
    for key in ["a", "b"] {
        store.put(key, 1).unwrap();
        store.update_and_erase(|all| all.remove(key)).unwrap();
    }
    let begun = std::time::Instant::now();
    while store.stats().compactions < 2 {
        assert!(begun.elapsed() < TIME_LIMIT, "not erased");
        thread::yield_now();
    }
    assert_eq!(lines(&sim), "");
}

#[test]
fn an_erasure_that_a_crash_prevented_comes_after_the_next_start() {
    let sim = Sim::default();
    let store = sim.open::<u32>(NEVER_COMPACT);
    store.put("a", 1).unwrap();
    sim.fail_next(Step::CreateTemp, 0);
    store.update_and_erase(|all| all.put("a", 2)).unwrap();
    store.put("b", 3).unwrap();
    assert!(lines(&sim).contains("\"erase\":true"));
    sim.fail_next(Step::CreateTemp, 0);
    drop(store);
    drop(sim.open::<u32>(NEVER_COMPACT));
    assert_eq!(
        lines(&sim),
        "{\"key\":\"a\",\"value\":2}\n{\"key\":\"b\",\"value\":3}\n"
    );
}

#[test]
fn a_file_that_cannot_be_replaced_is_tried_once() {
    let sim = Sim::default();
    let store = sim.open::<u32>(1);
    // One failure alone: a second try would succeed.
    sim.fail_next(Step::ReplaceMounted, 0);
    (0..9).for_each(|value| store.put("a", value).unwrap());
    store.update_and_erase(|all| all.put("a", 9)).unwrap();
    drop(store);
    assert_eq!(lines(&sim).lines().count(), 10);
    assert_eq!(sim.open::<u32>(NEVER_COMPACT).get("a"), Some(9));
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
