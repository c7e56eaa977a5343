//! Two links and all that may happen to them, out of any bytes: what their owners do, what the
//! network does with their datagrams, and what a stranger who knows the session sends.

// Named, since the fuzz target finds this module by its path, too.
#[path = "script.rs"]
mod script;

use std::time::{Duration, Instant};

use proto::chat::{Body, Datagram, MAX_DATAGRAM_BYTES, Ranges, Reason, SessionId};
use udp_chat::{Event, Link, MAX_WAITING, WINDOW};

use script::Script;

const SESSION: SessionId = SessionId::from_bytes([0x11; 16]);
const ANOTHER: SessionId = SessionId::from_bytes([0x22; 16]);

/// Datagrams under way to an end; of more the oldest is lost.
const MAX_AIR: usize = 256;

/// Beyond it a link's state is too long to be written down for each datagram.
const FEW: usize = 64;

/// A script is of letters, most with a byte after them: `0` to `9` and on. Its lowest bit says for
/// which of the ends, the others how many or which one. What is no letter means nothing.
///
/// | letter | what happens |
/// | --- | --- |
/// | `s` | the end's owner has messages, short or long |
/// | `d` `D` `l` | a datagram arrives, a copy of it arrives, it is lost |
/// | `w` `o` | time passes (the square of the byte, in milliseconds); both owners oversleep it |
/// | `i` | the owner looks away from what its link tells, or back |
/// | `b` `q` | the peer was reached beside the link; the owner says bye |
/// | `c` | a stranger changes a byte of a datagram, which arrives |
/// | `f` `F` | a stranger sends a datagram of this session, of another one |
/// | `r` | a stranger sends the bytes up to the next line |
pub fn check(script: &[u8]) {
    let (mut script, mut world) = (Script::new(script), World::new());
    while let Some(letter) = script.byte() {
        world.take(letter, &mut script);
        world.settle();
    }
    world.finish();
}

struct World {
    now: Instant,
    ends: [End; 2],
    /// What is under way to each.
    air: [Vec<Vec<u8>>; 2],
    /// A stranger was believed: messages may be others then, but nothing may break or grow.
    deceived: bool,
}

