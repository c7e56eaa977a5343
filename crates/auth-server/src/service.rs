//! Auth as a service: a dialogue for each client, over the users and sessions of all.

use std::fmt;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;

use dialogue::{Handler, Response, serve};
use log::Level;
use proto::auth::{ErrorCode, Reply, Request, SessionInfo};
use proto::{FramedSocket, FramedStream, Name, Network, RecvError, Secret};
use tcp_server::{BoxError, Client, EndReason, Reporter, Service, debug_line};

use crate::auth::{Auth, AuthenticatedUser, quoted};
use crate::error::{AuthError, Done};
use crate::security_log::{Event, log_event};
use crate::sessions::LiveSession;
use crate::transport::{Transport, refuse_plaintext, tls_required};
use crate::user::User;

/// Answers clients.
pub struct AuthService {
    auth: Arc<Auth>,
    transport: Transport,
}

impl AuthService {
    /// A service over these users and sessions.
    #[must_use]
    pub fn new(auth: Arc<Auth>, transport: Transport) -> Self {
        Self { auth, transport }
    }
}

impl Service for AuthService {
    fn serve(&self, client: &mut Client) -> Result<EndReason, BoxError> {
        let reporter = client.reporter();
        let mut handler = ConnectionHandler {
            auth: &self.auth,
            address: client.ip(),
            peer: client.name().to_owned(),
            reporter: reporter.clone(),
            session: None,
        };
        let Some(mut stream) = self.transport.accept(client)? else {
            return Ok("the client closed the connection");
        };
        let is_allowed = self.transport.is_allowed(stream.is_tls(), handler.address);
        let mut frames = FramedStream::with_observer(&mut stream, reporter);
        if !is_allowed {
            frames.send_json(&tls_required())?;
            return Ok("the client does not use TLS");
        }
        let end = serve(&mut frames, &mut handler);
        drop(frames);
        // A client that is gone needs no goodbye.
        let _ = stream.close();
        Ok(end?)
    }

    fn refuse(&self, stream: &mut TcpStream) {
        refuse_plaintext(stream);
    }
}

/// Answers one client.
struct ConnectionHandler<'a> {
    auth: &'a Auth,
    address: IpAddr,
    /// The client in service messages.
    peer: String,
    reporter: Reporter,
    /// The id of this connection's session.
    session: Option<String>,
}

