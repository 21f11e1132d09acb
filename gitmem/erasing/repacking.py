"""A pack written anew without some of its objects, whoever it belongs to; what it was marked with stays.

git itself writes the new one, from a list of all that is to stay: deltas and compressed data are copied as
they are. The new pack is there, whole, before the old one goes. Formats: gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.git.midx import drop_midx
from gitmem.git.packs import KEEP_MARK, remove_pack
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.storage import pack_folder
from gitmem.model.errors.store import ObjectDamaged
from gitmem.objects.encoding import HashName

_ROOM: Final = f"{disk.UNPUBLISHED}erasing"
_NOTE: Final = "erasing-pack"
"""Names the packs of which one takes the other's place: what has no index then is the rest of one."""

_INDEX_MAGIC: Final = b"\xfftOc\x00\x00\x00\x02"
_NAMES_AT: Final = 8 + 256 * 4
_MTIMES_HEADER: Final = b"MTME" + (1).to_bytes(4, "big")
_SMALL_BYTES: Final = 32 << 20
_MARKS: Final = (".keep", ".promisor")
_CONFIG: Final = {
    "core.compression": "-1",
    "pack.packSizeLimit": "0",  # one pack becomes one pack
    "pack.compression": "1",  # of what has lost its base; most of gitmem's own is compressed already
    "pack.writeBitmaps": "false",
}


class Repacked(NamedTuple):
    """What left some packs: how many objects, and how many bytes less they have."""

    objects: int
    size_bytes: int
    is_own: bool


def list_packs(folder: Path) -> list[Path]:
    """Return all packs that have an index; paths are without suffix."""
    return [index.with_suffix("") for index in sorted(folder.glob("*.idx"))]


def group_packs(folder: Path) -> list[tuple[Path, ...]]:
    """Return which packs may become one: gitmem's own that are small; each other one stays for itself."""
    small: list[Path] = []
    others: list[tuple[Path, ...]] = []
    for path in list_packs(folder):
        try:
            is_small = path.with_suffix(".pack").stat().st_size < _SMALL_BYTES
        except FileNotFoundError:
            continue  # git removed it meanwhile
        if is_small and _is_own(path):
            small.append(path)
        else:
            others.append((path,))
    return [tuple(small), *others] if small else others


def write_without(
    repository: Repository,
    git: Git,
    group: Sequence[Path],
    gone: Container[bytes],
    spare: Callable[[], object],
) -> Repacked | None:
    """Put one pack in the place of those of a group that hold what is to go; None where none does.

    `spare` is called last thing before the old ones go, and may take objects out of `gone`: then the work
    is done again. `tidy_room` puts away what a kill leaves.

    Raises:
        ObjectDamaged: A pack's index is damaged: what it does not name would be lost.
        GitFailed: An object that stays cannot be read.
    """
    while True:
        names: set[bytes] = set()
        packs: list[Path] = []
        removed = size_bytes = 0
        for path in group:
            try:
                listed = read_names(path.with_suffix(".idx"), repository.hash_name)
                if going := sum(name in gone for name in listed):
                    size_bytes += path.with_suffix(".pack").stat().st_size
                    removed += going
                    packs.append(path)
                    names.update(listed)
            except FileNotFoundError:
                continue  # git wrote it anew meanwhile
        if not packs:
            return None
        staying = sorted(name for name in names if name not in gone)
        is_own = _is_own(packs[0])
        with _room(repository) as room:
            new = _write(repository, git, room, staying) if staying else None
            spare()
            if sum(name in gone for name in names) != len(names) - len(staying):
                continue
            exchanged = [pack.name for pack in (*packs, new) if pack is not None]
            disk.replace_file(repository.state_dir / _NOTE, "\n".join(exchanged).encode())
            if new is not None:
                size_bytes -= new.with_suffix(".pack").stat().st_size
                _publish(packs[0], new, staying, repository.hash_name)
        drop_midx(pack_folder(repository), packs)
        for path in packs:
            remove_pack(path)
        disk.remove_file(repository.state_dir / _NOTE)
        return Repacked(removed, size_bytes, is_own)


