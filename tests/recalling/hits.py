"""Hits as a search hands them over, made up."""

from __future__ import annotations

import hashlib
from typing import Any


def turn(text: str, ordinal: int = 3, **more: Any) -> dict[str, Any]:
    """Return a turn beside a hit; `words` are the stretches of the text that were asked for."""
    words = [text.index(word) for word in more.get("words", ())]
    marks = [[at, at + len(word)] for at, word in zip(words, more.get("words", ()), strict=True)]
    return {
        "turn": f"t{ordinal}",
        "ordinal": ordinal,
        "role": more.get("role", "user"),
        "line": ordinal,
        "kind": more.get("kind", "message"),
        "tool": more.get("tool"),
        "error": more.get("error", False),
        "author": more.get("author", "Ada"),
        "branch": more.get("branch", "main"),
        "at": more.get("at", "2026-02-03T06:34:50Z"),
        "captured_by": more.get("captured_by", "ada@example.org"),
        "passage": {"text": text, "marks": marks, "before": False, "behind": False},
    }


def hit(text: str, ordinal: int = 3, **more: Any) -> dict[str, Any]:
    """Return a hit of a session, by default all of the same one; `beside` are its neighbours."""
    session = more.get("session", "generic/one")
    return {
        **turn(text, ordinal, **more),
        "session": session,
        "id": hashlib.sha256(session.encode("utf-8", "replace")).hexdigest(),
        "repo": "repository",
        "stream": more.get("stream", ""),
        "agent": "generic",
        "title": more.get("title", ""),
        "trust": more.get("trust", "known"),
        "score": more.get("score", 1.0),
        "beside": more.get("beside", []),
    }
