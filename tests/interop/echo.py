#!/usr/bin/env python3
"""An echo client (PROTOCOL.md, "Echo" and "Raw echo"): sends the lines of stdin, prints what comes back.

One thread sends and another receives. If one thread did both, a long text would fill the buffers of both systems, and
client and server would wait for each other.
"""

import socket
import sys
import threading

import program
from framing import READ_BYTES, FrameError, recv_text, send_text


class Sender(threading.Thread):
    """Runs `send` beside the caller, then half-closes: the server sees the end, and its replies still come."""

    def __init__(self, sock, send):
        super().__init__(daemon=True)
        self.sock, self.send = sock, send
        self.sent = 0
        self.error = None

    def run(self):
        try:
            for count in self.send(self.sock):
                self.sent += count
        except (OSError, UnicodeDecodeError) as error:
            self.error = error
        finally:
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the connection is gone already

    def finish(self, received):
        """After the end of the stream: was everything sent, and did everything come back?"""
        self.join(1)
        if self.error:
            raise self.error
        if self.is_alive():
            raise FrameError("the server closed the connection")
        if received < self.sent:
            raise FrameError(f"the server closed the connection; it had returned {received} of {self.sent}")


def send_lines(sock):
    """Each line as a frame, up to `exit`, which is the one that does not come back."""
    for line in program.lines_of_stdin():
        send_text(sock, line)
        if line == "exit":
            return
        yield 1


def send_bytes(sock):
    while portion := sys.stdin.buffer.read1(READ_BYTES):
        sock.sendall(portion)
        yield len(portion)


def print_replies(sock):
    received = 0
    while (text := recv_text(sock)) is not None:
        text = program.printable(text) if sys.stdout.isatty() else text
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()
        received += 1
    return received


def print_bytes(sock):
    received = 0
    while portion := sock.recv(READ_BYTES):
        sys.stdout.buffer.write(portion)
        sys.stdout.buffer.flush()
        received += len(portion)
    return received


def main():
    parser = program.arguments("Sends the lines of stdin to an echo server and prints what comes back.", 9090)
    parser.add_argument("--raw", action="store_true", help="bytes without frames, as RFC 862 has it")
    flags = parser.parse_args()
    send, receive = (send_bytes, print_bytes) if flags.raw else (send_lines, print_replies)
    with socket.create_connection((flags.host, flags.port)) as sock:
        sender = Sender(sock, send)
        sender.start()
        sender.finish(receive(sock))


if __name__ == "__main__":
    program.run(main, FrameError, UnicodeDecodeError)
