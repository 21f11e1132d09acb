"""The records of a memory, as values. docs/formats/store.md says what each field means and why.

A record is immutable. Times are RFC 3339 text in UTC, so that a stranger can read them; clocks are
Lamport's: one more than the highest that the writer has seen. What a field may hold is checked as it is read.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import msgspec

from gitmem.model.ids import MAIN_STREAM, RecordId, SegmentId, SessionId

MAX_NATIVE_ID = 1 << 16
MAX_STREAM = 1 << 12
"""Characters; an agent's ids have some forty, and paths that stand for one some hundred."""
MAX_VALUE = 1 << 12
MAX_TAG_VALUE = 1 << 10
MAX_SIGNATURE = 1 << 14
MAX_TAGS = 100
"""Of a register's value. Writers take shorter texts, which redaction may lengthen."""
MAX_NOTE = 1 << 16
MAX_LISTED = 100
"""Characters of a note, and how many notes, positions and paths it lists."""

_NAME = msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")
_OID = msgspec.Meta(pattern=r"\A[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_MOMENT = msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")

AgentName = Annotated[str, msgspec.Meta(pattern=r"\A[^/\x00-\x1f\x7f]+\Z")]
NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Moment = Annotated[str, _MOMENT]
Digest = Annotated[str, _NAME]
ObjectName = Annotated[str, _OID]
SessionName = Annotated[SessionId, _NAME]
RecordName = Annotated[RecordId, _NAME]
SegmentName = Annotated[SegmentId, _NAME]
MAX_COUNT: Final = 2**53 - 1
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
"""No more than every reader of JSON takes in without loss."""

Shape = Literal["lines", "document"]
"""lines: an append-only log; document: one JSON value that its agent rewrites in place."""


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person, as their git knows them."""

    name: str
    email: str = ""


class CodePosition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the code stood: a commit of the repository, and the branch that HEAD was on."""

    commit: ObjectName | None = None
    branch: str | None = None


class SegmentEntry(msgspec.Struct, frozen=True, array_like=True):
    """A segment as a capture lists it: its name, the line ends in it, and its bytes of plaintext."""

    name: SegmentName
    lines: Count
    bytes: Count


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", forbid_unknown_fields=True):
    """What every record has in common: a kind, and nothing that it does not know."""


class Session(Record, frozen=True, tag="session"):
    """What makes a session this one and no other; the session's id is made of it."""

    agent: AgentName
    native_id: NotEmpty
    beginning: Digest
    """SHA-256, in hex, over the skeleton of how the transcript begins."""
    incarnation: Count = 0
    """How often it was erased before it was taken in again on purpose; each has an id of its own."""


class Capture(Record, frozen=True, tag="capture"):
    """What one capture added to one stream of a session.

    The stream's text is then: the first `keep` lines of the first parent's text, and the segments.
    Further parents are heads whose text is contained in this one.
    """

    session: SessionName
    at: Moment
    author: Author
    by: str
    redaction: str
    segments: tuple[SegmentEntry, ...]
    keep: Count = 0
    parents: tuple[RecordName, ...] = ()
    stream: str = MAIN_STREAM
    shape: Shape = "lines"
    code: CodePosition | None = None


RegisterName = Literal["title", "tags", "level", "hidden", "forgotten", "state"]
REGISTER_NAMES: tuple[RegisterName, ...] = get_args(RegisterName)
REGISTER_TYPES: dict[RegisterName, type] = {
    "title": str,
    "tags": tuple,
    "level": str,
    "hidden": bool,
    "forgotten": str,
    "state": str,
}
"""What each holds; any may also hold None, which takes it back."""


class Register(Record, frozen=True, tag="register"):
    """One writing of a value that may change; of all with one name, the highest (clock, id) holds."""

    target: Digest
    """The id of the session or note that it is about."""
    name: RegisterName
    value: str | tuple[str, ...] | bool | None
    clock: Count
    at: Moment
    author: Author


class PathChange(msgspec.Struct, frozen=True, array_like=True):
    """One path that a checkpoint's tree changed: lines added and removed, -1 where git cannot tell."""

    path: str
    added: int
    removed: int


class Position(msgspec.Struct, frozen=True, array_like=True):
    """How far one stream of a session had come, in lines."""

    session: SessionName
    stream: str
    lines: Count


class Rewrite(msgspec.Struct, frozen=True, array_like=True):
    """A commit that took the place of another: by an amend or a rebase."""

    old: ObjectName
    new: ObjectName


Trigger = Literal[
    "manual",
    "pre-commit",
    "post-commit",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "pre-push",
    "session-start",
    "stop",
    "session-end",
    "rewind",
]
"""What asked for a checkpoint: somebody, a hook of git's, a hook of an agent's, or what `rewind` replaces."""
TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)


class Checkpoint(Record, frozen=True, tag="checkpoint"):
    """The state of the code, tied to positions in sessions, at one moment."""

    at: Moment
    author: Author
    trigger: Trigger
    head: ObjectName | None = None
    branch: str | None = None
    """Without `refs/heads/`; None where HEAD was detached."""
    tree: ObjectName | None = None
    tree_from: Literal["commit", "index", "found"] = "commit"
    changes: tuple[PathChange, ...] = ()
    """What the tree changed: against the commit's first parent, or against HEAD where it is no commit's."""
    more_changes: Count = 0
    """How many paths changed beyond those that are listed."""
    positions: tuple[Position, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    patches: tuple[ObjectName, ...] = ()
    """Stable patch ids, as `git patch-id --stable` has them: of the commit, and of its branch as a whole."""
    message: str = ""


NoteType = Literal["decision", "pattern", "reminder"]
NOTE_TYPES: tuple[NoteType, ...] = get_args(NoteType)


class Note(Record, frozen=True, tag="note"):
    """A decision, a pattern or a reminder that somebody wrote down; superseded, never edited."""

    type: NoteType
    text: str
    at: Moment
    author: Author
    """Whose git wrote it."""
    agent: AgentName | None = None
    """The agent that wrote it for them; None where they did themselves."""
    due: Moment | None = None
    supersedes: tuple[RecordName, ...] = ()
    about: tuple[Position, ...] = ()
    """Turns: the stream up to and including it; with 0 lines the session as a whole."""
    files: tuple[str, ...] = ()


class Tombstone(Record, frozen=True, tag="tombstone"):
    """What is gone from the memory of a level, and must not come back."""

    target: Digest
    """The id of a session, or the name of a note or a checkpoint."""
    level: Literal["public", "team"]
    at: Moment
    author: Author
    reason: str = ""
    signature: str = ""
    """Over the same record without it, as the author's git signs commits; empty where they sign none."""


AnyRecord = Session | Capture | Register | Checkpoint | Note | Tombstone
