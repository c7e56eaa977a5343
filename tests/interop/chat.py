#!/usr/bin/env python3
"""A member of the chat: sends the lines of stdin, prints what the others say.

Commands: /me TEXT, /msg NICK TEXT, /nick NEW, /who, /hop (go on from another port, as when a network changes), /quit.
At the end of input it leaves, once everything it said is confirmed.
"""

import collections
import os
import random
import secrets
import select
import socket
import sys
import time

import datagram
import program
from link import WINDOW
from member import Member
from messages import Assembler, is_notice, pieces

PACE, BURST = 50, 50  # a message every 50 ms in the long run, and 50 at once
MOST_TO_READ = 1_000  # datagrams, before time is looked at again


class ChatError(Exception):
    """It did not end as its user wished."""


def clock():
    return int(time.monotonic() * 1000)


class Network:
    """The socket, and the share of datagrams that is lost on purpose, both ways."""

    def __init__(self, host, port, drop):
        family, _, _, _, self.server = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self.family = family
        self.drop = drop
        self.socket = None
        self.hop()

    def hop(self):
        """Goes on from another port."""
        old = self.socket
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.connect(self.server)  # so that nobody else's datagrams come in
        self.socket.setblocking(False)
        if old is not None:
            old.close()

    def send(self, payload):
        if random.uniform(0, 100) >= self.drop:
            try:
                self.socket.send(payload)
            except OSError:
                pass  # like a datagram that was lost; the link sends it again

    def receive(self):
        """The datagrams that have come."""
        for _ in range(MOST_TO_READ):
            try:
                payload = self.socket.recv(datagram.LIMIT + 1)
            except BlockingIOError:
                return
            except OSError:
                continue  # an earlier datagram met nobody; perhaps the server is being started anew
            if random.uniform(0, 100) >= self.drop:
                yield payload


class Input:
    """The lines of stdin, as far as they have come."""

    def __init__(self):
        self.lines = []
        self.rest = b""
        self.ended = False

    def read(self):
        portion = os.read(sys.stdin.fileno(), 4_096)
        *lines, self.rest = (self.rest + portion).split(b"\n")
        if not portion:
            self.ended = True
            lines = [self.rest] if self.rest else []
        self.lines += [line.decode() for line in lines]


class Chat:
    def __init__(self, member, network):
        self.member, self.network = member, network
        self.input = Input()
        self.assembler = Assembler()
        self.shown = collections.deque(maxlen=50)  # ids of the last texts to all
        self.greeted = None  # the session that its user was told of
        self.unconfirmed = False
        self.free_at = clock()  # the pace: when all that was sent would have been sent without bursts

    def run(self):
        while self.member.over is None:
            now = clock()
            self.member.tick(now)
            for payload in self.network.receive():
                for message in self.member.receive(payload, now):
                    self.show(message)
            self.tell_of_the_session()
            self.take_lines(now)
            for payload in self.member.outgoing():
                self.network.send(payload)
            self.wait()
        if self.member.over != "quit" or self.unconfirmed:
            raise ChatError(f"the chat is over: {self.member.over}")

    def wait(self):
        """Until a datagram or a line comes, or the time of something."""
        if self.member.over is not None:
            return
        until = self.member.next_time()
        sources = [self.network.socket]
        if self.reads():
            sources.append(sys.stdin)
        elif self.has_room():
            until = min(until, self.paced_until())
        select.select(sources, [], [], max(0, until - clock()) / 1000)

    def reads(self):
        """Whether it waits for a line. What cannot be sent yet stays with whoever writes it."""
        return self.member.link is not None and not self.input.ended and not self.input.lines

    def has_room(self):
        return bool(self.input.lines) and len(self.member.link.waiting) < WINDOW

    def paced_until(self):
        return self.free_at - BURST * PACE

    def take_lines(self, now):
        link = self.member.link
        if link is None or link.leaving is not None:
            return
        if self.reads() and select.select([sys.stdin], [], [], 0)[0]:
            self.input.read()
        while self.has_room() and now >= self.paced_until():
            self.take(self.input.lines.pop(0), now)
        if self.input.ended and not self.input.lines and not link.unconfirmed():
            self.member.leave(now)

    def take(self, line, now):
        command, _, rest = line.partition(" ")
        if command == "/quit":
            self.member.leave(now)
        elif command == "/hop":
            self.network.hop()
        elif command == "/who":
            self.write({"type": "who"}, now)
        elif command == "/nick":
            self.write({"type": "nick", "nick": rest}, now)
        elif command == "/me":
            self.write_text({"type": "me"}, rest, now)
        elif command == "/msg":
            to, _, text = rest.partition(" ")
            self.write_text({"type": "private", "to": to}, text, now)
        else:
            self.write_text({"type": "say"}, line, now)

    def write_text(self, fields, text, now):
        for message in pieces(fields, text):
            self.write(message, now)

    def write(self, message, now):
        self.free_at = max(self.free_at, now) + PACE
        self.member.link.write(message, now)

    def tell_of_the_session(self):
        for message in self.member.lost:
            program.say(f"! not confirmed: {message.get('text', message['type'])}")
            self.unconfirmed = True
        self.member.lost = []
        link = self.member.link
        if link is not None and link.session != self.greeted:
            self.greeted = link.session
            self.assembler = Assembler()
            print(f"joined as {program.printable(self.member.nick)}", file=sys.stderr, flush=True)

    def show(self, message):
        whole = self.assembler.add(message) if is_notice(message) else None
        if whole is None:
            return
        if whole["type"] == "said":
            if whole["id"] in self.shown and whole.get("history") is True:
                return
            if whole["kind"] != "private":
                self.shown.append(whole["id"])
        program.say(line(whole))


def line(notice):
    """A notice of the server as a line."""
    kind = notice["type"]
    if kind == "said":
        shape = {"me": "** {} {}", "private": "[{}] {}"}.get(notice["kind"], "<{}> {}")
        before = "| " if notice.get("history") is True else ""
        return before + shape.format(notice["from"], notice["text"])
    if kind == "joined":
        return f"* {notice['nick']} joined"
    if kind == "left":
        return f"* {notice['nick']} left ({notice['reason']})"
    if kind == "renamed":
        return f"* {notice['old']} is now {notice['new']}"
    if kind == "members":
        return "* here: " + ", ".join(notice["nicks"])
    return f"! {notice['message']}"


def main():
    parser = program.arguments("Takes part in a chat over UDP.", 9390)
    parser.add_argument("--nick", required=True)
    parser.add_argument("--drop", type=float, default=0, help="lose this percentage of datagrams on purpose, each way")
    flags = parser.parse_args()
    network = Network(flags.host, flags.port, flags.drop)
    Chat(Member(flags.nick, lambda: secrets.token_hex(16), clock()), network).run()


if __name__ == "__main__":
    program.run(main, ChatError, UnicodeDecodeError, ValueError)
