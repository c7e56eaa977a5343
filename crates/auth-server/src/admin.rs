//! What an administrator may do with users, while the server runs or is stopped.

use proto::{Name, NameError, Secret};
use trust::random;

use crate::accounts::SetPasswordError;
use crate::auth::{Auth, quoted};
use crate::error::ServerFault;
use crate::password::WeakPassword;
use crate::security_log::{Event, log_event};
use crate::session::Session;
use crate::user::User;
use crate::user_key::UserKey;

/// Letters and digits that are not mistaken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Characters of a generated password, with 5 bits each: 80 bits.
const GENERATED_CHARS: usize = 16;

/// Why an administrator's request fails.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The text is not a name.
    #[error("this cannot be a name: {0}")]
    BadName(#[from] NameError),
    /// There is no such user.
    #[error("there is no user {}", quoted(.0))]
    NoSuchUser(Name),
    /// The new password may not be chosen.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The server or its disk cannot do it now.
    #[error("{0}")]
    Failed(String),
}

impl From<ServerFault> for AdminError {
    fn from(fault: ServerFault) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl From<SetPasswordError> for AdminError {
    fn from(error: SetPasswordError) -> Self {
        match error {
            SetPasswordError::Weak(error) => Self::WeakPassword(error),
            SetPasswordError::Fault(fault) => fault.into(),
        }
    }
}

impl From<store::Error> for AdminError {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Auth {
    /// The names of all users, in the order of their keys.
    #[must_use]
    pub fn user_names(&self) -> Vec<Name> {
        self.accounts.names()
    }

    /// The live sessions of a user, by their ids.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub fn sessions_of_name(&self, name: &str) -> Result<Vec<(String, Session)>, AdminError> {
        let user = self.find_user(name)?;
        let sessions = self.sessions_of(&user).into_iter();
        Ok(sessions.map(|live| (live.id, live.session)).collect())
    }

    /// Ends all sessions of a user; returns the name as registered and how many there were.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the disk does not take it.
    pub fn end_sessions(&self, name: &str) -> Result<(Name, usize), AdminError> {
        let user = self.find_user(name)?;
        let count = self.sessions.revoke_all(&user.key())?;
        log_event(
            Event::Revocation,
            None,
            Some(&user.name),
            format_args!(
                "the administrator ended all sessions of {}, {count} in all",
                quoted(&user.name)
            ),
        );
        Ok((user.name, count))
    }

    /// Gives a user a password, which ends all sessions; returns the name as registered.
    ///
    /// # Errors
    ///
    /// When there is no such user, the password breaks a rule, or the disk does not take it.
    pub fn set_password(&self, name: &str, password: &Secret) -> Result<Name, AdminError> {
        let user = self.find_user(name)?;
        if !self.accounts.set_password(&user.key(), password)? {
            return Err(AdminError::NoSuchUser(user.name));
        }
        self.sessions.revoke_all(&user.key())?;
        log_event(
            Event::PasswordChange,
            None,
            Some(&user.name),
            format_args!(
                "the administrator changed the password of {}; its sessions are over",
                quoted(&user.name)
            ),
        );
        Ok(user.name)
    }

    /// Makes a random password that the rules allow.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes.
    pub fn generate_password(&self) -> Result<Secret, AdminError> {
        let chars = GENERATED_CHARS.max(self.accounts.min_password_chars());
        let mut password = String::new();
        while password.len() < chars {
            let [byte] = random().map_err(ServerFault::from)?;
            password.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
        Ok(Secret::new(password))
    }

    /// Removes a user with all sessions; returns the name as registered. Its hash and its sessions leave the files
    /// within a minute.
    ///
    /// # Errors
    ///
    /// When there is no such user, or the disk does not take it.
    pub fn remove_user(&self, name: &str) -> Result<Name, AdminError> {
        let user = self.find_user(name)?;
        // Without the user, its sessions are invalid at once.
        if !self.accounts.remove(&user.key())? {
            return Err(AdminError::NoSuchUser(user.name));
        }
        self.sessions.revoke_all(&user.key())?;
        log_event(
            Event::Removal,
            None,
            Some(&user.name),
            format_args!("the administrator removed {}", quoted(&user.name)),
        );
        Ok(user.name)
    }

    fn find_user(&self, name: &str) -> Result<User, AdminError> {
        let name = Name::parse(name)?;
        let user = self.accounts.find(&UserKey::of(&name));
        user.ok_or(AdminError::NoSuchUser(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::{HERE, auth_in, secret};

    #[test]
    fn generated_passwords_differ_and_keep_the_rules() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        auth.register("anna", &secret("correct horse"), HERE)
            .unwrap();
        let one = auth.generate_password().unwrap();
        let other = auth.generate_password().unwrap();
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), GENERATED_CHARS);
        assert_eq!(auth.set_password("ANNA", &one).unwrap().as_str(), "anna");
        assert!(auth.login("anna", &one, HERE).is_ok());
    }

    #[test]
    fn a_password_that_is_set_ends_sessions_and_keeps_the_rules() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let user = auth
            .register("anna", &secret("correct horse"), HERE)
            .unwrap();
        let (token, _) = auth.open_session(&user, HERE).unwrap();
        let weak = auth.set_password("anna", &secret("annaanna"));
        assert!(matches!(weak, Err(AdminError::WeakPassword(_))));
        let token = token.into_secret();
        assert!(auth.resume(&token).is_some());
        auth.set_password("anna", &secret("battery staple"))
            .unwrap();
        assert!(auth.resume(&token).is_none());
        assert!(auth.login("anna", &secret("correct horse"), HERE).is_err());
        let nobody = auth.set_password("bo", &secret("battery staple"));
        assert_eq!(nobody.unwrap_err().to_string(), "there is no user \"bo\"");
    }

    #[test]
    fn a_removed_user_has_no_session_and_the_name_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let password = secret("correct horse");
        let user = auth.register("anna", &password, HERE).unwrap();
        let (token, _) = auth.open_session(&user, HERE).unwrap();
        let token = token.into_secret();
        assert_eq!(auth.sessions_of_name("Anna").unwrap().len(), 1);
        assert_eq!(auth.end_sessions("anna").unwrap().1, 1);
        assert!(auth.resume(&token).is_none());
        let (token, _) = auth.open_session(&user, HERE).unwrap();
        let token = token.into_secret();
        auth.remove_user("anna").unwrap();
        assert!(auth.resume(&token).is_none() && auth.user_names().is_empty());
        auth.register("anna", &password, HERE).unwrap();
        assert!(auth.resume(&token).is_none());
        assert_eq!(auth.sessions_of_name("anna").unwrap().len(), 0);
    }
}
