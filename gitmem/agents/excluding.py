"""Keeping files that gitmem made for one clone out of git: a marked block in `info/exclude`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.agents.ledger import Written
from gitmem.agents.targets import Where
from gitmem.git.process import Git
from gitmem.model.errors.store import DiskRefused

_BEGIN: Final = b"# >>> gitmem, agents' files of this clone; `gitmem disable` takes it away >>>\n"
_END: Final = b"# <<< gitmem <<<\n"
_BLOCK: Final = re.compile(re.escape(_BEGIN) + rb".*?^" + re.escape(_END), re.MULTILINE | re.DOTALL)


def renew(files: Mapping[str, Written], where: Where, git: Git) -> None:
    """Have the block name exactly the files that gitmem made for clones of this repository.

    Raises:
        DiskRefused: The disk does not let it.
    """
    if where.top is None:
        return
    answer = git.run(
        ["rev-parse", "--git-path", "info/exclude"], doing="find where git excludes files", cwd=where.top
    )
    path = where.top / os.fsdecode(answer.stdout.removesuffix(b"\n"))
    before = _read(path)
    lines = sorted(
        {
            _pattern(name, one.top)
            for name, one in files.items()
            if one.top and not one.backup and Path(name).is_relative_to(os.path.realpath(one.top))
        }
    )
    block = _BEGIN + b"".join(lines) + _END if lines else b""
    bare = _BLOCK.sub(b"", before or b"")
    found = _BLOCK.search(before or b"")
    if block and found is not None:
        after = before[: found.start()] + block + before[found.end() :] if before else block
    elif block and bare and not bare.endswith(b"\n"):
        after = block + bare  # behind its last line the block would have to end that one
    else:
        after = bare + block
    if after == (before or b""):
        return
    if not after:
        disk.remove_file(path)
        disk.remove_empty_folder(path.parent)
    elif before is None:
        disk.replace_file(path, after)
    else:
        disk.rewrite_file(path, after)


def _pattern(name: str, top: str | None) -> bytes:
    """Write a path as a pattern that nothing else fits."""
    relative = os.fsencode(os.path.relpath(name, os.path.realpath(top or "/")))
    return b"/" + re.sub(rb"([\\*?\[ ])", rb"\\\1", relative) + b"\n"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DiskRefused("read", str(path), error.strerror or str(error)) from error
