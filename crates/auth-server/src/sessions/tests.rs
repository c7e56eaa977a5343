use proto::Name;
use tempfile::TempDir;

use super::*;
use crate::hashing::StoredHash;
use crate::user::PasswordVersion;

const LIMITS: SessionLimits = SessionLimits {
    idle: 1_000,
    max: 5_000,
};
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn user(name: &str) -> User {
    let hash = StoredHash::parse(HASH).unwrap();
    User::new(
        Name::parse(name).unwrap(),
        hash,
        PasswordVersion::new().unwrap(),
    )
}

fn sessions_in(folder: &TempDir) -> Sessions {
    let store = Store::open(&folder.path().join("sessions.jsonl")).unwrap();
    Sessions::new(store, LIMITS)
}

fn open(sessions: &Sessions, user: &User, now: u64) -> (Token, String) {
    let (token, live) = sessions.open(user, ADDRESS, now, |_| false).unwrap();
    (token, live.id)
}

fn ids(sessions: &Sessions, user: &User, now: u64) -> Vec<String> {
    let listed = sessions.of(user, now).into_iter();
    listed.map(|live| live.id).collect()
}

#[test]
fn use_postpones_the_idle_end_and_not_the_absolute_one() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (token, id) = open(&sessions, &user("Anna"), 0);
    for now in (900..4_900).step_by(900) {
        assert!(sessions.touch(&id, now).is_some(), "{now}");
    }
    let live = sessions.resume(&token, 4_999).unwrap();
    assert_eq!(live.expires_at, 5_000);
    assert!(sessions.touch(&id, 5_000).is_none());

    let (token, id) = open(&sessions, &user("Anna"), 0);
    assert!(sessions.touch(&id, 999).is_some());
    assert!(sessions.resume(&token, 1_999).is_none());
}

#[test]
fn times_reach_the_disk_once_a_minute_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (_, id) = open(&sessions, &user("Anna"), 0);
    let mut written = 0;
    for now in 1..=300 {
        sessions.touch(&id, now).unwrap();
        written += sessions.save(false).unwrap();
    }
    assert_eq!((written, sessions.stats().updates), (5, 6));
    sessions.touch(&id, 330).unwrap();
    assert_eq!(sessions.save(false).unwrap(), 0);
    assert_eq!(sessions.save(true).unwrap(), 1);
    drop(sessions);
    let sessions = sessions_in(&folder);
    assert_eq!(sessions.touch(&id, 330).unwrap().expires_at, 1_330);
}

#[test]
fn the_hundred_and_first_session_ends_the_longest_unused() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (anna, bo) = (user("Anna"), user("Bo"));
    let (_, of_bo) = open(&sessions, &bo, 0);
    let opened: Vec<_> = (0..MAX_SESSIONS)
        .map(|n| open(&sessions, &anna, n as u64).1)
        .collect();
    // Only memory knows that the first one was used.
    sessions.touch(&opened[0], 200).unwrap();
    open(&sessions, &anna, 201);
    let left = ids(&sessions, &anna, 201);
    assert_eq!(left.len(), MAX_SESSIONS);
    assert!(left.contains(&opened[0]) && !left.contains(&opened[1]));
    assert_eq!(ids(&sessions, &bo, 201), [of_bo]);
}

#[test]
fn a_session_is_its_users_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (anna, bo) = (user("Anna"), user("Bo"));
    let (token, first) = open(&sessions, &anna, 0);
    let (_, second) = open(&sessions, &anna, 0);
    assert!(!sessions.revoke(&bo, &first, 1).unwrap());
    assert!(sessions.revoke(&anna, &first, 1).unwrap());
    assert!(!sessions.revoke(&anna, &first, 1).unwrap());
    assert!(sessions.resume(&token, 1).is_none());
    assert!(!sessions.revoke(&anna, &second, 1_000).unwrap(), "expired");
    open(&sessions, &anna, 1_000);
    assert_eq!(sessions.revoke_all(&anna.key()).unwrap(), 1);
    assert_eq!(ids(&sessions, &anna, 1_000), [""; 0]);
}

