//! Durability under crashes, tried at every byte: the file contains a beginning of what was written, and all that was
//! acknowledged.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::compaction::Bounds;
use crate::load;
use crate::sim::Sim;
use crate::store::Store;
use crate::transaction::Transaction;

type Content = BTreeMap<String, u32>;
type Line = (String, Option<u32>);

#[derive(Debug, Clone)]
enum Action {
    Put(String, u32),
    PutIfAbsent(String, u32),
    Remove(String),
    /// Several changes of one update.
    RetainBelowThenPut(u32, String),
}

fn action() -> impl Strategy<Value = Action> {
    let key = || "[a-d]|é\"";
    prop_oneof![
        3 => (key(), 0..9u32).prop_map(|(key, value)| Action::Put(key, value)),
        1 => (key(), 0..9u32).prop_map(|(key, value)| Action::PutIfAbsent(key, value)),
        2 => key().prop_map(Action::Remove),
        1 => (0..9u32, key()).prop_map(|(bound, key)| Action::RetainBelowThenPut(bound, key)),
    ]
}

impl Action {
    /// Runs as a transaction. Returns the lines that it must write.
    fn decide(&self, all: &mut Transaction<'_, u32>) -> Vec<Line> {
        match self {
            Self::Put(key, value) => {
                all.put(key, *value);
                vec![(key.clone(), Some(*value))]
            }
            Self::PutIfAbsent(key, _) if all.get(key).is_some() => Vec::new(),
            Self::PutIfAbsent(key, value) => Self::Put(key.clone(), *value).decide(all),
            Self::Remove(key) if all.remove(key) => vec![(key.clone(), None)],
            Self::Remove(_) => Vec::new(),
            Self::RetainBelowThenPut(bound, key) => {
                let rest = all.iter().filter(|(_, value)| *value >= bound);
                let mut lines: Vec<Line> = rest.map(|(key, _)| (key.to_owned(), None)).collect();
                all.retain(|_, value| value < bound);
                lines.extend(Self::Put(key.clone(), *bound).decide(all));
                lines
            }
        }
    }
}

/// Runs each list of actions in a thread of its own. Returns all lines in the order of the transactions.
fn run(store: &Store<u32>, sim: &Sim, callers: &[Vec<(Action, bool)>]) -> Vec<Line> {
    let lines = Mutex::new(Vec::new());
    let act = |(action, erase): &(Action, bool)| {
        let decide = |all: &mut Transaction<'_, u32>| {
            let mut lines = lines.lock().unwrap();
            lines.extend(action.decide(all));
            lines.len()
        };
        let written = if *erase {
            store.update_and_erase(decide)
        } else {
            store.update(decide)
        };
        sim.acknowledge(written.unwrap());
    };
    thread::scope(|scope| {
        for actions in callers {
            scope.spawn(|| actions.iter().for_each(act));
        }
    });
    lines.into_inner().unwrap()
}

/// The content after no line, after one line, and so on.
fn history(lines: &[Line]) -> Vec<Content> {
    let mut history = vec![Content::new()];
    for (key, value) in lines {
        let mut next = history[history.len() - 1].clone();
        match value {
            Some(value) => next.insert(key.clone(), *value),
            None => next.remove(key),
        };
        history.push(next);
    }
    history
}

fn content(file: &[u8]) -> Content {
    let loaded = load::load::<u32>(file).expect("a crash leaves a file that loads");
    loaded
        .records
        .iter()
        .map(|(key, entry)| (key.to_owned(), entry.value))
        .collect()
}

fn shown(store: &Store<u32>) -> Content {
    let mut shown = Content::new();
    store.for_each(|key, value| {
        shown.insert(key.to_owned(), *value);
    });
    shown
}

proptest! {
    #[test]
    fn a_crash_at_any_byte_leaves_a_beginning_with_all_that_was_acknowledged(
        callers in vec(vec((action(), proptest::bool::weighted(0.2)), 1..12), 1..5),
        min_dead_lines in 0..20u64,
        erase_interval in prop_oneof![Just(Duration::ZERO), Just(Duration::from_secs(60))],
    ) {
        let bounds = Bounds { min_dead_lines, erase_interval };
        let sim = Sim::default();
        let store = sim.open_with(bounds);
        let lines = run(&store, &sim, &callers);
        let history = history(&lines);
        prop_assert_eq!(&shown(&store), &history[lines.len()]);
        drop(store);

        for crash in sim.crashes() {
            for torn in 0..=crash.unsure.len() {
                let file = [&crash.sure, &crash.unsure[..torn]].concat();
                let left = content(&file);
                let kept = history[crash.acknowledged..].contains(&left);
                prop_assert!(kept, "{} does not hold the first {} of {lines:?}",
                    file.escape_ascii(), crash.acknowledged);
            }
        }
        prop_assert_eq!(content(&sim.file()), history[lines.len()].clone());
        // What was loaded goes on from there.
        let store = sim.open_with(bounds);
        store.put("later", 1).unwrap();
        prop_assert_eq!(content(&sim.file()), shown(&store));
    }
}
