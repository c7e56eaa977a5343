//! Passwords as they are stored: argon2id (RFC 9106) in PHC strings. It knows neither the rules for passwords nor the
//! queue.

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};

use crate::password::Password;

/// The longest hash that [`StoredHash`] takes, in bytes.
const MAX_OUTPUT_BYTES: usize = 64;

/// What a hash costs: the server once, and an attacker for each guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// The lowest cost, and the default: what OWASP's Password Storage Cheat Sheet calls the minimum.
    pub const LEAST: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };

    /// The highest product of memory in KiB and passes: some seconds of work. A hash in a file could ask for any
    /// amount.
    pub const MAX_KIB_PASSES: u64 = 4 << 20;

    /// A cost of `memory_kib` KiB, filled `passes` times.
    ///
    /// # Errors
    ///
    /// When it is less than [`Cost::LEAST`] or more than [`Cost::MAX_KIB_PASSES`].
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, CostError> {
        let cost = Self { memory_kib, passes };
        if memory_kib < Self::LEAST.memory_kib || passes < Self::LEAST.passes {
            return Err(CostError::TooLow);
        }
        match cost.is_within_limit() {
            true => Ok(cost),
            false => Err(CostError::TooHigh),
        }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    fn is_within_limit(self) -> bool {
        u64::from(self.memory_kib) * u64::from(self.passes) <= Self::MAX_KIB_PASSES
    }

    fn params(self) -> Params {
        Params::new(self.memory_kib, self.passes, 1, None).expect(
            "`Cost::new` refuses less than 19,456 KiB and 2 passes, and argon2 needs 8 KiB and 1",
        )
    }
}

/// Why a [`Cost`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Less memory or fewer passes than [`Cost::LEAST`].
    #[error(
        "a hash needs at least {} KiB of memory and {} passes",
        Cost::LEAST.memory_kib,
        Cost::LEAST.passes
    )]
    TooLow,
    /// More than [`Cost::MAX_KIB_PASSES`].
    #[error(
        "a hash takes at most {} KiB of memory, divided by its passes",
        Cost::MAX_KIB_PASSES
    )]
    TooHigh,
}

/// A password's hash as a PHC string, with its salt and cost. It is argon2id, version 1.3, and of a cost that a server
/// can bear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StoredHash(String);

/// Why a text is not a [`StoredHash`]. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHash {
    /// Not a PHC string with a salt and a hash.
    #[error("the hash is not a PHC string with a salt and a hash")]
    NotPhc,
    /// Another function than argon2id, or another version of it than 1.3.
    #[error("the hash is not one of argon2id, version 1.3")]
    NotArgon2id,
    /// Parameters that argon2 does not have.
    #[error("the hash has parameters that argon2 does not have")]
    BadParameters,
    /// More memory times passes than [`Cost::MAX_KIB_PASSES`].
    #[error("the hash asks for {passes} passes over {memory_kib} KiB, which is too costly")]
    TooCostly {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
    },
}

impl StoredHash {
    /// Parses a PHC string.
    ///
    /// # Errors
    ///
    /// When no password could be checked against it.
    pub fn parse(phc: &str) -> Result<Self, BadHash> {
        ParsedHash::of(phc).map(|_| Self(phc.to_owned()))
    }

    fn parts(&self) -> ParsedHash {
        ParsedHash::of(&self.0).expect(
            "`parse` and `hash` are the only constructors, and make what `ParsedHash::of` accepts",
        )
    }
}

/// Makes and checks hashes.
#[derive(Clone, Debug)]
pub struct Hasher {
    params: Params,
}

impl Hasher {
    /// Makes hashes of this cost.
    #[must_use]
    pub fn new(cost: Cost) -> Self {
        Self {
            params: cost.params(),
        }
    }

