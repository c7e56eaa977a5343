//! Decides what to reply to a client, and what to store. Pure: the client's address and name come from outside, and
//! files, sockets and logs are elsewhere.

use std::net::IpAddr;

use dialogue::Response;
use proto::Name;
use proto::ident::{ErrorCode, MAX_BAD_NAMES, Reply, Request};

/// The state of one connection. Whether its client is known is not part of it, because another connection from the same
/// address may change that at any moment.
#[derive(Debug, Default)]
pub struct Dialogue {
    bad_names: u32,
}

/// The consequence of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this answer.
    Reply(Response<Reply>),
    /// Store the name unless the client has one by now, then [`welcome`] the client by the stored name.
    Add(Name),
    /// Replace the stored name, if there still is one, then [`welcome`] the client by the new one.
    Rename(Name),
    /// Delete the stored name, if there still is one, then send [`Reply::Forgotten`].
    Forget,
}

impl Dialogue {
    /// Decides on a request of the client at `address`, whose name, if it has one, is `known`.
    pub fn decide(&mut self, request: Request, address: IpAddr, known: Option<Name>) -> Action {
        match (request, known) {
            (Request::Exit, _) => Action::Reply(Response::last(Reply::Bye, "the client said exit")),
            (Request::Name { .. }, Some(name)) => Action::Reply(welcome(name)),
            (Request::Name { name }, None) => self.parse(&name, Action::Add),
            (Request::Rename { name }, Some(_)) => self.parse(&name, Action::Rename),
            (Request::Whoami, Some(name)) => Action::Reply(Reply::YouAre { name, address }.into()),
            (Request::Forget, Some(_)) => Action::Forget,
            (Request::Whoami | Request::Rename { .. } | Request::Forget, None) => {
                Action::Reply(not_known())
            }
        }
    }

    fn parse(&mut self, text: &str, then: impl FnOnce(Name) -> Action) -> Action {
        let error = match Name::parse(text) {
            Ok(name) => return then(name),
            Err(error) => error,
        };
        self.bad_names += 1;
        let reply = refusal(ErrorCode::BadName, error.to_string());
        Action::Reply(if self.bad_names < MAX_BAD_NAMES {
            reply.into()
        } else {
            Response::last(reply, "the client gave too many bad names")
        })
    }
}

/// Whether a request may lead to a [`Action`] that waits for the disk.
pub fn may_change(request: &Request) -> bool {
    match request {
        Request::Name { .. } | Request::Rename { .. } | Request::Forget => true,
        Request::Whoami | Request::Exit => false,
    }
}

/// The first message: a welcome to a known client, a question to another.
pub fn greeting(known: Option<Name>) -> Reply {
    known.map_or(Reply::WhoAreYou, |name| Reply::Welcome { name })
}

/// The answer once this name of the client is stored.
pub fn welcome(name: Name) -> Response<Reply> {
    Reply::Welcome { name }.into()
}

/// The answer to a request that only a known client can make.
pub fn not_known() -> Response<Reply> {
    let message = r#"this address has no name yet; send one with "name""#;
    refusal(ErrorCode::NotKnown, message.into()).into()
}

/// The answer when a change could not be written.
pub fn unavailable() -> Response<Reply> {
    let message = "the change could not be written to disk; try again later";
    refusal(ErrorCode::Unavailable, message.into()).into()
}

/// An error reply.
pub fn refusal(code: ErrorCode, message: String) -> Reply {
    Reply::Error { code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn request(text: &str) -> [Request; 2] {
        let name = String::from(text);
        [
            Request::Name { name: name.clone() },
            Request::Rename { name },
        ]
    }

    fn decide(request: Request, known: Option<&str>) -> Action {
        Dialogue::default().decide(request, ADDRESS, known.map(name))
    }

    fn say(reply: Reply) -> Action {
        Action::Reply(reply.into())
    }

    #[test]
    fn each_state_has_its_answers() {
        let [give, rename] = request(" Bo ");
        let anna = || name("Anna");
        let exit = || Action::Reply(Response::last(Reply::Bye, "the client said exit"));
        let you_are = Reply::YouAre {
            name: anna(),
            address: ADDRESS,
        };
        for (request, when_known, when_not_known) in [
            (
                give,
                say(Reply::Welcome { name: anna() }),
                Action::Add(name("Bo")),
            ),
            (
                rename,
                Action::Rename(name("Bo")),
                Action::Reply(not_known()),
            ),
            (Request::Whoami, say(you_are), Action::Reply(not_known())),
            (Request::Forget, Action::Forget, Action::Reply(not_known())),
            (Request::Exit, exit(), exit()),
        ] {
            assert_eq!(decide(request.clone(), Some("Anna")), when_known);
            assert_eq!(decide(request, None), when_not_known);
        }
    }

    #[test]
    fn a_client_is_greeted_or_asked() {
        let greeted = greeting(Some(name("Аня")));
        assert_eq!(
            greeted,
            Reply::Welcome {
                name: name("Аня")
            }
        );
        assert_eq!(greeting(None), Reply::WhoAreYou);
    }

    #[test]
    fn the_third_bad_name_is_the_last() {
        let mut dialogue = Dialogue::default();
        let [bad_name, bad_rename] = request("\u{1b}[2J");
        let mut decide =
            |request, known: Option<&str>| dialogue.decide(request, ADDRESS, known.map(name));
        let message = "a name has no control or invisible characters, this one has U+001B";
        let reply = || refusal(ErrorCode::BadName, message.into());
        assert_eq!(decide(bad_name.clone(), None), say(reply()));
        assert_eq!(
            decide(request("Bo")[0].clone(), None),
            Action::Add(name("Bo"))
        );
        assert_eq!(decide(bad_rename, Some("Bo")), say(reply()));
        assert_eq!(
            decide(bad_name, None),
            Action::Reply(Response::last(
                reply(),
                "the client gave too many bad names"
            ))
        );
    }

    #[test]
    fn only_what_waits_for_no_disk_is_quick() {
        for request in
            request("Bo")
                .into_iter()
                .chain([Request::Forget, Request::Whoami, Request::Exit])
        {
            let waits = [None, Some("Anna")]
                .map(|known| decide(request.clone(), known))
                .iter()
                .any(|step| !matches!(step, Action::Reply(_)));
            assert_eq!(may_change(&request), waits, "{request:?}");
        }
    }
}
