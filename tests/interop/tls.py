"""Says one message to an echo server that speaks TLS, and prints its echo.

    tls.py HOST PORT CERTIFICATE

CERTIFICATE is a PEM file with the server's certificate; its identity file will do, since the rest of it is ignored.
"""

import socket
import ssl
import sys

from framing import recv_text, send_text


def connect_tls(host, port, certificate):
    """A socket over TLS to the server that has the key of this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the key counts, not the name
    context.load_verify_locations(certificate)
    return context.wrap_socket(socket.create_connection((host, port)))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    host, port, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with connect_tls(host, port, certificate) as sock:
        send_text(sock, "Привет")
        print(recv_text(sock))
        send_text(sock, "exit")
        assert recv_text(sock) is None, "the server ends after exit"


if __name__ == "__main__":
    main()
