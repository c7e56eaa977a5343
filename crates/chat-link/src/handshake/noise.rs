//! Noise_XX_25519_ChaChaPoly_SHA256 by the crate snow, with the randomness handed in.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, Error, HandshakeState};

use crate::key::{KEY_BYTES, PublicKey, StaticKey};
use crate::wire::MAX_DATAGRAM_BYTES;

static PARAMS: LazyLock<NoiseParams> = LazyLock::new(|| {
    let name = "Noise_XX_25519_ChaChaPoly_SHA256";
    name.parse()
        .expect("the name is one of the specification's")
});

/// The prologue: what both ends have seen before the first Noise message.
pub(super) struct Prologue(Vec<u8>);

impl Prologue {
    pub(super) fn new(hello_digest: &[u8; 32], cookie_datagram: &[u8]) -> Self {
        Self([hello_digest, cookie_datagram].concat())
    }
}

/// The digest of a hello in the prologue.
pub(super) fn digest(hello: &[u8]) -> [u8; 32] {
    Sha256::digest(hello).into()
}

/// The client's half. `ephemeral` is a private key from the operating system's randomness.
pub(super) fn initiator(
    key: &StaticKey,
    prologue: &Prologue,
    ephemeral: [u8; KEY_BYTES],
) -> HandshakeState {
    builder(key, prologue, ephemeral)
        .and_then(Builder::build_initiator)
        .expect(COMPLETE)
}

/// The server's half.
pub(super) fn responder(
    key: &StaticKey,
    prologue: &Prologue,
    ephemeral: [u8; KEY_BYTES],
) -> HandshakeState {
    builder(key, prologue, ephemeral)
        .and_then(Builder::build_responder)
        .expect(COMPLETE)
}

const COMPLETE: &str = "the builder has a key, and the resolver each primitive";

fn builder<'a>(
    key: &'a StaticKey,
    prologue: &'a Prologue,
    ephemeral: [u8; 32],
) -> Result<Builder<'a>, Error> {
    Builder::with_resolver(PARAMS.clone(), Box::new(Resolver { ephemeral }))
        .local_private_key(key.private())?
        .prologue(&prologue.0)
}

/// The next message of a handshake.
pub(super) fn write(handshake: &mut HandshakeState, payload: &[u8]) -> Option<Vec<u8>> {
    let mut message = vec![0; MAX_DATAGRAM_BYTES];
    let length = handshake.write_message(payload, &mut message).ok()?;
    message.truncate(length);
    Some(message)
}

/// The payload of the peer's message, if it is authentic.
pub(super) fn read(handshake: &mut HandshakeState, message: &[u8]) -> Option<Vec<u8>> {
    let mut payload = vec![0; message.len()];
    let length = handshake.read_message(message, &mut payload).ok()?;
    payload.truncate(length);
    Some(payload)
}

/// The peer's static key, once it was read.
pub(super) fn remote_key(handshake: &HandshakeState) -> Option<PublicKey> {
    let key = handshake.get_remote_static()?.try_into().ok()?;
    Some(PublicKey::from_bytes(key))
}

/// The default primitives, and one ephemeral key.
struct Resolver {
    ephemeral: [u8; KEY_BYTES],
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(Some(self.ephemeral))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// Gives its bytes once: a handshake makes one ephemeral key.
struct Once(Option<[u8; KEY_BYTES]>);

impl Random for Once {
    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        let bytes = self
            .0
            .take()
            .filter(|bytes| bytes.len() == into.len())
            .ok_or(Error::Rng)?;
        into.copy_from_slice(&bytes);
        Ok(())
    }
}
