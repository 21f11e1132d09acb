"""What an import has under way: files being captured, their ranges being sealed, a batch's message."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gitmem.model.errors.base import GitmemError
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import SegmentEntry
from gitmem.objects.trees import Path as TreePath
from gitmem.verbs.committing import SKIP_CI
from gitmem.verbs.planning import Plan
from gitmem.verbs.sealing import SealedRange
from gitmem.verbs.sources import Position

_NAMED = 50


@dataclass
class Stream:
    """A file being captured: the plan, and the capture that its sealed segments will make next.

    `name` is what it is known by, for a rendition's own file is gone at the end.
    """

    plan: Plan
    name: Path
    status: os.stat_result
    position: Position | None
    parent: RecordId | None
    keep: int
    offset: int
    entries: list[SegmentEntry] = field(default_factory=list)
    blobs: dict[TreePath, Oid] = field(default_factory=dict)
    lines: int = 0
    error: GitmemError | None = None
    started: bool = False


class Work(NamedTuple):
    """A range on its way; `take` is None for the end of a file."""

    stream: Stream
    start: int
    stop: int
    take: Callable[[], SealedRange] | None


def batch_message(captured: Mapping[str, int]) -> str:
    """Say what a batch brings, for people who read `git log`; `captured` has how many lines, by session."""
    told = sorted(captured.items())
    shown = [f"- {_one_line(name)}: {_count(lines, 'line')}" for name, lines in told[:_NAMED]]
    if len(told) > len(shown):
        shown.append(f"- and {len(told) - len(shown)} more")
    total = _count(sum(captured.values()), "line")
    subject = f"Capture {_count(len(told), 'session')}, {total} {SKIP_CI}"
    return "\n".join([subject, "", *shown]) + "\n"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