impl Handler for ConnectionHandler<'_> {
    type Request = Request;
    type Reply = Reply;

    fn is_slow(&self, request: &Request) -> bool {
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

    fn handle(&mut self, request: Request) -> Response<Reply> {
        let reply = match request {
            Request::Exit => return Response::last(Reply::Bye, "the client said exit"),
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
        let reply = reply.unwrap_or_else(|error| {
            self.log_error(&error);
            error.reply()
        });
        reply.into()
    }

    fn reject(&mut self, error: &RecvError) -> Reply {
        Reply::Error {
            code: ErrorCode::BadMessage,
            message: error.to_string(),
        }
    }
}

impl ConnectionHandler<'_> {
    fn register(&mut self, name: &str, password: &Secret) -> Result<Reply, AuthError> {
        let user = self.auth.register(name, password, self.address)?;
        let name = quoted(&user.name);
        self.log_event(
            Event::Registration,
            Some(&user.name),
            format_args!("registered {name} from {}", self.peer),
        );
        self.open_session(user, None)
            .map_err(no_session(Done::Registered))
    }

    fn login(&mut self, name: &str, password: &Secret) -> Result<Reply, AuthError> {
        let user = self.auth.login(name, password, self.address)?;
        self.open_session(user, Some(Event::Login))
    }

    fn change_password(&mut self, old: &Secret, new: &Secret) -> Result<Reply, AuthError> {
        let session = self.authenticate()?;
        let changed = self.auth.change_password(session, old, new, self.address);
        let user = changed?;
        self.session = None;
        let name = quoted(&user.name);
        self.log_event(
            Event::PasswordChange,
            Some(&user.name),
            format_args!(
                "changed the password of {name} for {}; its sessions are over",
                self.peer
            ),
        );
        self.open_session(user, None)
            .map_err(no_session(Done::PasswordChanged))
    }

    /// Opens a session and logs it, as `event` unless another event has just been logged.
    fn open_session(&mut self, user: User, event: Option<Event>) -> Result<Reply, AuthError> {
        let (token, live) = self.auth.open_session(&user, self.address)?;
        let (id, name) = (&live.id, quoted(&user.name));
        let opened = format_args!("opened session {id} of {name} for {}", self.peer);
        match event {
            Some(event) => self.log_event(event, Some(&user.name), opened),
            None => self.reporter.log(Level::Info, "opened session", opened),
        }
        Ok(self.enter_session(user, live, Some(token.into_secret())))
    }

    fn resume(&mut self, token: &Secret) -> Result<Reply, AuthError> {
        let resumed = self.auth.resume(token);
        let AuthenticatedUser { user, live } = resumed.ok_or(AuthError::SessionExpired)?;
        let (peer, id, name) = (&self.peer, &live.id, quoted(&user.name));
        self.reporter.log(
            Level::Info,
            "resumed session",
            format_args!("{peer} resumed session {id} of {name}"),
        );
        Ok(self.enter_session(user, live, None))
    }

    fn enter_session(&mut self, user: User, live: LiveSession, token: Option<Secret>) -> Reply {
        self.session = Some(live.id);
        Reply::Session {
            user: user.name,
            token,
            expires_at: live.expires_at,
        }
    }

    fn whoami(&mut self) -> Result<Reply, AuthError> {
        let user = self.authenticate()?.user.name;
        Ok(Reply::YouAre { user })
    }

    fn sessions(&mut self) -> Result<Reply, AuthError> {
        let AuthenticatedUser { user, live } = self.authenticate()?;
        let current = live.id;
        let info = |live: LiveSession| SessionInfo {
            current: live.id == current,
            id: live.id,
            address: live.session.address,
            created_at: live.session.created_at,
            last_seen: live.session.last_seen,
        };
        let sessions = self.auth.sessions_of(&user).into_iter();
        Ok(Reply::Sessions {
            sessions: sessions.map(info).collect(),
        })
    }

    fn revoke(&mut self, id: String) -> Result<Reply, AuthError> {
        let AuthenticatedUser { user, live } = self.authenticate()?;
        self.auth.revoke(&user, &id)?;
        self.log_end(&id, &user);
        if id == live.id {
            self.session = None;
        }
        Ok(Reply::Revoked { id })
    }

    fn logout(&mut self) -> Result<Reply, AuthError> {
        let AuthenticatedUser { user, live } = self.authenticate()?;
        match self.auth.revoke(&user, &live.id) {
            // It has ended just now, which is what the client asked for.
            Ok(()) | Err(AuthError::NoSuchSession) => {}
            Err(error) => return Err(error),
        }
        self.log_end(&live.id, &user);
        self.session = None;
        Ok(Reply::LoggedOut)
    }

    fn logout_all(&mut self) -> Result<Reply, AuthError> {
        let user = self.authenticate()?.user;
        let count = self.auth.revoke_all(&user)?;
        let name = quoted(&user.name);
        self.log_event(
            Event::Revocation,
            Some(&user.name),
            format_args!(
                "ended all sessions of {name}, {count} in all, for {}",
                self.peer
            ),
        );
        self.session = None;
        Ok(Reply::LoggedOut)
    }

    /// The user that the connection speaks for now.
    fn authenticate(&mut self) -> Result<AuthenticatedUser, AuthError> {
        let id = self.session.as_ref().ok_or(AuthError::NotLoggedIn)?;
        let session = self.auth.authenticate(id);
        if session.is_none() {
            self.session = None;
        }
        session.ok_or(AuthError::SessionExpired)
    }

    fn log_end(&self, id: &str, user: &User) {
        let name = quoted(&user.name);
        self.log_event(
            Event::Revocation,
            Some(&user.name),
            format_args!("ended session {id} of {name} for {}", self.peer),
        );
    }

    fn log_error(&self, error: &AuthError) {
        let peer = &self.peer;
        match error {
            AuthError::Unavailable(_) | AuthError::NoSession { .. } => {
                self.reporter.log(
                    Level::Warn,
                    "cannot do what a client asks for",
                    format_args!("cannot do what {peer} asks for: {error}"),
                );
            }
            AuthError::BadCredentials { user: Some(name) }
            | AuthError::WrongOldPassword { user: name } => self.log_event(
                Event::FailedLogin,
                Some(name),
                format_args!("refused {peer}: not the password of {}", quoted(name)),
            ),
            AuthError::BadCredentials { user: None } => self.log_event(
                Event::FailedLogin,
                None,
                format_args!("refused {peer}: no such user"),
            ),
            AuthError::RateLimited(_) => {
                self.log_event(
                    Event::RateLimited,
                    None,
                    format_args!("refused {peer}: {error}"),
                );
            }
            // At level debug, since a client can cause any number of these lines.
            error => debug_line(format_args!("refused {peer}: {error}")),
        }
    }

    fn log_event(&self, event: Event, name: Option<&Name>, message: fmt::Arguments<'_>) {
        log_event(event, Some(Network::of(self.address)), name, message);
    }
}

/// The user is registered or the password changed, whatever fails after it.
fn no_session(done: Done) -> impl FnOnce(AuthError) -> AuthError {
    move |reason| AuthError::NoSession {
        done,
        reason: Box::new(reason),
    }
}
