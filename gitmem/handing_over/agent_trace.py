"""Where code came from, in the form of Agent Trace 0.1.0: lines of files, and the sessions that wrote them.

A record is `{version, id, timestamp, vcs{type, revision}, tool{name, version}, files[{path,
conversations[{url, contributor{type, model_id}, ranges[{start_line, end_line}]}]}], metadata}`, and nothing
else but below `metadata`; it points to the transcripts and holds none of them. The hashes of content that
ranges may have are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

from gitmem.handing_over.target import uuid_of
from gitmem.model.ids import Oid, SessionKey
from gitmem.transcripts.fields import Object

VERSION = "0.1.0"
_LONGEST_MODEL = 250


class Writer(NamedTuple):
    """A session that wrote lines, its model if that is known, and how far its author is trusted here."""

    key: SessionKey
    model: str | None
    trust: str


def ranges_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the runs that numbers of lines make."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def record(
    files: Mapping[str, Mapping[Writer, Iterable[int]]], revision: Oid, at: str, tool_version: str
) -> Object:
    """Return the record of the lines of files, by who wrote them, as they stand in a commit."""
    written: list[Object] = [
        {"path": path, "conversations": [_conversation(*one) for one in by_writer.items()]}
        for path, by_writer in sorted(files.items())
        if by_writer
    ]
    named = repr((revision, at, sorted(files))).encode("utf-8", "surrogateescape")
    return {
        "version": VERSION,
        "id": uuid_of(hashlib.sha256(named).hexdigest()),
        "timestamp": at,
        "vcs": {"type": "git", "revision": revision},
        "tool": {"name": "gitmem", "version": tool_version},
        "files": written,
        "metadata": {"gitmem": {"trust": {_url(one): one.trust for each in files.values() for one in each}}},
    }


def _conversation(writer: Writer, numbers: Iterable[int]) -> Object:
    contributor: Object = {"type": "ai"}
    if writer.model and len(model := _model_id(writer.model)) <= _LONGEST_MODEL:
        contributor["model_id"] = model
    return {
        "url": _url(writer),
        "contributor": contributor,
        "ranges": [{"start_line": first, "end_line": last} for first, last in ranges_of(numbers)],
        "related": [],
    }


def _url(writer: Writer) -> str:
    return f"gitmem://session/{quote(writer.key.agent, safe='')}/{quote(writer.key.native_id, safe='')}"


_PROVIDERS = (("claude", "anthropic"), ("gpt", "openai"), ("gemini", "google"))


def _model_id(model: str) -> str:
    """Return a model's name with its provider before it, where the name tells whose it is."""
    provider = next((name for begins, name in _PROVIDERS if model.startswith(begins)), None)
    return f"{provider}/{model}" if provider and "/" not in model else model
