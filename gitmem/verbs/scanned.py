"""What a scan remembers of agents' folders: their files, where sessions began, and what was taken in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gitmem import disk
from gitmem.transcripts.read import READER_VERSION
from gitmem.verbs import caching, known_collections
from gitmem.verbs.known_collections import KnownCollection

SCHEMA_VERSION = 3


class KnownFile(msgspec.Struct, frozen=True, array_like=True):
    """A file: where its session began (None: no session that could be told), how it looked when that was read
    and when it was last taken in, and the innermost working tree that it ever belonged to.

    Of a collection, what is known of that; one that is a single session of elsewhere is never `read`.
    """

    name: str
    cwd: str | None
    inode: int
    read: tuple[int, int] | None = None
    settled: tuple[int, int] | None = None
    top: str | None = None
    collection: KnownCollection | None = None


class KnownFolder(msgspec.Struct, frozen=True, array_like=True):
    """A folder as it was listed at `listed_ns`, with its own time of modification from just before.

    A place that is a single file is a folder with one file, whose name is empty. `began_in` is where the
    sessions of its files began: nothing of it needs to be looked at while none of these is ours. It is empty
    where some file says nothing, or may have more than one session.
    """

    mtime_ns: int
    listed_ns: int
    folders: tuple[str, ...]
    files: tuple[KnownFile, ...]
    began_in: tuple[str, ...] = ()

    def having(self, files: tuple[KnownFile, ...]) -> KnownFolder:
        """Return the folder with what is known of its files by now."""
        found = dict.fromkeys(file.cwd for file in files)
        began_in = () if None in found else tuple(cwd for cwd in found if cwd is not None)
        return KnownFolder(self.mtime_ns, self.listed_ns, self.folders, files, began_in)


_KIND = f"transcripts of {SCHEMA_VERSION}.{READER_VERSION}"
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[dict[str, KnownFolder]] = msgspec.msgpack.Decoder(dict[str, KnownFolder])


def path_in(state_dir: Path) -> Path:
    """Return where it is kept."""
    return state_dir / "cache" / "transcripts"


def read(path: Path) -> dict[str, KnownFolder]:
    """Return what is remembered; nothing where it is not there, or is of no use."""
    return caching.load(path, _KIND, _decoder) or {}


def write(path: Path, folders: dict[str, KnownFolder]) -> None:
    """Remember it."""
    caching.write_derived(path, _KIND, _encode(folders))


def forget_missing(state_dir: Path) -> int:
    """Drop the files that are there no more from what is remembered of agents' folders.

    Their names are those of sessions. Those that are there are told of by the folders themselves, and those
    of collections by these: which they still have, only listing them anew can tell.

    Returns:
        How many were dropped.

    Raises:
        DiskRefused: The disk does not let it.
    """
    path = path_in(state_dir)
    if not path.exists():
        return 0
    known = read(path)
    left = {
        at: msgspec.structs.replace(
            folder,
            files=tuple(
                file if file.collection is None else KnownFile(file.name, None, file.inode)
                for file in folder.files
                if os.path.lexists(path_of(at, file.name))
            ),
        )
        for at, folder in known.items()
        if os.path.lexists(at)
    }
    if left == known and known:
        return 0
    disk.remove_file(path)
    write(path, left)
    return _count(known) - _count(left)


def path_of(at: str, name: str) -> str:
    """Return where a file of a folder is, or of a place that is a single file."""
    return f"{at}/{name}" if name else at


def unsettled(file: KnownFile, path: Path, refused: Path) -> KnownFile:
    """Return a file of which something was not taken in: itself, or a session of it."""
    if path == refused:
        return msgspec.structs.replace(file, settled=None)
    if file.collection is None:
        return file
    return msgspec.structs.replace(
        file, collection=known_collections.unsettled(file.collection, path, refused)
    )


def _count(folders: Mapping[str, KnownFolder]) -> int:
    return sum(len(folder.files) for folder in folders.values())


def _encode(folders: dict[str, KnownFolder]) -> bytes:
    """Encode folders, but for those with a name that is no UTF-8: they are looked at anew each time."""
    try:
        return _encoder.encode(folders)
    except UnicodeEncodeError:
        return _encoder.encode({at: folder for at, folder in folders.items() if _is_text(at, folder)})


def _is_text(at: str, folder: KnownFolder) -> bool:
    try:
        _encoder.encode({at: folder})
    except UnicodeEncodeError:
        return False
    return True
