"""Where a memory ref points, found as cheaply as its repository allows: a search asks this each time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_OID: Final = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\n?\Z")


def read_tip(common_dir: Path, ref: str, environ: Mapping[str, str]) -> str | None:
    """Return the commit that a ref points at, None where there is no such ref.

    git itself is asked only where refs are kept in another form than files.
    """
    try:
        content = (common_dir / ref).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if not (common_dir / "reftable").is_dir():
            return _packed(common_dir, ref)
    else:
        if _OID.match(content):
            return content.decode().strip()
    return _ask_git(common_dir, ref, environ)


def _packed(common_dir: Path, ref: str) -> str | None:
    # Looked at after the loose file: git writes this one before it removes that.
    try:
        content = (common_dir / "packed-refs").read_bytes()
    except FileNotFoundError:
        return None
    end = content.find(b" %s\n" % ref.encode())
    if end < 0:
        return None
    return content[:end].rpartition(b"\n")[2].decode("ascii", "replace")


def _ask_git(common_dir: Path, ref: str, environ: Mapping[str, str]) -> str | None:
    from gitmem.git.process import Git

    answer = Git(environ).run(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", ref],
        doing=f"read {ref}",
        git_dir=common_dir,
        accept=(0, 1),
    )
    return answer.text or None
