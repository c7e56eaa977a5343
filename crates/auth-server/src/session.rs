//! Sessions: what a token opens, and until when. It does not know where they are stored. Times are Unix seconds,
//! because sessions outlive the process.

use std::fmt;
use std::net::IpAddr;

use base64ct::{Base64UrlUnpadded, Encoding};
use proto::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::user::PasswordVersion;
use crate::user_key::UserKey;

/// Live sessions that one user may have. Their list fits in one message.
pub const MAX_SESSIONS: usize = 100;

/// [`Session::last_seen`] is written to disk at most this often, in seconds.
const SAVE_INTERVAL: u64 = 60;

/// Characters of 256 bits in base64url.
const TOKEN_CHARS: usize = 43;

/// Characters of the hash that form a session's id: 72 bits.
const ID_CHARS: usize = 12;

/// What a client sends to go on with a session: 256 random bits as 43 characters of base64url. The server does not keep
/// it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Makes a token of these bits, which must be random.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Base64UrlUnpadded::encode_string(&random))
    }

    /// Takes what a client sent, if it has the form of a token.
    #[must_use]
    pub fn parse(sent: &Secret) -> Option<Self> {
        let is_digit = |byte| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let text = sent.expose();
        (text.len() == TOKEN_CHARS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The id of the session that this token opens. It is a part of the hash, and opens nothing.
    #[must_use]
    pub fn session_id(&self) -> String {
        let mut id = self.hash();
        id.truncate(ID_CHARS);
        id
    }

    /// The token itself, for the client.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        Secret::new(self.0)
    }

    /// A fast hash is enough: nobody can try 2^256 tokens. It covers the characters, so that two spellings of the same
    /// bits are different tokens.
    fn hash(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What the server keeps of a session, under its [id](Token::session_id).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The user's key.
    pub user: UserKey,
    /// The password that it was opened with. It ends when the user gets another one.
    #[serde(rename = "generation")]
    pub password_version: PasswordVersion,
    /// The client's address when it was opened.
    pub address: IpAddr,
    /// When it was opened.
    pub created_at: u64,
    /// When it was last used.
    pub last_seen: u64,
    /// SHA-256 of the token, in base64url.
    hash: String,
    /// Fields that a newer version wrote.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Session {
    /// A session that begins now.
    #[must_use]
    pub fn new(
        token: &Token,
        user: UserKey,
        password_version: PasswordVersion,
        address: IpAddr,
        now: u64,
    ) -> Self {
        Self {
            user,
            password_version,
            address,
            created_at: now,
            last_seen: now,
            hash: token.hash(),
            unknown: Map::new(),
        }
    }

    /// Whether a token opens this session.
    ///
    /// The time that this takes reveals nothing: it compares hashes, and nobody can choose a token by the first
    /// characters of its hash.
    #[must_use]
    pub fn is_opened_by(&self, token: &Token) -> bool {
        self.hash == token.hash()
    }

    /// Sets the time of the last use.
    pub fn touch(&mut self, now: u64) {
        // A clock that is set back shortens no session.
        self.last_seen = self.last_seen.max(now);
    }

    /// Whether a later `last_seen` should be written over this session's, which is the one on disk.
    #[must_use]
    pub fn is_outdated_by(&self, last_seen: u64) -> bool {
        last_seen >= self.last_seen.saturating_add(SAVE_INTERVAL)
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Seconds from the last use to the session's end.
    pub idle: u64,
    /// Seconds from the session's beginning to its end, however it is used.
    pub max: u64,
}

impl SessionLimits {
    /// When a session ends if it is not used any more: the sooner of both ends.
    #[must_use]
    pub fn expires_at(self, session: &Session) -> u64 {
        let idle_end = session.last_seen.saturating_add(self.idle);
        idle_end.min(session.created_at.saturating_add(self.max))
    }

    /// Whether a session has not ended yet.
    ///
    /// If the clock is set back, sessions go on for as much longer, but sessions that began more than `max` seconds in
    /// the future have ended: a clock that was wrong by years must not make sessions that last for years.
    #[must_use]
    pub fn is_live(self, session: &Session, now: u64) -> bool {
        now < self.expires_at(session) && session.created_at <= now.saturating_add(self.max)
    }
}

/// The session whose last use is the longest ago. It ends when a user with [`MAX_SESSIONS`] opens another one.
pub fn least_recently_used<'a>(
    sessions: impl IntoIterator<Item = (&'a str, &'a Session)>,
) -> Option<&'a str> {
    let order = |(id, session): &(&'a str, &Session)| (session.last_seen, session.created_at, *id);
    sessions.into_iter().min_by_key(order).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::Name;

    use super::*;

    fn token(byte: u8) -> Token {
        Token::new([byte; 32])
    }

    fn session(token: &Token, now: u64) -> Session {
        let user = UserKey::of(&Name::parse("Anna").unwrap());
        let password_version = serde_json::from_str("\"AbCdEfGhIjKl\"").unwrap();
        Session::new(
            token,
            user,
            password_version,
            "192.0.2.7".parse().unwrap(),
            now,
        )
    }

    const LIMITS: SessionLimits = SessionLimits {
        idle: 1_800,
        max: 28_800,
    };

    #[test]
    fn a_token_is_43_characters_and_not_in_the_record() {
        let token = token(0xfb);
        let secret = token.clone().into_secret();
        assert_eq!(
            secret.expose(),
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s"
        );
        assert!(Token::parse(&secret).is_some());
        // SHA-256 of these 43 characters, as other tools compute it.
        let hash = "0Rg1yn7b0R1hLInM2pf4BU3eT3hIX_W1iTNui9njUxU";
        let session = session(&token, 1_790_000_000);
        assert_eq!(
            serde_json::to_value(&session).unwrap(),
            serde_json::json!({
                "user": "anna",
                "generation": "AbCdEfGhIjKl",
                "address": "192.0.2.7",
                "created_at": 1_790_000_000,
                "last_seen": 1_790_000_000,
                "hash": hash,
            })
        );
        assert_eq!(token.session_id(), hash[..12]);
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn a_session_is_opened_by_its_token_alone() {
        let session = session(&token(0), 0);
        assert!(session.is_opened_by(&token(0)));
        assert!(!session.is_opened_by(&token(1)));
        // `AA..AB` decodes to the same bits as `AA..AA` where the last two are not looked at.
        let twin = Secret::new("A".repeat(42) + "B");
        assert!(!session.is_opened_by(&Token::parse(&twin).unwrap()));
    }

    #[test]
    fn a_text_of_another_form_is_no_token() {
        for text in [
            "",
            &"A".repeat(42),
            &"A".repeat(44),
            &("A".repeat(42) + "="),
            &("A".repeat(41) + "я"),
        ] {
            assert!(
                Token::parse(&Secret::new(text.to_owned())).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_session_ends_at_the_sooner_of_both_ends() {
        let mut session = session(&token(0), 1_000);
        assert_eq!(LIMITS.expires_at(&session), 2_800);
        assert!(LIMITS.is_live(&session, 2_799) && !LIMITS.is_live(&session, 2_800));
        session.touch(2_799);
        assert_eq!(LIMITS.expires_at(&session), 4_599);
        for now in (2_799..29_799).step_by(1_000) {
            session.touch(now);
        }
        assert_eq!(LIMITS.expires_at(&session), 29_800);
        assert!(LIMITS.is_live(&session, 29_799) && !LIMITS.is_live(&session, 29_800));
    }

    #[test]
    fn last_seen_is_worth_writing_once_a_minute() {
        let mut saved = session(&token(0), 1_000);
        let written = (1_000..1_600).filter(|now| {
            let worth = saved.is_outdated_by(*now);
            if worth {
                saved.touch(*now);
            }
            worth
        });
        assert_eq!(
            written.collect::<Vec<_>>(),
            (1_060..1_600).step_by(60).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_clock_set_back_ends_nothing() {
        let mut session = session(&token(0), 1_000);
        session.touch(10);
        assert_eq!(session.last_seen, 1_000);
        assert!(LIMITS.is_live(&session, 10));
    }

    #[test]
    fn a_clock_that_ran_ahead_makes_no_session_for_years() {
        let session = session(&token(0), 100_000);
        let live = |now| LIMITS.is_live(&session, now);
        assert!(live(100_000 - 28_800) && !live(100_000 - 28_801) && !live(0));
    }

    #[test]
    fn the_longest_unseen_makes_room() {
        let sessions =
            [(500, "a"), (300, "b"), (400, "c")].map(|(now, id)| (id, session(&token(0), now)));
        let of = |sessions: &[(&'static str, Session)]| {
            least_recently_used(sessions.iter().map(|(id, session)| (*id, session)))
                .map(String::from)
        };
        assert_eq!(of(&sessions).as_deref(), Some("b"));
        assert_eq!(of(&[]), None);
    }

    proptest! {
        #[test]
        fn records_survive_the_file(bits in any::<[u8; 32]>(), now in any::<u64>(), ip in any::<IpAddr>()) {
            let token = Token::new(bits);
            let session = Session { address: ip, ..session(&token, now) };
            let json = serde_json::to_string(&session).unwrap();
            prop_assert!(!json.contains(token.clone().into_secret().expose()));
            let read: Session = serde_json::from_str(&json).unwrap();
            prop_assert!(read.is_opened_by(&Token::parse(&token.into_secret()).unwrap()));
            prop_assert_eq!(read, session);
        }

        #[test]
        fn one_changed_character_opens_nothing(
            bits in any::<[u8; 32]>(), at in 0..43usize, other in "[A-Za-z0-9_-]",
        ) {
            let token = Token::new(bits);
            let mut text = token.0.clone();
            text.replace_range(at..=at, &other);
            let changed = Token::parse(&Secret::new(text)).unwrap();
            prop_assert_eq!(session(&token, 0).is_opened_by(&changed), token.0 == changed.0);
        }

        #[test]
        fn no_times_overflow(
            created_at in any::<u64>(), times in prop::collection::vec(any::<u64>(), 0..5),
            idle in any::<u64>(), max in any::<u64>(),
        ) {
            let limits = SessionLimits { idle, max };
            let mut session = session(&token(0), created_at);
            for now in times {
                session.touch(now);
                let end = limits.expires_at(&session);
                let is_to_come = session.created_at.saturating_sub(max) > now;
                prop_assert_eq!(limits.is_live(&session, now), now < end && !is_to_come);
                prop_assert!(end <= session.created_at.saturating_add(max));
                prop_assert!(end <= session.last_seen.saturating_add(idle));
            }
        }
    }
}
