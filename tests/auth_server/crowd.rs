//! Users who come and go until the server is gone, and who know afterwards what it has to know of them.

use std::collections::BTreeSet;
use std::io;

use auth_server::Token;
use proto::Secret;
use serde_json::{Value, json};
use testbed::{KillSwitch, Random};

use crate::server::{Client, Server, change_password, login, plain, register, resume};

/// Sessions of a user, beyond which more are ended than opened.
const MANY_SESSIONS: usize = 4;

/// Users whom one thread plays.
pub struct House {
    random: Random,
    number: u64,
    /// Names given so far.
    named: u64,
    pub users: Vec<User>,
}

pub struct User {
    pub name: String,
    address: String,
    password: String,
    /// Tokens of sessions that go on.
    live: Vec<String>,
    /// Tokens of sessions that are over.
    over: Vec<String>,
    /// What was asked for without an answer.
    doubt: Option<Doubt>,
    /// Something has happened to the password since it was proved to be right.
    is_new: bool,
}

/// What may have come of a request that was not answered.
enum Doubt {
    Registered,
    LoggedIn,
    /// To this password.
    Changed(String),
    /// These sessions, any of them.
    Ended(Vec<String>),
}

impl House {
    pub fn new(number: u64, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            number,
            named: 0,
            users: vec![],
        }
    }

    /// Each user must be found as it was left.
    pub fn check(&mut self, server: &Server) {
        for user in &mut self.users {
            user.check(server);
        }
    }

    /// Users come and go until the server is gone.
    pub fn live_under(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) {
        while self.visit(server, kill_switch).is_ok() {}
    }

    fn visit(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) -> io::Result<()> {
        if self.users.is_empty() || self.random.below(5) == 0 {
            self.named += 1;
            self.users.push(User::new(self.number, self.named));
            let newcomer = self.users.last_mut().expect("it has just come");
            newcomer.register(server)?;
        } else {
            let user = self.random.below(self.users.len() as u64) as usize;
            self.users[user].act(server, &mut self.random)?;
        }
        kill_switch.count_ack();
        Ok(())
    }
}

impl User {
    fn new(house: u64, number: u64) -> Self {
        Self {
            name: format!("user {house} {number}"),
            address: format!("127.2.{house}.{number}"),
            password: format!("first password {house} {number}"),
            live: vec![],
            over: vec![],
            doubt: None,
            is_new: true,
        }
    }

    pub fn session_ids(&self) -> Vec<String> {
        self.live.iter().map(|token| session_id(token)).collect()
    }

    fn come(&self, server: &Server) -> io::Result<Client> {
        Client::try_connect(server.address, &self.address)
    }

    fn register(&mut self, server: &Server) -> io::Result<()> {
        self.doubt = Some(Doubt::Registered);
        let mut client = self.come(server)?;
        let reply = client.try_ask(register(&self.name, &self.password))?;
        self.entered(&reply);
        Ok(())
    }

    /// A change that is to reach the disk.
    fn act(&mut self, server: &Server, random: &mut Random) -> io::Result<()> {
        let mut client = self.come(server)?;
        let choice = random.below(10);
        if self.live.is_empty() || choice < 4 && self.live.len() < MANY_SESSIONS {
            self.doubt = Some(Doubt::LoggedIn);
            let reply = client.try_ask(login(&self.name, &self.password))?;
            self.entered(&reply);
            return Ok(());
        }
        let current = random.below(self.live.len() as u64) as usize;
        let reply = client.try_ask(resume(&self.live[current]))?;
        assert_eq!(reply["user"], self.name, "{reply}");
        let (request, ended, kind) = match choice {
            4 => {
                let password = format!("another password {}", random.bits());
                let request = change_password(&self.password, &password);
                self.doubt = Some(Doubt::Changed(password.clone()));
                let reply = client.try_ask(&request)?;
                self.over.append(&mut self.live);
                (self.password, self.is_new) = (password, true);
                self.entered(&reply);
                return Ok(());
            }
            5 => (plain("logout_all"), self.live.clone(), "logged_out"),
            6 | 7 => {
                let other = random.below(self.live.len() as u64) as usize;
                let token = self.live[other].clone();
                let request = json!({"type": "revoke", "id": session_id(&token)});
                (request, vec![token], "revoked")
            }
            _ => {
                let token = self.live[current].clone();
                (plain("logout"), vec![token], "logged_out")
            }
        };
        self.doubt = Some(Doubt::Ended(ended.clone()));
        let reply = client.try_ask(&request)?;
        assert_eq!(reply["type"], kind, "{reply}");
        self.live.retain(|token| !ended.contains(token));
        self.over.extend(ended);
        self.doubt = None;
        Ok(())
    }

    /// The reply opened a session.
    fn entered(&mut self, reply: &Value) {
        assert_eq!(reply["user"], self.name, "{reply}");
        self.live.push(reply["token"].as_str().unwrap().to_owned());
        self.doubt = None;
    }

    fn check(&mut self, server: &Server) {
        let mut client = self.come(server).unwrap();
        let doubt = self.doubt.take();
        let may_have_another = !matches!(doubt, None | Some(Doubt::Ended(_)));
        match doubt {
            Some(Doubt::Registered) => {
                let reply = client.ask(register(&self.name, &self.password));
                if reply["code"] != "name_taken" {
                    self.entered(&reply);
                }
            }
            Some(Doubt::Changed(password)) if !is_live(&mut client, &self.live[0]) => {
                self.over.append(&mut self.live);
                (self.password, self.is_new) = (password, true);
            }
            Some(Doubt::Ended(tokens)) => {
                for token in tokens {
                    if !is_live(&mut client, &token) {
                        self.live.retain(|live| *live != token);
                        self.over.push(token);
                    }
                }
            }
            Some(Doubt::Changed(_) | Doubt::LoggedIn) | None => {}
        }
        if self.live.is_empty() || self.is_new {
            let reply = client.ask(login(&self.name, &self.password));
            self.entered(&reply);
            self.is_new = false;
        }
        for token in &self.over {
            assert!(!is_live(&mut client, token), "{} came back", self.name);
        }
        for token in &self.live {
            assert!(is_live(&mut client, token), "{} lost a session", self.name);
            client.is(&self.name);
        }
        self.end_the_unknown(&mut client, may_have_another);
    }

    /// Ends the session whose token was on its way when the server was killed, if it was opened.
    fn end_the_unknown(&self, client: &mut Client, may_be_there: bool) {
        let reply = client.ask(plain("sessions"));
        let listed = reply["sessions"].as_array().unwrap().iter();
        let listed: BTreeSet<_> = listed
            .map(|session| session["id"].as_str().unwrap().to_owned())
            .collect();
        let known = BTreeSet::from_iter(self.session_ids());
        let unknown: Vec<_> = listed.difference(&known).collect();
        assert!(
            unknown.len() <= usize::from(may_be_there),
            "{}: {unknown:?}",
            self.name
        );
        for id in unknown {
            let reply = client.ask(json!({"type": "revoke", "id": id}));
            assert_eq!(reply["type"], "revoked", "{reply}");
        }
    }
}

fn is_live(client: &mut Client, token: &str) -> bool {
    let reply = client.ask(resume(token));
    assert!(
        reply["type"] == "session" || reply["code"] == "session_expired",
        "{reply}"
    );
    reply["type"] == "session"
}

fn session_id(token: &str) -> String {
    let token = Token::parse(&Secret::new(token.to_owned()));
    token.expect("the server made it").session_id()
}
