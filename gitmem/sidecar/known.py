"""Which repositories of this user have a memory that somebody asked about: a small file each.

The sidecar watches these. A file says what a request says of a repository, so that all of them can be asked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitmem import disk
from gitmem.model.errors.store import DiskRefused
from gitmem.sidecar.wire import Json, NotUnderstood, Place, decode, decode_place, encode


def remember(state_folder: Path, place: Place) -> None:
    """Note a repository, unless that is noted as it is; a disk that refuses is let have its way."""
    noted = encode(_entry(place))
    path = _path(state_folder, place.common_dir)
    try:
        if path.read_bytes() == noted:
            return
    except OSError:
        pass  # none yet, or none that can be read
    with suppress(DiskRefused):  # nothing that was asked for depends on it
        disk.make_private_folder(path.parent)
        disk.replace_file(path, noted, durable=False, mode=0o600)


def known(state_folder: Path) -> list[Place]:
    """Return the repositories that are noted and still there, by their folders' names."""
    return sorted(filter(_is_there, _read(state_folder)), key=lambda place: place.common_dir)


def forget(state_folder: Path, common_dir: str) -> None:
    """Drop a repository; that it is not noted is fine.

    Raises:
        DiskRefused: The disk does not let it.
    """
    disk.remove_file(_path(state_folder, common_dir))


def prune(state_folder: Path) -> None:
    """Drop the repositories that are gone.

    Raises:
        DiskRefused: The disk does not let it.
    """
    for place in _read(state_folder):
        if not _is_there(place):
            forget(state_folder, place.common_dir)


def _read(state_folder: Path) -> Iterator[Place]:
    for path in _folder(state_folder).glob("*.json"):
        try:
            yield decode_place(decode(path.read_bytes()))
        except (OSError, NotUnderstood):
            continue  # gone meanwhile, or another version's


def _is_there(place: Place) -> bool:
    return Path(place.common_dir).is_dir()


def _entry(place: Place) -> Json:
    # From its git directory a repository is found by any process, whatever became of the working tree.
    return place._replace(start=place.common_dir)._asdict()


def _folder(state_folder: Path) -> Path:
    return state_folder / "repositories"


def _path(state_folder: Path, common_dir: str) -> Path:
    digest = hashlib.sha256(os.fsencode(common_dir)).hexdigest()
    return _folder(state_folder) / f"{digest[:32]}.json"
