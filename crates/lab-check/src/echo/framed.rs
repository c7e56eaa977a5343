//! What only frames can show (task 13): a header of fixed length, then as many bytes as it says.

use super::messages::{AFTER_BASIC, longest};
use crate::check::Check;
use crate::connection::Wire;
use crate::failure::Failure;
use crate::target::Target;

/// The longest message that PROTOCOL.md promises: 1 MiB.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// How frames are put together again; the checks of long texts need these.
pub(super) const PIECES: &[Check<Target>] = &[
    Check {
        name: "header-pieces",
        task: 13,
        about: "a header that arrives in pieces is put together",
        hint: "One recv() may return less than a whole header. Read in a loop until all bytes of the header have come.",
        run: |target| {
            let mut client = target.connect()?;
            let wire = client.encode(b"hello");
            let header = wire.len() - b"hello".len();
            client.send_in_pieces(wire[..header].chunks(1).chain([&wire[header..]]))?;
            client.expect(b"hello")
        },
        ..AFTER_BASIC
    },
    Check {
        name: "payload-pieces",
        task: 13,
        about: "a payload that arrives in pieces is put together",
        hint: "One recv(length) may return less than length bytes. Read in a loop until the whole payload has come.",
        run: |target| {
            let mut client = target.connect()?;
            let wire = client.encode(b"hello, world");
            let (first, rest) = wire.split_at(wire.len() - 7);
            client.send_in_pieces([first, rest])?;
            client.expect(b"hello, world")
        },
        ..AFTER_BASIC
    },
    Check {
        name: "frames-together",
        task: 13,
        about: "five messages that arrive in one piece come back as five",
        hint: "What was read behind the first message belongs to the next one. Keep it, or read exactly the bytes of \
               one message.",
        run: |target| {
            let mut client = target.connect()?;
            let messages: [&[u8]; 5] = [b"one", b"two", b"three", b"four", b"five"];
            let wire: Vec<u8> = messages
                .iter()
                .flat_map(|message| client.encode(message))
                .collect();
            client.send(&wire)?;
            messages
                .iter()
                .try_for_each(|message| client.expect(message))
        },
        ..AFTER_BASIC
    },
];

pub(super) const CHECKS: &[Check<Target>] = &[
    Check {
        name: "empty",
        task: 13,
        about: "an empty message comes back: a header and nothing else",
        hint: "A length of 0 is a valid message, not the end of the stream. Only a read of 0 bytes where a header \
               should begin is the end.",
        run: |target| {
            let mut client = target.connect()?;
            client.echo(b"")?;
            client.echo(b"and on")
        },
        ..AFTER_BASIC
    },
    Check {
        name: "one-mib",
        task: 13,
        about: "a message of 1 MiB (or the header's longest) comes back whole",
        hint: "The receiver must collect the payload over many reads. A fixed buffer or a lower limit cuts it.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "payload-pieces",
            "longer",
            "long",
        ],
        run: |target| {
            let mut client = target.connect()?;
            let message = vec![b'm'; longest(target, MAX_MESSAGE_BYTES)];
            let wire = client.encode(&message);
            client.send_while_receiving(&wire, &[&message])
        },
        ..Check::REQUIRED
    },
    Check {
        name: "exit",
        task: 6,
        about: "the message exit ends the dialogue and is not echoed",
        hint: "The client's command to disconnect is the message that is exactly exit. The server closes that client's \
               connection and goes on with others.",
        run: |target| {
            let mut client = target.connect()?;
            client.send_message(b"exit")?;
            client.expect_close()
        },
        ..AFTER_BASIC
    },
    Check {
        name: "exit-inside",
        task: 6,
        about: "a message that only contains exit comes back",
        hint: "Compare the whole message with exit. A search for the word takes other texts for the command.",
        run: |target| {
            let mut client = target.connect()?;
            client.echo(b"exit now")?;
            client.echo(b" exit")
        },
        ..AFTER_BASIC
    },
    Check {
        name: "cut-header",
        task: 13,
        about: "a client that leaves inside a header does not harm other clients",
        hint: "The end of the stream may come inside a header. Handle it as an error of this one client.",
        run: |target| {
            let wire = target.wire().encode(b"hello");
            leave_after(target, &wire[..1])
        },
        ..AFTER_BASIC
    },
    Check {
        name: "cut-payload",
        task: 13,
        about: "a client that leaves inside a message does not harm other clients, and gets no echo of half a message",
        hint: "The end of the stream may come before the announced bytes. The rest is an error, not a message.",
        run: |target| {
            let wire = target.wire().encode(b"hello");
            leave_after(target, &wire[..wire.len() - 2])
        },
        ..AFTER_BASIC
    },
    Check {
        name: "giant",
        task: 13,
        about: "a header that promises the longest message (4 GiB with four bytes) does no harm, and the connection \
                is closed",
        hint: "Check the length against a limit before memory is reserved for it. Then close the connection, since the \
               stream cannot be read any further.",
        advice: true,
        run: |target| {
            let mut client = target.connect()?;
            let Wire::Framed(header) = target.wire() else {
                return Ok(());
            };
            client.send(&header.encode(usize::MAX))?;
            client.send(b"a few bytes")?;
            client.expect_close()
        },
        ..AFTER_BASIC
    },
    Check {
        name: "not-utf8",
        task: 13,
        about: "a message that is not UTF-8 does no harm, and is not taken as text",
        hint: "Decoding fails on such bytes; handle that as an error of this one client. Our protocol closes the \
               connection.",
        advice: true,
        run: |target| {
            let mut client = target.connect()?;
            client.send_message(b"\xd0\xff")?;
            client.expect_close()
        },
        ..AFTER_BASIC
    },
];

/// Sends a beginning of a frame and no more. The server closes without an answer.
fn leave_after(target: &Target, beginning: &[u8]) -> Result<(), Failure> {
    let mut client = target.connect()?;
    client.send(beginning)?;
    client.finish_sending()?;
    client.expect_close()
}
