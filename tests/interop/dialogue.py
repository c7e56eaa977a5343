"""How the dialogues of identification and authentication travel: one JSON object a frame, of at most 16 KiB."""

import json

from framing import recv_text, send_text

LIMIT = 16_384


class DialogueError(Exception):
    """The server did not keep to the dialogue."""


def encode(message):
    """JSON without spaces, and with letters as they are."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def send(sock, message):
    send_text(sock, encode(message))


def receive(sock):
    """The next message, or None at the end of the stream."""
    text = recv_text(sock, LIMIT)
    if text is None:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise DialogueError("the server sent something that is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise DialogueError("the server sent JSON that is no message")
    return message


def ask(sock, message):
    """The reply to a request: there is one to each, in order."""
    send(sock, message)
    reply = receive(sock)
    if reply is None:
        raise DialogueError("the server closed the connection")
    return reply
