//! Simulated users that act until the server is killed, and then check that it kept what it acknowledged.

use std::collections::BTreeSet;
use std::io;

use auth_server::Token;
use proto::Secret;
use serde_json::{Value, json};
use testbed::{KillSwitch, Random};

use crate::server::{Client, Server, change_password, login, plain, register, resume};

/// With this many sessions, a user only ends some.
const MANY_SESSIONS: usize = 4;

/// The users of one thread.
pub struct UserGroup {
    random: Random,
    number: u64,
    /// How many names were given so far.
    named: u64,
    pub users: Vec<User>,
}

pub struct User {
    pub name: String,
    address: String,
    password: String,
    /// Tokens of live sessions.
    live: Vec<String>,
    /// Tokens of sessions that have ended.
    over: Vec<String>,
    /// The request that was not answered.
    unanswered: Option<Unanswered>,
    /// The password was set since its last login.
    is_new: bool,
}

/// A request whose answer was lost, so that the server may have done it or not.
enum Unanswered {
    Registered,
    LoggedIn,
    /// To this password.
    Changed(String),
    /// These sessions, any of them.
    Ended(Vec<String>),
}

impl UserGroup {
    pub fn new(number: u64, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            number,
            named: 0,
            users: vec![],
        }
    }

    /// Checks each user.
    pub fn check(&mut self, server: &Server) {
        for user in &mut self.users {
            user.check(server);
        }
    }

    /// Acts until the server is gone.
    pub fn run_until_killed(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) {
        while self.step(server, kill_switch).is_ok() {}
    }

    fn step(&mut self, server: &Server, kill_switch: &KillSwitch<'_>) -> io::Result<()> {
        if self.users.is_empty() || self.random.below(5) == 0 {
            self.named += 1;
            self.users.push(User::new(self.number, self.named));
            let new_user = self.users.last_mut().expect("it was just pushed");
            new_user.register(server)?;
        } else {
            let user = self.random.below(self.users.len() as u64) as usize;
            self.users[user].act(server, &mut self.random)?;
        }
        kill_switch.count_ack();
        Ok(())
    }
}

impl User {
    fn new(group: u64, number: u64) -> Self {
        Self {
            name: format!("user {group} {number}"),
            address: format!("127.2.{group}.{number}"),
            password: format!("first password {group} {number}"),
            live: vec![],
            over: vec![],
            unanswered: None,
            is_new: true,
        }
    }

    pub fn session_ids(&self) -> Vec<String> {
        self.live.iter().map(|token| session_id(token)).collect()
    }

    fn connect(&self, server: &Server) -> io::Result<Client> {
        Client::try_connect(server.address, &self.address)
    }

    fn register(&mut self, server: &Server) -> io::Result<()> {
        self.unanswered = Some(Unanswered::Registered);
        let mut client = self.connect(server)?;
        let reply = client.try_ask(register(&self.name, &self.password))?;
        self.session_opened(&reply);
        Ok(())
    }

    /// Makes a change that reaches the disk.
    fn act(&mut self, server: &Server, random: &mut Random) -> io::Result<()> {
        let mut client = self.connect(server)?;
        let choice = random.below(10);
        if self.live.is_empty() || choice < 4 && self.live.len() < MANY_SESSIONS {
            self.unanswered = Some(Unanswered::LoggedIn);
            let reply = client.try_ask(login(&self.name, &self.password))?;
            self.session_opened(&reply);
            return Ok(());
        }
        let current = random.below(self.live.len() as u64) as usize;
        let reply = client.try_ask(resume(&self.live[current]))?;
        assert_eq!(reply["user"], self.name, "{reply}");
        let (request, ended, kind) = match choice {
            4 => {
                let password = format!("another password {}", random.bits());
                let request = change_password(&self.password, &password);
                self.unanswered = Some(Unanswered::Changed(password.clone()));
                let reply = client.try_ask(&request)?;
                self.over.append(&mut self.live);
                (self.password, self.is_new) = (password, true);
                self.session_opened(&reply);
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
        self.unanswered = Some(Unanswered::Ended(ended.clone()));
        let reply = client.try_ask(&request)?;
        assert_eq!(reply["type"], kind, "{reply}");
        self.live.retain(|token| !ended.contains(token));
        self.over.extend(ended);
        self.unanswered = None;
        Ok(())
    }

    /// The reply must open a session.
    fn session_opened(&mut self, reply: &Value) {
        assert_eq!(reply["user"], self.name, "{reply}");
        self.live.push(reply["token"].as_str().unwrap().to_owned());
        self.unanswered = None;
    }

    fn check(&mut self, server: &Server) {
        let mut client = self.connect(server).unwrap();
        let unanswered = self.unanswered.take();
        let may_have_another = !matches!(unanswered, None | Some(Unanswered::Ended(_)));
        match unanswered {
            Some(Unanswered::Registered) => {
                let reply = client.ask(register(&self.name, &self.password));
                if reply["code"] != "name_taken" {
                    self.session_opened(&reply);
                }
            }
            Some(Unanswered::Changed(password)) if !is_live(&mut client, &self.live[0]) => {
                self.over.append(&mut self.live);
                (self.password, self.is_new) = (password, true);
            }
            Some(Unanswered::Ended(tokens)) => {
                for token in tokens {
                    if !is_live(&mut client, &token) {
                        self.live.retain(|live| *live != token);
                        self.over.push(token);
                    }
                }
            }
            Some(Unanswered::Changed(_) | Unanswered::LoggedIn) | None => {}
        }
        if self.live.is_empty() || self.is_new {
            let reply = client.ask(login(&self.name, &self.password));
            self.session_opened(&reply);
            self.is_new = false;
        }
        for token in &self.over {
            assert!(!is_live(&mut client, token), "{} came back", self.name);
        }
        for token in &self.live {
            assert!(is_live(&mut client, token), "{} lost a session", self.name);
            client.is(&self.name);
        }
        self.revoke_unknown_session(&mut client, may_have_another);
    }

    /// Ends the session whose token was lost with the answer, if there is one.
    fn revoke_unknown_session(&self, client: &mut Client, may_be_there: bool) {
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
