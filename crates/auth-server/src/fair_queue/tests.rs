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

fn push<T>(queue: &mut FairQueue<T>, ticket: Ticket, item: T) -> Pushed<T> {
    queue.push(ticket, item, Instant::now())
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
        assert_eq!(push(&mut queue, stranger(number), item), Pushed::Waiting);
    }
    assert_eq!(queue.pop().unwrap().1, "a1");
    // A network that has just been served queues behind the others.
    push(&mut queue, stranger(u32::from(b'd')), "d1");
    assert_eq!(pop_all(&mut queue), ["b1", "c1", "d1", "a2", "b2", "a3"]);
}

#[test]
fn a_full_queue_makes_room_for_a_network_with_fewer_items() {
    let mut queue = FairQueue::default();
    for item in 0..UNKNOWN_SLOTS {
        assert_eq!(push(&mut queue, stranger(0), item), Pushed::Waiting);
    }
    assert_eq!(push(&mut queue, stranger(0), 100), Pushed::Full(100));
    assert_eq!(
        push(&mut queue, stranger(1), 101),
        Pushed::Displaced(UNKNOWN_SLOTS - 1),
        "the newest of the busiest network goes"
    );
    let mut displaced = 1;
    while let Pushed::Displaced(_) = push(&mut queue, stranger(1), 102) {
        displaced += 1;
    }
    assert_eq!(displaced, UNKNOWN_SLOTS / 2, "until both have the same");
    assert_eq!(queue.len(), UNKNOWN_SLOTS);
}

#[test]
fn a_full_queue_makes_room_for_a_network_whose_turn_was_earlier() {
    let slots = UNKNOWN_SLOTS as u32;
    let mut queue = FairQueue::default();
    for number in 0..slots {
        push(&mut queue, stranger(number), number);
    }
    pop_all(&mut queue);
    for number in 1..=slots {
        push(&mut queue, stranger(number), number);
    }
    // Network 0 had the first turn. The last one of all had it later than the others, or as network 64 not at all.
    let displaced = push(&mut queue, stranger(0), 0);
    assert_eq!(displaced, Pushed::Displaced(slots - 1));
    let full = push(&mut queue, stranger(slots - 1), slots - 1);
    assert_eq!(full, Pushed::Full(slots - 1));
    // A network without a turn yet comes first.
    let popped = pop_all(&mut queue);
    assert_eq!(popped[..2], [slots, 0]);
}

#[test]
fn known_networks_have_slots_of_their_own_and_every_other_turn() {
    let mut queue = FairQueue::default();
    for number in 0..100 {
        push(&mut queue, stranger(number), "stranger");
    }
    let late = push(&mut queue, stranger(200), "late");
    assert_eq!(late, Pushed::Full("late"));
    for number in 0..KNOWN_SLOTS as u32 {
        let pushed = push(&mut queue, ticket(300 + number, true, None), "known");
        assert_eq!(pushed, Pushed::Waiting);
    }
    let full = push(&mut queue, ticket(10_000, true, None), "known");
    assert_eq!(full, Pushed::Full("known"));
    let popped = pop_all(&mut queue);
    let alternating = ["known", "stranger"].repeat(UNKNOWN_SLOTS);
    assert_eq!(popped[..2 * UNKNOWN_SLOTS], alternating);
    assert_eq!(popped.len(), KNOWN_SLOTS + UNKNOWN_SLOTS);
}

#[test]
fn a_class_behind_one_known_address_finds_room() {
    let mut queue = FairQueue::default();
    for student in 0..KNOWN_SLOTS {
        let pushed = push(&mut queue, ticket(0, true, Some(student as u64)), student);
        assert_eq!(pushed, Pushed::Waiting);
    }
    assert_eq!(pop_all(&mut queue).len(), KNOWN_SLOTS);
}

#[test]
fn an_item_that_waits_too_long_is_removed() {
    let mut queue = FairQueue::default();
    let start = Instant::now();
    queue.push(stranger(0), "stranger", start);
    queue.push(ticket(1, true, None), "known", start);
    queue.push(stranger(2), "later", start + Duration::from_secs(1));
    assert!(queue.take_overdue(start + MAX_WAIT / 2).is_empty());
    assert_eq!(queue.take_overdue(start + MAX_WAIT), ["known", "stranger"]);
    assert_eq!(pop_all(&mut queue), ["later"]);
}

