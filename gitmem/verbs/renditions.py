"""Renditions on the disk, while they are taken in: sessions of collections, written out as files of their
own.

They are not redacted yet, no more than the collections that they come from; so they are the user's alone to
read, stay beside the memory, and are gone when they have been taken in. What a kill leaves, the next import
removes, and forgetting does.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from gitmem import disk
from gitmem.model.errors.store import StoreBusy
from gitmem.verbs.intake import Rendition

_FOLDER = "renditions"


def forget(state_dir: Path) -> int:
    """Remove what a kill has left, without waiting for an import that goes on: that removes its own.

    Returns:
        How many there were.

    Raises:
        DiskRefused: The disk does not let it.
    """
    folder = state_dir / _FOLDER
    count = len(list(folder.iterdir())) if folder.is_dir() else 0
    if count:
        with suppress(StoreBusy), disk.locked(state_dir / "intake.lock", 0):
            Renditions(state_dir).remove()
    return count


class Renditions:
    """The renditions of one import; there is one at a time in a repository."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / _FOLDER
        self._written: list[Path] = []
        self._count = 0
        self.remove()

    def write(self, rendition: Rendition) -> Path:
        """Write a session out; the file stays until it is not among those to keep.

        Raises:
            OSError: Its collection cannot be read.
            TranscriptError: It is not what it was taken for.
            DiskRefused: The disk is full or does not let it.
        """
        disk.make_private_folder(self._folder)
        path = self._folder / str(self._count)
        self._count += 1
        with disk.NewFile(self._folder) as new:
            for line in rendition.lines():
                new.write(line)
            new.publish(path, durable=False, mode=0o600)
        self._written.append(path)
        return path

    def keep_only(self, wanted: Container[Path]) -> None:
        """Remove those that are not needed any more."""
        for path in self._written:
            if path not in wanted:
                disk.remove_file(path)
        self._written = [path for path in self._written if path in wanted]

    def remove(self) -> None:
        """Remove all of them, and what a kill has left."""
        if self._folder.is_dir():
            for path in sorted(self._folder.iterdir()):
                disk.remove_file(path)
            disk.remove_empty_folder(self._folder)
        self._written = []
