//! Ident as a service: a dialogue for each client, over one store for all of them.

use std::net::IpAddr;
use std::sync::Arc;

use log::{debug, info, warn};
use proto::Escaped;
use proto::ident::{ErrorCode, Reply, Request};
use proto::{Answer, Name, Passed, RecvError, Responder, converse};
use store::{Error, Store};
use tcp_server::{BoxError, Client, EndReason, Peer, Service};

use crate::dialogue::{self, Dialogue, Step};
use crate::record::Record;

/// So much of a message is repeated in the log at level debug.
const SHOWN_CHARACTERS: usize = 80;

/// Greets clients by the names that a store has for their IP addresses, and asks the others.
pub struct Ident {
    clients: Arc<Store<Record>>,
}

impl Ident {
    /// A service over the store of all clients, whose keys are IP addresses in their canonical form.
    #[must_use]
    pub fn new(clients: Arc<Store<Record>>) -> Self {
        Self { clients }
    }
}

impl Service for Ident {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        client.reporter();
        let mut desk = Desk {
            clients: &self.clients,
            address: client.ip(),
            key: client.ip().to_string(),
            peer: client.name().to_owned(),
            dialogue: Dialogue::default(),
        };
        let reason = converse(client, &mut desk, |client, passed| match passed {
            Passed::Received { bytes, messages } => client.took(bytes, Some(messages)),
            Passed::Sent { bytes, messages } => client.gave(bytes, Some(messages)),
        })?;
        Ok(reason)
    }
}

/// Where one client is answered: looks up what is known, lets the dialogue decide, and does what was decided.
struct Desk<'a> {
    clients: &'a Store<Record>,
    address: IpAddr,
    key: String,
    /// The client in service messages.
    peer: String,
    dialogue: Dialogue,
}

impl Responder for Desk<'_> {
    type Request = Request;
    type Reply = Reply;

    fn greet(&mut self) -> Option<Reply> {
        let known = self.known();
        match &known {
            Some(name) => self.tell_greeting(name),
            None => info!("asked {} for its name", self.peer),
        }
        Some(dialogue::greeting(known))
    }

    fn takes_long(&self, request: &Request) -> bool {
        dialogue::may_change(request)
    }

    fn answer(&mut self, request: Request) -> Answer<Reply> {
        debug!(
            "{} says {}",
            self.peer,
            Escaped::new(&format!("{request:?}")).cut(SHOWN_CHARACTERS)
        );
        let known = self.known();
        let done = match self.dialogue.decide(request, self.address, known) {
            Step::Say(answer) => return answer,
            Step::Remember(name) => self.remember(name),
            Step::Rename(name) => self.rename(name),
            Step::Forget => self.forget(),
        };
        done.unwrap_or_else(|error| {
            warn!("cannot do what {} asks for: {error}", self.peer);
            dialogue::unavailable()
        })
    }

    fn refuse(&mut self, error: &RecvError) -> Reply {
        dialogue::refusal(ErrorCode::BadMessage, error.to_string())
    }
}

impl Desk<'_> {
    fn known(&self) -> Option<Name> {
        self.clients.get(&self.key).map(|record| record.name)
    }

    fn remember(&self, name: Name) -> Result<Answer<Reply>, Error> {
        let record = Record::new(name.clone());
        let first = self.clients.put_if_absent(&self.key, record)?;
        let name = first.map_or(name, |first| first.name);
        self.tell_greeting(&name);
        Ok(dialogue::welcome(name))
    }

    fn rename(&self, name: Name) -> Result<Answer<Reply>, Error> {
        let is_known = self.clients.update(|all| {
            let record = all.get(&self.key).cloned();
            if let Some(mut record) = record {
                record.name = name.clone();
                all.put(&self.key, record);
                return true;
            }
            false
        })?;
        if !is_known {
            return Ok(dialogue::not_known());
        }
        info!("renamed {} to {}", self.peer, quoted(&name));
        Ok(dialogue::welcome(name))
    }

    fn forget(&self) -> Result<Answer<Reply>, Error> {
        if !self.clients.remove(&self.key)? {
            return Ok(dialogue::not_known());
        }
        info!("forgot {}", self.peer);
        Ok(Reply::Forgotten.into())
    }

    fn tell_greeting(&self, name: &Name) {
        info!("greeted {} as {}", self.peer, quoted(name));
    }
}

fn quoted(name: &Name) -> Escaped<'_> {
    Escaped::new(name.as_str()).quoted()
}
