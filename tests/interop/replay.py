#!/usr/bin/env python3
"""Plays the examples in the protocols' documents to a real server that knows no client or user yet.

Usage: replay.py echo|ident|auth --port PORT
"""

import itertools
import json
import socket
import subprocess
import sys

import dialogue
import documents
import program
from framing import FrameError, frame, recv_text, send_text

# What another server would say differently, and what stands for something that it chose.
FREE = {"message", "address", "expires_at", "created_at", "last_seen", "retry_after"}
CHOSEN = {"token", "id"}


class Mismatch(Exception):
    """The server does not do what the document says."""


def expect(expected, got):
    if got != expected:
        raise Mismatch(f"expected {expected!r}, got {got!r}")


def echo(connect, port):
    for _, *data in documents.blocks("frame-error"):
        with connect() as sock:
            sock.sendall(frame("before") + bytes.fromhex("".join(data)))
            sock.shutdown(socket.SHUT_WR)
            expect("before", recv_text(sock))
            expect(None, recv_text(sock))
    text = "hello\nПривет\n\n🙂\n"
    expect(text, run(documents.block("python", "def recv_text"), text, port))


def run(client, text="", *flags):
    """What a client that stands in the document prints, when `text` is its input."""
    command = [sys.executable, "-c", "\n".join(client), *flags]
    return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()


def ident(connect, port):
    play(connect, documents.block("ident", '"who_are_you"') + documents.block("ident", '"forget"'), {})
    hostile(connect, "ident", [{"type": "who_are_you"}])
    expect("Аня\n", run(dialogue_client("who_are_you", "9190", port)))


def dialogue_client(containing, default_port, port):
    """A client of the document that uses the functions of its first client."""
    block = documents.block("python", "def recv_text")
    functions = itertools.takewhile(lambda line: not line.startswith("with"), block)
    client = documents.block("python", containing)
    return ["import json", *functions, *(line.replace(default_port, port) for line in client)]


def auth(connect, port):
    # Another user than that of the dialogues; the client registers it, then logs in.
    client = [line.replace('"anna"', '"boris"') for line in dialogue_client('"register"', "9290", port)]
    expect("boris\n", run(client))
    expect("boris\n", run(client))
    known = {}
    play(connect, documents.block("auth", '"user":"Anna","password"'), known)
    play(connect, documents.block("auth", '"type":"logout"'), known)
    play(connect, documents.block("auth", "wrong horse"), known)
    hostile(connect, "auth", [])


def play(connect, lines, known):
    """A whole dialogue; `known` maps what the document names to what this server chose instead."""
    with connect() as sock:
        for who, text in documents.dialogue(lines):
            message = json.loads(text)
            if who == "C":
                dialogue.send(sock, {field: known.get(value, value) for field, value in message.items()})
            else:
                reply = dialogue.receive(sock)
                if not alike(message, reply, known):
                    raise Mismatch(f"expected {message}, got {reply}")
        if message["type"] == "bye":
            expect(None, dialogue.receive(sock))


def alike(expected, got, known):
    """Whether both are one message, but for free words, times and choices."""
    if isinstance(expected, list) and isinstance(got, list):
        # Sessions come in no promised order.
        pairs = zip(*(sorted(sessions, key=lambda session: session.get("current")) for sessions in (expected, got)))
        return len(expected) == len(got) and all(alike(*pair, known) for pair in pairs)
    if not isinstance(expected, dict) or not isinstance(got, dict):
        return expected == got
    return expected.keys() == got.keys() and all(
        type(value) is type(got[field])
        if field in FREE
        else known.setdefault(value, got[field]) == got[field]
        if field in CHOSEN
        else alike(value, got[field], known)
        for field, value in expected.items()
    )


def hostile(connect, kind, greeting):
    """After what is no message of the dialogue it goes on; after what is no JSON, or too long, it ends."""
    with connect() as sock:
        for message in greeting:
            expect(message, dialogue.receive(sock))
        for _, text in documents.dialogue(documents.lines(f"{kind}-unknown")):
            send_text(sock, text)
            expect(("error", "bad_message"), type_and_code(sock))
        expect("bye", dialogue.ask(sock, {"type": "exit"})["type"])
    broken = [frame(text) for _, text in documents.dialogue(documents.lines(f"{kind}-broken"))]
    for data in broken + [frame("[" * (dialogue.LIMIT + 1)), b"\x00\x00\x00\x01\xff"]:
        with connect() as sock:
            for message in greeting:
                expect(message, dialogue.receive(sock))
            sock.sendall(data)
            expect(("error", "bad_message"), type_and_code(sock))
            expect(None, dialogue.receive(sock))


def type_and_code(sock):
    reply = dialogue.receive(sock) or {}
    return reply.get("type"), reply.get("code")


def main():
    parser = program.arguments("Plays the documents' examples to a server.", None)
    parser.add_argument("protocol", choices=["echo", "ident", "auth"])
    flags = parser.parse_args()
    plays = {"echo": echo, "ident": ident, "auth": auth}[flags.protocol]
    plays(lambda: socket.create_connection((flags.host, flags.port)), str(flags.port))


if __name__ == "__main__":
    program.run(main, Mismatch, FrameError, dialogue.DialogueError)
