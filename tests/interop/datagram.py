"""The chat's datagrams (PROTOCOL.md, "Chat" and "Joining"): one JSON object each, at most 1,200 bytes long."""

import json

LIMIT = 1_200


def encode(fields):
    """A datagram's bytes: JSON without spaces, letters as they are, fields in the order given."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def encode_hello(fields):
    """A hello is padded to exactly 1,200 bytes, so that no answer is longer than the question."""
    unpadded = len(encode({**fields, "pad": ""}))
    if unpadded > LIMIT:
        raise ValueError(f"a hello of {unpadded} bytes is over the limit of {LIMIT}")
    return encode({**fields, "pad": "." * (LIMIT - unpadded)})


def decode(payload):
    """The fields of a datagram, checked, or None: what is no datagram is dropped in silence."""
    if len(payload) > LIMIT:
        return None
    try:
        fields = json.loads(payload.decode(), parse_constant=refuse)
        json.dumps(fields, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        return None
    checks = FIELDS.get(fields["type"])
    if checks is None or (fields["type"] == "hello" and len(payload) != LIMIT):
        return None
    if fields["type"] in ("data", "ack"):
        fields.setdefault("ranges", [])
    if not all(name in fields and check(fields[name]) for name, check in checks.items()):
        return None
    return fields if beyond_ack(fields) else None


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def number(value):
    return type(value) is int and 0 <= value < 2**53


def positive(value):
    return number(value) and value > 0


def text(value):
    return isinstance(value, str)


def cookie(value):
    return text(value) and len(value.encode()) <= 128


def bits(value):
    """128 bits as hexadecimal digits: a nonce or a session."""
    return text(value) and len(value) == 32 and all(digit in "0123456789abcdef" for digit in value)


def ranges(value):
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(number, pair)) for pair in value
    )


def anything(_):
    return True


def beyond_ack(fields):
    """Ranges lie beyond `ack` and run forwards, in any order."""
    return all(fields["ack"] < first <= last for first, last in fields.get("ranges", []))


FIELDS = {
    "hello": {"version": number, "nonce": bits, "nick": text, "pad": text},
    "challenge": {"nonce": bits, "cookie": cookie},
    "welcome": {"nonce": bits, "session": bits, "nick": text},
    "refused": {"nonce": bits, "code": text, "message": text},
    "data": {"session": bits, "seq": positive, "ack": number, "ranges": ranges, "message": anything},
    "ack": {"session": bits, "ack": number, "ranges": ranges},
    "ping": {"session": bits, "id": number},
    "pong": {"session": bits, "id": number},
    "bye": {"session": bits, "reason": text},
}
