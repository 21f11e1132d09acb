"""The normal form of a transcript: what every agent's lines become when they are read.

It is derived, never stored: a better reader improves old sessions too.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from gitmem.model.ids import MAIN_STREAM

Role = Literal["user", "assistant", "tool", "system"]
ROLES: tuple[Role, ...] = get_args(Role)

Kind = Literal["message", "thinking", "tool_call", "tool_result", "preamble", "notice"]
"""message: what somebody said; thinking: reasoning shown by the model; tool_call and tool_result: one of
each per call; preamble: text that the host put into a user's mouth (instructions, environment); notice:
what the agent program itself says (a summary, an error, a compaction)."""
KINDS: tuple[Kind, ...] = get_args(Kind)


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the model's provider counted for one message, in tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that the model asked for.

    `input` is the call's arguments as JSON text (compact, keys in the agent's order); `files` are the paths
    that it names, as written there.
    """

    id: str | None
    name: str
    input: str = "{}"
    files: tuple[str, ...] = ()


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a call came to. `exit_status` is a process's, where one ran and the agent wrote it down."""

    call_id: str | None
    is_error: bool = False
    exit_status: int | None = None


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message, tool call or tool result of a session.

    `id` and `parent` are the agent's own message ids, where it has any. `line` is the first line, counted
    from 0 within `stream`, that the turn was read from; several turns may come from one line. `at_ms` is
    milliseconds since 1970 in UTC. `text` of a tool call is its arguments made readable (a command, a path,
    a diff), so that it can be searched; of a tool result, what the tool said.
    """

    ordinal: int
    role: Role
    kind: Kind
    text: str
    line: int
    stream: str = MAIN_STREAM
    id: str | None = None
    parent: str | None = None
    at_ms: int | None = None
    author: str | None = None
    model: str | None = None
    tokens: Tokens | None = None
    cwd: str | None = None
    branch: str | None = None
    call: ToolCall | None = None
    result: ToolResult | None = None
    shortened: bool = False
    """A value on the line was too long to be read whole; the stored line has all of it."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a transcript says of itself as a whole; every field may be unknown."""

    title: str | None = None
    started_ms: int | None = None
    cwd: str | None = None
    branch: str | None = None
    commit: str | None = None
    model: str | None = None
    agent_version: str | None = None
    forked_from: str | None = None
    """The native id of the session that this one was forked or resumed from."""


class Tally(msgspec.Struct, omit_defaults=True):
    """What a reader met that it could not use: kept in the store, counted here, never fatal.

    `unknown` counts record types by name; `replayed` counts turns dropped since an earlier line, or the
    session that this one was forked from, already had them.
    """

    lines: int = 0
    not_json: int = 0
    bad_utf8: int = 0
    cut_short: int = 0
    too_deep: int = 0
    long_lines: int = 0
    replayed: int = 0
    unknown: dict[str, int] = {}
