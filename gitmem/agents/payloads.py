"""What coding agents say to their hooks, as a value: nothing of it is believed, nothing it names is read.

Whatever an agent sends, something comes of it: a payload with the fields that could be used, or why there is
none. A path is a hint for the drain, which opens a file only as a scan does: a regular one, whose own content
says that its session began in this repository.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

MAX_BYTES: Final = 1 << 20
"""As much as the stub hands on; what a payload needs comes in its first few thousand."""

_LONGEST: Final = 4096
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "session_id": ("session_id", "sessionId", "conversation_id", "sessionID"),
    "transcript": ("transcript_path", "transcriptPath"),
    "cwd": ("cwd", "directory"),
    "subagent": ("agent_id", "agentId", "parent_thread_id", "parentID"),
}

Why = Literal["empty", "too large", "not JSON", "not an object"]
Source = Literal["startup", "resume", "clear", "compact", "fork"]
_SOURCES: Final[dict[str, Source]] = {
    "startup": "startup",
    "new": "startup",
    "resume": "resume",
    "clear": "clear",
    "compact": "compact",
    "fork": "fork",
}


class Payload(NamedTuple):
    """What could be used. `ignored` names fields that are of a kind or a length that none should be.

    `is_foreign` is what another agent sends that runs the hooks in this one's files as well.
    """

    session_id: str | None = None
    cwd: Path | None = None
    transcript: Path | None = None
    source: Source | None = None
    is_subagent: bool = False
    is_foreign: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def wants_digest(self) -> bool:
        """Whether a session begins that has not been told: a resumed one has, a compacted one lost it."""
        return not self.is_subagent and not self.is_foreign and self.source not in ("resume", "fork")


class NoPayload(NamedTuple):
    """Why nothing of what an agent said can be used; its session is one like any other all the same."""

    why: Why


def read_payload(agent: str, content: bytes) -> Payload | NoPayload:
    """Read what an agent wrote to a hook's standard input; any bytes will do, and nothing is raised."""
    if len(content) > MAX_BYTES:
        return NoPayload("too large")
    if not content.strip():
        return NoPayload("empty")
    try:
        said: Any = json.loads(content)
    except (ValueError, RecursionError):
        return NoPayload("not JSON")
    if not isinstance(said, dict):
        return NoPayload("not an object")
    reader = _Reader(said)
    cwd = reader.path("cwd") or _first_root(said)
    return Payload(
        session_id=reader.text("session_id"),
        cwd=cwd,
        transcript=reader.path("transcript"),
        source=_SOURCES.get(source) if isinstance(source := said.get("source"), str) else None,
        is_subagent=reader.text("subagent") is not None or said.get("is_subagent") is True,
        is_foreign=_is_foreign(agent, said),
        ignored=tuple(reader.ignored),
    )


class _Reader:
    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said
        self.ignored: list[str] = []

    def text(self, what: str) -> str | None:
        """Return the first of a field's names that says something."""
        for name in _NAMES[what]:
            value = self._said.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, str) and len(value) <= _LONGEST and _is_plain(value):
                return value
            self.ignored.append(name)
        return None

    def path(self, what: str) -> Path | None:
        """Return a field as an absolute path."""
        text = self.text(what)
        return Path(text) if text is not None and text.startswith("/") else None


def _is_plain(text: str) -> bool:
    """Tell whether a text has no control characters, and no halves of surrogate pairs."""
    return all(char >= " " and char != "\x7f" and not "\ud800" <= char <= "\udfff" for char in text)


def _first_root(said: dict[str, Any]) -> Path | None:
    """Return the first of Cursor's folders."""
    roots = said.get("workspace_roots")
    first = roots[0] if isinstance(roots, list) and roots else None
    if isinstance(first, str) and first.startswith("/") and len(first) <= _LONGEST and _is_plain(first):
        return Path(first)
    return None


def _is_foreign(agent: str, said: dict[str, Any]) -> bool:
    """Tell whether another runs Claude Code's hooks: Cursor and Copilot CLI read its settings too."""
    return agent == "claude-code" and ("cursor_version" in said or not said.get("transcript_path"))
