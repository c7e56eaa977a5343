#!/usr/bin/env python3
"""Two links and a network between them: the exchange in PROTOCOL.md, word for word, and networks that lose, double and reorder."""

import heapq
import json
import random
import re
import unittest

import datagram
import documents
from link import MESSAGE_BYTES, WINDOW, Link

SESSION = "00112233445566778899aabbccddeeff"
LINE = re.compile(r" *(?P<time>\d+) ms  (?P<who>[AB]) (?P<does>\w+) *(?P<what>.*)")


class World:
    """Links A and B, and what is under way between them. `fate(who, payload)` says after how long copies arrive."""

    def __init__(self, fate):
        self.now = 0
        self.fate = fate
        self.links = {"A": Link(SESSION, 0), "B": Link(SESSION, 0)}
        self.under_way = []
        self.count = 0
        self.delivered = {"A": [], "B": []}
        self.sent = []  # (time, who, text)

    def collect(self):
        for who, link in self.links.items():
            for payload in link.outgoing:
                self.sent.append((self.now, who, payload.decode()))
                for delay in self.fate(who, payload):
                    self.count += 1
                    heapq.heappush(self.under_way, (self.now + delay, self.count, who, payload))
            link.outgoing = []

    def next_time(self):
        times = [link.next_time() for link in self.links.values()]
        times += [self.under_way[0][0]] if self.under_way else []
        return min((time for time in times if time is not None), default=None)

    def step(self):
        """Goes on to what happens next."""
        self.now = self.next_time()
        while self.under_way and self.under_way[0][0] <= self.now:
            _, _, who, payload = heapq.heappop(self.under_way)
            other = "B" if who == "A" else "A"
            self.delivered[other] += self.links[other].receive(datagram.decode(payload), self.now)
            self.collect()
        for link in self.links.values():
            link.tick(self.now)
            self.collect()

    def run_until(self, time):
        while (self.next_time() or time) < time:
            self.step()
        self.now = time


class Exchange(unittest.TestCase):
    def test_exchange(self):
        lines = [LINE.fullmatch(line).groupdict() for line in documents.lines("exchange")]
        expected = [(int(line["time"]), line["who"], line["what"]) for line in lines if line["does"] in ("sends", "loses")]
        lost = {(int(line["time"]), line["who"], line["what"]) for line in lines if line["does"] == "loses"}
        world = World(lambda who, payload: [] if (world.now, who, payload.decode()) in lost else [50])
        for line in lines:
            world.run_until(int(line["time"]))
            if line["does"] == "writes":
                world.links[line["who"]].write(json.loads(line["what"]), world.now)
            elif line["does"] == "quits":
                world.links[line["who"]].leave("quit", world.now)
            world.collect()
        while world.next_time() is not None:
            world.step()
        self.assertEqual(world.sent, expected)
        self.assertEqual(world.delivered, {"A": ["yes"], "B": ["one", "two", "three", "four", "five"]})
        self.assertEqual([link.over for link in world.links.values()], ["quit", "quit"])


