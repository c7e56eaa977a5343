#!/usr/bin/env python3
"""Checks this implementation against the examples in the protocols' documents, which test the programs in Rust, too."""

import json
import unittest

import auth
import dialogue
import documents
import ident
from framing import ECHO_LIMIT, FrameError, frame, recv_text


class Stream:
    """Bytes that arrive in portions, as from a socket; then the stream ends."""

    def __init__(self, data, portion):
        self.data, self.portion = data, portion

    def recv(self, count):
        count = min(count, self.portion)
        part, self.data = self.data[:count], self.data[count:]
        return part


def hexadecimal(lines):
    return bytes.fromhex("".join(lines))


class Frames(unittest.TestCase):
    def check(self, texts, data, limit=ECHO_LIMIT):
        self.assertEqual(b"".join(map(frame, texts)), data)
        for portion in range(1, len(data) + 1):
            stream = Stream(data, portion)
            self.assertEqual([recv_text(stream, limit) for _ in texts], texts)
            self.assertIsNone(recv_text(stream, limit))

    def test_frames(self):
        for block in documents.blocks("frame") + documents.blocks("frames"):
            texts = [json.loads(line) for line in block if line.startswith('"')]
            self.check(texts, hexadecimal(line for line in block if not line.startswith('"')))

    def test_frames_of_the_dialogues(self):
        for block in documents.blocks("ident-frame") + documents.blocks("auth-frame"):
            self.check([block[0][3:]], hexadecimal(block[1:]), dialogue.LIMIT)

    def test_errors(self):
        for reason, *data in documents.blocks("frame-error"):
            with self.assertRaises(FrameError) as caught:
                recv_text(Stream(hexadecimal(data), 3))
            self.assertEqual(str(caught.exception), reason)


class Dialogues(unittest.TestCase):
    """Each message of the examples is one that the clients send, or put into words."""

    def check(self, kind, request, sentences):
        for who, text in documents.dialogue(documents.lines(kind)):
            message = json.loads(text)
            self.assertEqual(dialogue.encode(message), text)
            if who == "C":
                argument = [message[field] for field in ("name", "user", "token", "id") if field in message]
                passwords = [message[field] for field in ("password", "old", "new") if field in message]
                self.assertEqual(request(" ".join([message["type"]] + argument), iter(passwords)), message)
            elif message["type"] != "who_are_you":
                words = " ".join(sentences(message))
                self.assertNotIn("an unknown reply", words)
                self.assertNotIn("None", words)

    def test_identification(self):
        self.check("ident", lambda line, _: ident.request(line), lambda reply: [ident.sentence(reply)])

    def test_authentication(self):
        self.check("auth", lambda line, passwords: auth.request(line, lambda _: next(passwords)), auth.sentences)


if __name__ == "__main__":
    unittest.main()
