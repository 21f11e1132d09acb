"""Listing notes: those that still stand, unless more is asked for.

A note stands until another one supersedes it, until it is done, or until it is removed. Two that supersede
the same one, on two machines, both stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from gitmem.format.memory import Memory
from gitmem.model.ids import RecordId
from gitmem.model.records import Author, NoteType, Position
from gitmem.notes import table
from gitmem.notes.table import Row
from gitmem.verbs.summaries import shorten

PREFIX: Final = "note/"
SHOWN_DIGITS: Final = 12
_MOST_HEIRS: Final = 256

State = Literal["open", "done", "superseded", "removed"]


class Listed(NamedTuple):
    """A note as it is told of; moments are milliseconds since 1970 in UTC.

    `agent` wrote it for the author, or is None. Removed is stronger than superseded, and that than done.
    `superseded_by` are the notes that stand in its place, `closed_by` the addresses of those who wrote what
    supersedes it, or marked it as done. `own_title` is what somebody called it, `hidden_by` are
    the addresses of those who removed it.
    """

    name: RecordId
    type: NoteType
    title: str
    text: str
    state: State
    at_ms: int
    due_ms: int | None
    author: Author
    agent: str | None
    files: tuple[str, ...]
    about: tuple[Position, ...]
    tags: tuple[str, ...]
    supersedes: tuple[RecordId, ...]
    superseded_by: tuple[RecordId, ...]
    closed_by: tuple[str, ...]
    own_title: str | None
    titled_by: str
    forgotten_ms: int | None
    hidden_by: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """What people call it, whole."""
        return f"{PREFIX}{self.name}"

    @property
    def short_address(self) -> str:
        """What people call it, as far as it takes to tell it from others."""
        return f"{PREFIX}{self.name[:SHOWN_DIGITS]}"

    def is_due(self, now_ms: int) -> bool:
        """Whether somebody is to be reminded; a reminder without a date is due until it is done."""
        if self.state != "open":
            return False
        return self.type == "reminder" if self.due_ms is None else self.due_ms <= now_ms


def list_notes(
    memory: Memory,
    state_dir: Path | None,
    *,
    types: Sequence[NoteType] = (),
    files: Sequence[str] = (),
    tags: Sequence[str] = (),
    due_at_ms: int | None = None,
    since_ms: int | None = None,
    closed: bool = False,
    is_known: Callable[[str], bool] = lambda address: True,
    limit: int | None = None,
) -> tuple[Listed, ...]:
    """Return the notes that stand, the newest first; those that are due, the longest due first.

    Of several types, files or tags any will do; `files` are paths or folders of the code. `due_at_ms` asks
    for what is due then, `closed` for what is done, superseded or removed too. A note whose author's address
    is not known, as `is_known` has it, is left out and supersedes nothing, nor is done what such a one marked
    so; but what somebody known wrote in its place stands in the place of what it superseded, too. Costs a few
    milliseconds while no note has changed, however many sessions there are.

    Raises:
        StoreError: The memory itself cannot be read.
    """
    every = table.read(memory, state_dir).rows
    rows = [
        row if not row.is_done or is_known(row.done_by) else msgspec.structs.replace(row, is_done=False)
        for row in every
        if is_known(row.author.email)
    ]
    between = {row.name: row.supersedes for row in every if not is_known(row.author.email)}
    found = [
        note
        for note in listed(rows, closed=closed, between=between)
        if (not types or note.type in types)
        and (not files or any(_is_of(file, asked) for file in note.files for asked in files))
        and (not tags or not set(tags).isdisjoint(note.tags))
        and (due_at_ms is None or note.is_due(due_at_ms))
        and (since_ms is None or note.at_ms >= since_ms)
    ]
    if due_at_ms is not None:
        found.sort(key=longest_due_first)
    return tuple(found[:limit])


def newest_first(note: Listed) -> tuple[int, RecordId]:
    """Return what notes are sorted by, unless it is by when they are due."""
    return -note.at_ms, note.name


def longest_due_first(note: Listed) -> tuple[int, RecordId]:
    """Return what notes that are due are sorted by; one without a date has been since it was written."""
    return note.at_ms if note.due_ms is None else note.due_ms, note.name


class Divided(NamedTuple):
    """A note whose place several others took, in clones that did not know of each other, and those that
    stand."""

    note: Listed
    heirs: tuple[Listed, ...]


def find_divided(memory: Memory, state_dir: Path | None) -> tuple[Divided, ...]:
    """Return what was superseded in two ways, the newest first; raises as `list_notes`.

    Of a chain of notes that came to the same, only the last is told.
    """
    notes = list_notes(memory, state_dir, closed=True)
    standing = {note.name: note for note in notes if note.state == "open"}
    found: dict[tuple[Listed, ...], Divided] = {}
    for note in notes:
        heirs = tuple(standing[name] for name in note.superseded_by if name in standing)
        if len(heirs) > 1:
            found.setdefault(heirs, Divided(note, heirs))  # the newest comes first
    return tuple(found.values())


def people(memory: Memory, state_dir: Path | None) -> frozenset[str]:
    """Return the addresses of all who wrote a note, or marked one as done; raises as `list_notes`."""
    rows = table.read(memory, state_dir).rows
    return frozenset(address for row in rows for address in (row.author.email, row.done_by) if address)


def listed(
    rows: Iterable[Row],
    *,
    closed: bool = True,
    between: Mapping[RecordId, Sequence[RecordId]] = MappingProxyType({}),
) -> Iterator[Listed]:
    """Yield what has become of each of some notes, in their order; with `closed` of those that do not stand,
    too.

    `between` are notes that are not listed, with what each supersedes: it is superseded by what supersedes
    these.
    """
    rows = tuple(rows)
    heirs: dict[RecordId, list[Row]] = {}
    for row in rows:
        for name in _with_those_before(row.supersedes, between):
            heirs.setdefault(name, []).append(row)
    for row in rows:
        if not closed and (row.name in heirs or row.is_hidden or row.is_done):
            continue
        heads = tuple(sorted(_heads(row.name, heirs)))
        closers = {heir.author.email for heir in heirs.get(row.name, ())}
        closers |= {row.done_by} if row.is_done else set()
        yield _listed(row, heads, tuple(sorted(closers)))


def _with_those_before(
    superseded: Sequence[RecordId], between: Mapping[RecordId, Sequence[RecordId]]
) -> set[RecordId]:
    """Return what is superseded, by way of notes in between too; not all where somebody made up too many."""
    found: set[RecordId] = set()
    todo = list(superseded)
    while todo and len(found) < _MOST_HEIRS:
        at = todo.pop()
        if at not in found:
            found.add(at)
            todo += between.get(at, ())
    return found


def _heads(name: RecordId, heirs: Mapping[RecordId, Sequence[Row]]) -> set[RecordId]:
    """Return the notes at the ends of all that supersedes a note.

    None supersedes itself, by way of others either, for its name is a digest of what it supersedes. Where
    somebody made up more than anybody writes, not all of it is gone through.
    """
    heads: set[RecordId] = set()
    seen: set[RecordId] = set()
    todo = [heir.name for heir in heirs.get(name, ())]
    while todo and len(seen) < _MOST_HEIRS:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        todo += [heir.name for heir in heirs.get(at, ())]
        if at not in heirs:
            heads.add(at)
    return heads or {heir.name for heir in heirs.get(name, ())}


def _listed(row: Row, heads: tuple[RecordId, ...], closers: tuple[str, ...]) -> Listed:
    state: State = (
        "removed" if row.is_hidden else "superseded" if heads else "done" if row.is_done else "open"
    )
    return Listed(
        name=row.name,
        type=row.type,
        title=row.title or shorten(row.text),
        text=row.text,
        state=state,
        at_ms=row.at_ms,
        due_ms=row.due_ms,
        author=row.author,
        agent=row.agent,
        files=row.files,
        about=row.about,
        tags=row.tags,
        supersedes=row.supersedes,
        superseded_by=heads,
        closed_by=closers,
        own_title=row.title,
        titled_by=row.titled_by,
        forgotten_ms=row.forgotten_ms,
        hidden_by=row.hidden_by,
    )


def _is_of(file: str, asked: str) -> bool:
    """Whether a path is one that was asked for, or stands below it."""
    asked = asked.strip("/")
    return asked == "." or file.strip("/") == asked or file.strip("/").startswith(f"{asked}/")
