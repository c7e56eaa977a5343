//! Many clients, and clients that misbehave: each gets its own data, and none harms another.

use std::time::Duration;

use socket2::SockRef;

use super::messages::AFTER_BASIC;
use crate::check::Check;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::target::Target;

const MANY: usize = 50;
const VISITS: usize = 100;

pub(super) const CHECKS: &[Check<Target>] = &[
    Check {
        name: "silent-visit",
        task: 7,
        about: "a client that leaves without a word does not harm other clients",
        hint: "recv() returns 0 bytes when the client has left. That is the end of this client, not of the server.",
        run: |target| {
            target.connect()?.leave();
            Ok(())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "reset",
        task: 7,
        about: "a client that resets its connection does not harm other clients",
        hint: "recv() or send() fails with connection reset (ConnectionResetError) when the client has crashed. Catch \
               the error and serve the next client.",
        run: |target| {
            let mut client = target.connect()?;
            client.echo(b"hello")?;
            client.send_message(b"and gone")?;
            reset(client)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "unread",
        task: 7,
        about: "a client that sends much, reads nothing and vanishes does not harm other clients",
        hint: "The server blocks in send() until the client reads or leaves, and then gets an error. Only this client \
               may notice.",
        run: |target| {
            let mut client = target.connect()?;
            let message = vec![b'u'; super::messages::longest(target, 50_000)];
            // The server may stop reading at some point; that is its right.
            let _ = client
                .socket()
                .set_write_timeout(Some(Duration::from_millis(300)));
            for _ in 0..100 {
                if client.send_message(&message).is_err() {
                    break;
                }
            }
            reset(client)
        },
        ..AFTER_BASIC
    },
    Check {
        name: "visits",
        task: 7,
        about: "100 clients in a row are served",
        hint: "Something runs out after some clients: sockets that are not closed, or threads that never end. Close \
               each client's socket.",
        run: |target| {
            (0..VISITS)
                .try_for_each(|visit| target.connect()?.echo(format!("visit {visit}").as_bytes()))
        },
        ..AFTER_BASIC
    },
    Check {
        name: "two-clients",
        task: 7,
        about: "a second client is served while the first one is connected",
        hint: "The server serves one client at a time: the second waits until the first has left. Give each client a \
               thread (accept in the main loop, the dialogue in the thread).",
        run: |target| {
            let mut first = target.connect()?;
            first.echo(b"I stay")?;
            target.connect()?.echo(b"me too")?;
            first.echo(b"still here")
        },
        ..AFTER_BASIC
    },
    Check {
        name: "silent-client",
        task: 7,
        about: "a client that says nothing does not delay another",
        hint: "The server waits for the first message before it accepts the next client. Start the client's thread \
               right after accept().",
        needs: &["text", "reconnect", "no-newline", "turns", "two-clients"],
        run: |target| {
            let silent = target.connect()?;
            let served = target.connect()?.echo(b"hello");
            drop(silent);
            served
        },
        ..Check::REQUIRED
    },
    Check {
        name: "own-data",
        task: 7,
        about: "two clients in turn each get their own data",
        hint: "Clients share a variable that should be each thread's own, or the server answers all of them. Keep the \
               buffer and the socket local to the thread.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "two-clients",
            "silent-client",
        ],
        run: |target| {
            let (mut first, mut second) = (target.connect()?, target.connect()?);
            for turn in 0..20 {
                let (one, two) = (format!("first {turn}"), format!("second {turn}"));
                first.send_message(one.as_bytes())?;
                second.send_message(two.as_bytes())?;
                second.expect(two.as_bytes())?;
                first.expect(one.as_bytes())?;
            }
            Ok(())
        },
        ..Check::REQUIRED
    },
    Check {
        name: "fifty-clients",
        task: 7,
        about: "50 clients at once are all served",
        hint: "The server has a limit on clients that is too low, such as listen(1) with a slow accept() or a small \
               pool. Give each client a thread.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "two-clients",
            "silent-client",
            "own-data",
        ],
        run: |target| {
            let clients: Result<Vec<_>, _> = (0..MANY).map(|_| target.connect()).collect();
            let mut clients = clients?;
            for (number, client) in clients.iter_mut().enumerate() {
                client.send_message(format!("client {number}").as_bytes())?;
            }
            for (number, client) in clients.iter_mut().enumerate() {
                client.expect(format!("client {number}").as_bytes())?;
            }
            Ok(())
        },
        ..Check::REQUIRED
    },
];

/// Ends the connection with a reset instead of an orderly close.
fn reset(client: Connection) -> Result<(), Failure> {
    let set = SockRef::from(client.socket()).set_linger(Some(Duration::ZERO));
    set.map_err(|error| client.failure(format!("the connection cannot be reset: {error}")))?;
    client.leave();
    Ok(())
}
