"""Catching up: whether the remotes that were chosen have moved, as of the last fetch, since they were united.

No hook runs where a pull brings no code, so every command that reads asks this first. Where nothing moved, it
is a few files that are read: no git is started, and no library opens the repository.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import __version__, disk
from gitmem.git.repository import Repository
from gitmem.model.errors.store import DiskRefused
from gitmem.model.refs import KEYS_NAMESPACE, PUBLIC_REF, SEALED_NAMESPACE, tracking_ref
from gitmem.model.settings import Level, Settings

_KIND: Final = f"united 1, gitmem {__version__}\n"
"""A newer gitmem looks once more at what an older one could not unite."""
_FAILURE: Final = "! "


class Caught(NamedTuple):
    """What uniting came to: `failures` hold until something moves, and `is_done` says that all was tried."""

    failures: tuple[str, ...] = ()
    is_done: bool = True


def catch_up(repository: Repository, settings: Settings, unite: Callable[[], Caught]) -> tuple[str, ...]:
    """Have `unite` called if a chosen remote's memory has moved, as of the last fetch; nobody is asked.

    Returns:
        What could not be united and why, each time anew.
    """
    standing = _standing(repository, settings)
    if standing is None:
        return ()
    path = repository.state_dir / "united"
    before, failures = _read(path)
    if before == standing:
        return failures
    if not os.access(repository.common_dir / "objects", os.W_OK):
        return ()  # what is here can be read all the same
    caught = unite()
    if caught.is_done:
        told = "".join(f"{_FAILURE}{' '.join(failure.split())}\n" for failure in caught.failures)
        with suppress(DiskRefused):  # then it is looked at once more
            disk.replace_file(path, (standing + told).encode("utf-8", "surrogateescape"), durable=False)
    return caught.failures


def _standing(repository: Repository, settings: Settings) -> str | None:
    """Return where the memories of the chosen remotes stand, as a text; None where none was chosen."""
    if not settings.remotes:
        return None
    common_dir = repository.common_dir
    if repository.ref_format == "reftable":
        # Its name is another one after every move of any ref.
        with suppress(OSError):
            return _KIND + (common_dir / "reftable" / "tables.list").read_text()
        return None
    found: dict[str, str] = {}
    packed: bytes | None = None
    for remote in settings.remotes:
        for name, is_prefix in _tracking(remote.name, remote.levels, settings.memory_ref):
            oids = dict(_loose(common_dir, name, is_prefix))
            if is_prefix or not oids:
                if packed is None:
                    packed = _packed_refs(common_dir)
                oids = {**dict(_packed(packed, name, is_prefix)), **oids}
            found |= oids
    return _KIND + "".join(f"{name} {oid}\n" for name, oid in sorted(found.items()))


def _tracking(remote: str, levels: Iterable[Level], ref: str) -> Iterator[tuple[str, bool]]:
    """Yield the names of tracking refs, and whether they are what such names begin with."""
    for level in levels:
        if level == "private":
            for below in (SEALED_NAMESPACE, KEYS_NAMESPACE):
                yield tracking_ref(remote, below), True
        else:
            yield tracking_ref(remote, PUBLIC_REF if level == "public" else ref), False


def _loose(common_dir: Path, name: str, is_prefix: bool) -> Iterator[tuple[str, str]]:
    names = [name]
    if is_prefix:
        try:
            names = [name + entry for entry in os.listdir(common_dir / name)]  # noqa: PTH208 (there may be many)
        except (FileNotFoundError, NotADirectoryError):
            return
    for each in names:
        with suppress(OSError):
            yield each, (common_dir / each).read_bytes().strip().decode("ascii", "replace")


def _packed_refs(common_dir: Path) -> bytes:
    try:
        return (common_dir / "packed-refs").read_bytes()
    except OSError:
        return b""


def _packed(content: bytes, name: str, is_prefix: bool) -> Iterator[tuple[str, str]]:
    wanted = f" {name}".encode("utf-8", "surrogateescape") + (b"" if is_prefix else b"\n")
    at = content.find(wanted)
    while at >= 0:
        end = content.find(b"\n", at)
        oid = content[:at].rpartition(b"\n")[2]
        yield content[at + 1 : end].decode("utf-8", "surrogateescape"), oid.decode("ascii", "replace")
        at = content.find(wanted, end)


def _read(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return where the remotes stood when they were united, and what could not be."""
    try:
        lines = path.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
    except OSError:
        return "", ()
    failures = tuple(line[len(_FAILURE) : -1] for line in lines if line.startswith(_FAILURE))
    return "".join(line for line in lines if not line.startswith(_FAILURE)), failures
