"""What became of working trees in which gitmem has written: moved, or gone. Their notes follow, or go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from gitmem.agents import ledger
from gitmem.agents.ledger import Written
from gitmem.agents.merging import Member
from gitmem.agents.targets import Target


class Settled(NamedTuple):
    """The notes of a ledger: those that hold, and those of folders that are no working trees any more."""

    files: dict[str, Written]
    gone: dict[str, Written]


def settle(files: Mapping[str, Written], tops: Iterable[Path]) -> Settled:
    """Part what was written in the working trees that are there from what was in others.

    One that was moved is known by a file that is what gitmem made of it, to the byte: it names where its
    clone was.
    """
    live = {os.path.realpath(top) for top in tops}
    held: dict[str, Written] = {}
    gone: dict[str, Written] = {}
    for name, note in files.items():
        if note.top is None or note.is_busy or os.path.realpath(note.top) in live:
            held[name] = note
            continue
        moved = next((one for top in sorted(live) if (one := _moved(name, note, top)) is not None), None)
        if moved is not None and moved[0] not in files:
            held[moved[0]] = moved[1]
        else:
            gone[name] = note
    return Settled(held, gone)


def former(target: Target, note: Written | None) -> Target | None:
    """Return a file that clones share, with the entry of the folder that this clone was in before."""
    if not target.is_busy or note is None or note.top is None or Path(note.top).exists():
        return None
    entries = tuple(
        entry._replace(path=(entry.path[0], note.top, *entry.path[2:]))
        for entry in target.entries
        if isinstance(entry, Member) and len(entry.path) > 1 and entry.path[1] != note.top
    )
    return target._replace(entries=entries) if entries else None


def _moved(name: str, note: Written, top: str) -> tuple[str, Written] | None:
    """Return where a file of another working tree stands in this one, if it is as gitmem left it."""
    before = os.path.realpath(note.top or "/")
    if not Path(name).is_relative_to(before):
        return None
    path = Path(top) / Path(name).relative_to(before)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if ledger.digest(content) != note.after:
        return None
    folders = tuple(
        str(Path(top) / Path(one).relative_to(before)) if Path(one).is_relative_to(before) else one
        for one in note.folders
    )
    return str(path), msgspec.structs.replace(note, top=top, folders=folders)
