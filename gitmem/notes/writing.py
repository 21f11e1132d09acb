"""Writing notes down, and what becomes of them: done, removed, called and tagged otherwise.

Texts are redacted before they become a record, and stand in no commit's message. What is decided on is read
and written under one lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from gitmem.format import layout, notes, records
from gitmem.format import registers as written
from gitmem.format.memory import Memory, open_memory
from gitmem.format.notes import StoredNote
from gitmem.model.errors.arguments import BadNote, BadTag
from gitmem.model.errors.naming import NoteUnknown
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import MAX_LISTED, MAX_TAGS, Note, NoteType, Position, Register, RegisterName
from gitmem.model.times import to_text
from gitmem.notes.listing import PREFIX, SHOWN_DIGITS
from gitmem.notes.table import DONE
from gitmem.objects import trees
from gitmem.objects.storage import Batch, Storage
from gitmem.verbs.committing import SKIP_CI, Writer, commit
from gitmem.verbs.naming import as_tag, as_title

MAX_TEXT: Final = 10_000
MAX_PATH: Final = 1_000
MAX_AGENT: Final = 100

Values = Mapping[RegisterName, written.Value]
Changes = dict[trees.Path, Oid | None]


class Desk(NamedTuple):
    """Where notes are written, by whom, and what takes secrets out of a text first."""

    storage: Storage
    ref: str
    writer: Writer
    redact: Callable[[str], str]


class Draft(NamedTuple):
    """A note before it is written down. `agent` is who writes it for the author, None for themselves.

    `due_ms` is in milliseconds since 1970. `values` are registers that it has from the start.
    """

    type: NoteType
    text: str
    agent: str | None = None
    due_ms: int | None = None
    supersedes: tuple[RecordId, ...] = ()
    about: tuple[Position, ...] = ()
    files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    values: Values = MappingProxyType({})


def add(desk: Desk, draft: Draft) -> RecordId:
    """Write a note down, and return its name.

    Raises:
        BadNote: Nothing can be read in it, it is too long, or names too much.
        NoteUnknown: What it supersedes is not there.
        NoMemory: There is none to write into.
    """
    note = _note(desk, draft)
    name, blob = records.seal(note)
    with desk.storage.lock():
        memory = open_memory(desk.storage, desk.ref)
        for before in draft.supersedes:
            _load(memory, before)
        with desk.storage.begin() as batch:
            changes: Changes = {layout.note_path(name): batch.add("blob", blob)}
            values = dict(draft.values)
            if draft.tags:
                values["tags"] = tuple(sorted({desk.redact(tag) for tag in draft.tags}))
            _put(desk, batch, changes, name, {}, values)
            what = f"Note: {note.type} {SKIP_CI}\n"
            commit(desk.storage, desk.ref, desk.writer, what, changes, batch)
    return name


def set_done(desk: Desk, names: Iterable[RecordId], *, is_done: bool = True) -> tuple[RecordId, ...]:
    """Mark notes as done, or open them again; return those of which it was not so already."""
    values: Values = {"state": DONE if is_done else None}
    return _set_all(desk, names, values, "Note done" if is_done else "Note open again")


def forget(desk: Desk, names: Iterable[RecordId], until_ms: int | None) -> tuple[RecordId, ...]:
    """Remove notes from everybody's sight, with all that they supersede; from `until_ms` on they may be
    erased. None takes it back, until then.

    Returns:
        Those of which it was not so already.
    """
    values: Values = {"forgotten": None if until_ms is None else to_text(until_ms)}
    what = "Forget a note" if until_ms is not None else "Take back that a note is forgotten"
    with desk.storage.lock():
        lineage = list(ancestry(open_memory(desk.storage, desk.ref), names))
        return _set_all(desk, lineage, values, what)


def set_title(desk: Desk, name: RecordId, title: str | None) -> str | None:
    """Give a note a title in place of its first line, or take it back (None); return it as it is stored.

    Raises:
        BadTitle: Nothing can be read in it, or it is too long.
    """
    new = None if title is None else desk.redact(as_title(title))
    _set_all(desk, [name], {"title": new}, f"Title {PREFIX}{name[:SHOWN_DIGITS]}")
    return new


def set_tags(
    desk: Desk, name: RecordId, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> tuple[str, ...]:
    """Add tags to a note and take others away; return those that it has then, in order.

    Raises:
        BadTag: One is empty, too long, or holds what a tag cannot; or there are too many.
    """
    added = {desk.redact(as_tag(tag)) for tag in add}
    # What was redacted when it was added is found again by what it was redacted to.
    removed = {form for tag in remove for form in (tag, desk.redact(tag))}
    with desk.storage.lock():
        value = _load(open_memory(desk.storage, desk.ref), name).value("tags")
        before = value if isinstance(value, tuple) else ()
        after = tuple(sorted((set(before) | added) - removed))
        if len(after) > max(MAX_TAGS, len(before)):
            raise BadTag(f"{len(after)} tags", f"at most {MAX_TAGS} to a note")
        if after != before:
            _set_all(desk, [name], {"tags": after}, f"Tag {PREFIX}{name[:SHOWN_DIGITS]}")
    return after


def ancestry(memory: Memory, names: Iterable[RecordId]) -> Iterator[RecordId]:
    """Yield notes and all that they supersede, as far as the memory has it.

    Raises:
        NoteUnknown: One of those that were named is not there.
    """
    asked = tuple(names)
    seen: set[RecordId] = set()
    todo = list(reversed(asked))
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            stored = notes.find(memory, name)
        except (ObjectDamaged, ObjectMissing, RecordRefused):
            if name in asked:
                raise
            continue  # `verify` names it
        if stored is None:
            if name in asked:
                raise NoteUnknown(f"{PREFIX}{name}")
            continue
        yield name
        todo += reversed(stored.record.supersedes)


def _set_all(desk: Desk, names: Iterable[RecordId], values: Values, what: str) -> tuple[RecordId, ...]:
    with desk.storage.lock():
        memory = open_memory(desk.storage, desk.ref)
        changed: list[RecordId] = []
        with desk.storage.begin() as batch:
            changes: Changes = {}
            for name in dict.fromkeys(names):
                before = len(changes)
                _put(desk, batch, changes, name, _load(memory, name).registers, values)
                changed += [name] if len(changes) > before else []
            if changes:
                commit(desk.storage, desk.ref, desk.writer, f"{what} {SKIP_CI}\n", changes, batch)
    return tuple(changed)


def _put(
    desk: Desk,
    batch: Batch,
    changes: Changes,
    note: RecordId,
    registers: Mapping[RecordId, Register],
    values: Values,
) -> None:
    """Put into a batch what is not in a note's registers already."""
    known = dict(registers)
    for name, value in values.items():
        if written.value(known, name) == value:
            continue
        writer = desk.writer
        register = Register(note, name, value, written.next_clock(known), writer.now(), writer.author)
        record_id, blob = records.seal(register)
        known[record_id] = register
        changes[layout.note_register_path(note, record_id)] = batch.add("blob", blob)


