"""What the command-line programs share: where the server is, errors of one line, text that is safe to show."""

import argparse
import os
import sys
import unicodedata

# Categories of control, format, separator and surrogate characters.
HARMFUL = ("Cc", "Cf", "Zl", "Zp", "Cs")


def arguments(about, default_port):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=default_port)
    return parser


def run(main, *expected):
    """Runs `main` and exits with its status.

    An error of the network, or of a kind in `expected`, is one line on stderr.
    """
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has closed it. Python would report that again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except (OSError, *expected) as error:
        print(f"{os.path.basename(sys.argv[0])}: {printable(str(error))}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def printable(text):
    """Text of strangers may hold what commands a terminal: control and format characters are shown as escapes."""
    return "".join(
        f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in HARMFUL else character
        for character in text
    )


def say(text):
    print(printable(text), flush=True)


def lines_of_stdin():
    """Its lines, without their ends, as they come."""
    for line in sys.stdin.buffer:
        yield (line[:-1] if line.endswith(b"\n") else line).decode()
