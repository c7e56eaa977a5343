//! Ident as a service: a dialogue with each client, over the names of all of them.

use std::fmt;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;

use dialogue::{Handler, NETWORK_OVER_SHARE, Response, serve};
use log::Level;
use proto::Escaped;
use proto::ident::{ErrorCode, Reply, Request};
use proto::{FramedSocket, FramedStream, Name, RecvError};
use store::Error;
use tcp_server::{BoxError, Client, EndReason, Reporter, Service, debug_line};
use tls::{MaybeTls, ServerTls};

use crate::decisions::{self, Action, Dialogue};
use crate::key::ClientKey;
use crate::names::Names;

/// How much of a message is repeated in the log at level debug.
const SHOWN_CHARACTERS: usize = 80;

/// Greets clients by the names that are known for their IP addresses, and asks the others.
pub struct Ident {
    names: Arc<Names>,
    tls: Option<ServerTls>,
}

impl Ident {
    /// A service over the names of all clients; with `tls` for clients that speak TLS.
    #[must_use]
    pub fn new(names: Arc<Names>, tls: Option<ServerTls>) -> Self {
        Self { names, tls }
    }
}

impl Service for Ident {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let reporter = client.reporter();
        let mut handler = ConnectionHandler {
            names: &self.names,
            address: client.ip(),
            key: ClientKey::of(client.peer()),
            peer: client.name().to_owned(),
            reporter: reporter.clone(),
            dialogue: Dialogue::default(),
        };
        let mut stream = MaybeTls::accept(self.tls.as_ref(), client, |client, timeout| {
            client.set_read_timeout(timeout)
        })?;
        let end = serve(
            &mut FramedStream::with_observer(&mut stream, reporter),
            &mut handler,
        );
        // A client that is gone needs no goodbye.
        let _ = stream.close();
        Ok(end?)
    }

    /// Over TLS the connection is closed without a reply: a handshake costs more than the place that the client does
    /// not get.
    fn refuse(&self, stream: &mut TcpStream) {
        if self.tls.is_none() {
            // A client that is gone needs no reply.
            let _ = stream.send_json(&decisions::refusal(
                ErrorCode::Unavailable,
                NETWORK_OVER_SHARE.into(),
            ));
        }
    }
}

/// Answers one client: looks up its name, lets the dialogue decide, and does what was decided.
struct ConnectionHandler<'a> {
    names: &'a Names,
    address: IpAddr,
    key: ClientKey,
    /// The client's address and connection number, for service messages.
    peer: String,
    reporter: Reporter,
    dialogue: Dialogue,
}

impl Handler for ConnectionHandler<'_> {
    type Request = Request;
    type Reply = Reply;

    fn on_connect(&mut self) -> Option<Reply> {
        let known = self.known();
        match &known {
            Some(name) => self.log_greeting(name),
            None => self.log(
                "asked for a name",
                format_args!("asked {} for its name", self.peer),
            ),
        }
        Some(decisions::greeting(known))
    }

    fn is_slow(&self, request: &Request) -> bool {
        decisions::may_change(request)
    }

    fn handle(&mut self, request: Request) -> Response<Reply> {
        debug_line(format_args!(
            "{} says {}",
            self.peer,
            Escaped::new(&format!("{request:?}")).cut(SHOWN_CHARACTERS)
        ));
        let known = self.known();
        let done = match self.dialogue.decide(request, self.address, known) {
            Action::Reply(answer) => return answer,
            Action::Add(name) => self.remember(name),
            Action::Rename(name) => self.rename(name),
            Action::Forget => self.forget(),
        };
        done.unwrap_or_else(|error| {
            self.reporter.log(
                Level::Warn,
                "cannot do what a client asks for",
                format_args!("cannot do what {} asks for: {error}", self.peer),
            );
            decisions::unavailable()
        })
    }

    fn reject(&mut self, error: &RecvError) -> Reply {
        decisions::refusal(ErrorCode::BadMessage, error.to_string())
    }
}

impl ConnectionHandler<'_> {
    fn known(&self) -> Option<Name> {
        self.names.get(&self.key)
    }

    fn remember(&self, name: Name) -> Result<Response<Reply>, Error> {
        Ok(match self.names.remember(&self.key, name)? {
            Ok(name) => {
                self.log_greeting(&name);
                decisions::welcome(name)
            }
            Err(full) => {
                debug_line(format_args!("no name for {}: {full}", self.peer));
                decisions::refusal(ErrorCode::Unavailable, full.to_string()).into()
            }
        })
    }

    fn rename(&self, name: Name) -> Result<Response<Reply>, Error> {
        if !self.names.rename(&self.key, name.clone())? {
            return Ok(decisions::not_known());
        }
        self.log(
            "renamed",
            format_args!("renamed {} to {}", self.peer, quoted(&name)),
        );
        Ok(decisions::welcome(name))
    }

    fn forget(&self) -> Result<Response<Reply>, Error> {
        if !self.names.forget(&self.key)? {
            return Ok(decisions::not_known());
        }
        self.log("forgot", format_args!("forgot {}", self.peer));
        Ok(Reply::Forgotten.into())
    }

    fn log_greeting(&self, name: &Name) {
        self.log(
            "greeted",
            format_args!("greeted {} as {}", self.peer, quoted(name)),
        );
    }

    /// Logs a line; without room for it a sum counts it under `label`.
    fn log(&self, label: &'static str, line: fmt::Arguments<'_>) {
        self.reporter.log(Level::Info, label, line);
    }
}

fn quoted(name: &Name) -> Escaped<'_> {
    Escaped::new(name.as_str()).quoted()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use proto::MAX_DIALOGUE_BYTES;

    use super::*;

    #[test]
    fn a_client_over_its_networks_share_gets_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let names = Names::open(&folder.path().join("clients.jsonl")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        Ident::new(Arc::new(names), None).refuse(&mut stream);
        drop(stream);
        let reply: Option<Reply> = client.recv_json(MAX_DIALOGUE_BYTES).unwrap();
        let Some(Reply::Error { code, .. }) = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(code, ErrorCode::Unavailable);
        assert_eq!(client.recv_text(MAX_DIALOGUE_BYTES).unwrap(), None);
    }
}
