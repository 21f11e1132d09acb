"""The contract that a module about one agent fulfils, and what a file's beginning is turned into for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Literal, NamedTuple, Protocol

import msgspec

from gitmem.transcripts.fields import Object
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


class Head(NamedTuple):
    """The beginning of a file, decoded as far as it goes.

    `records` are the objects on its lines. Where the first of them ends on a later line, or beyond the head,
    it is the only one, `is_document` is set, and what is incomplete at its end is left out.
    """

    path: PurePath
    records: tuple[Object, ...]
    is_document: bool

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


class Agent(NamedTuple):
    """One agent: how its files are recognised, found and read.

    `identify` returns None for a file that is not this agent's. `folders` takes the home directory and the
    environment. `messages_key` is where the documents that it writes, if any, keep their messages;
    `lines_are_documents` says that even a single line is one.
    """

    name: str
    identify: Callable[[Head], Identity | None]
    reader: Callable[[Recorder], Reader]
    folders: Callable[[Path, Mapping[str, str]], list[Path]]
    messages_key: str | None = None
    lines_are_documents: bool = False