#[test]
fn the_memory_of_turns_is_bounded_and_keeps_the_last_ones() {
    let mut turns = Turns::default();
    let most = MAX_REMEMBERED as u32;
    for number in 0..=most {
        turns.take(network(number));
    }
    assert!(turns.last.len() <= MAX_REMEMBERED / 2 + 1);
    assert_eq!(turns.last_of(network(0)), 0);
    assert_eq!(turns.last_of(network(most)), u64::from(most) + 1);
    let half = most / 2;
    assert_eq!(turns.last_of(network(half)), u64::from(half) + 1);
}

#[test]
fn one_item_of_a_key_runs_at_a_time() {
    let mut queue = FairQueue::default();
    for item in ["first", "second", "third"] {
        push(&mut queue, ticket(0, false, Some(7)), item);
    }
    push(&mut queue, ticket(0, false, Some(8)), "other key");
    let (first, _) = queue.pop().unwrap();
    assert_eq!(queue.pop().unwrap().1, "other key");
    assert!(queue.pop().is_none());
    assert!(!queue.try_start(&first));
    queue.finish(&first);
    assert_eq!(queue.pop().unwrap().1, "second");
    assert!(queue.pop().is_none());
}

/// What one attempt costs, in steps of a millisecond of virtual time, and how many run at once.
const HASH_STEPS: u64 = 20;
const WORKERS: usize = 2;

/// Attackers that ask again as soon as they are refused or served.
struct Flood {
    networks: u32,
    /// How many attempts of each network are under way.
    connections: u32,
    /// Whether they log in to accounts of their own, which makes their networks known.
    is_known: bool,
    /// How long the owner rests between two attempts.
    rest: u64,
}

impl Flood {
    fn ticket(&self, attempt: u32) -> Ticket {
        let number = attempt % self.networks;
        ticket(number, self.is_known, Some(1_000 + u64::from(attempt)))
    }

    /// Runs a queue with `WORKERS` workers for as many steps, and returns after how many steps each attempt of the
    /// owner was served; `None` when it was refused.
    fn run(&self, owner: Ticket, steps: u64) -> Vec<Option<u64>> {
        const OWNER: u32 = u32::MAX;
        let mut queue = FairQueue::default();
        let mut running: VecDeque<(u64, Ticket, u32)> = VecDeque::new();
        let mut idle: VecDeque<u32> = (0..self.networks * self.connections).collect();
        // The owner comes once the flood is there.
        let (mut outcomes, mut asked_at, mut asks_at) = (vec![], None, self.rest.max(1_000));
        let start = Instant::now();
        for step in 0..steps {
            let now = start + Duration::from_millis(step);
            while running.front().is_some_and(|(end, ..)| *end <= step) {
                let (_, ticket, who) = running.pop_front().unwrap();
                queue.finish(&ticket);
                match who {
                    OWNER => {
                        outcomes.push(asked_at.take().map(|asked| step - asked));
                        asks_at = step + self.rest;
                    }
                    attacker => idle.push_back(attacker),
                }
            }
            let mut refused = queue.take_overdue(now);
            // In each step some attackers find the queue full, or take a slot.
            for _ in 0..idle.len().min(5) {
                let attacker = idle.pop_front().unwrap();
                match queue.push(self.ticket(attacker), attacker, now) {
                    Pushed::Waiting => {}
                    Pushed::Displaced(other) | Pushed::Full(other) => refused.push(other),
                }
            }
            if asked_at.is_none() && step >= asks_at {
                match queue.push(owner, OWNER, now) {
                    Pushed::Waiting => asked_at = Some(step),
                    Pushed::Displaced(other) => {
                        asked_at = Some(step);
                        refused.push(other);
                    }
                    Pushed::Full(_) => {
                        outcomes.push(None);
                        asks_at = step + self.rest;
                    }
                }
            }
            for other in refused {
                if other == OWNER {
                    asked_at = None;
                    asks_at = step + self.rest;
                    outcomes.push(None);
                } else {
                    idle.push_back(other);
                }
            }
            while running.len() < WORKERS
                && let Some((ticket, who)) = queue.pop()
            {
                running.push_back((step + HASH_STEPS, ticket, who));
            }
        }
        outcomes
    }

    /// The slowest login of the owner; none may be refused.
    fn slowest_login(&self, owner: Ticket, steps: u64) -> u64 {
        let outcomes = self.run(owner, steps);
        assert!(outcomes.len() >= 4, "{outcomes:?}");
        let served = outcomes.iter().map(|steps| steps.expect("not refused"));
        let slowest = served.max().unwrap();
        println!("{} logins, the slowest took {slowest} ms", outcomes.len());
        slowest
    }
}

/// The owner at a known network.
fn owner() -> Ticket {
    ticket(1_000_000, true, Some(1))
}

