"""Reading what a working tree keeps secret from git: its `.env` files, for the redactor to know their values.

Only ordinary files inside the tree are read, through no link, and no more of them than a person would have
written. Nothing that is read here is kept on disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Final

from gitmem.redaction.environment import known_values

_DEPTH: Final = 2
_MOST_FOLDERS: Final = 400
_MOST_FILES: Final = 64
_MOST_BYTES: Final = 256 << 10
_NAME: Final = re.compile(r"\.env|\.env\..+|\.envrc|[\w.-]+\.env")
_FOR_SHOW: Final = re.compile(
    r".*[._-](?:example|sample|template|tmpl|dist|defaults?|schema)(?:[._-].*)?", re.I
)
_OTHERS: Final = frozenset(
    {"node_modules", "site-packages", "vendor", "venv", "__pycache__", "target", "dist", "build"}
)
"""Folders of what others wrote, or of what was made; those that begin with a dot are passed over too."""


def known_values_at(environ: Mapping[str, str], tops: Iterable[Path]) -> tuple[bytes, ...]:
    """Return the secret values of the environment and of the `.env` files of some working trees.

    What cannot be read is passed over: the agent, who is the same user, could not read it either.
    """
    return known_values(environ, (text for top in tops for text in _texts(top)))


def _texts(top: Path) -> Iterator[str]:
    for path in _env_files(top):
        text = None
        with suppress(OSError):
            text = _text_of(path)
        if text is not None:
            yield text


def _env_files(top: Path) -> Iterator[Path]:
    """Yield up to _MOST_FILES names in the top and two levels below it, the nearest first."""
    folders, found = [(top, 0)], 0
    for folder, depth in folders:  # grows while it is gone through
        entries: list[os.DirEntry[str]] = []
        with suppress(OSError), os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            if _NAME.fullmatch(entry.name) and not _FOR_SHOW.fullmatch(entry.name):
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)
                    found += 1
                    if found == _MOST_FILES:
                        return
            elif depth < _DEPTH and len(folders) < _MOST_FOLDERS and _is_own(entry):
                folders.append((Path(entry.path), depth + 1))


def _is_own(entry: os.DirEntry[str]) -> bool:
    is_hidden = entry.name.startswith(".") or entry.name in _OTHERS
    return not is_hidden and entry.is_dir(follow_symlinks=False)


def _text_of(path: Path) -> str | None:
    """Return the beginning of an ordinary file; None where something else has taken its place meanwhile."""
    # Without waiting: a pipe would not be ready before somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(_MOST_BYTES).decode("utf-8", "surrogateescape")
