//! Auth as a service: a dialogue for each client, over the users and sessions of all.

use std::net::IpAddr;
use std::sync::Arc;

use log::{info, warn};
use proto::auth::{ErrorCode, Reply, Request, SessionInfo};
use proto::{Answer, Passed, RecvError, Responder, Secret, converse};
use tcp_server::{BoxError, Client, EndReason, Peer, Service};

use crate::auth::{Auth, Speaker, quoted};
use crate::refusal::Refusal;
use crate::sessions::Live;
use crate::user::User;

/// Answers clients.
pub struct AuthService {
    auth: Arc<Auth>,
}

impl AuthService {
    /// A service over these users and sessions.
    #[must_use]
    pub fn new(auth: Arc<Auth>) -> Self {
        Self { auth }
    }
}

impl Service for AuthService {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        client.reporter();
        let mut desk = Desk {
            auth: &self.auth,
            address: client.ip(),
            peer: client.name().to_owned(),
            session: None,
        };
        let reason = converse(client, &mut desk, |client, passed| match passed {
            Passed::Received { bytes, messages } => client.took(bytes, Some(messages)),
            Passed::Sent { bytes, messages } => client.gave(bytes, Some(messages)),
        })?;
        Ok(reason)
    }
}

/// Where one client is answered.
struct Desk<'a> {
    auth: &'a Auth,
    address: IpAddr,
    /// The client in service messages.
    peer: String,
    /// The id of the session that the connection speaks for.
    session: Option<String>,
}

impl Responder for Desk<'_> {
    type Request = Request;
    type Reply = Reply;

    fn takes_long(&self, request: &Request) -> bool {
        match request {
            Request::Register { .. }
            | Request::Login { .. }
            | Request::ChangePassword { .. }
            | Request::Revoke { .. }
            | Request::Logout
            | Request::LogoutAll => true,
            Request::Resume { .. } | Request::Whoami | Request::Sessions | Request::Exit => false,
        }
    }

    fn answer(&mut self, request: Request) -> Answer<Reply> {
        let granted = match request {
            Request::Exit => return Answer::last(Reply::Bye, "the client said exit"),
            Request::Register { user, password } => self.register(&user, &password),
            Request::Login { user, password } => self.login(&user, &password),
            Request::Resume { token } => self.resume(&token),
            Request::Whoami => self.whoami(),
            Request::ChangePassword { old, new } => self.change_password(&old, &new),
            Request::Sessions => self.sessions(),
            Request::Revoke { id } => self.revoke(id),
            Request::Logout => self.logout(),
            Request::LogoutAll => self.logout_all(),
        };
        let reply = granted.unwrap_or_else(|refusal| {
            self.tell_refusal(&refusal);
            refusal.reply()
        });
        reply.into()
    }

    fn refuse(&mut self, error: &RecvError) -> Reply {
        Reply::Error {
            code: ErrorCode::BadMessage,
            message: error.to_string(),
        }
    }
}

