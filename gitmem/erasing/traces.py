"""Small files in which git names commits and packs, without keeping them because of that.

`shallow` is another; git tidies it itself, and what it names in vain until then does no harm.
"""

from __future__ import annotations

from collections.abc import Container

from gitmem import disk
from gitmem.erasing.reflogs import git_dirs
from gitmem.git.process import Git
from gitmem.git.repository import Repository


def drop_fetched(repository: Repository, gone: Container[bytes]) -> int:
    """Take the lines that name what goes out of each FETCH_HEAD; return how many these were.

    git itself keeps nothing because of them; the next fetch writes the file anew.
    """
    dropped = 0
    for git_dir in git_dirs(repository):
        file = git_dir / "FETCH_HEAD"
        try:
            lines = file.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            continue
        staying = [line for line in lines if _raw(line.partition(b"\t")[0]) not in gone]
        if len(staying) < len(lines):
            disk.rewrite_file(file, b"".join(staying))
            dropped += len(lines) - len(staying)
    return dropped


def list_packs_anew(repository: Repository, git: Git) -> None:
    """Have git write down anew which packs there are, where it did so for those who fetch by plain http."""
    listing = repository.common_dir / "objects" / "info" / "packs"
    if listing.exists():
        disk.announce("write", listing)
        git.run(["update-server-info"], doing="list the packs anew", git_dir=repository.common_dir)


def _raw(name: bytes) -> bytes:
    try:
        return bytes.fromhex(name.decode())
    except ValueError:
        return b""