#[test]
fn ended_sessions_leave_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (anna, bo) = (user("Anna"), user("Bo"));
    let (_, idle) = open(&sessions, &anna, 0);
    let (_, used) = open(&sessions, &anna, 0);
    open(&sessions, &bo, 900);
    sessions.touch(&used, 900).unwrap();
    let of_bo = |session: &Session| session.user == bo.key();
    assert_eq!(sessions.remove_ended(1_000, of_bo).unwrap(), 2);
    assert_eq!(sessions.stats().records, 1);
    assert!(sessions.touch(&idle, 1_000).is_none());
    assert_eq!(ids(&sessions, &anna, 1_000), [used]);
}

#[test]
fn at_the_stop_nothing_of_ended_sessions_is_left_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    type End = fn(&Sessions, &User, &str);
    let ends: [End; 3] = [
        |sessions, user, id| assert!(sessions.revoke(user, id, 1).unwrap()),
        |sessions, user, _| assert_eq!(sessions.revoke_all(&user.key()).unwrap(), 1),
        |sessions, _, _| assert_eq!(sessions.remove_ended(1_000, |_| false).unwrap(), 1),
    ];
    for end in ends {
        let sessions = sessions_in(&folder);
        let anna = user("Anna");
        let (_, id) = open(&sessions, &anna, 0);
        end(&sessions, &anna, &id);
        sessions.close();
        let text = std::fs::read_to_string(folder.path().join("sessions.jsonl")).unwrap();
        assert_eq!(text, "");
    }
}

#[test]
fn a_login_with_an_old_password_is_too_late() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let (before, after) = (user("Anna"), user("Anna"));
    let is_invalid = |session: &Session| session.password_version != after.password_version;
    let (token, _) = open(&sessions, &before, 0);
    sessions.open(&after, ADDRESS, 1, is_invalid).unwrap();
    assert!(sessions.resume(&token, 1).is_none(), "it went before");
    let late = sessions.open(&before, ADDRESS, 2, is_invalid);
    assert!(matches!(late, Err(OpenSessionError::TooLate)));
    assert_eq!(sessions.stats().records, 1);
}

#[test]
fn a_clock_set_back_ends_no_session_and_opens_new_ones_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let anna = user("Anna");
    let (token, before) = open(&sessions, &anna, 5_000);
    assert_eq!(sessions.resume(&token, 2_000).unwrap().expires_at, 6_000);
    assert_eq!(sessions.remove_ended(2_000, |_| false).unwrap(), 0);
    assert_eq!(sessions.save(true).unwrap(), 0);
    let (_, after) = open(&sessions, &anna, 2_000);
    assert_eq!(
        ids(&sessions, &anna, 2_000),
        [after.clone(), before.clone()]
    );
    assert_eq!(sessions.touch(&after, 2_999).unwrap().expires_at, 3_999);
    assert!(sessions.touch(&after, 3_999).is_none());
    assert!(sessions.touch(&before, 5_999).is_some());
    assert_eq!(sessions.remove_ended(5_999, |_| false).unwrap(), 1);
    assert!(sessions.revoke(&anna, &before, 2_000).unwrap());
}

#[test]
fn sessions_of_a_clock_that_ran_ahead_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions_in(&folder);
    let anna = user("Anna");
    let (token, ahead) = open(&sessions, &anna, 1_000_000_000);
    let (_, right) = open(&sessions, &anna, 0);
    assert!(sessions.touch(&ahead, 1).is_none() && sessions.resume(&token, 1).is_none());
    assert_eq!(
        sessions.remove_ended(1, |_| false).unwrap(),
        0,
        "the second ended it"
    );
    assert_eq!(ids(&sessions, &anna, 1), [right]);
}
