"""What rewinds have done here, so that they can be undone: a note for each, beside what it replaced.

A note is written before a rewind changes anything, and again when it has ended. Undoing is itself a rewind,
and its note says which one it undid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem import disk
from gitmem.checkpoints.snapshots import weeks
from gitmem.git.repository import Repository
from gitmem.model.ids import RecordId


class Written(msgspec.Struct, frozen=True, array_like=True):
    """A path that a rewind changed, and what it put there: mode and blob, 000000 for nothing.

    `is_private` says that nobody but the user could read what was there before.
    """

    path: bytes
    mode: str
    oid: str
    is_private: bool = False


class Note(msgspec.Struct, frozen=True):
    """One rewind: when (milliseconds since 1970), in which working tree, and what it changed.

    `worktree` is as `worktree_of` has it.
    """

    at_ms: int
    worktree: bytes
    written: tuple[Written, ...]
    undoes: RecordId | None = None
    is_finished: bool = False


class Rewound(NamedTuple):
    """A rewind, by the checkpoint that has what it replaced."""

    name: RecordId
    path: Path
    note: Note


def worktree_of(repository: Repository) -> bytes:
    """Return what a working tree is known by in its clone, which may be moved."""
    return os.fsencode(os.path.relpath(repository.git_dir.resolve(), repository.common_dir))


def begin(week: Path, name: RecordId, note: Note) -> Rewound:
    """Write the note of a rewind that is about to change something.

    Raises:
        DiskRefused: The disk does not let it.
    """
    path = week / "rewinds" / name
    _write(path, note)
    return Rewound(name, path, note)


def finish(rewound: Rewound) -> None:
    """Write down that a rewind has done all that it was to do.

    Raises:
        DiskRefused: The disk does not let it.
    """
    _write(rewound.path, msgspec.structs.replace(rewound.note, is_finished=True))


def forget(rewound: Rewound) -> None:
    """Forget a rewind that changed nothing."""
    disk.remove_file(rewound.path)


def latest(repository: Repository) -> Rewound | None:
    """Return the last rewind of a working tree that has not been undone.

    An undo counts as a rewind, but for one that only mended what a killed rewind left.
    """
    found = sorted(_every(repository), key=lambda rewound: (rewound.note.at_ms, rewound.name))
    by_name = {rewound.name: rewound.note for rewound in found}
    gone: set[RecordId] = set()
    for rewound in found:
        undoes = rewound.note.undoes
        if undoes is None:
            continue
        gone.add(undoes)
        undone = by_name.get(undoes)
        if undone and rewound.note.is_finished and not undone.is_finished:
            gone.add(rewound.name)
            if undone.undoes is not None:
                gone.discard(undone.undoes)
    return next((rewound for rewound in reversed(found) if rewound.name not in gone), None)


def last_moment(repository: Repository) -> int:
    """Return when the last rewind of a working tree was, in milliseconds since 1970; 0 if there was none."""
    return max((rewound.note.at_ms for rewound in _every(repository)), default=0)


_decoder: msgspec.json.Decoder[Note] = msgspec.json.Decoder(Note)


def _write(path: Path, note: Note) -> None:
    disk.replace_file(path, msgspec.json.encode(note), durable=False, mode=0o600)


def _every(repository: Repository) -> Iterator[Rewound]:
    worktree = worktree_of(repository)
    for week in weeks(repository.state_dir):
        folder = week / "rewinds"
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name.startswith(disk.UNPUBLISHED):
                continue
            try:
                note = _decoder.decode(path.read_bytes())
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue  # A machine that lost power leaves such files.
            if note.worktree == worktree:
                yield Rewound(RecordId(path.name), path, note)