#[test]
fn the_owner_gets_in_from_a_known_network_while_four_thousand_networks_ask() {
    let flood = Flood {
        networks: 4_000,
        connections: 1,
        is_known: false,
        rest: 7,
    };
    // At most the hash under way, one of a stranger, and its own.
    let slowest = flood.slowest_login(owner(), 6_000);
    assert!(slowest <= 3 * HASH_STEPS, "{slowest}");
}

#[test]
fn a_stranger_mostly_finds_no_slot_then() {
    let flood = Flood {
        networks: 4_000,
        connections: 1,
        is_known: false,
        rest: 7,
    };
    let outcomes = flood.run(stranger(1_000_000), 6_000);
    assert!(outcomes.iter().any(Option::is_none), "the flood is real");
}

/// Attackers with accounts of their own have known networks, too. An owner who returns has its turn before all that had
/// one meanwhile; one who asks again at once has it after each of them had one.
#[test]
fn the_owner_gets_in_while_attackers_with_accounts_of_their_own_log_in() {
    for (networks, connections) in [(80, 4), (500, 1), (500, 4)] {
        let round = u64::from(networks + 1) * HASH_STEPS / WORKERS as u64;
        for (rest, longest) in [(100, round + 2 * HASH_STEPS), (round + 100, 2 * HASH_STEPS)] {
            let flood = Flood {
                networks,
                connections,
                is_known: true,
                rest,
            };
            let slowest = flood.slowest_login(owner(), 30_000);
            assert!(
                slowest <= longest,
                "{slowest} ms among {networks} networks, after a rest of {rest} ms"
            );
        }
    }
}

/// More networks than slots: who comes back after all others had a turn gets in at once.
#[test]
fn a_stranger_who_returns_gets_in_among_more_networks_than_slots() {
    let networks = UNKNOWN_SLOTS as u32 + 200;
    let round = u64::from(networks + 1) * HASH_STEPS / WORKERS as u64;
    let flood = Flood {
        networks,
        connections: 1,
        is_known: false,
        rest: 2 * round,
    };
    let slowest = flood.slowest_login(stranger(1_000_000), 10 * round);
    assert!(slowest <= 2 * HASH_STEPS, "{slowest}");
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
            match push(&mut queue, ticket(number, is_known, key), item) {
                Pushed::Waiting => {}
                Pushed::Displaced(other) => prop_assert!(inside.remove(&other).is_some()),
                Pushed::Full(other) => {
                    prop_assert_eq!(other, item);
                    continue;
                }
            }
            inside.insert(item, number);
            prop_assert!(queue.len() <= KNOWN_SLOTS + UNKNOWN_SLOTS);
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
    fn the_network_with_the_earliest_turn_is_next_and_the_greatest_user_gives_way(
        steps in prop::collection::vec((0..90u32, 0..4u32), 0..600),
    ) {
        let mut queue = FairQueue::default();
        let (mut waiting, mut last_turns) = (vec![], [0; 90]);
        for (turn, (number, action)) in (1..).zip(steps) {
            let usage = |waiting: &[u32], number: u32| {
                let items = waiting.iter().filter(|other| **other == number).count();
                (items, last_turns[number as usize])
            };
            if action == 0 {
                let earliest = waiting.iter().map(|number| usage(&waiting, *number).1).min();
                let popped = queue.pop().map(|(_, number)| number);
                prop_assert_eq!(popped.map(|number| usage(&waiting, number).1), earliest);
                if let Some(number) = popped {
                    waiting.remove(waiting.iter().position(|other| *other == number).unwrap());
                    last_turns[number as usize] = turn;
                }
                continue;
            }
            let greatest = waiting.iter().map(|number| usage(&waiting, *number)).max();
            let (items, last_turn) = usage(&waiting, number);
            let is_full = waiting.len() == UNKNOWN_SLOTS;
            let gives_way = greatest.filter(|greatest| *greatest > (items + 1, last_turn));
            match push(&mut queue, stranger(number), number) {
                Pushed::Waiting => prop_assert!(!is_full),
                Pushed::Displaced(other) => {
                    prop_assert!(is_full);
                    prop_assert_eq!(Some(usage(&waiting, other)), gives_way);
                    waiting.remove(waiting.iter().rposition(|number| *number == other).unwrap());
                }
                Pushed::Full(_) => {
                    prop_assert!(is_full && gives_way.is_none());
                    continue;
                }
            }
            waiting.push(number);
        }
        prop_assert_eq!(queue.len(), waiting.len());
    }

    #[test]
    fn networks_that_wait_have_had_as_many_turns_give_or_take_one(
        numbers in prop::collection::vec(0..5u32, 1..48),
    ) {
        let mut queue = FairQueue::default();
        for number in &numbers {
            push(&mut queue, stranger(*number), *number);
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
