//! What the book says of every turn that a conversation can take.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(30);

fn framed() -> Ledger {
    Ledger::new(Wire::Framed { max_message: 16 }, TIMEOUT)
}

/// What the book says this long after something last moved, in words.
fn look_after(ledger: &Ledger, time: Duration) -> String {
    let mut state = ledger.lock();
    let now = state.progress + time;
    match ledger.look(&mut state, now) {
        Finding::Over(Ok(())) => "done".into(),
        Finding::Over(Err(error)) => error.to_string(),
        Finding::OpenUntil(_) => "open".into(),
    }
}

/// Sends what will be owed so much.
fn send(ledger: &Ledger, amount: u64) {
    ledger.owe(amount);
    ledger.sent(1);
}

#[test]
fn it_is_over_when_the_input_is_and_every_reply_came() {
    let ledger = framed();
    send(&ledger, 2);
    ledger.end_sending(Ok(()), Digest::default());
    assert_eq!(ledger.settle(1, Digest::default()), 1);
    assert_eq!(look_after(&ledger, Duration::from_secs(29)), "open");
    assert_eq!(ledger.settle(1, Digest::default()), 0);
    assert_eq!(
        look_after(&ledger, Duration::ZERO),
        "open",
        "the server may say goodbye"
    );
    assert_eq!(look_after(&ledger, FAREWELL), "done");
    ledger.end_receiving(Ok(()));
    assert_eq!(look_after(&ledger, Duration::ZERO), "done");
}

#[test]
fn nobody_is_hurried_while_nothing_is_owed() {
    let ledger = framed();
    assert_eq!(look_after(&ledger, TIMEOUT * 100), "open");
    send(&ledger, 1);
    assert_eq!(
        look_after(&ledger, TIMEOUT),
        "nothing moved for 30 s while the server owed 1 message; --timeout waits longer"
    );
}

#[test]
fn a_slow_reader_of_the_output_is_not_the_servers_fault() {
    let ledger = framed();
    send(&ledger, 3);
    ledger.received(100, true);
    assert_eq!(look_after(&ledger, TIMEOUT * 100), "open");
    ledger.settle(1, Digest::default());
    assert!(look_after(&ledger, TIMEOUT).contains("owed 2 messages"));
}

#[test]
fn a_server_that_leaves_too_early_is_told() {
    let ledger = framed();
    send(&ledger, 3);
    ledger.end_sending(Ok(()), Digest::default());
    ledger.end_receiving(Ok(()));
    assert_eq!(
        look_after(&ledger, Duration::ZERO),
        "the server closed the connection while it owed 3 messages"
    );

    let ledger = Ledger::new(Wire::Raw, TIMEOUT);
    send(&ledger, 1);
    ledger.end_receiving(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()));
    let told = look_after(&ledger, Duration::ZERO);
    assert_eq!(
        told,
        "the connection to the server broke (connection reset) while it owed 1 byte"
    );

    let ledger = framed();
    ledger.end_receiving(Ok(()));
    let told = look_after(&ledger, Duration::ZERO);
    assert_eq!(
        told,
        "the server closed the connection before the end of the input: it stops, or heard nothing for its idle time; connect again"
    );
}

#[test]
fn a_server_that_leaves_inside_a_reply_owes_it() {
    let ledger = framed();
    send(&ledger, 1);
    let cut = RecvError::CutOffPayload {
        received: 3,
        length: 5,
    };
    ledger.end_receiving(Err(cut));
    assert_eq!(
        look_after(&ledger, Duration::ZERO),
        "the connection to the server broke (the stream ended after 3 of the 5 bytes of a payload) while it owed 1 message"
    );
}

#[test]
fn a_bad_line_is_told_after_the_replies_to_good_ones() {
    let ledger = framed();
    send(&ledger, 1);
    let error = Error::LineNotUtf8 {
        line: 2,
        valid_up_to: 0,
    };
    ledger.end_sending(Err(error), Digest::default());
    assert_eq!(look_after(&ledger, Duration::from_secs(29)), "open");
    ledger.settle(1, Digest::default());
    assert!(look_after(&ledger, FAREWELL).starts_with("line 2 is not UTF-8"));
}

#[test]
fn what_is_sent_is_told_before_what_came_of_it() {
    let ledger = framed();
    ledger.owe(0);
    ledger.end_sending(Ok(()), Digest::default());
    ledger.end_receiving(Ok(()));
    assert_eq!(look_after(&ledger, Duration::ZERO), "open");
    ledger.sent(8);
    assert_eq!(look_after(&ledger, Duration::ZERO), "done");
}

#[test]
fn without_an_output_it_is_over_at_once() {
    let ledger = framed();
    send(&ledger, 1);
    ledger.stop(Error::Output(io::ErrorKind::BrokenPipe.into()));
    assert_eq!(
        look_after(&ledger, Duration::ZERO),
        "cannot write the output: broken pipe"
    );
}