def _load(memory: Memory, name: RecordId) -> StoredNote:
    stored = notes.find(memory, name)
    if stored is None:
        raise NoteUnknown(f"{PREFIX}{name}")
    return stored


def _note(desk: Desk, draft: Draft) -> Note:
    text = desk.redact(_as_text(draft.text))
    listed = (
        ("notes", draft.supersedes),
        ("turns", draft.about),
        ("files", draft.files),
        ("tags", draft.tags),
    )
    for what, found in listed:
        if len(found) > MAX_LISTED:
            raise BadNote(f"{len(found)} {what}", f"at most {MAX_LISTED}")
    for path in draft.files:
        if not 0 < len(path) <= MAX_PATH:
            raise BadNote(path, f"paths of at most {MAX_PATH:,} characters")
    return Note(
        type=draft.type,
        text=text,
        at=desk.writer.now(),
        author=desk.writer.author,
        agent=None if draft.agent is None else _as_agent(draft.agent),
        due=None if draft.due_ms is None else to_text(draft.due_ms),
        supersedes=tuple(dict.fromkeys(draft.supersedes)),
        about=tuple(dict.fromkeys(draft.about)),
        files=tuple(desk.redact(path) for path in dict.fromkeys(draft.files)),
    )


def _as_text(text: str) -> str:
    """Return a note's text without what stands around it; controls but for tabs and line ends are no text."""
    lines = (
        "".join(c if c.isprintable() or c == "\t" else " " for c in line).rstrip()
        for line in text.replace("\r\n", "\n").split("\n")
    )
    stripped = "\n".join(lines).strip()
    if not stripped:
        raise BadNote(text, "a word or more")
    if len(stripped) > MAX_TEXT:
        raise BadNote(text, f"at most {MAX_TEXT:,} characters")
    return stripped


def _as_agent(name: str) -> str:
    if not 0 < len(name) <= MAX_AGENT or not name.isprintable() or set("/ ") & set(name):
        raise BadNote(name, "an agent's name, as claude-code")
    return name
