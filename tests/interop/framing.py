"""Frames over TCP (PROTOCOL.md, "Frames"): 4 bytes that say how long it is, then text in UTF-8.

Knows nothing of what the text means. A socket is anything with `sendall` and `recv`.
"""

import struct

HEADER_BYTES = 4
ECHO_LIMIT = 1_048_576
READ_BYTES = 65_536


class FrameError(Exception):
    """What came is no frame; nobody knows where the next one would begin."""


def frame(text):
    payload = text.encode()
    return struct.pack(">I", len(payload)) + payload


def send_text(sock, text):
    # One write: a header on its own would wait for its acknowledgement (Nagle's algorithm).
    sock.sendall(frame(text))


def recv_text(sock, limit=ECHO_LIMIT):
    """The text of the next frame, or None at the end of the stream."""
    header = recv_up_to(sock, HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES:
        raise FrameError(f"the stream ended after {len(header)} of the {HEADER_BYTES} bytes of a header")
    (length,) = struct.unpack(">I", header)
    if length > limit:
        raise FrameError(f"a payload of {length} bytes is over the limit of {limit}{plain_text(header)}")
    payload = recv_up_to(sock, length)
    if len(payload) < length:
        raise FrameError(f"the stream ended after {len(payload)} of the {length} bytes of a payload")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise FrameError(f"a payload of {length} bytes is not UTF-8 from byte {error.start} on") from None


def recv_up_to(sock, count):
    """`count` bytes, fewer only if the stream ends before. Memory grows as they come, not as they are promised."""
    data = bytearray()
    while len(data) < count:
        part = sock.recv(min(count - len(data), READ_BYTES))
        if not part:
            break
        data += part
    return bytes(data)


def plain_text(header):
    """A remark on a length that is really four letters, from a peer that sends no frames at all."""
    if all(0x20 <= byte < 0x7F for byte in header):
        return f' (the header spells "{header.decode()}": the peer seems to send plain text, not frames)'
    return ""
