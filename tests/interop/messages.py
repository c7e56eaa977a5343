"""What the chat's members and server tell each other (PROTOCOL.md, "Messages"): long texts in pieces, and whole again."""

import datagram
from datagram import number, text
from link import MESSAGE_BYTES

TEXT_BYTES = 4_096
MEMBERS = 10_000


def nicks(value):
    return isinstance(value, list) and all(map(text, value))


def kind(value):
    return value in ("say", "me", "private")


NOTICES = {
    "said": {"id": number, "at": number, "from": text, "kind": kind, "text": text},
    "joined": {"nick": text},
    "left": {"nick": text, "reason": text},
    "renamed": {"old": text, "new": text},
    "members": {"nicks": nicks},
    "error": {"code": text, "message": text},
}


def is_notice(message):
    """Whether the server may tell this. A client ignores what it does not know."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    checks = NOTICES.get(message["type"])
    return checks is not None and all(name in message and check(message[name]) for name, check in checks.items())


def pieces(fields, text):
    """The messages that carry `text`: `fields`, a piece of it each, and `more` on all but the last."""
    room = MESSAGE_BYTES - len(datagram.encode({**fields, "text": "", "more": True}))
    messages = []
    start, used = 0, 0
    for at, character in enumerate(text):
        size = len(datagram.encode(character)) - len('""')
        if used + size > room:
            messages.append({**fields, "text": text[start:at], "more": True})
            start, used = at, 0
        used += size
    return messages + [{**fields, "text": text[start:]}]


class Assembler:
    """Puts the pieces of a text, or of a list of members, together again; nothing comes between them."""

    def __init__(self):
        self.text = ""
        self.nicks = []

    def add(self, message):
        """The whole message, or None while there is more to come, and for a text that is too long."""
        whole = {name: value for name, value in message.items() if name != "more"}
        if message["type"] == "said":
            # One character more than can be right, however much comes.
            self.text = (self.text + message["text"])[: TEXT_BYTES + 1]
            whole["text"] = self.text
        elif message["type"] == "members":
            self.nicks = (self.nicks + message["nicks"])[:MEMBERS]
            whole["nicks"] = self.nicks
        else:
            return message
        if message.get("more") is True:
            return None
        self.text, self.nicks = "", []
        return whole if len(whole.get("text", "").encode()) <= TEXT_BYTES else None
