"""The commits that turns led to: of the checkpoints made with one, the first that had come beyond the turn.

Checkpoints are looked at in the order of time from the turn on, and only a few of them: what a turn led to is
committed soon after it, or nobody knows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.checkpoints.table import Row, rows
from gitmem.format import checkpoints
from gitmem.format.memory import Memory
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Checkpoint, Trigger

_MAKING: Final[frozenset[Trigger]] = frozenset({"post-commit", "post-merge"})
_LOOKED_AT: Final = 12
_MOST_READ: Final = 200
_MOST_REWRITES: Final = 50


class Said(NamedTuple):
    """A turn, by where it stands and when it was; `at_ms` is milliseconds since 1970 in UTC."""

    session: SessionId
    stream: str
    line: int
    at_ms: int


class Ties:
    """The checkpoints of a memory, asked what turns led to; without `state_dir` nothing is kept.

    Those by people who are not known, as `is_known` has their addresses, say nothing.
    """

    def __init__(
        self, memory: Memory, state_dir: Path | None, is_known: Callable[[str], bool] = lambda address: True
    ) -> None:
        """Raises StoreError where the memory itself cannot be read."""
        every = [row for row in rows(memory, state_dir) if is_known(row.author.email)]
        self._memory = memory
        self._made = sorted((row for row in every if _is_of_sessions(row)), key=lambda row: row.at_ms)
        self._moments = [row.at_ms for row in self._made]
        self._new = {Oid(pair.old): Oid(pair.new) for row in reversed(every) for pair in row.rewrites}
        self._read: dict[RecordId, Checkpoint | None] = {}

    def commit_of(self, turn: Said) -> Oid | None:
        """Return the commit that was made next after a turn, as it is called since it was rewritten.

        None where no checkpoint says so; one that cannot be read is left to `verify`.
        """
        first = bisect_left(self._moments, turn.at_ms)
        for row in self._made[first : first + _LOOKED_AT]:
            checkpoint = self._checkpoint(row.name)
            if checkpoint is not None and _has(checkpoint, turn):
                return _latest(row.head, self._new)
        return None

    def _checkpoint(self, name: RecordId) -> Checkpoint | None:
        if name not in self._read:
            if len(self._read) >= _MOST_READ:
                return None
            try:
                self._read[name] = checkpoints.find(self._memory, name)
            except (RecordRefused, ObjectDamaged, ObjectMissing):
                self._read[name] = None
        return self._read[name]


def _is_of_sessions(row: Row) -> bool:
    return row.trigger in _MAKING and row.session_count > 0 and row.head is not None


def _has(checkpoint: Checkpoint, turn: Said) -> bool:
    return any(
        position.session == turn.session and position.stream == turn.stream and position.lines > turn.line
        for position in checkpoint.positions
    )


def _latest(head: Oid | None, new: dict[Oid, Oid]) -> Oid | None:
    for _ in range(_MOST_REWRITES):
        if head is None or head not in new:
            break
        head = new[head]
    return head
