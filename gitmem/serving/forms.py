"""What tools take and what they give: the types that arguments are checked by and schemas are made from.

What may be left out is, so that answers stay short; `untold` counts what is left out of an answer because
the user does not know who captured it, of a search among its best hits. The descriptions are read by agents,
each time anew, and so are as short as they can be.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal["decision", "pattern", "reminder"]

_When = Annotated[str, Meta(description="A date, or 7d, 12h, 2w ago.", max_length=64)]
_Cursor = Annotated[
    str, Meta(description="From the answer before, with the same arguments.", max_length=1000)
]
_Untrusted = Annotated[bool, Meta(description="Also what authors captured whom the user does not know.")]
_Path = Annotated[str, Meta(max_length=4096)]
_Name = Annotated[str, Meta(max_length=1000)]


class _Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all arguments have in common."""


class _Given(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all answers have in common."""

    notice: str = ""


class SearchTaken(_Taken, frozen=True, kw_only=True):
    """A search."""

    query: Annotated[str, Meta(description='Words, "phrases", field:value.', max_length=4096)]
    file: Annotated[_Path | None, Meta(description="A path or folder that tools worked on.")] = None
    since: _When | None = None
    by_session: Annotated[bool, Meta(description="Each session once, at its best turn.")] = False
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    cursor: _Cursor | None = None
    untrusted: _Untrusted = False


class Hit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn or a note that was found."""

    id: str
    by: str
    text: str
    title: str = ""
    trust: str = "known"


class SearchGiven(_Given, frozen=True, kw_only=True):
    """What a search found."""

    hits: tuple[Hit, ...] = ()
    untold: int = 0
    cursor: str | None = None


class RecallTaken(_Taken, frozen=True, kw_only=True):
    """A question to the memory."""

    question: Annotated[str, Meta(description="A question, or words that the answer has.", max_length=4096)]
    budget: Annotated[int, Meta(description="At most so many tokens.", ge=150, le=10_000)] = 1_500
    file: Annotated[_Path | None, Meta(description="Only what is about this path or folder.")] = None
    since: _When | None = None
    untrusted: _Untrusted = False


class Quoted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody's words."""

    id: str
    by: str
    text: str
    session: str = ""
    commit: str = ""
    trust: str = "known"


class RecallGiven(_Given, frozen=True, kw_only=True):
    """What a memory says to a question."""

    turns: tuple[Quoted, ...] = ()
    untold: int = 0


class ShowTaken(_Taken, frozen=True, kw_only=True):
    """What is to be shown."""

    id: Annotated[
        str,
        Meta(description="A session, SESSION#TURN, or note/ID, as other answers cite it.", max_length=1000),
    ]
    around: Annotated[int, Meta(description="With #TURN: so many turns on each side.", ge=0, le=20)] = 0
    cursor: _Cursor | None = None
    untrusted: _Untrusted = False


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn, by its number behind the session's #; `cut` counts the characters that were left out of it."""

    turn: str
    role: str
    text: str
    tool: str = ""
    at: str = ""
    cut: int = 0
    failed: bool = False


class ShowGiven(_Given, frozen=True, kw_only=True):
    """A session or a part of it, or a note."""

    id: str
    by: str
    title: str = ""
    turn_count: int = 0
    streams: tuple[str, ...] = ()
    turns: tuple[Shown, ...] = ()
    note: NoteTold | None = None
    trust: str = "known"
    cursor: str | None = None


class TimelineTaken(_Taken, frozen=True, kw_only=True):
    """Which sessions are asked for."""

    since: _When | None = None
    until: _When | None = None
    agent: Annotated[_Name | None, Meta(description="As claude-code or codex.")] = None
    author: Annotated[_Name | None, Meta(description="Words of a name or address.")] = None
    branch: _Name | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    cursor: _Cursor | None = None
    untrusted: _Untrusted = False


class SessionTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session, in short."""

    id: str
    at: str
    by: str
    title: str = ""
    branch: str = ""
    turns: int = 0
    trust: str = "known"


class TimelineGiven(_Given, frozen=True, kw_only=True):
    """Sessions, the newest first."""

    sessions: tuple[SessionTold, ...] = ()
    untold: int = 0
    cursor: str | None = None


class WhyTaken(_Taken, frozen=True, kw_only=True):
    """What is to be explained."""

    target: Annotated[
        str, Meta(description="FILE, FILE:LINE, FILE:FIRST-LAST, or a commit.", max_length=4096)
    ]
    limit: Annotated[int, Meta(ge=1, le=50)] = 5
    untrusted: _Untrusted = False


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines, and the turn that wrote them, if one is known."""

    lines: str
    commit: str = ""
    id: str = ""
    by: str = ""
    title: str = ""
    prompt: str = ""
    prompt_id: str = ""
    evidence: str = ""
    trust: str = "known"


class WhyGiven(_Given, frozen=True, kw_only=True):
    """Which turns led to some lines; `known` and `unknown` count lines."""

    known: int
    unknown: int
    places: tuple[Place, ...] = ()
    left_out: int = 0
    untold: int = 0


class NoteAddTaken(_Taken, frozen=True, kw_only=True):
    """A note to be written down."""

    text: Annotated[str, Meta(description="What holds, and why, in a sentence or two.", max_length=10_000)]
    kind: Annotated[Kind, Meta(description="decision, pattern, or reminder.")] | None = None
    due: Annotated[str, Meta(description="Of a reminder: a date, or in 7d, 2w.", max_length=64)] | None = None
    files: Annotated[tuple[_Path, ...], Meta(description="Paths that it is about.", max_length=50)] = ()
    sessions: Annotated[
        tuple[_Name, ...], Meta(description="SESSION or SESSION#TURN that it comes from.", max_length=50)
    ] = ()
    tags: Annotated[tuple[_Name, ...], Meta(max_length=50)] = ()
    supersedes: Annotated[
        tuple[_Name, ...], Meta(description="Notes that it takes the place of.", max_length=50)
    ] = ()


class Similar(msgspec.Struct, frozen=True):
    """A note that says nearly the same."""

    id: str
    text: str


class NoteAddGiven(_Given, frozen=True, kw_only=True):
    """The note that was written down, and those that say nearly the same."""

    id: str
    similar: tuple[Similar, ...] = ()


class NotesTaken(_Taken, frozen=True, kw_only=True):
    """Which notes are asked for."""

    kind: Kind | None = None
    file: Annotated[_Path | None, Meta(description="About this path or folder.")] = None
    tag: _Name | None = None
    due: Annotated[bool, Meta(description="Only what is to be reminded of now.")] = False
    closed: Annotated[bool, Meta(description="Done and superseded ones, too.")] = False
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    cursor: _Cursor | None = None
    untrusted: _Untrusted = False


class NoteTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """A note."""

    id: str
    kind: str
    by: str
    text: str
    at: str = ""
    due: str = ""
    state: str = "open"
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    repo: str = ""
    trust: str = "known"
    cut: int = 0


class NotesGiven(_Given, frozen=True, kw_only=True):
    """Notes, the newest first; those that are due, the longest due first."""

    notes: tuple[NoteTold, ...] = ()
    untold: int = 0
    cursor: str | None = None
