//! `lab-check`: checks servers of the labs.

mod options;
mod suite;

use std::process::ExitCode;
use std::time::Duration;

use cli::{Program, UsageError};
use lab_check::chat::ChatTarget;
use lab_check::{Failure, Header, IDLE_LIMIT, Target, Wire, auth, chat, echo, ident};

use options::{ChatFlags, Flags, Protocol, TcpFlags};
use suite::Suite;

const PROGRAM: Program = Program {
    name: "lab-check",
    default_port: 9090,
};

/// The header of dialogues.
const DIALOGUE: Wire = Wire::Framed(Header::Be4);

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| match &flags.protocol {
        Protocol::Echo(flags) => {
            let wire = if flags.raw {
                Wire::Raw
            } else {
                Wire::Framed(flags.header)
            };
            let suite = Suite {
                protocol: "echo",
                checks: echo::checks(wire),
                still_serves: echo::still_serves,
            };
            check_tcp(suite, 9090, wire, &flags.tcp, |target, tried| {
                target.find_padding();
                tried()
            })
        }
        Protocol::Ident(flags) => {
            let checks = ident::CHECKS.iter().collect();
            let suite = Suite {
                protocol: "ident",
                checks,
                still_serves: ident::still_serves,
            };
            check_tcp(suite, 9190, DIALOGUE, flags, |target, tried| {
                let name = ident::stored_name(target);
                let result = tried()?;
                if let Ok(name) = name {
                    let put_back = ident::restore(target, name.as_deref());
                    put_back.map_err(|failure| {
                        anyhow::anyhow!("cannot put the stored name back: {}", failure.problem)
                    })?;
                }
                Ok(result)
            })
        }
        Protocol::Auth(flags) => {
            let checks = auth::CHECKS.iter().collect();
            let suite = Suite {
                protocol: "auth",
                checks,
                still_serves: auth::still_serves,
            };
            check_tcp(suite, 9290, DIALOGUE, flags, |_, tried| tried())
        }
        Protocol::Chat(flags) => check_chat(flags),
    })
}

/// Checks a TCP server, inside `around`, which prepares it and puts back what was changed.
fn check_tcp(
    mut suite: Suite<Target>,
    port: u16,
    wire: Wire,
    flags: &TcpFlags,
    around: impl FnOnce(
        &Target,
        &mut dyn FnMut() -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let common = &flags.common;
    if flags.idle.is_some() || common.list {
        suite.checks.push(IDLE_LIMIT);
    }
    let suite = suite.choose(&common.only)?;
    if common.list {
        return Ok(suite.list()?);
    }
    let (address, key) = common.reach(&common.endpoint(port)?, flags.tls)?;
    let target = Target::new(address, wire, common.timeout());
    let target = match key {
        Some(key) => target.over_tls(key),
        None => target,
    };
    let target = match flags.idle {
        Some(seconds) => target.with_idle_limit(Duration::from_secs(seconds.into())),
        None => target,
    };
    let described = || match target.wire() {
        Wire::Raw => "raw".to_owned(),
        Wire::Framed(header) => header.to_string(),
    };
    around(&target, &mut || {
        suite.run(&target, address, described, common.json)
    })
}

fn check_chat(flags: &ChatFlags) -> anyhow::Result<ExitCode> {
    let common = &flags.common;
    let suite = Suite {
        protocol: "chat",
        checks: chat::CHECKS.iter().collect(),
        still_serves: chat::still_serves,
    };
    let suite = suite.choose(&common.only)?;
    if common.list {
        return Ok(suite.list()?);
    }
    let endpoint = common.endpoint(9390)?;
    let nowhere = || UsageError(format!("the host {} has no address", endpoint.host));
    let address = *endpoint
        .addresses_within(common.timeout())?
        .first()
        .ok_or_else(nowhere)?;
    let known_key = chat::server_key(address, common.timeout())?;
    common.check_chat_key(&endpoint, address, known_key.as_bytes())?;
    let trust = Box::new(move |key: &chat_link::PublicKey| match *key == known_key {
        true => Ok(()),
        false => Err(Failure::new("the server shows another key than before")),
    });
    let target = ChatTarget {
        address,
        timeout: common.timeout(),
        plaintext: flags.plaintext,
        trust,
    };
    let described = || {
        if flags.plaintext {
            "plaintext".to_owned()
        } else {
            "sealed".to_owned()
        }
    };
    suite.run(&target, address, described, common.json)
}
