"""What the index takes from notes: one entry each, and which of them have to be put in again.

What is superseded or done is in the index too, marked as closed, and left out of what is found unless it is
asked for. What is removed is not in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from gitmem.format import notes
from gitmem.format.memory import Memory
from gitmem.model.ids import MAIN_STREAM, Oid
from gitmem.notes import table
from gitmem.notes.listing import PREFIX, Listed, listed
from indexer.lexical import Entry, LexicalIndex, Writer
from indexer.lexical.found import Reached
from indexer.lexical.words import without_escapes
from indexer.upkeep.documents import digest, meant_by
from indexer.upkeep.state import Worn

KIND: Final = "note"
_encoder: Final = msgspec.json.Encoder()


class TakeOut(Protocol):
    """Takes something out of an index, given what that has of it; tells what it leaves of no use there."""

    def __call__(
        self, writer: Writer, session: str, reached: Mapping[str, Reached], *, is_gone: bool
    ) -> Worn: ...


class Changed(NamedTuple):
    """Notes to look at, each as it is now, None where it is gone; and those that cannot be read, with why."""

    notes: Mapping[str, Listed | None]
    unreadable: Mapping[str, str]


def changed_since(
    before: Memory, root: Oid, memory: Memory, state_dir: Path, unreadable: Iterable[str]
) -> Changed:
    """Return the notes that may differ from what an index of an earlier root has, and those that they
    supersede, directly or by way of others.

    `before` also has the trees of that root; `unreadable` were left out then, and are tried again.

    Raises:
        ObjectMissing, ObjectDamaged: The trees of that root are gone.
    """
    differing = dict(notes.changed(before, root))
    again = {name.removeprefix(PREFIX) for name in unreadable if name.startswith(PREFIX)}
    if not differing and not again:
        return Changed({}, {})
    now = every(memory, state_dir)
    if any(tree is None for tree in differing.values()):
        # What a note superseded that is gone, nothing says any more.
        return now._replace(notes={**dict.fromkeys(differing), **now.notes})
    wanted: dict[str, Listed | None] = {}
    todo: list[str] = [*differing, *again]
    while todo:
        name = todo.pop()
        if name not in wanted:
            found = wanted[name] = now.notes.get(name)
            todo += found.supersedes if found else ()
    return now._replace(notes=wanted)


def every(memory: Memory, state_dir: Path) -> Changed:
    """Return all notes of a memory."""
    found = table.read(memory, state_dir)
    return Changed(
        {note.name: note for note in listed(found.rows)},
        {f"{PREFIX}{name}": why for name, why in found.unreadable},
    )


def and_those_beside(changed: Changed, memory: Memory, state_dir: Path, beside: Collection[str]) -> Changed:
    """Return also the notes that are put in again, since they stand in the files of what has gone."""
    now = every(memory, state_dir)
    return now._replace(
        notes={**{name: note for name, note in now.notes.items() if name in beside}, **changed.notes}
    )


def without_notes(unreadable: Iterable[str]) -> list[str]:
    """Return the sessions among what could not be read."""
    return [name for name in unreadable if not name.startswith(PREFIX)]


def put(
    index: LexicalIndex,
    writer: Writer,
    changed: Mapping[str, Listed | None],
    anew: Collection[str],
    take_out: TakeOut,
) -> Worn:
    """Bring notes in an index to where they are now; those that are to be put in `anew` in any case.

    `take_out` takes one out, given what the index has of it, and whether it has gone for good.
    """
    worn = Worn()
    for name, note in changed.items():
        reached = index.streams(name)
        entry = None if note is None or note.state == "removed" else entry_of(note)
        if entry is not None and name not in anew:
            known = reached.get(MAIN_STREAM)
            if known is not None and known.chain == entry.chain:
                continue
        if reached:
            worn = worn.and_also(take_out(writer, name, reached, is_gone=note is not None and entry is None))
        if entry is not None:
            writer.add(entry)
    return worn


def entry_of(note: Listed) -> Entry:
    """Return a note's entry."""
    role = "assistant" if note.agent else "user"
    is_closed = note.state != "open"
    text = without_escapes(note.text)
    stored = {
        "session": note.name,
        "key": note.address,
        "agent": note.agent or "",
        "stream": MAIN_STREAM,
        "ordinal": 0,
        "turn": None,
        "line": 0,
        "role": role,
        "kind": KIND,
        "at": note.at_ms,
        "author": note.author.name,
        "branch": None,
        "model": None,
        "tool": None,
        "error": False,
        "level": "team",
        "tags": note.tags,
        "files": note.files,
        "address": note.author.email,
        "by": note.author.email,
        "text": text,
        "card": {"title": note.title, "titled_by": [note.titled_by]},
        "note": {"kind": note.type, "state": note.state, "due": note.due_ms},
        "closed_by": note.closed_by,
    }
    encoded = _encoder.encode(stored)
    meant = meant_by(role, KIND, text, None)
    return Entry(
        session=note.name,
        stream=MAIN_STREAM,
        ordinal=0,
        chain=digest(encoded),
        digest=digest(_encoder.encode([KIND, text.strip()])),
        body=text if note.title in text else f"{note.title}\n{text}",
        output="",
        stored=encoded,
        key=note.address,
        agent=note.agent or "",
        role=role,
        branch="",
        author=f"{note.author.name} {note.author.email}".strip(),
        name=note.author.name,
        tool="",
        level="team",
        tags=note.tags,
        files=note.files,
        is_error=False,
        at_ms=note.at_ms,
        captured_ms=note.at_ms,
        meaning=digest(meant.encode("utf-8", "surrogatepass")) or 1 if meant else 0,
        captured_by=note.author.email,
        kinds=(KIND, note.type),
        is_closed=is_closed,
    )
