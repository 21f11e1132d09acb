"""Sealing: from a range of a transcript file to segments, redacted before anything else happens to it.

It is what an import does in parallel, one range a time: a range begins and ends at line ends and starts a
group of its own, so that ranges do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol

from gitmem.format.segments import EMPTY_GROUP, MAX_GROUP_BYTES, MAX_SEGMENT_BYTES, Group, Sealed, seal_all
from gitmem.model.errors.intake import WorkerDied
from gitmem.model.records import Shape
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.workers import end_pool, fork_pool

_READ_BYTES = 256 << 10
_RANGE_BYTES: dict[Shape, int] = {"lines": MAX_GROUP_BYTES - MAX_SEGMENT_BYTES, "document": 600 << 10}
"""A range, and what redaction may add to it, fit one group. A document will be rewritten, and its next
version then fits the same group behind it."""


class Range(NamedTuple):
    """A part of a file, in bytes from its beginning, the group that its segments go on with, whose it is."""

    path: Path
    start: int
    stop: int
    group: Group = EMPTY_GROUP
    session: bytes = b""


class SealedRange(NamedTuple):
    """A range's segments, in order, the group that the last one ends, and what was replaced, by kind.

    `read_bytes` falls short of the range where the file has become shorter meanwhile.
    """

    segments: tuple[Sealed, ...]
    group: Group
    read_bytes: int
    replaced: dict[str, int]


class Sealer(Protocol):
    """Seals ranges, here or elsewhere, now or later; results are asked for in the order of submission."""

    def submit(self, work: Range) -> Callable[[], SealedRange]:
        """Start sealing a range and return what waits for it.

        The returned function raises RedactionFailed, OSError where the file cannot be read, or WorkerDied.
        """
        ...


def cut_ranges(file: BinaryIO, shape: Shape, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut a part of a file into ranges of about one group, each ending behind a line end."""
    while start < stop:
        end = _line_end(file, start + _RANGE_BYTES[shape], stop)
        yield start, end
        start = end


def seal_range(work: Range, redactor: Redactor) -> SealedRange:
    """Read, redact, cut and compress one range; what is held at once is a few segments and their group."""
    before = dict(redactor.counts)
    segments: list[Sealed] = []
    group = work.group
    with work.path.open("rb") as file:
        file.seek(work.start)
        redacted = redactor.stream(_chunks(file, work.stop - work.start), work.session)
        for sealed, grown in seal_chunks(redacted, work.group):
            segments.append(sealed)
            group = grown
        read_bytes = file.tell() - work.start
    replaced = {kind: count - before.get(kind, 0) for kind, count in redactor.counts.items()}
    return SealedRange(
        tuple(segments), group, read_bytes, {kind: count for kind, count in replaced.items() if count}
    )


def seal_chunks(chunks: Iterable[bytes], group: Group = EMPTY_GROUP) -> Iterator[tuple[Sealed, Group]]:
    """Cut and compress a text that is redacted already; yields each segment, and the group that it ends."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) > 2 * MAX_SEGMENT_BYTES:
            sealed, group = next(seal_all(bytes(pending[: MAX_SEGMENT_BYTES + 1]), group))
            yield sealed, group
            del pending[: sealed.size_bytes]
    yield from seal_all(bytes(pending), group)


class HereSealer:
    """Seals in this process, when the result is asked for."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def submit(self, work: Range) -> Callable[[], SealedRange]:
        """Return what seals the range."""
        return lambda: seal_range(work, self._redactor)


class PoolSealer:
    """Seals in several processes at once, which end with this one, however it ends. They fork: on Linux."""

    def __init__(self, redactor: Redactor, workers: int) -> None:
        redactor.prepare()  # else each of them compiled all rules by itself
        self._pool = fork_pool(workers, _begin, redactor)

    def submit(self, work: Range) -> Callable[[], SealedRange]:
        """Hand the range to a process."""
        try:
            future: Future[SealedRange] = self._pool.submit(_work, work)
        except BrokenProcessPool as error:
            raise WorkerDied from error
        return lambda: _result(future)

    def __enter__(self) -> PoolSealer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_pool(self._pool)


def _result(future: Future[SealedRange]) -> SealedRange:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDied from error


_redactors: list[Redactor] = []
"""A worker process's own redactor, made once; the pool gives its processes no other place for one."""


def _begin(redactor: Redactor) -> None:
    # What the fork brought along is this process's own; what it has counted is not.
    redactor.counts.clear()
    _redactors.append(redactor)


def _work(work: Range) -> SealedRange:
    return seal_range(work, _redactors[0])


def _chunks(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left and (chunk := file.read(min(_READ_BYTES, left))):
        left -= len(chunk)
        yield chunk


def _line_end(file: BinaryIO, at: int, stop: int) -> int:
    """Return the first place behind a line end at or after `at`, or `stop`."""
    while at < stop:
        file.seek(at)
        chunk = file.read(min(_READ_BYTES, stop - at))
        if not chunk:
            break
        newline = chunk.find(b"\n")
        if newline >= 0:
            return at + newline + 1
        at += len(chunk)
    return stop
