"""What an agent that takes sessions back has to say of itself: where they stand, and how they look there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.disk import refusing
from gitmem.format.lines import lines_of
from gitmem.handing_over.steps import Lost, Step
from gitmem.model.ids import MAIN_STREAM, SessionKey
from gitmem.model.times import to_text
from gitmem.redaction.placeholders import same_line
from gitmem.transcripts.fields import Object
from gitmem.transcripts.handed import marked

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 64
_PIECE_BYTES: Final = 1 << 18


def file_continues(path: Path, native_id: str, ours: Iterable[bytes]) -> bool:
    """Tell whether a file begins with a text, whatever was redacted in it.

    Raises:
        DiskRefused: It cannot be read.
    """
    if not path.is_file():
        return False  # a folder, or a link to nothing
    with refusing("read", path), path.open("rb") as file:
        theirs = lines_of(iter(lambda: file.read(_PIECE_BYTES), b""))
        return all(_is_same(line, next(theirs, b"")) for line in lines_of(ours))


def _is_same(ours: bytes, theirs: bytes) -> bool:
    return same_line(ours.rstrip(b"\r\n"), theirs.rstrip(b"\r\n")) and bool(theirs)


def uuid_of(digits: str) -> str:
    """Return an id in the form of a UUID, made of 32 hex digits."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


class Copy(NamedTuple):
    """A session as it is to be: its id, the one that it is a copy of, and where it goes on.

    `cwd` is the directory that the agent is started in, `started_ms` when its origin began. It `has_title`
    where its records say its title themselves. `stream` is the origin's that becomes the session's own: a
    subagent's, where nobody else has said anything.
    """

    native_id: str
    origin: SessionKey
    cwd: Path
    started_ms: int
    title: str = ""
    branch: str | None = None
    has_title: bool = False
    stream: str = MAIN_STREAM

    @property
    def is_new(self) -> bool:
        """Whether it is a session of its own, and not its origin itself."""
        return self.native_id != self.origin.native_id


def ended(records: Iterable[Object], copy: Copy) -> Iterator[Object]:
    """Yield records, and say in the last that it is the last."""
    last: Object | None = None
    for record in records:
        if last is not None:
            yield last
        last = record
    if last is not None:
        yield last | marked(copy.origin, is_last=True)


Document = Callable[[Path, Mapping[str, str], Iterable[Object]], Object]
"""Makes a document of records, for an agent whose home and environment are told."""


class Target(NamedTuple):
    """An agent that sessions can be handed to.

    `place` says where a stream stands; `known` where a session does already, whatever it holds, and `finds`
    whether the agent looks there, given where it would be placed. `renamed` gives a stream's records as they
    are in a copy, counting what does not come along, or None where the stream stays behind; `built` makes a
    session of steps. `command` is what resumes it. `continues` tells whether what stands at a path begins
    with a text, `new_id` makes an id of 32 hex digits. `ended` marks the last record of a copy, and `closing`
    is what stands behind a session that is written at a moment, and is not of it. An agent with a database
    takes a `document` by a program of its own, the `importer`, and `place` is below gitmem's local state.
    """

    name: str
    place: Callable[[Path, Mapping[str, str], Copy, str], Path]
    known: Callable[[Path, Mapping[str, str], str], Iterable[Path]]
    renamed: Callable[[Iterable[Object], Copy, str, Lost], Iterator[Object] | None]
    built: Callable[[Sequence[Step], Copy, Lost], Iterator[Object]]
    command: Callable[[str], tuple[str, ...]]
    finds: Callable[[Path, Path], bool] = lambda placed, standing: placed.parent == standing.parent
    continues: Callable[[Path, str, Iterable[bytes]], bool] = file_continues
    new_id: Callable[[str], str] = uuid_of
    ended: Callable[[Iterable[Object], Copy], Iterator[Object]] = ended
    closing: Callable[[str], Object] | None = None
    importer: Callable[[Path], tuple[str, ...]] | None = None
    document: Document | None = None


def at_text(at_ms: int | None, before_ms: int) -> str:
    """Return a moment as agents write it; where a turn has none, or one that has no date, another."""
    try:
        return to_text(before_ms if at_ms is None else at_ms)
    except ValueError:
        return to_text(max(0, min(before_ms, 253_402_300_799_999)))


def tool_name(name: str) -> str:
    """Return a tool's name as models' interfaces take it."""
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME] or "tool"