/// A link, and what its owner knows.
struct End {
    link: Link,
    /// The messages given to it, in JSON.
    said: Vec<String>,
    heard: usize,
    confirmed: u64,
    over: bool,
    looks_away: bool,
    /// The latest number, acknowledgement and ping that it sent.
    seq: u64,
    ack: u64,
    ping: u64,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let end = || End {
            link: Link::new(SESSION, now),
            said: vec![],
            heard: 0,
            confirmed: 0,
            over: false,
            looks_away: false,
            seq: 0,
            ack: 0,
            ping: 0,
        };
        Self {
            now,
            ends: [end(), end()],
            air: [vec![], vec![]],
            deceived: false,
        }
    }

    fn take(&mut self, letter: u8, script: &mut Script<'_>) {
        match letter {
            b's' => {
                let (side, number) = script.side_and_number();
                self.ends[side].say(number);
            }
            b'd' | b'D' | b'l' => {
                let (side, number) = script.side_and_number();
                let air = &mut self.air[side];
                if air.is_empty() {
                    return;
                }
                let at = number % air.len();
                let bytes = if letter == b'D' {
                    air[at].clone()
                } else {
                    air.remove(at)
                };
                if letter != b'l' {
                    self.arrive(side, &bytes);
                }
            }
            b'w' => self.wait(square_ms(script.number())),
            b'o' => {
                self.now += square_ms(script.number());
                self.handle_timeouts();
            }
            b'i' => {
                let end = &mut self.ends[script.number() & 1];
                end.looks_away = !end.looks_away;
            }
            b'b' => self.ends[script.number() & 1].link.resume(self.now),
            b'q' => {
                let link = &mut self.ends[script.number() & 1].link;
                link.close(Reason::Quit, self.now);
            }
            b'c' => {
                let (side, number) = script.side_and_number();
                let (at, byte) = (script.number(), script.byte());
                if let Some(mut bytes) = self.air[side].get(number).cloned() {
                    let at = at % bytes.len();
                    bytes[at] = byte.unwrap_or(0);
                    self.intrude(side, &bytes);
                }
            }
            b'f' | b'F' => {
                let session = if letter == b'f' { SESSION } else { ANOTHER };
                let side = script.number() & 1;
                let mut bytes = vec![];
                // What is too long is never on the wire.
                if script.forge(session, &mut bytes) {
                    self.intrude(side, &bytes);
                }
            }
            b'r' => {
                let side = script.number() & 1;
                self.intrude(side, script.line());
            }
            _ => {}
        }
    }

    /// One of the two has sent it.
    fn arrive(&mut self, side: usize, bytes: &[u8]) {
        let datagram = Datagram::decode(bytes).expect("a link's datagrams are such");
        self.ends[side].link.handle(&datagram, self.now);
    }

    /// Somebody else has.
    fn intrude(&mut self, side: usize, bytes: &[u8]) {
        let end = &mut self.ends[side];
        let few = end.link.unconfirmed().count() <= FEW;
        let state = |link: &Link| {
            if few {
                format!("{link:?}")
            } else {
                String::new()
            }
        };
        let before = state(&end.link);
        let Ok(datagram) = Datagram::decode(bytes) else {
            return;
        };
        let useful = end.link.handle(&datagram, self.now);
        if !useful {
            assert_eq!(state(&end.link), before, "after {datagram:?}");
        }
        let foreign = datagram.session() != Some(SESSION);
        let untrue = match &datagram {
            Datagram::Data(data) => end.never_sent(data.ack, &data.ranges),
            Datagram::Ack(ack) => end.never_sent(ack.ack, &ack.ranges),
            _ => false,
        };
        assert!(!useful || !(foreign || untrue), "{datagram:?} is believed");
        self.deceived |= useful;
    }

    /// Lets time pass, with all that is due on the way.
    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.deadline().filter(|&at| at <= until) {
            self.now = at;
            self.handle_timeouts();
            self.settle();
        }
        self.now = until;
    }

    fn deadline(&self) -> Option<Instant> {
        let deadlines = self.ends.iter().filter_map(|end| end.link.deadline());
        deadlines.min()
    }

    fn handle_timeouts(&mut self) {
        for end in &mut self.ends {
            end.link.handle_timeout(self.now);
        }
    }

    /// Takes from both what they send and tell.
    fn settle(&mut self) {
        for side in 0..2 {
            let [arrived, said] = {
                let other = &self.ends[1 - side];
                [other.link.arrived(), other.said.len() as u64]
            };
            let end = &mut self.ends[side];
            let air = &mut self.air[1 - side];
            end.transmit(self.now, air);
            air.drain(..air.len().saturating_sub(MAX_AIR));
            let events = end.listen();
            if !self.deceived {
                assert!(self.ends[side].confirmed <= arrived, "what did not arrive");
                assert!(self.ends[side].ack <= said, "what was never said");
                let heard = self.ends[side].heard;
                let expected = &self.ends[1 - side].said[heard - events.len()..heard];
                assert_eq!(events, expected, "once and in order");
            }
        }
    }

    /// The network is good from now on: all that was said arrives, or its author knows better. Who
    /// was deceived may wait for ever.
    fn finish(&mut self) {
        self.ends.iter_mut().for_each(|end| end.looks_away = false);
        self.settle();
        let seconds = if self.deceived { 10 } else { 180 };
        let end_at = self.now + Duration::from_secs(seconds);
        while self.now < end_at && !self.ends.iter().all(End::is_done) {
            while let Some(side) = (0..2).find(|&side| !self.air[side].is_empty()) {
                let bytes = self.air[side].remove(0);
                self.arrive(side, &bytes);
                self.settle();
            }
            let next = self.deadline().unwrap_or(end_at);
            self.wait(next.saturating_duration_since(self.now));
        }
        let done = self.ends.iter().all(End::is_done);
        assert!(done || self.deceived, "neither confirmed nor given up");
    }
}

