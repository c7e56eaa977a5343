#!/usr/bin/env python3
"""A member without a network: joining, coming back, and long texts."""

import unittest

import datagram
from link import MESSAGE_BYTES
from member import Member
from messages import Assembler, pieces

SESSION, ANOTHER = "0" * 32, "f" * 32


def joined():
    """A member that joined at 20 ms, and its hello."""
    member = Member("Аня", iter(["a" * 32, "b" * 32, "c" * 32]).__next__, 0)
    (hello,) = sent(member)
    answer(member, 10, type="challenge", nonce=hello["nonce"], cookie="good")
    answer(member, 20, type="welcome", nonce=hello["nonce"], session=SESSION, nick="Аня")
    sent(member)
    return member


def sent(member):
    return [datagram.decode(payload) for payload in member.outgoing()]


def answer(member, now, **fields):
    return member.receive(datagram.encode(fields), now)


class Joining(unittest.TestCase):
    def test_hello_challenge_hello_welcome(self):
        member = Member("Аня", lambda: "a" * 32, 0)
        (hello,) = sent(member)
        self.assertEqual((hello["version"], hello["nick"], hello.get("cookie")), (1, "Аня", None))
        answer(member, 10, type="challenge", nonce="b" * 32, cookie="forged")
        self.assertEqual(sent(member), [])
        answer(member, 10, type="challenge", nonce=hello["nonce"], cookie="good")
        self.assertEqual([hello["cookie"] for hello in sent(member)], ["good"])
        answer(member, 15, type="challenge", nonce=hello["nonce"], cookie="better")
        self.assertEqual((sent(member), member.next_time()), ([], 1_010))
        member.tick(1_010)
        self.assertEqual([hello["cookie"] for hello in sent(member)], ["better"])
        answer(member, 1_020, type="welcome", nonce=hello["nonce"], session=SESSION, nick="Anna")
        self.assertEqual((member.link.session, member.nick), (SESSION, "Anna"))

    def test_hello_is_said_every_second_for_half_a_minute(self):
        member = Member("Аня", lambda: "a" * 32, 0)
        times = []
        while (now := member.next_time()) is not None:
            times += [now for _ in sent(member)]
            member.tick(now)
        self.assertEqual((len(times), now, member.over), (30, None, "nobody answers"))

    def test_a_refusal_ends_it(self):
        member = Member("Аня", lambda: "a" * 32, 0)
        answer(member, 10, type="refused", nonce="a" * 32, code="nick_taken", message="the nick is taken, or looks like one that is")
        self.assertEqual(member.over, "nick_taken: the nick is taken, or looks like one that is")


class ComingBack(unittest.TestCase):
    def wait_for_hello(self, member):
        """Nobody answers a message that is written at 30 ms."""
        member.link.write("unheard", 30)
        while True:
            hellos = [fields for fields in sent(member) if fields["type"] == "hello"]
            if hellos:
                return now, hellos[0]
            now = member.next_time()
            member.tick(now)

    def test_after_five_seconds_it_says_hello_with_its_session(self):
        member = joined()
        now, hello = self.wait_for_hello(member)
        self.assertEqual((now, hello["session"], hello["nonce"]), (5_030, SESSION, "b" * 32))
        answer(member, now, type="welcome", nonce=hello["nonce"], session=SESSION, nick="Аня")
        self.assertEqual([fields["message"] for fields in sent(member)], ["unheard"])
        self.assertEqual(member.link.unconfirmed(), ["unheard"])
        answer(member, now, type="ack", session=SESSION, ack=1)
        self.assertEqual((member.link.unconfirmed(), member.lost), ([], []))

    def test_another_session_begins_afresh(self):
        member = joined()
        now, hello = self.wait_for_hello(member)
        answer(member, now, type="welcome", nonce=hello["nonce"], session=ANOTHER, nick="Аня")
        self.assertEqual((member.link.session, member.link.unconfirmed(), member.lost), (ANOTHER, [], ["unheard"]))

    def test_after_thirty_seconds_it_begins_again(self):
        member = joined()
        now, _ = self.wait_for_hello(member)
        hellos = self.run_until(member, now + 30_000)
        self.assertEqual((len(hellos), hellos[-1]["session"], hellos[-1]["nonce"]), (30, SESSION, "c" * 32))

    def test_a_refusal_counts_after_thirty_seconds(self):
        member = joined()
        now, hello = self.wait_for_hello(member)
        answer(member, now, type="refused", nonce=hello["nonce"], code="nick_taken", message="there is one")
        self.run_until(member, now + 29_999)
        self.assertIsNone(member.over)
        self.run_until(member, now + 30_000)
        self.assertEqual((member.over, member.lost), ("nick_taken: there is one", ["unheard"]))

    def test_a_server_that_stops_is_asked_on(self):
        member = joined()
        now, hello = self.wait_for_hello(member)
        answer(member, now, type="refused", nonce=hello["nonce"], code="nick_taken", message="there is one")
        answer(member, now + 1, type="refused", nonce=hello["nonce"], code="stopping", message="wait")
        hellos = self.run_until(member, now + 30_000)
        self.assertEqual((member.over, hellos[-1]["session"]), (None, SESSION))

    def run_until(self, member, until):
        """Lets time pass; gives the hellos of it."""
        hellos = []
        while (now := member.next_time()) is not None and now <= until:
            member.tick(now)
            hellos += [fields for fields in sent(member) if fields["type"] == "hello"]
        return hellos

    def test_hearing_the_link_again_is_enough(self):
        member = joined()
        now, hello = self.wait_for_hello(member)
        answer(member, now, type="ack", session=SESSION, ack=0)
        self.assertIsNone(member.hello)
        self.assertEqual([fields["message"] for fields in sent(member)], ["unheard"])


class Texts(unittest.TestCase):
    def test_long_texts_are_cut_and_put_together(self):
        for text in ("", "a" * 4_096, "Ж" * 2_048, "🙂" * 1_024, '"\\\n\x00' * 500, "x" * 913, "x" * 914):
            messages = pieces({"type": "say"}, text)
            sizes = [len(datagram.encode(message)) for message in messages]
            self.assertLessEqual(max(sizes), MESSAGE_BYTES)
            self.assertTrue(all(size > MESSAGE_BYTES - 6 for size in sizes[:-1]), sizes)
            assembler = Assembler()
            wholes = [assembler.add({**message, "type": "said"}) for message in messages]
            self.assertEqual(wholes, [None] * (len(messages) - 1) + [{"type": "said", "text": text}])

    def test_what_is_too_long_is_dropped(self):
        assembler = Assembler()
        for _ in range(100):
            self.assertIsNone(assembler.add({"type": "said", "text": "x" * 900, "more": True}))
        self.assertIsNone(assembler.add({"type": "said", "text": "x"}))
        self.assertIsNotNone(assembler.add({"type": "said", "text": "x"}))


if __name__ == "__main__":
    unittest.main()
