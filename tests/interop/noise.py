"""The chat's cryptography with the standard library alone: X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439), and the
client's half of Noise_XX_25519_ChaChaPoly_SHA256. It is written to be read: it takes other times for other secrets."""

import hashlib
import hmac
import secrets
import struct

P = 2**255 - 19
BASE = (9).to_bytes(32, "little")


class Forged(Exception):
    """Bytes that were not sealed with this key."""


def x25519(private, public):
    """The shared secret, or the public key if `public` is BASE."""
    scalar = bytearray(private)
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    k, x1 = int.from_bytes(scalar, "little"), int.from_bytes(public, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = (x2 + z2) % P, (x2 - z2) % P, (x3 + z3) % P, (x3 - z3) % P
        da, cb, aa, bb = d * a % P, c * b % P, a * a % P, b * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def chacha20_block(key, counter, nonce):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    work = state[:]

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            work[x] = (work[x] + work[y]) & 0xFFFFFFFF
            mixed = work[z] ^ work[x]
            work[z] = (mixed << n | mixed >> (32 - n)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            quarter(diagonal, (diagonal + 1) % 4 + 4, (diagonal + 2) % 4 + 8, (diagonal + 3) % 4 + 12)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(work, state)))


def chacha20(key, counter, nonce, data):
    stream = b"".join(chacha20_block(key, counter + i, nonce) for i in range((len(data) + 63) // 64))
    return bytes(a ^ b for a, b in zip(data, stream))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def _tag(key, nonce, sealed, associated):
    def padded(data):
        return data + bytes(-len(data) % 16)

    lengths = struct.pack("<QQ", len(associated), len(sealed))
    return poly1305(chacha20_block(key, 0, nonce)[:32], padded(associated) + padded(sealed) + lengths)


def seal(key, nonce, data, associated=b""):
    sealed = chacha20(key, 1, nonce, data)
    return sealed + _tag(key, nonce, sealed, associated)


def open_sealed(key, nonce, sealed, associated=b""):
    if len(sealed) < 16 or not hmac.compare_digest(_tag(key, nonce, sealed[:-16], associated), sealed[-16:]):
        raise Forged("not sealed with this key")
    return chacha20(key, 1, nonce, sealed[:-16])


def number_nonce(number):
    """Noise's nonce for a number: 4 zero bytes, then the number in little-endian order."""
    return struct.pack("<IQ", 0, number)


class Initiator:
    """The client's half of the handshake: `first`, `second`, `third`, then `keys`."""

    def __init__(self, private, prologue, ephemeral=None):
        self.static, self.ephemeral = private, ephemeral or secrets.token_bytes(32)
        name = b"Noise_XX_25519_ChaChaPoly_SHA256"
        self.chaining = self.hash = name  # exactly 32 bytes, so it stands for its own hash
        self.key, self.nonce = None, 0
        self._mix_hash(prologue)

    def first(self):
        """-> e"""
        public = x25519(self.ephemeral, BASE)
        self._mix_hash(public)
        self._mix_hash(b"")
        return public

    def second(self, message):
        """<- e, ee, s, es; gives the server's static key."""
        remote = message[:32]
        self._mix_hash(remote)
        self._mix_key(x25519(self.ephemeral, remote))
        server = self._open(message[32:80])
        self._mix_key(x25519(self.ephemeral, server))
        self._open(message[80:])
        self.remote_ephemeral = remote
        return server

    def third(self, payload):
        """-> s, se"""
        message = self._seal(x25519(self.static, BASE))
        self._mix_key(x25519(self.static, self.remote_ephemeral))
        return message + self._seal(payload)

    def keys(self):
        """The keys to send and to receive with."""
        return self._expand(b"")

    def _mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def _mix_key(self, secret):
        self.chaining, self.key = self._expand(secret)
        self.nonce = 0

    def _expand(self, secret):
        """HKDF with two outputs."""
        extracted = hmac.digest(self.chaining, secret, "sha256")
        one = hmac.digest(extracted, b"\1", "sha256")
        return one, hmac.digest(extracted, one + b"\2", "sha256")

    def _seal(self, data):
        sealed = seal(self.key, number_nonce(self.nonce), data, self.hash)
        self.nonce += 1
        self._mix_hash(sealed)
        return sealed

    def _open(self, sealed):
        data = open_sealed(self.key, number_nonce(self.nonce), sealed, self.hash)
        self.nonce += 1
        self._mix_hash(sealed)
        return data