def tidy_room(repository: Repository) -> None:
    """Put away what a process that was killed left of a new pack; under the storage's lock."""
    folder = pack_folder(repository)
    noted = repository.state_dir / _NOTE
    if noted.exists():
        for name in noted.read_text().splitlines():
            if not (folder / name).with_suffix(".idx").exists():
                remove_pack(folder / name)
        disk.remove_file(noted)
    if (folder / _ROOM).exists():
        disk.remove_folder(folder / _ROOM)


class _room:  # noqa: N801 (a context manager that is used as a function)
    """A folder beside the packs for the new one; on their disk, so that a rename publishes it."""

    def __init__(self, repository: Repository) -> None:
        self._path = pack_folder(repository) / _ROOM

    def __enter__(self) -> Path:
        if self._path.exists():
            disk.remove_folder(self._path)
        disk.make_folder(self._path)
        return self._path

    def __exit__(self, *_: object) -> None:
        disk.remove_folder(self._path)


def _write(repository: Repository, git: Git, room: Path, staying: list[bytes]) -> Path:
    """Have git write a pack of some objects into a folder, and see that it has them all."""
    disk.announce("write", room)
    with git.start(
        ["pack-objects", "-q", "--delta-base-offset", str(room / "pack")],
        doing="write a pack without what is erased",
        git_dir=repository.common_dir,
        config=_CONFIG,
    ) as process:
        process.stdin.writelines(name.hex().encode() + b"\n" for name in staying)
        process.stdin.close()
        checksum = process.stdout.read().decode("ascii").strip()
    new = room / f"pack-{checksum}"
    written = read_names(new.with_suffix(".idx"), repository.hash_name)
    if written != staying:
        raise ObjectDamaged(str(new), f"git wrote {len(written)} objects of {len(staying)}")
    return new


def _publish(old: Path, new: Path, staying: list[bytes], hash_name: HashName) -> None:
    """Give a new pack its place, its index last, with the marks of the one that it follows."""
    path = old.with_name(new.name)
    for suffix in _MARKS:
        with suppress(FileNotFoundError):
            disk.replace_file(new.with_suffix(suffix), old.with_suffix(suffix).read_bytes(), mode=0o444)
    if old.with_suffix(".mtimes").exists():
        times = _mtimes(old, staying, path, hash_name)
        disk.replace_file(new.with_suffix(".mtimes"), times, mode=0o444)
    for suffix in (*_MARKS, ".mtimes", ".pack", ".rev", ".idx"):
        if new.with_suffix(suffix).exists():
            disk.rename_file(new.with_suffix(suffix), path.with_suffix(suffix))


def _mtimes(old: Path, staying: list[bytes], path: Path, hash_name: HashName) -> bytes:
    """Return when each of a cruft pack's objects was last used, for those that stay; in the index's order."""
    data = old.with_suffix(".mtimes").read_bytes()
    names = read_names(old.with_suffix(".idx"), hash_name)
    times = {name: data[12 + 4 * n : 16 + 4 * n] for n, name in enumerate(names)}
    checksum = bytes.fromhex(path.name.removeprefix("pack-"))
    kind = (1 if hash_name == "sha1" else 2).to_bytes(4, "big")
    content = b"".join([_MTIMES_HEADER, kind, *(times[name] for name in staying), checksum])
    return content + hashlib.new(hash_name, content, usedforsecurity=False).digest()


def read_names(index: Path, hash_name: HashName) -> list[bytes]:
    """Return the ids that a pack's index lists, sorted, having seen that it is whole.

    Raises:
        FileNotFoundError: There is none.
        ObjectDamaged: It is damaged, or of a form that git has not written since 2008.
    """
    content = index.read_bytes()
    digest = hashlib.new(hash_name, usedforsecurity=False)
    size = digest.digest_size
    digest.update(content[:-size])
    if content[-size:] != digest.digest() or not content.startswith(_INDEX_MAGIC):
        raise ObjectDamaged(str(index), "its checksum is not that of its content, or its form is unknown")
    count = int.from_bytes(content[_NAMES_AT - 4 : _NAMES_AT], "big")
    return [content[at : at + size] for at in range(_NAMES_AT, _NAMES_AT + count * size, size)]


def _is_own(path: Path) -> bool:
    try:
        return path.with_suffix(".keep").read_bytes() == KEEP_MARK
    except FileNotFoundError:
        return False