class Faults(unittest.TestCase):
    def world(self, seed, loss):
        chance = random.Random(seed)

        def fate(_, __):
            copies = 0 if chance.random() < loss else 2 if chance.random() < 0.1 else 1
            return [chance.choice([1, 20, 20, 20, 150]) for _ in range(copies)]

        return World(fate)

    def test_all_arrives_once_and_in_order(self):
        for seed in range(10):
            with self.subTest(seed=seed):
                world = self.world(seed, loss=0.3)
                messages = {who: [f"{who}{n}" for n in range(200)] for who in "AB"}
                for who, link in world.links.items():
                    for message in messages[who]:
                        link.write(message, 0)
                world.collect()
                while any(link.unconfirmed() for link in world.links.values()):
                    self.assertLess(world.now, 60_000)
                    world.step()
                    for link in world.links.values():
                        self.assertLessEqual(len(link.flying), WINDOW)
                        self.assertLess(len(link.beyond), WINDOW)
                self.assertEqual(world.delivered, {"A": messages["B"], "B": messages["A"]})

    def test_silence_ends_it_and_names_what_is_not_confirmed(self):
        world = World(lambda who, payload: [])
        for message in ("one", "two"):
            world.links["A"].write(message, 0)
        world.collect()
        while world.next_time() is not None:
            world.step()
        self.assertEqual(world.now, 60_000)
        self.assertEqual([link.over for link in world.links.values()], ["lost", "lost"])
        self.assertEqual(world.links["A"].unconfirmed(), ["one", "two"])

    def test_a_bye_is_said_three_times(self):
        world = World(lambda who, payload: [])
        world.links["A"].leave("quit", 0)
        world.collect()
        while world.links["A"].over is None:
            world.step()
        byes = [time for time, who, _ in world.sent if who == "A"]
        self.assertEqual(byes, [0, 1_000, 2_000])

    def test_a_ping_keeps_a_second_from_the_latest(self):
        world = World(lambda who, payload: [])
        world.links["A"].write("one", 0)
        world.run_until(30_000)
        pings = [time for time, who, text in world.sent if who == "A" and '"ping"' in text]
        self.assertEqual(pings[:8], [1_000, 3_000, 6_000, 9_000, 10_000, 11_000, 12_000, 13_000])

    def test_a_pong_that_measures_starts_the_timer_afresh(self):
        link = Link(SESSION, 0)
        link.write("one", 0)
        link.tick(1_000)
        link.receive({"type": "pong", "session": SESSION, "id": 1}, 1_100)
        self.assertEqual(link.next_time(), 1_400)
        link.receive({"type": "pong", "session": SESSION, "id": 1}, 1_300)
        self.assertEqual(link.next_time(), 1_400)

    def test_what_was_never_sent_cannot_be_acknowledged(self):
        link = Link(SESSION, 0)
        link.write("one", 0)
        for fields in ({"ack": 2, "ranges": []}, {"ack": 0, "ranges": [[2, 2]]}):
            link.receive({"type": "ack", "session": SESSION, **fields}, 10)
        self.assertEqual((link.unconfirmed(), link.heard), (["one"], 0))

    def test_ranges_that_do_not_fit_follow_in_an_ack(self):
        link = Link(SESSION, 0)
        link.arrived = 2**53 - 1 - WINDOW
        for number in range(link.arrived + 2, 2**53, 2):
            fields = {"type": "data", "session": SESSION, "seq": number, "ack": 0, "ranges": [], "message": 0}
            link.receive(fields, 0)
        link.outgoing = []
        link.write("x" * (MESSAGE_BYTES - 2), 0)
        data, ack = map(datagram.decode, link.outgoing)
        self.assertEqual((data["type"], data["ranges"], ack["type"]), ("data", [], "ack"))
        self.assertEqual(len(ack["ranges"]), 16)


class Datagrams(unittest.TestCase):
    def test_what_is_no_datagram_is_dropped(self):
        good = '{"type":"ack","session":"%s","ack":12,"ranges":[[14,15],[17,17]]}' % SESSION
        self.assertIsNotNone(datagram.decode(good.encode()))
        for ranges in ("[[17,17],[14,15]]", "[[14,15],[16,16]]", "[[14,15],[13,17]]"):
            self.assertIsNotNone(datagram.decode(good.replace("[[14,15],[17,17]]", ranges).encode()))
        changes = [("12", "-1"), ("12", "1.5"), ("12", "true"), ("12", str(2**53)), ("12", "14"), ("17]", "16]")]
        changes += [("ack\"", "nack\""), ("12", "[" * 1_000), ("0011", "00AA"), (",17]", "]"), ("12", "NaN"), ("}", "")]
        for old, new in changes:
            bad = good.replace(old, new)
            self.assertIsNone(datagram.decode(bad.encode()), bad)
        for bad in (b"", b"\xff", b"[]", b"null", b'{"type":[]}', good.encode() + b" " * 1_200):
            self.assertIsNone(datagram.decode(bad), bad)


if __name__ == "__main__":
    unittest.main()
