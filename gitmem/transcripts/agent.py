"""The contract that a module about one agent fulfils, and what a file's beginning is turned into for it.

Most agents write a file for each session. Others keep their sessions in a collection: a database, an archive,
a log of many runs, or several files for one session. Of these gitmem writes a rendition, a text for each
session, and takes that in as if the agent had written it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Literal, NamedTuple, Protocol

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tally
from gitmem.transcripts.document import Member
from gitmem.transcripts.fields import Object
from gitmem.transcripts.lines import Line, read_lines
from gitmem.transcripts.recorder import Recorder

Shape = Literal["lines", "document"]


class Identity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who wrote a file, and which session and stream it is.

    `native_id` is the agent's own name for the session, and may be any text: it is data, never a path. Of a
    subagent's file it is the root session's id if the content tells it, and otherwise the parent's, which
    `parent_id` names. A `document` is rewritten in place, `lines` are appended to.
    """

    agent: str
    native_id: str
    stream: str
    parent_id: str | None
    shape: Shape
    cwd: str | None
    forked_from: str | None
    cwd_sha256: str | None = None

    @property
    def began_in(self) -> str | None:
        """Where it began: a directory, or `sha256:` and the digest of one, where no more is said."""
        return self.cwd or (f"sha256:{self.cwd_sha256}" if self.cwd_sha256 else None)


def session_of(agent: str, own: str, parent: str | None, cwd: str | None) -> Identity:
    """Return which session one in a collection is: with a parent, it is a stream of that one's."""
    return Identity(
        agent=agent,
        native_id=parent or own,
        stream=f"agent-{own}" if parent else MAIN_STREAM,
        parent_id=parent,
        shape="document",
        cwd=cwd,
        forked_from=None,
    )


class Head(NamedTuple):
    """The beginning of a file, decoded as far as it goes.

    `records` are the objects on its lines. Where the first of them ends on a later line, or beyond the head,
    it is the only one, `is_document` is set, and what is incomplete at its end is left out. `data` is the
    beginning itself, for what is no JSON.
    """

    path: PurePath
    records: tuple[Object, ...]
    is_document: bool
    data: bytes = b""

    @property
    def stem(self) -> str:
        """The file's name without its suffix: an id, where the content has none."""
        return self.path.name.removesuffix(self.path.suffix) or self.path.name or "unnamed"


class Reader(Protocol):
    """Turns the records of one session into turns, stream after stream, by telling a recorder."""

    def begin(self) -> None:
        """Begin a stream; the recorder has begun it already."""

    def read(self, record: Object) -> None:
        """Read one line, or one message of a document."""

    def read_members(self, members: Object) -> None:
        """Read what a document has beside its messages."""

    def ready(self) -> int:
        """Return how many of the recorder's pending turns no later line of this stream can change."""


class LineReader:
    """What most readers are: each record says all of its turns, and nothing is kept from one to the next."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def begin(self) -> None:
        """Nothing is kept from one stream to the next but what the recorder keeps."""

    def read_members(self, members: Object) -> None:
        """There are no documents."""

    def ready(self) -> int:
        """No later line changes a turn."""
        return len(self._recorder.pending)


class Listed(NamedTuple):
    """One session of a collection.

    `mark` differs from the one before whenever its rendition may. `size_bytes` is about how much there is.
    Its identity's shape is `document`, since any of it may be written anew; it is kept up to its first line
    that changed, so what grows should stand last.
    """

    identity: Identity
    mark: str
    updated_ms: int | None = None
    size_bytes: int = 0


class Listing(NamedTuple):
    """What a collection has: all of it where it `is_whole`, and else what may have changed since a mark.

    `mark` is that of the collection, as it was before it was looked at. Where it `is_one` session, the file
    never has another, and it stays where that began.
    """

    sessions: tuple[Listed, ...]
    mark: str | None = None
    is_whole: bool = True
    is_one: bool = False


class Collection(Protocol):
    """How an agent's sessions are listed and written out that are no transcripts of their own.

    A collection is only read, and its agent may be writing to it. All raise OSError where it cannot be read,
    and UnknownTranscript where it is not what it was taken for.
    """

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether a file is such a collection; `head` is its beginning."""

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List its sessions; `since` is the mark of an earlier listing, which all else may be left out by."""

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield the lines of a session, each with its line end; the same as before, as far as they go."""


Records = Callable[[Iterable[bytes], Tally], Iterator[Line | Member]]
"""Cuts the bytes of a stream into records: lines, or the messages of a document and the rest of it."""


class Agent(NamedTuple):
    """One agent: how its files are recognised and read.

    `identify` returns None for a file that is not this agent's. Where some are rewritten as one JSON
    document, `writes_documents` says so. Where its files are stands in `gitmem.transcripts.registry`.
    """

    name: str
    identify: Callable[[Head], Identity | None]
    reader: Callable[[Recorder], Reader]
    records: Records = read_lines
    writes_documents: bool = False
    collection: Collection | None = None
