"""The examples in the protocols' documents: blocks between lines of ```, each of a kind that stands after the first."""

import pathlib

DOCUMENTS = pathlib.Path(__file__).resolve().parents[2] / "crates" / "proto"


def blocks(kind):
    """The lines of each block of this kind, in all documents."""
    found = []
    for document in sorted(DOCUMENTS.glob("*.md")):
        block = None
        for line in document.read_text(encoding="utf-8").splitlines():
            if block is None:
                if line.startswith("```"):
                    block = (line[3:].strip(), [])
            elif line == "```":
                if block[0] == kind:
                    found.append(block[1])
                block = None
            else:
                block[1].append(line)
    if not found:
        raise LookupError(f"no document in {DOCUMENTS} has an example of kind {kind!r}")
    return found


def lines(kind):
    return [line for block in blocks(kind) for line in block]


def dialogue(lines):
    """Of an example dialogue: who speaks, `C` or `S`, and what."""
    return [(line[0], line[3:]) for line in lines]


def block(kind, containing):
    """The lines of the one block of this kind that has `containing` in it."""
    (found,) = [block for block in blocks(kind) if any(containing in line for line in block)]
    return found
