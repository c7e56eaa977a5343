"""A session of the chat's second protocol (CHAT.md): packets in and out, without socket and clock. Times are seconds.

It does what is needed to interoperate and nothing that only makes it quick: every packet is acknowledged at once, and
what is not acknowledged in time is sent again.
"""

import struct

import noise

SEALED, RESET = 1, 3
ACK, PART, PING, CHALLENGE, RESPONSE, CLOSE = range(1, 7)
MORE, BACKGROUND = 1, 2
PART_BYTES = 1_120
WINDOW = 128  # parts beyond the last one in order
IN_FLIGHT = 16  # parts: this client is in no hurry
AGAIN, PING_AFTER, SILENCE = 0.3, 10, 60
REASONS = ["quit", "stopping", "too_slow", "timed_out", "kicked", "banned", "taken_over"]


class Session:
    def __init__(self, session, keys, reset, now):
        self.session, self.reset = session, reset
        self.send_key, self.receive_key = keys
        self.outgoing = []  # datagrams to send
        self.messages = []  # messages that arrived
        self.over = None  # why it ended
        self.heard = self.pinged = now
        # Sending.
        self.packet = 0
        self.part = 0
        self.waiting = []  # (more, bytes)
        self.flight = {}  # part number: [payload, last sent at, packets that carried it]
        # Receiving.
        self.packets = set()
        self.largest = 0
        self.through = 0
        self.beyond = {}
        self.unfinished = {0: b"", BACKGROUND: b""}

    def write(self, message, now):
        """Hands over a message, to be sent in parts as the window allows."""
        while len(message) > PART_BYTES:
            self.waiting.append((MORE, message[:PART_BYTES]))
            message = message[PART_BYTES:]
        self.waiting.append((0, message))
        self._send_parts(now)

    def unconfirmed(self):
        return len(self.flight) + len(self.waiting)

    def close(self):
        self._emit(bytes([CLOSE, 0]))

    def receive(self, datagram, now):
        if self.over is not None:
            return
        if datagram == bytes([RESET]) + self.session + self.reset:
            self.over = "reset"
            return
        if len(datagram) < 25 or datagram[0] != SEALED or datagram[1:17] != self.session:
            return
        (number,) = struct.unpack(">Q", datagram[17:25])
        if number == 0 or number in self.packets or number + 1_024 <= self.largest:
            return
        try:
            body = noise.open_sealed(self.receive_key, noise.number_nonce(number), datagram[25:])
        except noise.Forged:
            return
        self.heard = self.pinged = now
        self.packets.add(number)
        self.largest = max(self.largest, number)
        asks = False
        while body:
            kind, body = body[0], body[1:]
            if kind == ACK:
                largest, _, earlier, through = struct.unpack(">QHQQ", body[:26])
                self._acknowledged(largest, earlier, through)
                body = body[26:]
            elif kind == PART:
                part, flags, length = struct.unpack(">QBH", body[:11])
                if part > self.through + WINDOW:
                    self.packets.discard(number)  # not taken, so not acknowledged
                    return
                self._take_part(part, flags, body[11 : 11 + length])
                body, asks = body[11 + length :], True
            elif kind == PING:
                asks = True
            elif kind == CHALLENGE:
                self._emit(bytes([RESPONSE]) + body[:8])
                body = body[8:]
            elif kind == RESPONSE:
                body = body[8:]
            elif kind == CLOSE:
                reason = body[0]
                self.close()
                self.over = REASONS[reason] if reason < len(REASONS) else "other"
                return
            else:
                return
        if asks:
            self._emit(b"")
        self._send_parts(now)

    def tick(self, now):
        """To be called every 50 ms or so."""
        if self.over is not None:
            return
        if now >= self.heard + SILENCE:
            self.over = "lost"
            return
        late = [part for part, (_, at, _) in self.flight.items() if now >= at + AGAIN]
        for part in late[:4]:
            self._send_part(part, now)
        if not late and now >= max(self.heard + PING_AFTER, self.pinged + 1):
            self.pinged = now
            self._emit(bytes([PING]))

    def _send_parts(self, now):
        while self.waiting and len(self.flight) < IN_FLIGHT:
            more, data = self.waiting.pop(0)
            self.part += 1
            payload = struct.pack(">BQBH", PART, self.part, more, len(data)) + data
            self.flight[self.part] = [payload, now, set()]
            self._send_part(self.part, now)

    def _send_part(self, part, now):
        entry = self.flight[part]
        entry[1] = now
        self._emit(entry[0])
        entry[2].add(self.packet)

    def _emit(self, frames):
        """A packet of these frames, after an acknowledgement."""
        if self.largest:
            earlier = sum(1 << i for i in range(64) if self.largest - 1 - i in self.packets)
            frames = struct.pack(">BQHQQ", ACK, self.largest, 0, earlier, self.through) + frames
        self.packet += 1
        sealed = noise.seal(self.send_key, noise.number_nonce(self.packet), frames)
        self.outgoing.append(bytes([SEALED]) + self.session + struct.pack(">Q", self.packet) + sealed)

    def _acknowledged(self, largest, earlier, through):
        arrived = {largest} | {largest - 1 - i for i in range(64) if earlier >> i & 1}
        for part in [part for part, (_, _, packets) in self.flight.items() if part <= through or packets & arrived]:
            del self.flight[part]

    def _take_part(self, part, flags, data):
        if part > self.through:
            self.beyond[part] = (flags, data)
        while self.through + 1 in self.beyond:
            self.through += 1
            flags, data = self.beyond.pop(self.through)
            stream = flags & BACKGROUND
            self.unfinished[stream] += data
            if not flags & MORE:
                self.messages.append(self.unfinished[stream])
                self.unfinished[stream] = b""
