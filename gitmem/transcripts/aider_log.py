"""Aider's log: one Markdown file of a working tree, in which every run is a session.

`# aider chat started at <time>` begins a run. Runs have no ids, so the moment is a run's name: it stays when
what stands before it is cut off, and a copy of the log has the same sessions. Only the last run grows.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity, Listed, Listing
from gitmem.transcripts.times import to_ms

NAME = "aider"
BEGINNING = "beginning"
"""The name of what stands before the first run: the rest of one whose begin was cut off."""

FILE_NAME = ".aider.chat.history.md"

_HEADING = re.compile(rb"# aider chat started at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[ \t\r]*\n?\Z")
_PIECE_BYTES = 256 << 10


class AiderLog:
    """The runs of a log, as sessions; a session's rendition is the run as it stands there."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether the file begins with a run; the log itself may have lost the first one's begin."""
        if path.name == FILE_NAME:
            return any(heading_name(line) for line in head.split(b"\n"))
        return first_name(head) is not None

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List the runs; a run's mark is a digest of it."""
        found: list[Listed] = []
        with path.open("rb") as file:
            for name, pieces in _runs(file):
                digest, size, is_blank = hashlib.blake2b(digest_size=16), 0, True
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    is_blank = is_blank and not piece.strip()
                if not is_blank:
                    found.append(Listed(identity_of(name), digest.hexdigest(), started_ms(name), size))
        if not found or found[-1].identity.native_id == BEGINNING:
            raise UnknownTranscript(str(path), "no run of aider begins in it")
        return Listing(tuple(found))

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of one run, its heading first."""
        with path.open("rb") as file:
            for name, pieces in _runs(file):
                if name == identity.native_id:
                    yield from pieces
                    return
        raise UnknownTranscript(str(path), f"the run of {identity.native_id} is not in it any more")


def identity_of(name: str) -> Identity:
    """Return who a run is."""
    return Identity(NAME, name, MAIN_STREAM, None, "document", None, None)


def heading_name(line: bytes) -> str | None:
    """Return what the run is called that a line begins, which is when it began; None where it begins none."""
    heading = _HEADING.match(line) if line.startswith(b"# a") else None
    return f"{heading[1].decode()}T{heading[2].decode().replace(':', '-')}" if heading else None


def first_name(head: bytes) -> str | None:
    """Return what the run is called that a file begins with."""
    return heading_name(head.lstrip().partition(b"\n")[0])


def started_ms(name: str) -> int | None:
    """Return when a run began; the log does not say in which zone."""
    day, _, time = name[:19].partition("T")
    return to_ms(f"{day}T{time.replace('-', ':')}")


class _Piece(NamedTuple):
    """A line, or a part of a long one; `begins` names the run of which it is the heading."""

    data: bytes
    begins: str | None


def _runs(file: BinaryIO) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each run's name and its pieces; what is not taken of these is passed over."""
    pieces = _pieces(file)
    heading: list[_Piece] = []
    seen: Counter[str] = Counter()

    def to_next_heading() -> Iterator[bytes]:
        if heading:
            yield heading.pop().data
        for piece in pieces:
            if piece.begins is not None:
                heading.append(piece)
                return
            yield piece.data

    name = BEGINNING
    while True:
        run = to_next_heading()
        yield name, run
        for _ in run:
            pass
        if not heading or heading[0].begins is None:
            return
        begun = heading[0].begins
        seen[begun] += 1
        name = begun if seen[begun] == 1 else f"{begun}-{seen[begun]}"


def _pieces(file: BinaryIO) -> Iterator[_Piece]:
    is_start = True
    while data := file.readline(_PIECE_BYTES):
        yield _Piece(data, heading_name(data) if is_start else None)
        is_start = data.endswith(b"\n")
