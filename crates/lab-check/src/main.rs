//! `lab-check`: checks servers of the labs.

mod options;

use std::io::{Write, stdout};
use std::process::ExitCode;

use cli::{Endpoint, Program, StdoutError, UsageError, connect};
use lab_check::report::{Summary, outcome_json, write_outcome, write_summary};
use lab_check::{Check, Failure, Header, Target, Wire, auth, echo, ident, run};
use serde_json::json;

use options::{CommonFlags, Flags, Protocol};

const PROGRAM: Program = Program {
    name: "lab-check",
    default_port: 9090,
};

fn main() -> ExitCode {
    let flags: Flags = PROGRAM.parse();
    PROGRAM.run(|| match &flags.protocol {
        Protocol::Echo(echo) => {
            let wire = if echo.raw {
                Wire::Raw
            } else {
                Wire::Framed(echo.header)
            };
            let suite = Suite {
                protocol: "echo",
                port: 9090,
                wire,
                checks: echo::checks(wire),
                still_serves: echo::still_serves,
            };
            suite.run(&echo.common, |target, tried| {
                target.find_padding();
                tried()
            })
        }
        Protocol::Ident(common) => {
            let checks = ident::CHECKS.iter().collect();
            let suite = Suite {
                protocol: "ident",
                port: 9190,
                wire: DIALOGUE,
                checks,
                still_serves: ident::still_serves,
            };
            suite.run(common, |target, tried| {
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
        Protocol::Auth(common) => {
            let checks = auth::CHECKS.iter().collect();
            let suite = Suite {
                protocol: "auth",
                port: 9290,
                wire: DIALOGUE,
                checks,
                still_serves: auth::still_serves,
            };
            suite.run(common, |_, tried| tried())
        }
    })
}

const DIALOGUE: Wire = Wire::Framed(Header::Be4);

/// The checks of one protocol.
struct Suite {
    protocol: &'static str,
    port: u16,
    wire: Wire,
    checks: Vec<&'static Check<Target>>,
    still_serves: fn(&Target) -> Result<(), Failure>,
}

impl Suite {
    /// Runs the chosen checks inside `around`, which prepares the server and puts back what was changed.
    fn run(
        mut self,
        flags: &CommonFlags,
        around: impl FnOnce(
            &Target,
            &mut dyn FnMut() -> anyhow::Result<ExitCode>,
        ) -> anyhow::Result<ExitCode>,
    ) -> anyhow::Result<ExitCode> {
        self.choose(&flags.only)?;
        if flags.list {
            return self.list();
        }
        let target = self.target(flags)?;
        around(&target, &mut || self.try_all(&target, flags.json))
    }

    /// Keeps the checks that `--only` names.
    fn choose(&mut self, only: &[String]) -> Result<(), UsageError> {
        for name in only {
            if !self.checks.iter().any(|check| check.name == name) {
                let names: Vec<_> = self.checks.iter().map(|check| check.name).collect();
                return Err(UsageError(format!(
                    "there is no check {name:?}; the checks are {}",
                    names.join(", ")
                )));
            }
        }
        if !only.is_empty() {
            self.checks
                .retain(|check| only.iter().any(|name| name == check.name));
        }
        Ok(())
    }

    fn list(&self) -> anyhow::Result<ExitCode> {
        let mut output = stdout().lock();
        for check in &self.checks {
            writeln!(
                output,
                "{:<16} task {:<3} {}",
                check.name, check.task, check.about
            )
            .map_err(StdoutError)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The server, once it has accepted a connection: a server that is not there is one clear error.
    fn target(&self, flags: &CommonFlags) -> anyhow::Result<Target> {
        let server = flags
            .server
            .as_ref()
            .ok_or_else(|| UsageError("name the server to check: HOST[:PORT]".into()))?;
        let endpoint = Endpoint {
            host: server.host.clone(),
            port: server.port.unwrap_or(self.port),
        };
        let address = connect(&endpoint, None, flags.timeout())?.peer_addr()?;
        Ok(Target::new(address, self.wire, flags.timeout()))
    }

    fn try_all(&self, target: &Target, as_json: bool) -> anyhow::Result<ExitCode> {
        let mut output = stdout().lock();
        let mut summary = Summary::default();
        let mut written = Ok(());
        let outcomes = run(&self.checks, target, self.still_serves, |outcome| {
            summary.add(&outcome.verdict);
            if !as_json && written.is_ok() {
                written = write_outcome(&mut output, outcome);
            }
        });
        if as_json {
            let checks: Vec<_> = outcomes.iter().map(outcome_json).collect();
            let wire = match target.wire() {
                Wire::Raw => "raw".to_owned(),
                Wire::Framed(header) => header.to_string(),
            };
            let address = target.address().to_string();
            let document = json!({"server": address, "protocol": self.protocol, "wire": wire, "summary": summary, "checks": checks});
            written = writeln!(output, "{document:#}");
        } else if written.is_ok() {
            written = write_summary(&mut output, summary);
        }
        written.map_err(StdoutError)?;
        Ok(if summary.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
