#!/usr/bin/env python3
"""A member of the chat: sends the lines of stdin, prints what the others say.

Commands: /me TEXT, /msg NICK TEXT, /nick NEW, /who, /hop (go on from another port, as when a network changes), /quit.
At the end of input it leaves, once everything it said is confirmed. It trusts any server's key.
"""

import json
import os
import queue
import random
import secrets
import socket
import sys
import threading
import time

import program
from joining import Joining, Refused

PATIENCE = 30


class ChatError(Exception):
    """It did not end as its user wished."""


class Chat:
    def __init__(self, flags):
        self.flags = flags
        family, _, _, _, self.server = socket.getaddrinfo(flags.host, flags.port, type=socket.SOCK_DGRAM)[0]
        self.family = family
        self.private, self.nick = secrets.token_bytes(32), flags.nick
        self.hop()
        self.lines = queue.Queue()
        threading.Thread(target=self.read_lines, daemon=True).start()
        self.shown = set()  # ids of texts, so that history is not shown twice
        self.said = {}  # what was said in this session, by the number of the request
        self.requests = 0
        self.leaving = False

    def hop(self):
        """Goes on from another port."""
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.connect(self.server)
        self.socket.settimeout(0.02)

    def read_lines(self):
        # Not through sys.stdin, whose lock this thread would still hold when the program ends.
        rest = b""
        while chunk := os.read(0, 65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.lines.put(line.decode())
        if rest:
            self.lines.put(rest.decode())
        self.lines.put(None)

    def run(self):
        while True:
            session = self.join()
            self.requests = 0
            why = self.talk(session)
            for text in self.said.values():
                program.say(f"! not confirmed: {text}")
            lost, self.said = bool(self.said), {}
            if why == "left":
                return 1 if lost else 0
            if why not in ("reset", "lost", "timed_out"):
                raise ChatError(f"removed by the server: {why}")

    def join(self):
        joining, until = Joining(self.private, self.nick, time.monotonic()), time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for datagram in joining.outgoing(time.monotonic()):
                self.send(datagram)
            for datagram in self.received():
                joining.receive(datagram, time.monotonic())
            if joining.session is not None:
                self.nick = joining.nick
                print(f"joined as {program.printable(self.nick)}", file=sys.stderr, flush=True)
                return joining.session
        raise ChatError("nobody answers")

    def talk(self, session):
        """Until the session ends; gives why."""
        while session.over is None:
            now = time.monotonic()
            while session.unconfirmed() < 8 and not self.leaving:
                try:
                    line = self.lines.get_nowait()
                except queue.Empty:
                    break
                if line is None or line == "/quit":
                    self.leaving = True
                elif line == "/hop":
                    self.hop()
                else:
                    self.ask(session, line, now)
            if self.leaving and not self.said and not session.unconfirmed():
                for _ in range(3):
                    session.close()
                    self.flush(session)
                return "left"
            self.flush(session)
            for datagram in self.received():
                session.receive(datagram, time.monotonic())
            session.tick(time.monotonic())
            self.flush(session)
            for message in session.messages:
                self.show(json.loads(message))
            session.messages.clear()
        return session.over

    def ask(self, session, line, now):
        command, _, rest = line.partition(" ")
        if command == "/me":
            request = {"type": "me", "text": rest}
        elif command == "/msg":
            to, _, text = rest.partition(" ")
            request = {"type": "private", "to": to, "text": text}
        elif command == "/nick":
            request = {"type": "nick", "nick": rest}
        elif command == "/who":
            request = {"type": "who"}
        else:
            request = {"type": "say", "text": line}
        self.requests += 1
        if "text" in request:
            self.said[self.requests] = request["text"]
        session.write(json.dumps(request, ensure_ascii=False).encode(), now)

    def show(self, notice):
        kind = notice["type"]
        if kind == "said" and notice["id"] not in self.shown:
            self.shown.add(notice["id"])
            form = {"say": "<{from}> {text}", "me": "** {from} {text}", "private": "[{from}] {text}"}[notice["kind"]]
            program.say(("| " if notice.get("history") else "") + form.format(**notice))
        elif kind == "confirmed":
            self.said.pop(notice["request"], None)
            self.shown.add(notice["id"])
        elif kind == "error":
            self.said.pop(notice.get("request"), None)
            program.say(f"! {notice['message']}")
        elif kind == "joined":
            program.say(f"* {notice['nick']} joined")
        elif kind == "left":
            program.say(f"* {notice['nick']} left ({notice['reason']})")
        elif kind == "renamed":
            if notice["old"] == self.nick:
                self.nick = notice["new"]
            else:
                program.say(f"* {notice['old']} is now {notice['new']}")

    def send(self, datagram):
        if random.uniform(0, 100) >= self.flags.drop:
            try:
                self.socket.send(datagram)
            except OSError:
                pass  # like a datagram that was lost

    def flush(self, session):
        for datagram in session.outgoing:
            self.send(datagram)
        session.outgoing.clear()

    def received(self):
        """The datagrams that have come, after a wait of 20 ms at most."""
        datagrams = []
        try:
            datagrams.append(self.socket.recv(2_048))
            self.socket.setblocking(False)
            while len(datagrams) < 64:
                datagrams.append(self.socket.recv(2_048))
        except OSError:
            pass  # nothing more has come, or an earlier datagram reached nobody
        finally:
            self.socket.settimeout(0.02)
        return [datagram for datagram in datagrams if random.uniform(0, 100) >= self.flags.drop]


def main():
    parser = program.arguments(__doc__.splitlines()[0], 9390)
    parser.add_argument("--nick", required=True)
    parser.add_argument("--drop", type=float, default=0, help="lose this share of datagrams on purpose, in per cent")
    return Chat(parser.parse_args()).run()


if __name__ == "__main__":
    program.run(main, ChatError, Refused)
