use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;

fn network(number: u32) -> Network {
    Network::of(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
}

fn ticket(number: u32, is_known: bool, exclusive_key: Option<u64>) -> Ticket {
    Ticket {
        network: network(number),
        is_known,
        exclusive_key,
    }
}

fn stranger(number: u32) -> Ticket {
    ticket(number, false, None)
}

fn pop_all<T>(queue: &mut FairQueue<T>) -> Vec<T> {
    let mut popped = vec![];
    while let Some((ticket, item)) = queue.pop() {
        queue.finish(&ticket);
        popped.push(item);
    }
    popped
}

#[test]
fn networks_take_turns() {
    let mut queue = FairQueue::default();
    for item in ["a1", "a2", "a3", "b1", "c1", "b2"] {
        let number = u32::from(item.as_bytes()[0]);
        assert_eq!(queue.push(stranger(number), item), Pushed::Waiting);
    }
    assert_eq!(queue.pop().unwrap().1, "a1");
    // A network that has just been served queues behind the others.
    queue.push(stranger(u32::from(b'd')), "d1");
    assert_eq!(pop_all(&mut queue), ["b1", "c1", "d1", "a2", "b2", "a3"]);
}

#[test]
fn a_full_queue_makes_room_for_a_network_with_fewer_items() {
    let mut queue = FairQueue::default();
    let others = QUEUE_SLOTS - RESERVED_SLOTS;
    for item in 0..others {
        assert_eq!(queue.push(stranger(0), item), Pushed::Waiting);
    }
    assert_eq!(queue.push(stranger(0), 100), Pushed::Full(100));
    assert_eq!(
        queue.push(stranger(1), 101),
        Pushed::Displaced(others - 1),
        "the newest of the busiest network goes"
    );
    let mut displaced = 1;
    while let Pushed::Displaced(_) = queue.push(stranger(1), 102) {
        displaced += 1;
    }
    assert_eq!(displaced, others / 2, "until both have the same");
    assert_eq!(queue.len(), others);
}

#[test]
fn known_networks_have_places_of_their_own_and_every_other_turn() {
    let mut queue = FairQueue::default();
    for number in 0..100 {
        queue.push(stranger(number), "stranger");
    }
    assert_eq!(queue.push(stranger(200), "late"), Pushed::Full("late"));
    for number in 0..RESERVED_SLOTS as u32 {
        let pushed = queue.push(ticket(300 + number, true, None), "known");
        assert_eq!(pushed, Pushed::Waiting);
    }
    let full = queue.push(ticket(400, true, None), "known");
    assert_eq!(full, Pushed::Full("known"));
    let popped = pop_all(&mut queue);
    let alternating = ["known", "stranger"].repeat(RESERVED_SLOTS);
    assert_eq!(popped[..2 * RESERVED_SLOTS], alternating);
    assert_eq!(popped.len(), QUEUE_SLOTS);
}

#[test]
fn a_class_behind_one_known_address_finds_room() {
    let mut queue = FairQueue::default();
    for student in 0..QUEUE_SLOTS {
        let pushed = queue.push(ticket(0, true, Some(student as u64)), student);
        assert_eq!(pushed, Pushed::Waiting);
    }
    assert_eq!(pop_all(&mut queue).len(), QUEUE_SLOTS);
}

#[test]
fn one_item_of_a_key_runs_at_a_time() {
    let mut queue = FairQueue::default();
    for item in ["first", "second", "third"] {
        queue.push(ticket(0, false, Some(7)), item);
    }
    queue.push(ticket(0, false, Some(8)), "other key");
    let (first, _) = queue.pop().unwrap();
    assert_eq!(queue.pop().unwrap().1, "other key");
    assert!(queue.pop().is_none());
    assert!(!queue.try_start(&first));
    queue.finish(&first);
    assert_eq!(queue.pop().unwrap().1, "second");
    assert!(queue.pop().is_none());
}

/// What one attempt costs, in steps of virtual time, and how many run at once.
const HASH_STEPS: u64 = 20;
const WORKERS: usize = 2;

/// Runs a queue with `WORKERS` workers against networks that each ask again as soon as they are refused or served, and
/// returns after how many steps each attempt of the owner was served; `None` when it was refused.
fn owner_under_flood(networks: u32, owner: Ticket) -> Vec<Option<u64>> {
    let mut queue = FairQueue::default();
    let mut running: VecDeque<(u64, Ticket, u32)> = VecDeque::new();
    let (mut outcomes, mut asked_at, mut next_attacker) = (vec![], None, 0);
    const OWNER: u32 = u32::MAX;
    for now in 0..6_000 {
        while running.front().is_some_and(|(end, ..)| *end <= now) {
            let (_, ticket, who) = running.pop_front().unwrap();
            queue.finish(&ticket);
            if who == OWNER {
                outcomes.push(asked_at.take().map(|asked| now - asked));
            }
        }
        // In each step some attackers find the queue full, or take a place.
        for _ in 0..20 {
            next_attacker = (next_attacker + 1) % networks;
            queue.push(stranger(next_attacker), next_attacker);
        }
        // At any moment of a hash.
        if asked_at.is_none() && now % 7 == 0 {
            match queue.push(owner, OWNER) {
                Pushed::Full(_) => outcomes.push(None),
                _ => asked_at = Some(now),
            }
        }
        while running.len() < WORKERS
            && let Some((ticket, who)) = queue.pop()
        {
            running.push_back((now + HASH_STEPS, ticket, who));
        }
    }
    outcomes
}

#[test]
fn the_owner_gets_in_from_a_known_network_while_four_thousand_networks_ask() {
    let owner = ticket(1_000_000, true, Some(1));
    let outcomes = owner_under_flood(4_000, owner);
    let slowest = outcomes.iter().map(|steps| steps.unwrap()).max().unwrap();
    println!(
        "{} logins while 4,000 networks ask: the slowest took {slowest} ms",
        outcomes.len()
    );
    assert!(outcomes.len() > 100, "{}", outcomes.len());
    // At most the hash under way, one of a stranger, and its own.
    assert!(slowest <= 3 * HASH_STEPS, "{slowest}");
}

#[test]
fn a_stranger_mostly_finds_no_place_then() {
    let outcomes = owner_under_flood(4_000, stranger(1_000_000));
    assert!(outcomes.iter().any(Option::is_none), "the flood is real");
}

proptest! {
    #[test]
    fn nothing_is_lost_and_one_item_of_a_key_runs(
        arrivals in prop::collection::vec((0..8u32, any::<bool>(), prop::option::of(0..4u64)), 0..200),
        pops in prop::collection::vec(any::<bool>(), 200),
    ) {
        let mut queue = FairQueue::default();
        let (mut inside, mut running) = (BTreeMap::new(), vec![]);
        for (item, (number, is_known, key)) in arrivals.into_iter().enumerate() {
            match queue.push(ticket(number, is_known, key), item) {
                Pushed::Waiting => {}
                Pushed::Displaced(other) => prop_assert!(inside.remove(&other).is_some()),
                Pushed::Full(other) => {
                    prop_assert_eq!(other, item);
                    continue;
                }
            }
            inside.insert(item, number);
            prop_assert!(queue.len() <= QUEUE_SLOTS);
            if pops[item] && let Some((ticket, item)) = queue.pop() {
                prop_assert!(inside.remove(&item).is_some());
                prop_assert!(ticket.exclusive_key.is_none_or(|key| !running.contains(&key)));
                running.extend(ticket.exclusive_key);
                if running.len() > 1 {
                    let key = running.remove(0);
                    queue.finish(&Ticket { exclusive_key: Some(key), ..ticket });
                }
            }
        }
        for key in running {
            queue.finish(&ticket(0, false, Some(key)));
        }
        let mut rest = pop_all(&mut queue);
        rest.sort_unstable();
        prop_assert_eq!(rest, inside.into_keys().collect::<Vec<_>>());
    }

    #[test]
    fn networks_that_wait_have_had_as_many_turns_give_or_take_one(
        numbers in prop::collection::vec(0..5u32, 1..48),
    ) {
        let mut queue = FairQueue::default();
        for number in &numbers {
            queue.push(stranger(*number), *number);
        }
        let order = pop_all(&mut queue);
        for popped in 0..order.len() {
            let (before, after) = order.split_at(popped);
            let turns = |number: &u32| before.iter().filter(|other| *other == number).count();
            let waiting = after.iter().map(turns);
            let (fewest, most) = (waiting.clone().min(), waiting.max());
            prop_assert!(most.unwrap() - fewest.unwrap() <= 1, "{:?}", order);
        }
    }
}
