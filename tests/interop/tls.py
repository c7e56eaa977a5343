"""Says one message to an echo server that speaks TLS, and prints its echo.

    tls.py HOST PORT CERTIFICATE

CERTIFICATE is a PEM file with the server's certificate; its identity file will do, since the rest of it is ignored.
"""

import socket
import ssl
import sys

import documents
from framing import recv_text, send_text


# The function that the document shows.
DOCUMENTED = {"socket": socket, "ssl": ssl}
exec("\n".join(documents.block("python", "def connect_tls")), DOCUMENTED)
connect_tls = DOCUMENTED["connect_tls"]


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
