"""The client's half of the chat's handshake (CHAT.md, "Joining"): one attempt. Without socket and clock."""

import base64
import hashlib
import json
import secrets

import noise
from session import Session

HELLO_BYTES = 1_200
AGAIN = 0.5


class Refused(Exception):
    """The server does not let us in."""


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Joining:
    def __init__(self, private, nick, now, history=50):
        self.private, self.nick, self.history = private, nick, history
        self.nonce = encode(secrets.token_bytes(16))
        hello = {"type": "hello", "versions": [2], "features": ["sealed"], "nonce": self.nonce, "pad": ""}
        hello["pad"] = "0" * (HELLO_BYTES - len(self._json(hello)))
        self.hello = self.datagram = self._json(hello)
        self.noise = self.keys = self.session = self.server_key = None
        self.again = now

    def outgoing(self, now):
        """The datagram to send now, if there is one: each is repeated until it is answered."""
        if now < self.again or self.session is not None:
            return []
        self.again = now + AGAIN
        return [self.datagram]

    def receive(self, datagram, now):
        try:
            fields = json.loads(datagram)
        except ValueError:
            return
        if fields.get("nonce") != self.nonce:
            return
        kind = fields["type"]
        if kind == "refused" and self.noise is None:
            raise Refused(f"{fields['code']}: {fields['message']}")
        if kind == "cookie" and self.noise is None:
            prologue = hashlib.sha256(self.hello).digest() + datagram
            self.noise = noise.Initiator(self.private, prologue)
            self._say(now, step=1, cookie=fields["cookie"], noise=encode(self.noise.first()))
        elif kind == "noise" and self.server_key is None:
            self.server_key = self.noise.second(decode(fields["noise"]))
            wish = json.dumps({"nick": self.nick, "history": self.history}).encode()
            self._say(now, step=3, noise=encode(self.noise.third(wish)))
            self.keys = self.noise.keys()
        elif kind == "answer" and self.keys is not None:
            answer = json.loads(noise.open_sealed(self.keys[1], noise.number_nonce(0), decode(fields["sealed"])))
            if answer["type"] == "refused":
                raise Refused(f"{answer['code']}: {answer['message']}")
            self.nick = answer["nick"]
            self.session = Session(decode(answer["session"]), self.keys, decode(answer["reset"]), now)

    def _say(self, now, **fields):
        self.datagram, self.again = self._json({"type": "noise", "nonce": self.nonce, **fields}), now

    @staticmethod
    def _json(fields):
        return json.dumps(fields, separators=(",", ":")).encode()
