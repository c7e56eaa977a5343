//! Every way in which a dialogue can go on or end.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(30);

fn framed() -> Progress {
    Progress::new(Wire::Framed { max_message: 16 }, TIMEOUT)
}

/// The status this long after the last progress, in words.
fn status_after(progress: &Progress, time: Duration) -> String {
    let mut state = progress.lock();
    let now = state.last_progress + time;
    match progress.check(&mut state, now) {
        Status::Over(Ok(())) => "done".into(),
        Status::Over(Err(error)) => error.to_string(),
        Status::OpenUntil(_) => "open".into(),
    }
}

/// Sends a message for which this much must come back.
fn send(progress: &Progress, amount: u64) {
    progress.expect(amount, b"");
    progress.sent(1);
}

#[test]
fn it_is_over_when_the_input_is_and_every_reply_came() {
    let progress = framed();
    send(&progress, 2);
    progress.end_sending(Ok(()), Digest::default());
    assert_eq!(progress.complete(1, b"", Digest::default()), 1);
    assert_eq!(status_after(&progress, Duration::from_secs(29)), "open");
    assert_eq!(progress.complete(1, b"", Digest::default()), 0);
    assert_eq!(
        status_after(&progress, Duration::ZERO),
        "open",
        "the server may say goodbye"
    );
    assert_eq!(status_after(&progress, CLOSE_GRACE), "done");
    progress.end_receiving(Ok(()));
    assert_eq!(status_after(&progress, Duration::ZERO), "done");
}

#[test]
fn nobody_is_hurried_while_nothing_is_owed() {
    let progress = framed();
    assert_eq!(status_after(&progress, TIMEOUT * 100), "open");
    send(&progress, 1);
    assert_eq!(
        status_after(&progress, TIMEOUT),
        "no progress for 30 s with 1 message unanswered; --timeout waits longer"
    );
}

#[test]
fn a_slow_reader_of_the_output_is_not_the_servers_fault() {
    let progress = framed();
    send(&progress, 3);
    progress.received(100, true);
    assert_eq!(status_after(&progress, TIMEOUT * 100), "open");
    progress.complete(1, b"", Digest::default());
    assert!(status_after(&progress, TIMEOUT).contains("2 messages unanswered"));
}

#[test]
fn a_server_that_leaves_too_early_is_an_error() {
    let progress = framed();
    send(&progress, 3);
    progress.end_sending(Ok(()), Digest::default());
    progress.end_receiving(Ok(()));
    assert_eq!(
        status_after(&progress, Duration::ZERO),
        "the server closed the connection with 3 messages unanswered"
    );

    let progress = Progress::new(Wire::Raw, TIMEOUT);
    send(&progress, 1);
    progress.end_receiving(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()));
    let expected = status_after(&progress, Duration::ZERO);
    assert_eq!(
        expected,
        "the connection to the server broke (connection reset) with 1 byte unanswered"
    );

    let progress = framed();
    progress.end_receiving(Ok(()));
    let expected = status_after(&progress, Duration::ZERO);
    assert_eq!(
        expected,
        "the server closed the connection before the end of the input: it stops, or received nothing for its \
         idle time; connect again"
    );
}

#[test]
fn a_server_that_leaves_inside_a_reply_owes_it() {
    let progress = framed();
    send(&progress, 1);
    let cut = RecvError::CutOffPayload {
        received: 3,
        length: 5,
    };
    progress.end_receiving(Err(cut));
    assert_eq!(
        status_after(&progress, Duration::ZERO),
        "the connection to the server broke (the stream ended after 3 of the 5 bytes of a payload) with \
         1 message unanswered"
    );
}

#[test]
fn a_wrong_reply_explains_more_than_the_end_of_the_connection() {
    let progress = framed();
    progress.expect(2, b"hello");
    progress.sent(5);
    progress.complete(1, b"he", Digest::default());
    progress.end_receiving(Ok(()));
    let closed = "the server closed the connection with 1 message unanswered";
    assert_eq!(status_after(&progress, Duration::ZERO), closed);
    progress.complete(1, b"LL", Digest::default());
    progress.end_receiving(Ok(()));
    let wrong = "what came back is not what was sent, so this is not an echo server";
    assert_eq!(status_after(&progress, Duration::ZERO), wrong);
}

#[test]
fn a_bad_line_is_reported_after_the_replies_to_good_ones() {
    let progress = framed();
    send(&progress, 1);
    let error = Error::LineNotUtf8 {
        line: 2,
        valid_up_to: 0,
    };
    progress.end_sending(Err(error), Digest::default());
    assert_eq!(status_after(&progress, Duration::from_secs(29)), "open");
    progress.complete(1, b"", Digest::default());
    assert!(status_after(&progress, CLOSE_GRACE).starts_with("line 2 is not UTF-8"));
}

#[test]
fn what_is_sent_is_reported_before_what_came_of_it() {
    let progress = framed();
    progress.expect(0, b"");
    progress.end_sending(Ok(()), Digest::default());
    progress.end_receiving(Ok(()));
    assert_eq!(status_after(&progress, Duration::ZERO), "open");
    progress.sent(8);
    assert_eq!(status_after(&progress, Duration::ZERO), "done");
}

#[test]
fn without_an_output_it_is_over_at_once() {
    let progress = framed();
    send(&progress, 1);
    progress.stop(Error::Output(io::ErrorKind::BrokenPipe.into()));
    assert_eq!(
        status_after(&progress, Duration::ZERO),
        "cannot write the output: broken pipe"
    );
}
