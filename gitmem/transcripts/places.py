"""Where agents keep their transcripts and collections on a machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from gitmem.transcripts.registry import REGISTRY

SUFFIXES: tuple[str, ...] = tuple(
    dict.fromkeys(suffix for agent in REGISTRY.values() for suffix in agent.suffixes)
)
"""How the names of files end that any agent may have written."""


def places(home: PurePath, environ: Mapping[str, str]) -> list[tuple[str, Path]]:
    """Return each agent's folders and single files, as (agent, path), whether or not they exist."""
    return [(name, path) for name, agent in REGISTRY.items() for path in agent.folders(Path(home), environ)]


def places_in_tree(top: PurePath) -> list[tuple[str, Path]]:
    """Return the same of what agents keep in a working tree."""
    return [(agent, Path(top) / name) for agent, entry in REGISTRY.items() for name in entry.in_tree]


def transcript_files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that may be transcripts, sorted within each directory.

    Links are not followed; a directory that cannot be read, or is gone, holds nothing. Whether a file is a
    transcript, its content says.
    """
    left = [_entries(folder)]
    while left:
        entry = next(left[-1], None)
        if entry is None:
            left.pop()
        elif entry.is_dir(follow_symlinks=False):
            left.append(_entries(Path(entry.path)))
        elif entry.name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except OSError:
        return iter(())
