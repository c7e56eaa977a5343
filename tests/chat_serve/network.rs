//! Bad networks: loss, doubles, reordering, new ports, a server that was away.

use std::time::Duration;

use chat_link::message::Request;
use testbed::{Folder, NetProfile, Relay};

use crate::client::Client;
use crate::{program, server};

const STORM: NetProfile = NetProfile {
    loss: 0.2,
    duplicated: 0.1,
    delay: Duration::from_millis(2),
    jitter: Duration::from_millis(20),
};

#[test]
fn at_high_load_every_member_gets_every_text_once_and_in_order() {
    const NICKS: [&str; 6] = ["Anna", "Борис", "Chloé", "大輔", "Eve", "😀"];
    const TEXTS: usize = 30;
    let server = server(&[]);
    let relay = Relay::start(server.await_address(), STORM, 1);
    let clients = NICKS.map(|nick| Client::join(relay.address(), nick));
    for number in 0..TEXTS {
        for (client, nick) in clients.iter().zip(NICKS) {
            let long = "ж".repeat(if number == 7 { 2_000 } else { 0 });
            client.say(&format!("{nick} {number} {long}"));
        }
        if number == TEXTS / 2 {
            clients[0].wait("half of it", |seen| seen.texts().count() > TEXTS);
            relay.rebind();
        }
    }
    for (client, own) in clients.iter().zip(NICKS) {
        client.wait("the last text of all", |seen| {
            seen.texts().count() >= (NICKS.len() - 1) * TEXTS
        });
        client.wait("all confirmations", |seen| seen.unacknowledged == 0);
        for nick in NICKS.into_iter().filter(|&nick| nick != own) {
            let texts = client.texts_from(nick);
            assert_eq!(texts.len(), TEXTS, "from {nick} to {own}");
            for (number, text) in texts.iter().enumerate() {
                assert!(text.starts_with(&format!("{nick} {number} ")), "{text}");
            }
        }
        client.wait("one session all along", |seen| seen.sessions == 1);
    }
    server.log().wait_for("Anna moved from 127.0.0.1:");
}

#[test]
fn a_server_with_simulated_loss_still_delivers_everything() {
    let server = server(&["--drop", "20", "--trace"]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    let boris = Client::join(address, "Boris");
    for number in 0..40 {
        anna.say(&number.to_string());
    }
    boris.wait_for_text("Anna", "39");
    assert_eq!(
        boris.texts_from("Anna"),
        (0..40).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    let log = server.log();
    for line in [
        "trace: Anna: received packet ",
        "trace: Boris: sent packet ",
        "message 2 {\"type\":\"say\"",
    ] {
        log.wait_for(line);
    }
}

#[test]
fn a_member_that_vanishes_times_out_without_effect_on_others() {
    let server = server(&[]);
    let address = server.await_address();
    let anna = Client::join(address, "Anna");
    let boris = Client::join(address, "Boris");
    // Its socket closes without a bye, so what is sent to it comes back as an ICMP error.
    boris.vanish();
    let clara = Client::join(address, "Clara");
    for number in 0..20 {
        anna.say(&number.to_string());
    }
    clara.wait_for_text("Anna", "19");
    clara.say("heard");
    anna.wait_for_text("Clara", "heard");
}

#[test]
fn clients_come_back_to_a_server_that_was_started_again() {
    let folder = Folder::new();
    let first = program(&[]).in_folder(&folder).spawn();
    let relay = Relay::start(first.await_address(), NetProfile::default(), 1);
    let anna = Client::join(relay.address(), "Anna");
    let boris = Client::join(relay.address(), "Boris");
    anna.say("before");
    boris.wait_for_text("Anna", "before");

    first.kill();
    let second = program(&[]).in_folder(&folder).spawn();
    relay.set_server(second.await_address());
    // They notice when they have something to say.
    anna.ask(&Request::Who);
    boris.ask(&Request::Who);
    for client in [&anna, &boris] {
        client.wait("a second session", |seen| seen.sessions == 2);
    }
    anna.say("after");
    boris.wait_for_text("Anna", "after");
    // The second session begins with the history, if "before" had reached the disk when the server was killed.
    let texts = boris.texts_from("Anna");
    let is_right = texts == ["before", "after"] || texts == ["before", "before", "after"];
    assert!(is_right, "{texts:?}");
}