    /// Hashes a password for the file. The salt must be random, and new each time.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn hash(
        &self,
        password: &Password,
        salt: [u8; 16],
        memory: &mut Memory,
    ) -> Result<StoredHash, OutOfMemory> {
        let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
        self.compute(&self.params, password, &salt, &mut hash, memory)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params)
                .expect("three decimal numbers of 32 bits fit into its 127 characters"),
            salt: Some(
                Salt::new(&salt).expect("a salt may have 8 to 48 bytes, and this one has 16"),
            ),
            hash: Some(
                Output::new(&hash).expect("a hash may have 10 to 64 bytes, and this one has 32"),
            ),
        };
        Ok(StoredHash(hash.to_string()))
    }

    /// Whether the password is the one stored. If nothing is stored the answer is no, after the same work as for a
    /// wrong password.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn verify(
        &self,
        password: &Password,
        stored: Option<&StoredHash>,
        memory: &mut Memory,
    ) -> Result<bool, OutOfMemory> {
        let parts = stored.map_or_else(|| self.dummy(), StoredHash::parts);
        let mut hash = [0; MAX_OUTPUT_BYTES];
        let hash = &mut hash[..parts.hash.len()];
        self.compute(&parts.params, password, &parts.salt, hash, memory)?;
        // `Output` compares in constant time.
        let is_same = Output::new(hash).is_ok_and(|hash| hash == parts.hash);
        Ok(is_same && stored.is_some())
    }

    /// Whether the stored hash costs less than new ones, so that the password should be hashed again at its next login.
    #[must_use]
    pub fn needs_rehash(&self, stored: &StoredHash) -> bool {
        let parts = stored.parts();
        parts.params.m_cost() < self.params.m_cost()
            || parts.params.t_cost() < self.params.t_cost()
            || parts.salt.len() < argon2::RECOMMENDED_SALT_LEN
            || parts.hash.len() < Params::DEFAULT_OUTPUT_LEN
    }

    /// Takes the place of a hash when nothing is stored.
    fn dummy(&self) -> ParsedHash {
        ParsedHash {
            params: self.params.clone(),
            salt: Salt::new(&[0; 16]).expect("a salt may have 8 to 48 bytes, and this one has 16"),
            hash: Output::new(&[0; Params::DEFAULT_OUTPUT_LEN])
                .expect("a hash may have 10 to 64 bytes, and this one has 32"),
        }
    }

    fn compute(
        &self,
        params: &Params,
        password: &Password,
        salt: &[u8],
        hash: &mut [u8],
        memory: &mut Memory,
    ) -> Result<(), OutOfMemory> {
        let blocks = memory.blocks(params.block_count())?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password.as_bytes(), salt, hash, blocks)
            .expect("lengths of salt and hash were checked, and a password is short");
        memory.keep(self.params.block_count());
        Ok(())
    }
}

/// A parsed [`StoredHash`].
struct ParsedHash {
    params: Params,
    salt: Salt,
    hash: Output,
}

impl ParsedHash {
    fn of(phc: &str) -> Result<Self, BadHash> {
        let parsed = PasswordHash::new(phc).map_err(|_| BadHash::NotPhc)?;
        let (Some(salt), Some(hash)) = (parsed.salt, parsed.hash) else {
            return Err(BadHash::NotPhc);
        };
        if parsed.algorithm != ARGON2ID_IDENT || parsed.version != Some(Version::V0x13.into()) {
            return Err(BadHash::NotArgon2id);
        }
        let params = Params::try_from(&parsed).map_err(|_| BadHash::BadParameters)?;
        let cost = Cost {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
        };
        match cost.is_within_limit() {
            true => Ok(Self { params, salt, hash }),
            false => Err(BadHash::TooCostly {
                memory_kib: cost.memory_kib,
                passes: cost.passes,
            }),
        }
    }
}

/// The memory in which hashes are computed. It is kept from one hash to the next, because allocating and clearing it
/// takes a good part of a hash's time.
#[derive(Debug, Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, count: usize) -> Result<&mut [Block], OutOfMemory> {
        let missing = count.saturating_sub(self.0.len());
        self.0
            .try_reserve_exact(missing)
            .map_err(|_| OutOfMemory { kib: count })?;
        self.0.resize(self.0.len() + missing, Block::new());
        Ok(&mut self.0[..count])
    }

    /// Frees what one costly hash needed and others do not.
    fn keep(&mut self, count: usize) {
        self.0.truncate(count);
        self.0.shrink_to(count);
    }
}

/// The system has no memory for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory for a hash, which needs {kib} KiB")]
pub struct OutOfMemory {
    /// What the hash needs.
    pub kib: usize,
}

/// Only the file shows a hash.
impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(..)")
    }
}

impl TryFrom<String> for StoredHash {
    type Error = BadHash;

    fn try_from(phc: String) -> Result<Self, BadHash> {
        Self::parse(&phc)
    }
}

impl From<StoredHash> for String {
    fn from(hash: StoredHash) -> Self {
        hash.0
    }
}

#[cfg(test)]
mod tests;
