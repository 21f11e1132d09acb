"""What all readers share while a session is read: numbering, replays, usage, the header and the tally."""

from __future__ import annotations

from collections.abc import Container

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Header, Kind, Role, Tally, Tokens, ToolCall, ToolResult, Turn
from gitmem.transcripts.calls import Call
from gitmem.transcripts.text import Words, clean


class Details(msgspec.Struct):
    """What turns of one line have in common."""

    id: str | None = None
    parent: str | None = None
    at_ms: int | None = None
    author: str | None = None
    model: str | None = None
    tokens: Tokens | None = None
    cwd: str | None = None
    branch: str | None = None


NO_DETAILS = Details()
"""Stands for details that are not known; never written to."""


class Recorder:
    """Takes turns from a reader in the order of its lines, and numbers them from 0 within each stream.

    Attributes:
        pending: Turns that nobody has taken yet; a reader may hold some back.
        ids: Every id that a later copy of this session would repeat.
        line: The line that is being read.
        shortened: Whether that line was.
        replaying: While set, turns are counted as replayed and dropped.
    """

    def __init__(self, inherited: Container[str]) -> None:
        self.tally = Tally()
        self.pending: list[Turn] = []
        self.ids: set[str] = set()
        self.stream = MAIN_STREAM
        self.next_ordinal = 0
        self.line = 0
        self.shortened = False
        self.replaying = False
        self._inherited = inherited
        self._header: dict[str, str | int] = {}
        self._counted: dict[tuple[str, str], Tokens] = {}
        self._counted_before: dict[tuple[str, str], Tokens] = {}

    def begin(self, stream: str) -> None:
        """Begin another stream of the session."""
        self.stream, self.next_ordinal, self.replaying = stream, 0, False

    def add(
        self,
        role: Role,
        kind: Kind,
        text: str,
        details: Details = NO_DETAILS,
        *,
        call: ToolCall | None = None,
        result: ToolResult | None = None,
    ) -> None:
        """Record a turn of the line that is being read; one that says nothing is left out."""
        if not (text or call or result):
            return
        if self.replaying:
            self.tally.replayed += 1
            return
        self.pending.append(
            Turn(
                self.next_ordinal,
                role,
                kind,
                clean(text),
                self.line,
                self.stream,
                details.id,
                details.parent,
                details.at_ms,
                details.author,
                details.model,
                details.tokens,
                details.cwd,
                details.branch,
                call,
                result,
                self.shortened,
            )
        )
        self.next_ordinal += 1

    def add_words(self, words: Words, details: Details = NO_DETAILS) -> None:
        """Record a user's words, and before them what the host put into their mouth."""
        if words.preamble:
            self.add("user", "preamble", words.preamble, details)
        self.add("user", "message", words.message, details)

    def add_call(self, call: Call, details: Details = NO_DETAILS) -> None:
        """Record that the model asked for a tool."""
        self.add("assistant", "tool_call", call.text, details, call=call.call)

    def knows(self, native_id: str | None) -> bool:
        """Tell whether an earlier line, or the session that this is a fork of, had this id; note it."""
        if native_id is None:
            return False
        if native_id in self.ids or native_id in self._inherited:
            return True
        self.ids.add(native_id)
        return False

    def inherits(self, native_id: str | None) -> bool:
        """Tell whether the session that this is a fork of had this id; note it for forks of this one."""
        if native_id is None:
            return False
        self.ids.add(native_id)
        return native_id in self._inherited

    def count_unknown(self, name: str) -> None:
        """Count a record of a type that no reader knows yet."""
        unknown = self.tally.unknown
        key = name[:80] if name[:80] in unknown or len(unknown) < _MOST_UNKNOWN else "(others)"
        unknown[key] = unknown.get(key, 0) + 1

    def tell(self, **fields: str | int | None) -> None:
        """Note a field of the header; what was told first stands."""
        for name, value in fields.items():
            if value is not None and name not in self._header:
                self._header[name] = value

    def retell(self, **fields: str | int | None) -> None:
        """Note a field of the header; what is told last stands."""
        for name, value in fields.items():
            if value is not None:
                self._header[name] = value

    def header(self) -> Header:
        """Return what has been told so far."""
        return msgspec.convert(self._header, Header)

    def uncounted(self, message: tuple[str, str], tokens: Tokens) -> Tokens | None:
        """Return what `tokens` has beyond what was counted for this API message before.

        A message that is spread over several lines has its usage on each of them, growing. So each line's
        turn gets what its line adds: the sum over all turns is the largest that was seen, and a line that is
        yet to come changes no turn that is here.
        """
        before = self._counted.get(message) or self._counted_before.get(message)
        if before == tokens:
            return None
        if len(self._counted) >= _COUNTED_LIMIT:
            self._counted, self._counted_before = {}, self._counted
        if before is None:
            self._counted[message] = tokens
            return tokens
        pairs = list(zip(_astuple(before), _astuple(tokens), strict=True))
        self._counted[message] = Tokens(*(max(pair) for pair in pairs))
        more = Tokens(*(max(0, now - then) for then, now in pairs))
        return more if more != _NO_TOKENS else None


_MOST_UNKNOWN = 200
_COUNTED_LIMIT = 4096
"""API messages whose usage is remembered: the lines of one message are neighbours."""

_NO_TOKENS = Tokens()
_astuple = msgspec.structs.astuple
