"""Checking a session as a whole: whether its records and segments say the same about each other.

What is wrong with one of them alone is known before; here nothing is read, and nothing raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from gitmem.format import layout, manifest
from gitmem.model.ids import RecordId, SegmentId, SessionId
from gitmem.model.records import Capture, SegmentEntry
from gitmem.objects.trees import Path


class Problem(NamedTuple):
    """What is wrong, and where in the tree it shows."""

    path: Path
    why: str


def check_captures(
    session: SessionId,
    captures: Mapping[RecordId, Capture],
    present_captures: Collection[RecordId],
    present_segments: Collection[SegmentId],
) -> Iterator[Problem]:
    """Yield where captures refer to what is not there, or to more than is there.

    `captures` are those that could be read; what is present but unreadable is not reported again.
    """
    listings = Counter(entry.name for capture in captures.values() for entry in capture.segments)
    for name, capture in captures.items():
        path = layout.capture_path(session, name)
        for parent in capture.parents:
            if parent not in present_captures:
                yield Problem(path, f"it builds on capture {parent}, which is missing")
            elif parent in captures and captures[parent].stream != capture.stream:
                yield Problem(path, f"it builds on capture {parent}, which is of another stream")
        kept = _lines_before(capture, captures)
        if kept is not None and capture.keep > kept:
            yield Problem(path, f"it keeps {capture.keep} lines where there are {kept}")
        may_repeat = capture.keep != kept or any(listings[entry.name] > 1 for entry in capture.segments)
        if may_repeat and manifest.repeats(_line(name, captures)):
            yield Problem(path, manifest.REPEATS)
        for entry in capture.segments:
            if entry.name not in present_segments:
                yield Problem(path, f"it lists segment {entry.name}, which is missing")


def listed_segments(captures: Mapping[RecordId, Capture]) -> dict[SegmentId, SegmentEntry]:
    """Return every segment that a capture lists, those of earlier captures first."""
    listed: dict[SegmentId, SegmentEntry] = {}
    for capture in sorted(captures.values(), key=lambda capture: (capture.at, capture.keep)):
        for entry in capture.segments:
            listed.setdefault(entry.name, entry)
    return listed


def _line(name: RecordId, captures: Mapping[RecordId, Capture]) -> list[Capture]:
    """Return a capture behind those whose text it keeps, as far as they can be read."""
    line: list[Capture] = []
    seen: set[RecordId] = set()
    while name in captures and name not in seen:
        seen.add(name)
        line.append(captures[name])
        if not (line[-1].keep and line[-1].parents):
            break
        name = line[-1].parents[0]
    return line[::-1]


def _lines_before(capture: Capture, captures: Mapping[RecordId, Capture]) -> int | None:
    """Return how many lines a capture could keep; None where its parent cannot be read."""
    if not capture.parents:
        return 0
    parent = captures.get(capture.parents[0])
    return None if parent is None else parent.keep + manifest.total_lines(parent.segments)
