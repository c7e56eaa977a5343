//! The exchange in the protocol's document, held against the link.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proto::chat::Json;
use proto::chat::{Body, Reason};

use super::ms;
use super::simulation::{Simulation, Weather};

const DOCUMENT: &str = include_str!("../../../../proto/PROTOCOL.md");

#[test]
fn the_link_speaks_as_the_document_says() {
    let (_, rest) = DOCUMENT.split_once("```exchange\n").unwrap();
    let (exchange, _) = rest.split_once("```\n").unwrap();

    let weather = Weather {
        delay: ms(50),
        ..Weather::default()
    };
    let mut simulation = Simulation::new(0, [weather; 2]);
    let start = simulation.now;
    let said = Rc::new(RefCell::new(String::new()));
    let log = Rc::clone(&said);
    simulation.sieve = Some(Box::new(move |now, side, datagram| {
        let mut bytes = Vec::new();
        datagram.encode(&mut bytes).unwrap();
        let json = String::from_utf8(bytes).unwrap();
        let sent = line(now - start, side, "sends", &json);
        let lost = line(now - start, side, "loses", &json);
        let dropped = exchange.contains(&lost);
        log.borrow_mut()
            .push_str(if dropped { &lost } else { &sent });
        dropped
    }));

    for step in exchange.lines() {
        let words: Vec<_> = step.split_whitespace().collect();
        let [at, "ms", side, verb, ..] = words[..] else {
            panic!("{step}")
        };
        let side = usize::from(side == "B");
        if !["writes", "quits"].contains(&verb) {
            continue;
        }
        let at = ms(at.parse().unwrap());
        simulation.run((start + at).saturating_duration_since(simulation.now));
        if verb == "quits" {
            said.borrow_mut().push_str(&format!("{step}\n"));
            simulation.sides[side]
                .link
                .close(Reason::Quit, simulation.now);
        } else {
            let (_, message) = step.split_once("writes  ").unwrap();
            said.borrow_mut().push_str(&line(at, side, verb, message));
            let message: Json = serde_json::from_str(message).unwrap();
            simulation.sides[side]
                .link
                .send(Body::new(&message).unwrap())
                .unwrap();
        }
        simulation.settle();
    }
    simulation.run(Duration::from_secs(60));
    assert_eq!(*said.borrow(), exchange);
}

fn line(time: Duration, side: usize, verb: &str, what: &str) -> String {
    format!(
        "{:>5} ms  {} {verb:<6}  {what}\n",
        time.as_millis(),
        ["A", "B"][side]
    )
}
