//! One client and what it sends: every byte comes back, in order and unchanged.

use crate::check::Check;
use crate::target::Target;

/// The first four: without them no other check means anything.
pub(super) const BASIC: &[&str] = &["text", "reconnect", "no-newline", "turns"];

/// A check that means something only once the basic ones have passed.
pub(super) const AFTER_BASIC: Check<Target> = Check {
    needs: BASIC,
    ..Check::REQUIRED
};

/// What everything else needs.
pub(super) const BASIC_CHECKS: &[Check<Target>] = &[
    Check {
        name: "text",
        task: 1,
        about: "a line of text comes back",
        hint: "The server must send back what it received, and nothing of its own, on the accepted socket. If it \
               speaks raw bytes, another header or TLS, give --raw, --header or --tls here.",
        run: |target| target.connect()?.echo(b"hello\n"),
        ..Check::REQUIRED
    },
    Check {
        name: "reconnect",
        task: 7,
        about: "after a client has disconnected the next one is served",
        hint: "The server must go back to accept() after a client has left. Put accept() inside a loop.",
        needs: &["text"],
        run: |target| {
            target.connect()?.echo(b"first visit\n")?;
            target.connect()?.echo(b"second visit\n")
        },
        ..Check::REQUIRED
    },
    Check {
        name: "no-newline",
        task: 1,
        about: "text without a line end comes back at once",
        hint: "TCP has no lines: the server must answer what has arrived. A readLine() waits for a line end that may \
               never come.",
        needs: &["text", "reconnect"],
        run: |target| target.connect()?.echo(b"hello"),
        ..Check::REQUIRED
    },
    Check {
        name: "turns",
        task: 6,
        about: "100 messages in turn come back on one connection",
        hint: "The server must read in a loop until the client disconnects. A server that reads once and closes passes \
               only the first message.",
        needs: &["text", "reconnect", "no-newline"],
        run: |target| {
            let mut client = target.connect()?;
            (0..100).try_for_each(|turn| client.echo(format!("message {turn}").as_bytes()))
        },
        ..Check::REQUIRED
    },
];

