"""What only a repository's own files can tell about its integrity, for `verify`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gitmem.git.packs import KEEP_MARK
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid
from gitmem.objects.encoding import HashName

_CHUNK_BYTES = 1 << 20
_BROKEN = re.compile(r"^warning: ignoring (broken ref|dangling symref) (\S+)$", re.MULTILINE)


class Problem(NamedTuple):
    """A file or ref of git's that is not as it should be."""

    name: str
    why: str


def shallow_commits(repository: Repository) -> frozenset[Oid]:
    """Return the commits at which a shallow clone ends: their parents are not here, and need not be."""
    path = repository.common_dir / "shallow"
    return frozenset(Oid(line) for line in path.read_text("ascii").split()) if path.exists() else frozenset()


def broken_refs(repository: Repository, git: Git, prefix: str) -> tuple[Problem, ...]:
    """Return the refs below a prefix that git passes over, since they name no commit."""
    answer = git.run(
        ["for-each-ref", "--format=%(refname)", prefix],
        doing=f"list refs below {prefix}",
        git_dir=repository.common_dir,
    )
    return tuple(
        Problem(name, f"git passes over it: {what}") for what, name in _BROKEN.findall(answer.stderr)
    )


def pack_problems(folder: Path, hash_name: HashName) -> Iterator[Problem]:
    """Yield what is wrong with gitmem's own packs: each file ends in a checksum over all before it.

    Format: gitformat-pack(5). What the objects in them are is not looked at.
    """
    for keep in sorted(folder.glob("pack-*.keep")):
        if keep.read_bytes() == KEEP_MARK:
            yield from _check_pack(keep.with_suffix(""), 20 if hash_name == "sha1" else 32, hash_name)


def _check_pack(path: Path, size: int, hash_name: HashName) -> Iterator[Problem]:
    pack, index = path.with_suffix(".pack"), path.with_suffix(".idx")
    checksums: dict[Path, bytes] = {}
    for file in (pack, index):
        try:
            found, stated, before = _checksum(file, size, hash_name)
        except FileNotFoundError:
            yield Problem(str(file), "it is missing")
            continue
        if found != stated:
            yield Problem(str(file), "its checksum is not that of its content")
        checksums[file] = stated if file == pack else before
    if len(checksums) == 2 and checksums[pack] != checksums[index]:
        yield Problem(str(index), "it is the index of another pack")
    if pack in checksums and path.name != f"pack-{checksums[pack].hex()}":
        yield Problem(str(pack), f"its name should be pack-{checksums[pack].hex()}")


def _checksum(path: Path, size: int, hash_name: HashName) -> tuple[bytes, bytes, bytes]:
    """Return the digest of all but a file's last bytes, those bytes, and as many before them."""
    digest = hashlib.new(hash_name, usedforsecurity=False)
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            tail += chunk
            if len(tail) > 2 * size:
                digest.update(tail[: -2 * size])
                tail = tail[-2 * size :]
    digest.update(tail[:-size])
    return digest.digest(), tail[-size:], tail[-2 * size : -size]
