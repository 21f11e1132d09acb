"""From what is remembered of a transcript file to where capture goes on in it, and back."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from gitmem.format.memory import Folder, Memory
from gitmem.model.ids import RecordId
from gitmem.verbs.planning import Settled
from gitmem.verbs.sources import Digests, Position, read_position


def known_position(memory: Memory, state_dir: Path, path: Path) -> Position | None:
    """Return where capture stands in a file: the newest position whose capture is in the memory."""
    position = newest = read_position(state_dir, path)
    while position is not None:
        folder = memory.find(position.session)
        if folder is not None and memory.capture(folder, position.capture) is not None:
            if position is not newest and _is_built_on(memory, folder, position.capture):
                return None  # what came after it was written anew, so the file is to be compared
            return msgspec.structs.replace(position, before=None)
        position = position.before
    return None


def position_at(
    settled: Settled, capture: RecordId, stream: str, ends: Digests, status: os.stat_result
) -> Position:
    """Return how far a file is stored, as it stood before it was read: a later change shows."""
    is_complete = status.st_size == settled.offset
    return Position(
        session=settled.session,
        stream=stream,
        capture=capture,
        lines=settled.lines,
        offset=settled.offset,
        head=ends.head,
        tail=ends.tail,
        size_bytes=status.st_size if is_complete else -1,
        mtime_ns=status.st_mtime_ns,
        inode=status.st_ino,
        whole=ends.whole,
    )


def _is_built_on(memory: Memory, folder: Folder, capture: RecordId) -> bool:
    return any(capture in other.parents for other in memory.load(folder).captures.values())
