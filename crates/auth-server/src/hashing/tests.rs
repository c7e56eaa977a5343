use argon2::PasswordVerifier;
use proptest::prelude::*;
use proto::Secret;

use super::*;

fn password(text: &str) -> Password {
    Password::new(&Secret::new(text.into()))
}

/// Cheaper than any that a server makes, so that tests are quick.
fn cheap(memory_kib: u32, passes: u32) -> Hasher {
    Hasher::new(Cost { memory_kib, passes })
}

fn text(hash: &StoredHash) -> &str {
    &hash.0
}

#[test]
fn a_hash_is_a_phc_string_of_the_least_cost() {
    let hash = Hasher::new(Cost::LEAST)
        .hash(&password("correct horse"), [7; 16], &mut Memory::default())
        .unwrap();
    let salt = "BwcHBwcHBwcHBwcHBwcHBw";
    let start = format!("$argon2id$v=19$m=19456,t=2,p=1${salt}$");
    assert!(text(&hash).starts_with(&start), "{}", text(&hash));
    assert_eq!(text(&hash).len(), start.len() + 43);
    Argon2::default()
        .verify_password(b"correct horse", text(&hash))
        .expect("the library's own check agrees");
}

#[test]
fn the_password_and_no_other_verifies() {
    let (hasher, mut memory) = (cheap(64, 2), Memory::default());
    let stored = hasher
        .hash(&password("пароль й"), [1; 16], &mut memory)
        .unwrap();
    let mut verify = |text, stored| hasher.verify(&password(text), stored, &mut memory).unwrap();
    assert!(verify("пароль й", Some(&stored)));
    assert!(verify("пароль и\u{306}", Some(&stored)), "decomposed");
    for wrong in ["", "пароль и", "Пароль й", "пароль й ", "пароль й\0"]
    {
        assert!(!verify(wrong, Some(&stored)), "{wrong}");
        assert!(!verify(wrong, None));
    }
}

#[test]
fn what_is_not_stored_costs_what_is() {
    let (hasher, mut memory) = (cheap(512, 2), Memory::default());
    assert_eq!(hasher.verify(&password("x"), None, &mut memory), Ok(false));
    let filled = memory.0.iter().filter(|block| block.as_ref() != [0; 128]);
    assert_eq!(filled.count(), 512, "the whole memory was gone over");
}

#[test]
fn a_hash_of_less_cost_is_due_for_another() {
    let mut memory = Memory::default();
    let stored = cheap(64, 3)
        .hash(&password("x"), [0; 16], &mut memory)
        .unwrap();
    for (memory_kib, passes, due) in [(64, 3, false), (65, 3, true), (64, 4, true), (32, 2, false)]
    {
        let hasher = cheap(memory_kib, passes);
        assert_eq!(hasher.needs_rehash(&stored), due, "{memory_kib} {passes}");
        assert!(
            hasher
                .verify(&password("x"), Some(&stored), &mut memory)
                .unwrap()
        );
        assert!(memory.0.capacity() <= memory_kib as usize, "kept too much");
    }
    let short_salt =
        "$argon2id$v=19$m=64,t=3,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(cheap(64, 3).needs_rehash(&StoredHash::parse(short_salt).unwrap()));
}

#[test]
fn costs_are_bounded_on_both_sides() {
    assert_eq!(Cost::new(19_456, 2), Ok(Cost::LEAST));
    assert_eq!(Cost::new(19_455, 2), Err(CostError::TooLow));
    assert_eq!(Cost::new(1 << 20, 1), Err(CostError::TooLow));
    assert!(Cost::new(1 << 20, 4).is_ok());
    assert_eq!(Cost::new(1 << 20, 5), Err(CostError::TooHigh));
    assert_eq!(Cost::new(u32::MAX, u32::MAX), Err(CostError::TooHigh));
}

#[test]
fn what_a_hostile_file_asks_for_is_refused() {
    let rest = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let huge = u32::MAX;
    for (start, error) in [
        (
            "$argon2id$v=19$m=4294967295,t=1,p=1",
            BadHash::TooCostly {
                memory_kib: huge,
                passes: 1,
            },
        ),
        (
            "$argon2id$v=19$m=19456,t=4294967295,p=1",
            BadHash::TooCostly {
                memory_kib: 19_456,
                passes: huge,
            },
        ),
        (
            "$argon2id$v=19$m=19456,t=2,p=16777215",
            BadHash::BadParameters,
        ),
        ("$argon2id$v=19$m=19456,t=0,p=1", BadHash::BadParameters),
        ("$argon2id$v=19$m=7,t=2,p=1", BadHash::BadParameters),
        ("$argon2id$v=16$m=19456,t=2,p=1", BadHash::NotArgon2id),
        ("$argon2id$m=19456,t=2,p=1", BadHash::NotArgon2id),
        ("$argon2i$v=19$m=19456,t=2,p=1", BadHash::NotArgon2id),
        ("$pbkdf2-sha256$i=1", BadHash::NotArgon2id),
        ("argon2id$v=19$m=19456,t=2,p=1", BadHash::NotPhc),
    ] {
        assert_eq!(
            StoredHash::parse(&format!("{start}${rest}")),
            Err(error),
            "{start}"
        );
    }
    for phc in [
        "",
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "hunter22",
    ] {
        assert_eq!(StoredHash::parse(phc), Err(BadHash::NotPhc));
    }
}

#[test]
fn json_makes_no_hash_that_parse_refuses_and_nothing_else_shows_one() {
    let hash = cheap(8, 1)
        .hash(&password("x"), [0; 16], &mut Memory::default())
        .unwrap();
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{}\"", text(&hash)));
    assert_eq!(serde_json::from_str::<StoredHash>(&json).unwrap(), hash);
    assert!(serde_json::from_str::<StoredHash>("\"hunter22\"").is_err());
    assert_eq!(format!("{hash:?}"), "StoredHash(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hashes_differ_by_password_and_by_salt(
        texts in prop::array::uniform2("\\PC{0,20}"), salts in any::<[[u8; 16]; 2]>(),
    ) {
        let (hasher, mut memory) = (cheap(8, 1), Memory::default());
        let passwords = texts.each_ref().map(|text| password(text));
        let hash = |at: usize, memory: &mut Memory| hasher.hash(&passwords[at], salts[at], memory).unwrap();
        let hashes = [hash(0, &mut memory), hash(1, &mut memory)];
        let same = passwords[0].as_bytes() == passwords[1].as_bytes();
        prop_assert_eq!(hashes[0] == hashes[1], same && salts[0] == salts[1]);
        prop_assert_eq!(hasher.verify(&passwords[1], Some(&hashes[0]), &mut memory), Ok(same));
    }

    #[test]
    fn any_text_is_a_hash_or_refused(
        phc in "\\$argon2id\\$v=19\\$m=[0-9]{1,5},t=[0-9]{1,2},p=[0-9]{1,2}\
            \\$[A-Za-z0-9+/]{8,66}\\$[A-Za-z0-9+/]{8,90}|\\PC{0,80}",
    ) {
        if let Ok(hash) = StoredHash::parse(&phc) {
            let params = hash.parts().params;
            if params.m_cost() < 1000 {
                cheap(8, 1).verify(&password("x"), Some(&hash), &mut Memory::default()).unwrap();
            }
        }
    }
}
