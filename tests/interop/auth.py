#!/usr/bin/env python3
"""A client of the authentication server: sends the commands on stdin and prints the replies.

Commands: register USER, login USER, resume TOKEN, whoami, change_password, sessions, revoke ID, logout, logout_all,
exit.
After register and login the password is asked for, after change_password the old and the new one: without echo at a
terminal, else on the next line of stdin. Nothing is encrypted on its way; keep to your own machine.
"""

import getpass
import socket
import sys

import dialogue
import program
from framing import FrameError


def request(line, password):
    """The request that a command stands for; `password` is called with what to ask."""
    command, _, argument = line.partition(" ")
    if command in ("register", "login"):
        return {"type": command, "user": argument, "password": password("Password: ")}
    if command == "resume":
        return {"type": command, "token": argument}
    if command == "change_password":
        return {"type": command, "old": password("Old password: "), "new": password("New password: ")}
    if command == "revoke":
        return {"type": command, "id": argument}
    return {"type": command}


def sentences(reply):
    """A reply in words, a line or more."""
    kind = reply["type"]
    if kind == "session":
        yield f"Hello, {reply.get('user')}! The session ends at {reply.get('expires_at')}."
        if "token" in reply:
            yield f"token {reply['token']}"
    elif kind == "you_are":
        yield f"You are {reply.get('user')}."
    elif kind == "sessions":
        for session in reply.get("sessions", []):
            here = " (this one)" if session.get("current") else ""
            yield f"session {session.get('id')} from {session.get('address')}{here}"
    elif kind == "revoked":
        yield f"Session {reply.get('id')} is over."
    elif kind == "logged_out":
        yield "Logged out."
    elif kind == "bye":
        yield "Bye."
    elif kind == "error":
        wait = f" (retry after {reply['retry_after']} s)" if "retry_after" in reply else ""
        yield f"{reply.get('code')}: {reply.get('message')}{wait}"
    else:
        yield f"an unknown reply: {kind}"


def main():
    flags = program.arguments("Talks to an authentication server.", 9290).parse_args()
    lines = program.lines_of_stdin()

    def password(what):
        return getpass.getpass(what) if sys.stdin.isatty() else next(lines, "")

    with socket.create_connection((flags.host, flags.port)) as sock:
        for line in lines:
            reply = dialogue.ask(sock, request(line, password))
            for sentence in sentences(reply):
                program.say(sentence)
            if reply["type"] == "bye":
                return
        dialogue.ask(sock, {"type": "exit"})


if __name__ == "__main__":
    program.run(main, FrameError, dialogue.DialogueError, UnicodeDecodeError)
