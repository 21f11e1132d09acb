"""Agents' files on a disk: which one a path leads to, what is in it, and whether it may be written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from gitmem.agents.contents import MAX_BYTES
from gitmem.agents.targets import Where
from gitmem.git.process import Git
from gitmem.model.errors.enabling import ConfigRefused


def read(path: Path) -> bytes | None:
    """Return what a file holds, None where there is none."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigRefused(str(path), "it is no file", f"ls -ld {path}: shows what it is")
        if status.st_size > MAX_BYTES:
            why = f"it has {status.st_size:,} bytes, more than {MAX_BYTES:,}"
            raise ConfigRefused(str(path), why, f"ls -l {path}: shows it; no agent writes so much")
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigRefused(str(path), why, f"ls -ld {path}: shows what stands there") from error


def check_writable(path: Path, before: bytes | None) -> None:
    """Refuse a file or a folder that its owner has made read-only, though a rename could get around it."""
    at = path
    while not os.path.lexists(at):
        at = at.parent
    for one in {at, path.parent if before is not None else at}:
        if not os.access(one, os.W_OK) or not one.stat().st_mode & 0o222:
            raise ConfigRefused(str(path), f"{one} is read-only", f"chmod u+w {one}: lets it be written to")


def real(path: Path, where: Where, tracked: Mapping[str, bool]) -> Path:
    """Return the file that a path leads to: a link stays one, and what it names is written.

    Raises:
        ConfigRefused: A link that git tracks, so that came with the repository, leads out of it.
    """
    if where.top is None:
        return path.resolve()
    top = where.top.resolve()
    real = path.resolve()
    if real.is_relative_to(top):
        return real
    for part in (path, *path.parents):
        if tracked.get(str(part)):
            why = f"{part} is a link that came with the repository and leads to {real}, outside of it"
            raise ConfigRefused(
                str(path), why, f"ls -l {part}: shows it; git rm --cached {part}: makes it your own"
            )
    return real


def tracked_by_git(paths: Iterable[Path], where: Where, git: Git) -> dict[str, bool]:
    """Return which of the files, and of the folders above them, git tracks, and whether as a link."""
    if where.top is None:
        return {}
    top = where.top
    names = {path for path in paths if top in path.parents}
    names |= {parent for path in names for parent in path.parents if parent != top and top in parent.parents}
    relative = sorted(os.path.relpath(path, top) for path in names)
    answer = git.run(
        ["--literal-pathspecs", "ls-files", "-s", "-z", "--", *relative],
        doing=f"find out what git tracks in {top}",
        cwd=top,
    )
    found: dict[str, bool] = {}
    for line in os.fsdecode(answer.stdout).split("\0")[:-1]:
        mode, _, rest = line.partition(" ")
        found[str(top / rest.partition("\t")[2])] = mode == "120000"
    return found


def missing_folders(path: Path) -> list[Path]:
    """Return the folders that have to be made for a file, outermost first."""
    missing = [folder for folder in path.parents if not folder.exists()]
    return missing[::-1]