impl End {
    fn say(&mut self, number: usize) {
        let length = if number % 4 == 3 { 900 } else { 0 };
        for _ in 0..=number % 40 {
            let text = format!("{}{}", self.said.len() + 1, "x".repeat(length));
            let message = Body::new(&text).expect("it is short");
            match self.link.send(message.clone()) {
                Ok(seq) => {
                    self.said.push(message.as_json().get().to_owned());
                    assert_eq!(seq, self.said.len() as u64);
                }
                Err(_) => return assert!(self.link.unconfirmed().count() >= MAX_WAITING),
            }
        }
    }

    fn never_sent(&self, ack: u64, ranges: &Ranges) -> bool {
        let cannot_be = |&(from, to): &(u64, u64)| from <= ack || from > to || to > self.seq;
        ack > self.seq || ranges.iter().any(cannot_be)
    }

    fn transmit(&mut self, now: Instant, air: &mut Vec<Vec<u8>>) {
        let through = (self.said.len() - self.link.unconfirmed().count()) as u64;
        let window = WINDOW as u64;
        let mut count = 0;
        while let Some(datagram) = self.link.poll_transmit(now) {
            let mut bytes = vec![];
            datagram.encode(&mut bytes).expect("a link's datagrams fit");
            assert!(bytes.len() <= MAX_DATAGRAM_BYTES);
            assert_eq!(datagram.session(), Some(SESSION));
            match &datagram {
                Datagram::Data(data) => {
                    assert!((through + 1..=through + window).contains(&data.seq));
                    assert_eq!(data.message.get(), self.said[data.seq as usize - 1]);
                    self.seq = self.seq.max(data.seq);
                    check_ack(&mut self.ack, data.ack, &data.ranges);
                }
                Datagram::Ack(ack) => check_ack(&mut self.ack, ack.ack, &ack.ranges),
                Datagram::Ping(ping) => {
                    assert!(ping.id > self.ping, "every ping has a number of its own");
                    self.ping = ping.id;
                }
                _ => {}
            }
            air.push(bytes);
            count += 1;
            assert!(count <= WINDOW + 3, "{count} datagrams at once");
        }
        if let Some(at) = self.link.deadline() {
            assert!(at > now, "all that was due is done");
        }
    }

    /// The messages that have come.
    fn listen(&mut self) -> Vec<String> {
        let mut messages = vec![];
        while !self.looks_away
            && let Some(event) = self.link.poll_event()
        {
            assert!(!self.over, "{event:?} after the end");
            match event {
                Event::Arrived(message) => messages.push(message.get().to_owned()),
                Event::Delivered { through } => {
                    assert!(through > self.confirmed && through <= self.seq);
                    self.confirmed = through;
                }
                Event::Writable => {}
                Event::Ended(_) => self.over = true,
            }
        }
        self.heard += messages.len();
        assert!(messages.len() <= 3 * WINDOW, "so many were kept");
        if !self.looks_away {
            let unconfirmed = self.link.unconfirmed().count();
            assert_eq!(self.confirmed as usize + unconfirmed, self.said.len());
            assert_eq!(self.heard as u64, self.link.arrived());
            assert_eq!(self.over, self.link.deadline().is_none());
        }
        messages
    }

    fn is_done(&self) -> bool {
        self.over || self.link.unconfirmed().next().is_none()
    }
}

/// Acknowledgements only grow, and ranges are apart, in order, and within the window.
fn check_ack(latest: &mut u64, ack: u64, ranges: &Ranges) {
    assert!(ack >= *latest, "{ack} after {latest}");
    *latest = ack;
    let mut last = ack;
    for &(from, to) in ranges {
        assert!(last + 1 < from && from <= to, "{ranges:?} beyond {ack}");
        last = to;
    }
    assert!(last <= ack + WINDOW as u64);
}

fn square_ms(number: usize) -> Duration {
    Duration::from_millis((number * number) as u64)
}
