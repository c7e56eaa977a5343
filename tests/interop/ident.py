#!/usr/bin/env python3
"""A client of the identification server: is greeted by name, then sends the commands on stdin.

Commands: name NAME, whoami, rename NAME, forget, exit. The end of input is an exit too.
"""

import socket
import sys

import dialogue
import program
from framing import FrameError


def greet(sock, name):
    """The server speaks first. Gives its welcome, or the error that the name met."""
    first = dialogue.receive(sock)
    if first is None:
        raise dialogue.DialogueError("the server closed the connection")
    if first["type"] == "who_are_you":
        return dialogue.ask(sock, {"type": "name", "name": name})
    return first


def request(line):
    command, _, name = line.partition(" ")
    if command in ("name", "rename"):
        return {"type": command, "name": name}
    return {"type": command}


def sentence(reply):
    """A reply in words."""
    kind = reply["type"]
    if kind == "welcome":
        return f"Hello, {reply.get('name')}!"
    if kind == "you_are":
        return f"You are {reply.get('name')} at {reply.get('address')}."
    if kind == "forgotten":
        return "You are forgotten."
    if kind == "bye":
        return "Bye."
    if kind == "error":
        return f"{reply.get('code')}: {reply.get('message')}"
    return f"an unknown reply: {kind}"


def main():
    parser = program.arguments("Asks an identification server who you are.", 9190)
    parser.add_argument("--name", default="", help="the answer, should the server ask")
    flags = parser.parse_args()
    with socket.create_connection((flags.host, flags.port)) as sock:
        program.say(sentence(greet(sock, flags.name)))
        for line in program.lines_of_stdin():
            reply = dialogue.ask(sock, request(line))
            program.say(sentence(reply))
            if reply["type"] == "bye":
                return
        program.say(sentence(dialogue.ask(sock, {"type": "exit"})))


if __name__ == "__main__":
    program.run(main, FrameError, dialogue.DialogueError, UnicodeDecodeError)
