"""A member's side of the chat (PROTOCOL.md, "Joining"): hello, the link, coming back. Like the link, without socket and clock.

`random_bits()` gives 32 hexadecimal digits that nobody can guess.
"""

import datagram
from link import Link

VERSION = 1
HELLO_AGAIN = 1_000
HELLO_LASTS = 30_000
PATIENCE = 5_000


class Hello:
    """One attempt to join, or to come back."""

    def __init__(self, nonce, session, now):
        self.nonce, self.session = nonce, session
        self.cookie = None
        self.refusal = None
        self.again = now
        self.until = now + HELLO_LASTS


class Member:
    def __init__(self, nick, random_bits, now):
        self.nick = nick
        self.random_bits = random_bits
        self.hello = Hello(random_bits(), None, now)
        self.link = None
        self.over = None  # why it ended
        self.lost = []  # messages that were not confirmed when a session ended
        self._outgoing = []
        self.tick(now)

    def outgoing(self):
        """The datagrams to send, each given once."""
        datagrams = self._outgoing
        self._outgoing = []
        if self.link is not None:
            datagrams += self.link.outgoing
            self.link.outgoing = []
        return datagrams

    def receive(self, payload, now):
        """Takes a datagram; gives the messages that it completes, in order."""
        fields = datagram.decode(payload)
        if fields is None or self.over is not None:
            return []
        if "nonce" in fields:
            if self.hello is not None and fields["nonce"] == self.hello.nonce:
                self._take_answer(fields, now)
            return []
        if self.link is None or fields.get("session") != self.link.session:
            return []
        heard = self.link.heard
        messages = self.link.receive(fields, now)
        if self.hello is not None and self.link.heard > heard:
            self.hello = None  # contact is back without it
            self.link.resume(now)
        self._look_whether_over()
        return messages

    def leave(self, now):
        if self.link is None:
            self.over = "quit"
        else:
            self.hello = None
            self.link.leave("quit", now)

    def next_time(self):
        """When `tick` is to be called at the latest, or None when it is over."""
        if self.over is not None:
            return None
        times = [self.link.next_time() if self.link else None, self._comes_back_at()]
        if self.hello is not None:
            times.append(self.hello.again)
        return min(time for time in times if time is not None)

    def tick(self, now):
        if self.over is not None:
            return
        if self.link is not None:
            self.link.tick(now)
            self._look_whether_over()
            come_back = self._comes_back_at()
            if come_back is not None and now >= come_back:
                self.hello = Hello(self.random_bits(), self.link.session, now)
        hello = self.hello
        if hello is not None and now >= hello.again:
            if now < hello.until:
                self._say_hello(now)
            elif self.link is None or hello.refusal is not None:
                self._end(hello.refusal or "nobody answers")
            else:
                self.hello = Hello(self.random_bits(), self.link.session, now)
                self._say_hello(now)

    def _comes_back_at(self):
        link = self.link
        if self.hello is not None or link is None or link.over or link.leaving or link.asked is None:
            return None
        return link.asked + PATIENCE

    def _say_hello(self, now):
        hello = self.hello
        fields = {"type": "hello", "version": VERSION, "nonce": hello.nonce, "nick": self.nick}
        if hello.session is not None:
            fields["session"] = hello.session
        if hello.cookie is not None:
            fields["cookie"] = hello.cookie
        self._outgoing.append(datagram.encode_hello(fields))
        hello.again = now + HELLO_AGAIN

    def _take_answer(self, fields, now):
        if fields["type"] == "challenge":
            is_first = self.hello.cookie is None
            self.hello.cookie = fields["cookie"]
            if is_first:
                self._say_hello(now)
        elif fields["type"] == "welcome":
            self.hello = None
            self.nick = fields["nick"]
            if self.link is not None and self.link.session == fields["session"]:
                self.link.resume(now)
                return
            if self.link is not None:
                self.lost += self.link.unconfirmed()
            self.link = Link(fields["session"], now)
        elif fields["type"] == "refused":
            self.hello.refusal = f"{fields['code']}: {fields['message']}"
            if self.link is not None and fields["code"] == "stopping":
                self.hello.refusal = None
            if self.link is None:
                self._end(self.hello.refusal)

    def _look_whether_over(self):
        if self.link.over is not None:
            self._end(self.link.over)

    def _end(self, why):
        self.over = why
        if self.link is not None:
            self.lost += self.link.unconfirmed()
            self.link.waiting.clear()
            self.link.flying.clear()
