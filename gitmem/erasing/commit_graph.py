"""The commit-graph: git's table of commits, which must never name one that is gone.

It can be made again from the commits at any time. Format: gitformat-commit-graph(5).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Container
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed

_SIGNATURE: Final = b"CGPH\x01"
_HEADER_BYTES: Final = 8
_ROW_BYTES: Final = 12
_CHUNKS_AT: Final = 6
_COMMITS: Final = b"OIDL"
_PATHS: Final = b"BIDX"


def drop_commits(repository: Repository, git: Git, gone: Container[bytes]) -> None:
    """Have git write the commit-graph anew, as it was, if it names commits that are about to be removed.

    git writes what refs reach. Where it cannot, there is none from here on, until git's next housekeeping.
    """
    info = repository.common_dir / "objects" / "info"
    single, chain = info / "commit-graph", info / "commit-graphs" / "commit-graph-chain"
    size = 20 if repository.hash_name == "sha1" else 32
    listing = [file for file in _files(info) if _names(file, gone, size)]
    if not listing:
        return
    args = ["commit-graph", "write", "--reachable", "--no-progress"]
    if any(_has(file, _PATHS) for file in _files(info)):
        args.append("--changed-paths")
    if chain.exists():
        args.append("--split=replace")
    disk.announce("write", single)
    with suppress(GitFailed):  # what is left of the old one goes now
        git.run(args, doing="write the commit-graph", git_dir=repository.common_dir)
    left = [file for file in _files(info) if _names(file, gone, size)]
    named = chain.read_text("ascii").split() if chain.exists() else []
    if any(file.stem.removeprefix("graph-") in named for file in left):
        disk.remove_file(chain)
    for file in left:
        disk.remove_file(file)


def _files(info: Path) -> list[Path]:
    files = [info / "commit-graph", *sorted((info / "commit-graphs").glob("graph-*.graph"))]
    return [file for file in files if file.exists()]


def _names(file: Path, gone: Container[bytes], size: int) -> bool:
    """Whether a graph names one of some commits; one that cannot be read may."""
    try:
        data = _mapped(file)
    except FileNotFoundError:
        return False
    if data is None:
        return True
    with data:
        for chunk, start, end in _chunks(data):
            if chunk == _COMMITS:
                return any(data[at : at + size] in gone for at in range(start, end, size))
        return True


def _has(file: Path, wanted: bytes) -> bool:
    try:
        data = _mapped(file)
    except FileNotFoundError:
        return False
    if data is None:
        return False
    with data:
        return any(chunk == wanted for chunk, _, _ in _chunks(data))


def _mapped(file: Path) -> mmap.mmap | None:
    """Map a graph; None where it is none, and FileNotFoundError where git has removed it meanwhile."""
    with file.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size < _HEADER_BYTES:
            return None
        data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    if data[: len(_SIGNATURE)] != _SIGNATURE:
        data.close()
        return None
    return data


def _chunks(data: mmap.mmap) -> list[tuple[bytes, int, int]]:
    starts = range(_HEADER_BYTES, _HEADER_BYTES + (data[_CHUNKS_AT] + 1) * _ROW_BYTES, _ROW_BYTES)
    rows = [(data[at : at + 4], int.from_bytes(data[at + 4 : at + _ROW_BYTES])) for at in starts]
    return [(chunk, start, end) for (chunk, start), (_, end) in pairwise(rows)]