/// Texts of every kind and length.
pub(super) const CHECKS: &[Check<Target>] = &[
    Check {
        name: "white-space",
        task: 1,
        about: "blanks, tabs and line ends come back unchanged",
        hint: "The server changes the text, for example with strip() or trim(). An echo server must not look into what \
               it sends back.",
        run: |target| target.connect()?.echo(b" \tblanks\r\n\r\nand line ends \n"),
        ..AFTER_BASIC
    },
    Check {
        name: "cyrillic",
        task: 1,
        about: "Cyrillic text comes back (2 bytes a letter in UTF-8)",
        hint: "The text is cut or changed when it has other letters than English ones. Count the bytes after encoding, \
               not the characters before it.",
        run: |target| target.connect()?.echo("Привет, Аня!".as_bytes()),
        ..AFTER_BASIC
    },
    Check {
        name: "emoji",
        task: 1,
        about: "emoji come back (4 bytes in UTF-8)",
        hint: "The server cannot store characters outside the basic plane. Use UTF-8 everywhere, and count bytes.",
        needs: &["text", "reconnect", "no-newline", "turns", "cyrillic"],
        run: |target| target.connect()?.echo("🙂👩‍🚀🇷🇺".as_bytes()),
        ..Check::REQUIRED
    },
    Check {
        name: "nul",
        task: 1,
        about: "NUL bytes inside the text come back",
        hint: "A C string ends at the first NUL byte, so strlen() is too short. Use the number of bytes that recv() \
               returned.",
        run: |target| target.connect()?.echo(b"before\0after\0"),
        ..AFTER_BASIC
    },
    Check {
        name: "portion",
        task: 1,
        about: "exactly 1,024 bytes come back, the size of one portion",
        hint: "A buffer of 1,024 bytes is full here, and a place for a final NUL is missing. Check the size of the \
               buffer.",
        needs: &["text", "reconnect", "no-newline", "turns", "payload-pieces"],
        run: |target| target.connect()?.echo(&[b'p'; 1_024]),
        ..Check::REQUIRED
    },
    Check {
        name: "longer",
        task: 1,
        about: "1,025 bytes come back, one more than a portion",
        hint: "What does not fit in one portion must be read in the next one. Read in a loop, and answer each portion.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "portion",
            "payload-pieces",
        ],
        run: |target| target.connect()?.echo(&numbered(1_025)),
        ..Check::REQUIRED
    },
    Check {
        name: "long",
        task: 1,
        about: "60,000 bytes come back in order",
        hint: "A long text arrives in many pieces. Keep reading, and send all of each piece (sendall in Python).",
        needs: &["text", "reconnect", "no-newline", "turns", "longer"],
        run: |target| target.connect()?.echo(&numbered(longest(target, 60_000))),
        ..Check::REQUIRED
    },
    Check {
        name: "cyrillic-split",
        task: 1,
        about: "a Cyrillic letter that is split at byte 1,024 comes back whole",
        hint: "A portion of 1,024 bytes may end in the middle of a letter, so it cannot be decoded by itself. Send \
               back bytes, or decode only the whole text.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "cyrillic",
            "longer",
        ],
        run: |target| {
            target
                .connect()?
                .echo(format!("x{}", "я".repeat(600)).as_bytes())
        },
        ..Check::REQUIRED
    },
    Check {
        name: "slow-bytes",
        task: 1,
        about: "a message that arrives one byte at a time comes back",
        hint: "TCP may deliver any number of bytes at a time. A header or a message must be put together from several \
               reads.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "header-pieces",
            "payload-pieces",
        ],
        run: |target| {
            let mut client = target.connect()?;
            let wire = client.encode(b"bit-by-bit");
            client.send_in_pieces(wire.chunks(1))?;
            client.expect(b"bit-by-bit")
        },
        ..Check::REQUIRED
    },
    Check {
        name: "bulk",
        task: 1,
        about: "3 MB come back while they are still being sent",
        hint: "The server stops reading while it cannot send, or loses what send() did not take. Send in a loop until \
               all is sent.",
        needs: &["text", "reconnect", "no-newline", "turns", "longer", "long"],
        run: |target| {
            let mut client = target.connect()?;
            let message = numbered(longest(target, 60_000));
            let count = 3_000_000 / message.len().max(1);
            let wire = client.encode(&message).repeat(count);
            client.send_while_receiving(&wire, &vec![&message[..]; count])
        },
        ..Check::REQUIRED
    },
    Check {
        name: "pipelined",
        task: 14,
        about: "100 messages that are sent without waiting all come back in order",
        hint: "Several messages may arrive in one read. None of them may be dropped with the rest of the buffer.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "frames-together",
        ],
        run: |target| {
            let mut client = target.connect()?;
            let messages: Vec<_> = (0..100)
                .map(|number| format!("message {number:03}"))
                .collect();
            for message in &messages {
                client.send_message(message.as_bytes())?;
            }
            messages
                .iter()
                .try_for_each(|message| client.expect(message.as_bytes()))
        },
        ..Check::REQUIRED
    },
    Check {
        name: "half-close",
        task: 6,
        about: "a client that has closed its sending side still gets all that it is owed, then the end",
        hint: "recv() returns 0 bytes when the client has sent all; what was read before must still be sent. Then \
               close the socket.",
        needs: &["text", "reconnect", "no-newline", "turns", "longer", "long"],
        run: |target| {
            let mut client = target.connect()?;
            let message = numbered(longest(target, 50_000));
            client.send_message(&message)?;
            client.finish_sending()?;
            client.expect(&message)?;
            client.expect_close()
        },
        ..Check::REQUIRED
    },
];

/// ASCII text in which no two places look alike.
fn numbered(bytes: usize) -> Vec<u8> {
    let numbers = (0..).flat_map(|number: u32| format!("{number:06}-").into_bytes());
    numbers.take(bytes).collect()
}

/// `wanted` bytes, or as many as a header can announce.
pub(super) fn longest(target: &Target, wanted: usize) -> usize {
    match target.wire() {
        crate::connection::Wire::Raw => wanted,
        crate::connection::Wire::Framed(header) => wanted.min(header.longest_payload()),
    }
}
