"""What gitmem has written into agents' files, so that it can be taken back to the byte.

For each file: what was there before, kept as a backup, and the digest of what gitmem made of it. Where a file
still has that digest, the backup is put back; where somebody has changed it since, only gitmem's entries are
taken out. A file has one backup, as it was without gitmem, for as long as gitmem's entries are in it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from gitmem import disk

_FILE: Final = "written"
_VERSION: Final = 1


class Written(msgspec.Struct, frozen=True):
    """A file that gitmem has written: `backup` names what was there before, None where there was nothing.

    `folders` are those that were made for it, `top` is the working tree of a local one, whose
    `.git/info/exclude` keeps it out of git. Of a file that is its agent's own and always changing no copy is
    kept: `after` is empty, `was_there` tells whether there was one, and `top` is the folder whose entry is in
    it.
    """

    after: str
    backup: str | None = None
    made: tuple[tuple[str, ...], ...] = ()
    folders: tuple[str, ...] = ()
    top: str | None = None
    at_ns: int = 0
    was_there: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether it is of a file that its agent writes all the time."""
        return not self.after


class Ledger(msgspec.Struct, frozen=True):
    """All files that gitmem has written, by their paths."""

    version: int = _VERSION
    files: dict[str, Written] = {}


def folder_of(state_dir: Path) -> Path:
    """Return where a ledger and its backups are."""
    return state_dir / "agents"


def read(state_dir: Path) -> Ledger:
    """Read a ledger; one that cannot be read knows nothing, and entries are known by what they say."""
    try:
        found = msgspec.json.decode((folder_of(state_dir) / _FILE).read_bytes(), type=Ledger)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Ledger()
    return found if found.version == _VERSION else Ledger()


def write(state_dir: Path, ledger: Ledger) -> None:
    """Put a ledger in place; an empty one is removed with its folder.

    Raises:
        DiskRefused: The disk does not let it.
    """
    folder = folder_of(state_dir)
    if ledger.files:
        disk.make_private_folder(folder)
        disk.replace_file(folder / _FILE, msgspec.json.encode(ledger) + b"\n", mode=0o600)
    elif folder.is_dir():
        disk.remove_file(folder / _FILE)
        disk.remove_file(folder / "lock")
        disk.remove_empty_folder(folder)


def keep(state_dir: Path, path: Path, content: bytes) -> str:
    """Keep what a file held, and return the backup's name; nobody but the user may read it.

    Raises:
        DiskRefused: The disk does not let it.
    """
    name = f"{path.name}.{digest(str(path).encode('utf-8', 'surrogateescape'))[:12]}"
    folder = folder_of(state_dir)
    disk.make_private_folder(folder)
    disk.replace_file(folder / name, content, mode=0o600)
    return name


def kept(state_dir: Path, name: str) -> bytes | None:
    """Return a backup; None where it is gone."""
    try:
        return (folder_of(state_dir) / name).read_bytes()
    except OSError:
        return None


def drop(state_dir: Path, name: str) -> None:
    """Remove a backup.

    Raises:
        DiskRefused: The disk does not let it.
    """
    disk.remove_file(folder_of(state_dir) / name)


def digest(content: bytes) -> str:
    """Return the digest by which a file's content is known again."""
    return hashlib.sha256(content).hexdigest()
