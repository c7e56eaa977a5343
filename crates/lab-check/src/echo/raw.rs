//! What only raw bytes can show (RFC 862).

use socket2::SockRef;

use super::messages::AFTER_BASIC;
use crate::check::Check;
use crate::target::Target;

pub(super) const CHECKS: &[Check<Target>] = &[
    Check {
        name: "all-bytes",
        task: 1,
        about: "all 256 byte values come back",
        hint: "Not all bytes are text, so decoding them fails or changes them. Send back the bytes themselves.",
        needs: &[
            "text",
            "reconnect",
            "no-newline",
            "turns",
            "nul",
            "cyrillic-split",
            "white-space",
        ],
        run: |target| {
            let bytes: Vec<u8> = (0..=u8::MAX).collect();
            target.connect()?.echo(&bytes)
        },
        ..Check::REQUIRED
    },
    Check {
        name: "exit",
        task: 6,
        about: "the word exit comes back or ends this client's dialogue, and the server serves others",
        hint: "exit is one client's command. The server must go on with the others and with the next ones.",
        run: |target| {
            let mut client = target.connect()?;
            client.send(b"exit\n")?;
            client.expect(b"exit\n").or_else(|_| client.expect_close())
        },
        ..AFTER_BASIC
    },
    Check {
        name: "urgent",
        task: 1,
        about: "urgent data comes back in its place (SO_OOBINLINE)",
        hint: "An urgent byte is taken out of the stream unless SO_OOBINLINE is set on the accepted socket. Few \
               servers set it.",
        advice: true,
        run: |target| {
            let mut client = target.connect()?;
            client.send(b"urg")?;
            if let Err(error) = SockRef::from(client.socket()).send_out_of_band(b"e") {
                return Err(client.failure(format!("urgent data cannot be sent: {error}")));
            }
            client.send(b"nt")?;
            client.expect(b"urgent")
        },
        ..AFTER_BASIC
    },
];
