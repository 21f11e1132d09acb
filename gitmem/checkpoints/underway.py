"""Which sessions are under way in a working tree at a moment, and how far each of their streams had come.

Of a transcript that was not written since, that is as far as has been captured. Of others, when each turn was
said tells: a drain that runs right after an event looks at the end of the file alone.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gitmem.format.memory import Memory
from gitmem.model.ids import MAIN_STREAM, SessionId
from gitmem.model.records import Position
from gitmem.transcripts.read import iterate
from gitmem.verbs.levels import is_hidden
from gitmem.verbs.looking import open_regular
from gitmem.verbs.scanning import Found
from gitmem.verbs.sources import Position as Captured
from gitmem.verbs.sources import read_position

DAY_MS: Final = 86_400_000
FRESH_MS: Final = 10_000
"""A drain so soon after an event finds things as they were."""
MAX_SESSIONS: Final = 64
MAX_POSITIONS: Final = 1_024
_MOST_READ: Final = 256
"""Transcripts that are looked into for one event of long ago, those that ended soonest after it."""
_READ_BYTES: Final = 256 << 10
_TAIL_BYTES: Final = 512 << 10
"""More than a session says between an event and a drain that runs right after it."""
_END_BYTES: Final = 64 << 10
"""Tells when the last turn was said, at some milliseconds less than all of it."""


class _Times(NamedTuple):
    """Of a transcript's turns: their moments in order, and the lines that were there by each of them."""

    at_ms: array[int]
    lines: array[int]


class _Reached(NamedTuple):
    """How far a stream had come at a moment, and when it was last written before that."""

    written_ms: int
    position: Position


class Underway:
    """The sessions of some working trees, as they stand after a capture; asked about any number of moments.

    Positions count what is in the memory: what could not be captured has not come anywhere yet.
    """

    def __init__(self, state_dir: Path, memory: Memory, found: Sequence[Found]) -> None:
        self._state_dir, self._memory = state_dir, memory
        self._found: dict[Path, list[Found]] = {}
        for one in sorted(found, key=lambda one: one.mtime_ns):
            self._found.setdefault(one.gone or one.top, []).append(one)
        self._captured: dict[str, Captured | None] = {}
        self._times: dict[tuple[str, int], _Times | None] = {}

    def positions(self, top: Path | None, at_ms: int, since_ms: int, now_ms: int) -> tuple[Position, ...]:
        """Return how far the sessions of a working tree had come that were written at or after `since_ms`."""
        found = self._found.get(top, []) if top else []
        first = bisect_right(found, since_ms * 1_000_000 - 1, key=lambda one: one.mtime_ns)
        is_fresh = abs(now_ms - at_ms) <= FRESH_MS
        reached: list[_Reached] = []
        sessions: set[SessionId] = set()
        for one in reversed(found[first:] if is_fresh else self._near(found[first:], at_ms)):
            written_ms = one.mtime_ns // 1_000_000
            if len(sessions) >= MAX_SESSIONS and written_ms <= at_ms:
                break  # all that follow were written before these
            captured = self._captured_of(one)
            if captured is None or not captured.lines:
                continue
            lines: int | None = captured.lines
            # It may have grown between being found and being taken in.
            if written_ms > at_ms or captured.offset > one.size_bytes:
                said_ms, lines = self._reached(one, captured, at_ms, is_fresh=is_fresh)
                written_ms = said_ms if written_ms > at_ms else max(written_ms, said_ms)
            else:
                written_ms = self._written(one, captured, written_ms)
            if lines and written_ms >= since_ms:
                position = Position(captured.session, captured.stream, lines)
                reached.append(_Reached(written_ms, position))
                sessions.add(captured.session)
        return _newest(reached)

    def _near(self, found: Sequence[Found], at_ms: int) -> Sequence[Found]:
        """Return those that ended by a moment, and some of those that were written after it."""
        after = bisect_right(found, at_ms * 1_000_000, key=lambda one: one.mtime_ns)
        return found[: after + _MOST_READ]

    def _captured_of(self, one: Found) -> Captured | None:
        """Return how much of a file is in the memory."""
        if one.file not in self._captured:
            position = read_position(self._state_dir, one.path)
            while position is not None and not self._has(position):
                position = position.before
            self._captured[one.file] = position
        return self._captured[one.file]

    def _has(self, position: Captured) -> bool:
        folder = self._memory.find(position.session)
        if folder is None or self._memory.capture(folder, position.capture) is None:
            return False
        # One that was withdrawn is another level's now, and is not to be named where the team looks.
        return not is_hidden(self._memory, folder)

    def _reached(
        self, one: Found, captured: Captured, at_ms: int, *, is_fresh: bool
    ) -> tuple[int, int | None]:
        """Return when a file was last written by a moment, and how many lines it had; None where none."""
        if is_fresh and captured.offset > _TAIL_BYTES:
            times = self._times_of(one, captured, captured.offset - _TAIL_BYTES)
            n = bisect_right(times.at_ms, at_ms) if times else 0
            if times and n:
                return times.at_ms[n - 1], min(times.lines[n - 1], captured.lines)
            # A picture is longer than what is said in between.
        times = self._times_of(one, captured, 0)
        if times is None:
            return one.mtime_ns // 1_000_000, captured.lines
        n = bisect_right(times.at_ms, at_ms)
        return (times.at_ms[n - 1], min(times.lines[n - 1], captured.lines)) if n else (0, None)

    def _written(self, one: Found, captured: Captured, changed_ms: int) -> int:
        """Return when a session last went on: of a file that was copied or touched since, its last turn
        tells."""
        times = self._times_of(one, captured, max(0, captured.offset - _END_BYTES))
        return times.at_ms[-1] if times and times.at_ms[-1] < changed_ms - DAY_MS else changed_ms

    def _times_of(self, one: Found, captured: Captured, start: int) -> _Times | None:
        """Return when the turns of a file were said from a byte on; read once."""
        if (one.file, start) not in self._times:
            self._times[one.file, start] = _read_times(one, captured, start)
        return self._times[one.file, start]


