//! What distinguishes one program of the suite from another.

/// A program's name and port, from which its other defaults follow.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name: `echo-server`.
    pub name: &'static str,
    /// The port when neither flag, environment nor prompt gives one.
    pub default_port: u16,
}

impl Program {
    /// The command of a server's client: `echo-client`, `udp-chat join`.
    pub(crate) fn client(&self) -> String {
        match self.name.strip_suffix("-server") {
            Some(service) => format!("{service}-client"),
            None => format!("{} join", self.name),
        }
    }

    /// The default log file.
    pub(crate) fn log_file(&self) -> String {
        format!("logs/{}.log", self.name)
    }
}
