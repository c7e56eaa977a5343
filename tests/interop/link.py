"""The chat's link (PROTOCOL.md, "The link"): messages in order and confirmed, over datagrams that may be lost.

It has no socket and no clock. It is told what arrives and what time it is (in milliseconds, from any beginning), and
leaves in `outgoing` the datagrams to send. `next_time()` says when `tick()` has something to do.
"""

from collections import deque

import datagram

WINDOW = 32
MESSAGE_BYTES = 960
ACK_DELAY = 25
FIRST_TIMEOUT, LEAST_TIMEOUT, LONGEST_TIMEOUT = 1_000, 200, 3_000
LEAST_VARIATION = 50
LOSS_THRESHOLD = 3
PING_AFTER, PING_AGAIN = 10_000, 1_000
SILENCE = 60_000
BYES = 3


class Flying:
    """A message that was sent and is not acknowledged yet."""

    def __init__(self, message):
        self.message = message
        self.resent = False
        self.transmission = None  # the number of its latest transmission, and when that was
        self.at = None


class Link:
    def __init__(self, session, now):
        self.session = session
        self.outgoing = []
        self.over = None  # why the session ended: the reason of a bye, or "lost"
        # Sending.
        self.waiting = deque()
        self.flying = {}  # by number, in rising order
        self.last = 0
        self.transmissions = 0
        self.confirmed = 0  # the newest transmission known to have arrived
        self.timer = None
        # Receiving.
        self.arrived = 0
        self.beyond = {}  # what came beyond a gap
        self.ack_at = None  # when an acknowledgement is due
        # The round trip (RFC 6298).
        self.smooth = None
        self.variation = None
        self.shortest = 0
        self.doublings = 0
        # Contact.
        self.heard = now
        self.asked = None  # since when an answer is awaited
        self.ping_at = now + PING_AFTER
        self.pings = 0
        self.pinged = None  # when the latest ping left, until its pong comes
        self.leaving = None
        self.byes = 0
        self.bye_at = None

    # What the owner does.

    def write(self, message, now):
        """Hands over a message, to be sent as soon as the window has room."""
        if len(datagram.encode(message)) > MESSAGE_BYTES:
            raise ValueError(f"a message has at most {MESSAGE_BYTES} bytes")
        self.waiting.append(message)
        self._send(now)

    def leave(self, reason, now):
        if self.over is None and self.leaving is None:
            self.leaving = reason
            self._say_bye(now)

    def unconfirmed(self):
        """What was handed over and is not known to have arrived, in order."""
        return [flying.message for flying in self.flying.values()] + list(self.waiting)

    def receive(self, fields, now):
        """Takes a decoded datagram of this session; gives the messages that it completes, in order."""
        if self.over is not None or not self._is_possible(fields):
            return []
        self.hear(now)
        kind = fields["type"]
        if kind == "bye":
            if self.leaving is None:
                self._emit(type="bye", reason=fields["reason"])
            self.over = self.leaving or fields["reason"]
        if self.over is not None or self.leaving is not None:
            return []
        delivered = []
        if kind in ("data", "ack"):
            self._take_acknowledgement(fields["ack"], fields["ranges"], now)
        if kind == "data":
            delivered = self._take_message(fields["seq"], fields["message"], now)
        if kind == "ping":
            self._emit(type="pong", id=fields["id"])
        if kind == "pong" and fields["id"] == self.pings and self.pinged is not None:
            self._measure(now - self.pinged)
            self.pinged = None
            self.timer = now + self._timeout() if self.flying else None
        self.asked = now if self.flying or self.pinged is not None else None
        self._send(now)
        return delivered

    def resume(self, now):
        """The peer was heard beside the link."""
        self.hear(now)
        if self.flying:
            self._probe(now)

    def hear(self, now):
        """The peer is there."""
        self.heard = now
        self.ping_at = now + PING_AFTER
        self.asked = now if self.asked is not None else None

    def next_time(self):
        """When `tick` is to be called at the latest, or None when the session is over."""
        if self.over is not None:
            return None
        times = [self.heard + SILENCE, self.bye_at, self.ack_at, self.timer]
        if self.leaving is None:
            times.append(self.ping_at)
        return min(time for time in times if time is not None)

    def tick(self, now):
        if self.over is not None:
            return
        if now >= self.heard + SILENCE:
            self.over = self.leaving or "lost"
        elif self.leaving is not None:
            if now >= self.bye_at:
                self._say_bye(now)
        else:
            if self.timer is not None and now >= self.timer:
                self._time_out(now)
            if now >= self.ping_at:
                self._ping(now)
            self._send(now)

    # Sending.

    def _send(self, now):
        """Sends what the window has room for, then the acknowledgement, if one is due and went with no message."""
        if self.leaving is not None or self.over is not None:
            return
        while self.waiting and self.last + 1 - next(iter(self.flying), self.last + 1) < WINDOW:
            self.last += 1
            self.flying[self.last] = Flying(self.waiting.popleft())
            self._transmit(self.last, now)
        if self.ack_at is not None and now >= self.ack_at:
            self._emit(type="ack", ack=self.arrived, **self._ranges())
            self.ack_at = None

    def _transmit(self, number, now):
        flying = self.flying[number]
        flying.resent = flying.transmission is not None
        self.transmissions += 1
        flying.transmission = self.transmissions
        flying.at = now
        fields = {"type": "data", "session": self.session, "seq": number, "ack": self.arrived}
        payload = datagram.encode({**fields, **self._ranges(), "message": flying.message})
        if len(payload) <= datagram.LIMIT:
            self.ack_at = None
        else:
            payload = datagram.encode({**fields, "message": flying.message})
            self.ack_at = now
        self.outgoing.append(payload)
        self._await_answer(now)
        if self.timer is None:
            self.timer = now + self._timeout()

    def _time_out(self, now):
        self.doublings += 1
        self._probe(now)
        self._ping(now)

    def _probe(self, now):
        """Sends the oldest message again."""
        # The skipped numbers make everything sent so far count as lost once anything later arrives.
        self.transmissions += LOSS_THRESHOLD
        self._transmit(next(iter(self.flying)), now)
        self.timer = now + self._timeout()

    def _ping(self, now):
        self.pings += 1
        self.pinged = now
        self.ping_at = max(now + PING_AGAIN, self.heard + PING_AFTER)
        self._emit(type="ping", id=self.pings)
        self._await_answer(now)

    def _say_bye(self, now):
        if self.byes == BYES:
            self.over = self.leaving
            return
        self.byes += 1
        self.bye_at = now + self._timeout()
        self.timer = self.ack_at = None
        self._emit(type="bye", reason=self.leaving)

    def _emit(self, type, **fields):
        self.outgoing.append(datagram.encode({"type": type, "session": self.session, **fields}))

    def _await_answer(self, now):
        if self.asked is None:
            self.asked = now

    # Receiving.

    def _is_possible(self, fields):
        """Nobody can have received what was never sent."""
        highest = max([fields.get("ack", 0)] + [last for _, last in fields.get("ranges", [])])
        return highest <= self.last

    def _take_message(self, number, message, now):
        if number > self.arrived + WINDOW:
            return []
        if number <= self.arrived or number in self.beyond:
            self.ack_at = now
            return []
        in_order = number == self.arrived + 1 and not self.beyond
        self.beyond[number] = message
        delivered = []
        while self.arrived + 1 in self.beyond:
            self.arrived += 1
            delivered.append(self.beyond.pop(self.arrived))
        first = self.ack_at is None
        self.ack_at = now + ACK_DELAY if in_order and first else now
        return delivered

    def _ranges(self):
        """The first and last numbers of what came beyond a gap; no field at all when there is none."""
        ranges = []
        for number in sorted(self.beyond):
            if ranges and number == ranges[-1][1] + 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        return {"ranges": ranges} if ranges else {}

    def _take_acknowledgement(self, ack, ranges, now):
        def is_confirmed(number):
            return number <= ack or any(first <= number <= last for first, last in ranges)

        confirmed = [self.flying.pop(number) for number in list(self.flying) if is_confirmed(number)]
        if not confirmed:
            return
        # An acknowledgement that comes sooner than any ever did is that of an earlier transmission.
        known = [flying for flying in confirmed if not flying.resent or now - flying.at >= self.shortest]
        newest = max(known, key=lambda flying: flying.transmission, default=None)
        if newest is not None and newest.transmission > self.confirmed:
            self.confirmed = newest.transmission
            if not newest.resent:
                self._measure(now - newest.at)
        self.timer = now + self._timeout() if self.flying else None
        for number, flying in self.flying.items():
            if flying.transmission + LOSS_THRESHOLD <= self.confirmed:
                self._transmit(number, now)

    # The round trip.

    def _measure(self, trip):
        if self.smooth is None:
            self.smooth, self.variation, self.shortest = trip, trip / 2, trip
        else:
            self.variation = 3 / 4 * self.variation + 1 / 4 * abs(self.smooth - trip)
            self.smooth = 7 / 8 * self.smooth + 1 / 8 * trip
            self.shortest = min(self.shortest, trip)
        self.doublings = 0

    def _timeout(self):
        length = FIRST_TIMEOUT
        if self.smooth is not None:
            length = self.smooth + max(LEAST_VARIATION, 4 * self.variation)
            length = max(LEAST_TIMEOUT, length)
        return min(length * 2**self.doublings, LONGEST_TIMEOUT)