def _newest(reached: Iterable[_Reached]) -> tuple[Position, ...]:
    """Return the positions of the sessions that were written last, one for each stream, in order of names."""
    last: dict[SessionId, int] = {}
    furthest: dict[tuple[SessionId, str], Position] = {}
    for written_ms, position in reached:
        session = position.session
        last[session] = max(last.get(session, 0), written_ms)
        key = (session, position.stream)
        if key not in furthest or furthest[key].lines < position.lines:
            furthest[key] = position
    kept = sorted(last, key=lambda session: (-last[session], session))[:MAX_SESSIONS]
    chosen = [furthest[key] for key in sorted(furthest) if key[0] in set(kept)]
    return tuple(chosen[:MAX_POSITIONS])


def _read_times(one: Found, captured: Captured, start: int) -> _Times | None:
    """Read when turns were said, from the first line of a file behind `start`; None where it does not say."""
    rows: list[tuple[int, int]] = []
    try:
        with open_regular(one.path) as file:
            before = _skip_to(file, start, captured)
            for turn in iterate(one.agent, [(MAIN_STREAM, _pieces(file, captured.offset))]):
                if turn.at_ms is not None:
                    rows.append((turn.at_ms, before + turn.line + 1))
    except OSError:
        return None
    if len({line for _, line in rows}) < min(2, len(rows)) or not rows:
        return None  # a document says nothing of lines
    rows.sort()
    at_ms, lines, furthest = array("q"), array("q"), 0
    for at, line in rows:
        furthest = max(furthest, line)
        at_ms.append(at)
        lines.append(furthest)
    return _Times(at_ms, lines)


def _skip_to(file: BinaryIO, start: int, captured: Captured) -> int:
    """Go to the first line that begins behind `start`, and return how many lines are before it."""
    if start <= 0:
        return 0
    file.seek(start)
    file.readline()
    begins = file.tell()
    behind = sum(piece.count(b"\n") for piece in _pieces(file, captured.offset))
    file.seek(begins)
    return captured.lines - behind


def _pieces(file: BinaryIO, stop: int) -> Iterator[bytes]:
    """Read a file from where it is, up to a byte."""
    while piece := file.read(min(_READ_BYTES, max(0, stop - file.tell()))):
        yield piece