impl Desk<'_> {
    fn register(&mut self, name: &str, password: &Secret) -> Result<Reply, Refusal> {
        let user = self.auth.accounts.register(name, password, self.address)?;
        info!("registered {} from {}", quoted(&user.name), self.peer);
        self.open(user).map_err(without_session)
    }

    fn login(&mut self, name: &str, password: &Secret) -> Result<Reply, Refusal> {
        let user = self.auth.accounts.login(name, password, self.address)?;
        self.open(user)
    }

    fn change_password(&mut self, old: &Secret, new: &Secret) -> Result<Reply, Refusal> {
        let user = self.speaker()?.user;
        let accounts = &self.auth.accounts;
        let user = accounts.change_password(user, old, new, self.address)?;
        self.session = None;
        info!(
            "changed the password of {} for {}; its sessions are over",
            quoted(&user.name),
            self.peer
        );
        self.open(user).map_err(without_session)
    }

    fn open(&mut self, user: User) -> Result<Reply, Refusal> {
        let (token, live) = self.auth.open(&user, self.address)?;
        info!(
            "opened session {} of {} for {}",
            live.id,
            quoted(&user.name),
            self.peer
        );
        Ok(self.speak_for(user, live, Some(token.into_secret())))
    }

    fn resume(&mut self, token: &Secret) -> Result<Reply, Refusal> {
        let speaker = self.auth.resume(token).ok_or(Refusal::SessionExpired)?;
        info!(
            "{} goes on with session {} of {}",
            self.peer,
            speaker.live.id,
            quoted(&speaker.user.name)
        );
        Ok(self.speak_for(speaker.user, speaker.live, None))
    }

    fn speak_for(&mut self, user: User, live: Live, token: Option<Secret>) -> Reply {
        self.session = Some(live.id);
        Reply::Session {
            user: user.name,
            token,
            expires_at: live.expires_at,
        }
    }

    fn whoami(&mut self) -> Result<Reply, Refusal> {
        let user = self.speaker()?.user.name;
        Ok(Reply::YouAre { user })
    }

    fn sessions(&mut self) -> Result<Reply, Refusal> {
        let speaker = self.speaker()?;
        let told = |live: Live| SessionInfo {
            current: live.id == speaker.live.id,
            id: live.id,
            address: live.session.address,
            created_at: live.session.created_at,
            last_seen: live.session.last_seen,
        };
        let sessions = self.auth.sessions_of(&speaker.user).into_iter();
        Ok(Reply::Sessions {
            sessions: sessions.map(told).collect(),
        })
    }

    fn revoke(&mut self, id: String) -> Result<Reply, Refusal> {
        let speaker = self.speaker()?;
        self.auth.revoke(&speaker.user, &id)?;
        self.tell_end(&id, &speaker.user);
        if id == speaker.live.id {
            self.session = None;
        }
        Ok(Reply::Revoked { id })
    }

    fn logout(&mut self) -> Result<Reply, Refusal> {
        let speaker = self.speaker()?;
        match self.auth.revoke(&speaker.user, &speaker.live.id) {
            // It ended in this very moment, which is what was asked for.
            Ok(()) | Err(Refusal::NoSuchSession) => {}
            Err(refusal) => return Err(refusal),
        }
        self.tell_end(&speaker.live.id, &speaker.user);
        self.session = None;
        Ok(Reply::LoggedOut)
    }

    fn logout_all(&mut self) -> Result<Reply, Refusal> {
        let user = self.speaker()?.user;
        let count = self.auth.sessions.revoke_all(&user.key())?;
        let name = quoted(&user.name);
        info!(
            "ended all sessions of {name}, {count} in number, for {}",
            self.peer
        );
        self.session = None;
        Ok(Reply::LoggedOut)
    }

    /// Whom the connection speaks for now.
    fn speaker(&mut self) -> Result<Speaker, Refusal> {
        let id = self.session.as_ref().ok_or(Refusal::NotLoggedIn)?;
        let speaker = self.auth.hear(id);
        if speaker.is_none() {
            self.session = None;
        }
        speaker.ok_or(Refusal::SessionExpired)
    }

    fn tell_end(&self, id: &str, user: &User) {
        let name = quoted(&user.name);
        info!("ended session {id} of {name} for {}", self.peer);
    }

    fn tell_refusal(&self, refusal: &Refusal) {
        let peer = &self.peer;
        match refusal {
            Refusal::Unavailable(_) | Refusal::NoSession(_) => {
                warn!("cannot do what {peer} asks for: {refusal}");
            }
            Refusal::BadCredentials { user: Some(name) }
            | Refusal::WrongOldPassword { user: name } => {
                let name = quoted(name);
                info!("refused {peer}: not the password of {name}");
            }
            Refusal::BadCredentials { user: None } => info!("refused {peer}: no such user"),
            refusal => info!("refused {peer}: {refusal}"),
        }
    }
}

/// The user is registered or the password changed, whatever else fails.
fn without_session(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Unavailable(fault) => Refusal::NoSession(fault),
        refusal => refusal,
    }
}
