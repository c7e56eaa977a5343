//! Trust on first use, as a pure function of what is known.

use std::fmt;
use std::str::FromStr;

use crate::fingerprint::Fingerprint;

/// What to do with a server that is not known yet (`--trust`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustPolicy {
    /// Ask a person; on loopback accept it.
    #[default]
    Ask,
    /// Accept it.
    New,
    /// Refuse it, on loopback too.
    Known,
}

/// What to do with a key that a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the known key.
    Accept,
    /// It is accepted, and to be remembered, in place of another where there is one.
    AcceptAndRemember,
    /// A person has to say whether it is accepted.
    Ask,
    /// The server is unknown, and only known ones are accepted.
    RefuseUnknown,
    /// The server is known with another key.
    RefuseChanged {
        /// The known one.
        known: Fingerprint,
    },
    /// It is not the key that was pinned.
    RefuseNotPinned {
        /// The one that is.
        pinned: Fingerprint,
    },
}

/// Decides about a key. `pinned` is the one that `--fingerprint` names, `known` the one that the server showed
/// before.
///
/// A changed key is refused whatever the policy is, on loopback too; only demanding the new one replaces it.
#[must_use]
pub fn decide(
    policy: TrustPolicy,
    is_loopback: bool,
    pinned: Option<Fingerprint>,
    known: Option<Fingerprint>,
    presented: Fingerprint,
) -> Decision {
    match (pinned, known) {
        (Some(pinned), _) if pinned != presented => Decision::RefuseNotPinned { pinned },
        (_, Some(known)) if known == presented => Decision::Accept,
        (Some(_), _) => Decision::AcceptAndRemember,
        (None, Some(known)) => Decision::RefuseChanged { known },
        (None, None) => match policy {
            TrustPolicy::New => Decision::AcceptAndRemember,
            TrustPolicy::Ask if is_loopback => Decision::AcceptAndRemember,
            TrustPolicy::Ask => Decision::Ask,
            TrustPolicy::Known => Decision::RefuseUnknown,
        },
    }
}

impl TrustPolicy {
    /// All policies, in the order of the help.
    pub const ALL: [Self; 3] = [Self::Ask, Self::New, Self::Known];
}

impl fmt::Display for TrustPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ask => "ask",
            Self::New => "new",
            Self::Known => "known",
        })
    }
}

impl FromStr for TrustPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let policy = Self::ALL
            .into_iter()
            .find(|policy| policy.to_string() == text);
        policy.ok_or_else(|| "the policy is ask, new or known".into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(number: u8) -> Fingerprint {
        Fingerprint::of_spki(&[number])
    }

    #[test]
    fn an_unknown_server_is_treated_as_the_policy_says() {
        for (policy, is_loopback, expected) in [
            (TrustPolicy::Ask, false, Decision::Ask),
            (TrustPolicy::Ask, true, Decision::AcceptAndRemember),
            (TrustPolicy::New, false, Decision::AcceptAndRemember),
            (TrustPolicy::New, true, Decision::AcceptAndRemember),
            (TrustPolicy::Known, false, Decision::RefuseUnknown),
            (TrustPolicy::Known, true, Decision::RefuseUnknown),
        ] {
            assert_eq!(
                decide(policy, is_loopback, None, None, key(1)),
                expected,
                "{policy}, {is_loopback}"
            );
        }
    }

    #[test]
    fn policies_are_words() {
        for policy in TrustPolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert!("always".parse::<TrustPolicy>().is_err());
    }

    fn keys() -> impl Strategy<Value = Option<Fingerprint>> {
        prop::option::of((0..3u8).prop_map(key))
    }

    proptest! {
        #[test]
        fn no_other_key_is_ever_accepted(
            policy in prop::sample::select(&TrustPolicy::ALL[..]),
            is_loopback in any::<bool>(),
            pinned in keys(),
            known in keys(),
            presented in (0..3u8).prop_map(key),
        ) {
            let decision = decide(policy, is_loopback, pinned, known, presented);
            let is_accepted = matches!(decision, Decision::Accept | Decision::AcceptAndRemember | Decision::Ask);
            // The flag wins over what is known.
            if let Some(expected) = pinned.or(known) {
                prop_assert_eq!(is_accepted, presented == expected);
                prop_assert_ne!(decision, Decision::Ask);
            }
            prop_assert_eq!(decision == Decision::Accept, is_accepted && known == Some(presented));
        }
    }
}
