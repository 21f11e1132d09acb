"""Manifests: what a session's captures come to, stream by stream.

Captures form a graph by their parents. A head is a capture that is nobody's parent; two heads of one
stream mean that the session went on in two places, and both are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import RecordId, SegmentId
from gitmem.model.records import Capture, SegmentEntry

_LISTING_BYTES = 16 << 10
_REPEATED_BYTES = 2 << 30
_REPEATED_SHARE = 16
"""docs/formats/store.md, Capture, says why so many."""


class Span(NamedTuple):
    """A segment's part in a text: its bytes up to line end number `cut_after`, or all of it (None)."""

    segment: SegmentId
    cut_after: int | None
    line_ends: int
    """How many line ends the part has."""
    size_bytes: int
    """Bytes of the whole segment's plaintext."""

    def take(self, text: bytes) -> bytes:
        """Return the part of the segment's text that belongs to the stream's.

        Raises:
            ObjectDamaged: The segment has not the bytes and line ends that its capture lists.
        """
        missing = self.line_ends - text.count(b"\n")
        if len(text) != self.size_bytes or missing > 0 or (missing and self.cut_after is None):
            raise ObjectDamaged(self.segment, "it has not the bytes and lines that its capture lists")
        if self.cut_after is None:
            return text
        if not missing:
            return text[: text.rfind(b"\n") + 1]
        end = 0
        for _ in range(self.cut_after):
            end = text.index(b"\n", end) + 1
        return text[:end]


class Head(NamedTuple):
    """One head of a stream, and the text that it stands for.

    `generation` counts how often text was taken back on the way here; 0 for a log that only grew.
    """

    capture: RecordId
    record: Capture
    spans: tuple[Span, ...]
    lines: int
    size_bytes: int
    """At most; what was cut off a segment still counts."""
    generation: int


def heads(captures: Mapping[RecordId, Capture]) -> dict[str, list[Head]]:
    """Return every stream's heads, the one with most lines first (ties: the later, then the id).

    Raises:
        RecordRefused: A capture's parents are missing, of another stream, or its own descendants.
    """
    parents = {parent for capture in captures.values() for parent in capture.parents}
    found: dict[str, list[Head]] = {}
    for name, capture in captures.items():
        if name not in parents:
            found.setdefault(capture.stream, []).append(trace(name, captures))
    for stream in found.values():
        stream.sort(key=lambda head: (head.lines, head.record.at, head.capture), reverse=True)
    return dict(sorted(found.items()))


def trace(name: RecordId, captures: Mapping[RecordId, Capture]) -> Head:
    """Follow a capture's first parents and return the text that it stands for.

    Raises:
        RecordRefused: A capture on the way is missing, of another stream, its own ancestor, or says
            the same segments too often.
    """
    chain = _ancestry(name, captures)
    text = _Text()
    generation = 0
    for capture in reversed(chain):
        if capture.keep > text.lines:
            raise RecordRefused(name, f"it keeps {capture.keep} lines where there are {text.lines}")
        generation += capture.keep < text.lines
        text.append(capture)
        if text.is_repetitive:
            raise RecordRefused(name, REPEATS)
    size_bytes = sum(span.size_bytes for span in text.spans)
    return Head(name, chain[0], tuple(text.spans), text.lines, size_bytes, generation)


REPEATS = "its text repeats a few segments too often"


def repeats(line: Iterable[Capture]) -> bool:
    """Whether captures, each the first parent of the next and the first keeping nothing, repeat too much.

    A segment of forty bytes may be listed by the hundred thousand, and would be read as often.
    """
    text = _Text()
    for capture in line:
        text.append(capture)
        if text.is_repetitive:
            return True
    return False


class _Text:
    """The text of a stream as it grows, and how much of it is said again."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.lines = 0
        self._listed: Counter[SegmentId] = Counter()
        self._weight = self._distinct = 0

    @property
    def is_repetitive(self) -> bool:
        return self._weight - self._distinct > _REPEATED_BYTES + _REPEATED_SHARE * self._distinct

    def append(self, capture: Capture) -> None:
        self._cut(capture.keep)
        for entry in capture.segments:
            self.spans.append(Span(entry.name, None, entry.lines, entry.bytes))
            self._weigh(self.spans[-1], 1)
        self.lines = capture.keep + total_lines(capture.segments)

    def _cut(self, keep: int) -> None:
        """Cut the text back to its first lines, and what stands behind the last line end too."""
        lines = self.lines
        while self.spans and lines - self.spans[-1].line_ends >= keep:
            lines -= self.spans[-1].line_ends
            self._weigh(self.spans.pop(), -1)
        if self.spans:
            last = self.spans.pop()
            rest = last.line_ends - (lines - keep)
            self.spans.append(Span(last.segment, rest, rest, last.size_bytes))

    def _weigh(self, span: Span, times: int) -> None:
        before = self._listed[span.segment]
        weight = times * (span.size_bytes + _LISTING_BYTES)
        self._listed[span.segment] += times
        self._weight += weight
        self._distinct += weight if min(before, before + times) == 0 else 0


def total_lines(entries: tuple[SegmentEntry, ...]) -> int:
    """Return how many line ends a capture's segments hold."""
    return sum(entry.lines for entry in entries)


def _ancestry(name: RecordId, captures: Mapping[RecordId, Capture]) -> list[Capture]:
    chain: list[Capture] = []
    seen: set[RecordId] = set()
    at: RecordId | None = name
    while at is not None:
        capture = captures.get(at)
        if capture is None:
            raise RecordRefused(name, f"it builds on capture {at}, which is not here")
        if at in seen or (
            chain and (capture.stream, capture.session) != (chain[-1].stream, chain[-1].session)
        ):
            raise RecordRefused(name, f"it builds on capture {at}, which is not of its line")
        seen.add(at)
        chain.append(capture)
        at = capture.parents[0] if capture.parents else None
    return chain
