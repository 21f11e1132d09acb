"""What people call a session: its title and its tags, as registers.

A register is read, decided on and written under one lock, so that two who tag at once lose nothing. Texts
are redacted before they become a record, and stand in no commit's message.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gitmem.format import layout, records
from gitmem.format.memory import Folder, StoredSession, open_memory, require
from gitmem.model.errors.arguments import BadTag, BadTitle
from gitmem.model.ids import SessionId, SessionKey
from gitmem.model.records import MAX_TAGS, Register, RegisterName
from gitmem.objects.storage import Storage
from gitmem.verbs.committing import SKIP_CI, Writer, commit

MAX_TITLE = 500
MAX_TAG = 100
_MAX_NAME_IN_MESSAGE = 120


class Naming(NamedTuple):
    """Where names are written, by whom, and what takes secrets out of a text first."""

    storage: Storage
    ref: str
    writer: Writer
    redact: Callable[[str], str]


def title_of(stored: StoredSession) -> str | None:
    """Return the title that somebody gave a session; a register of another type gives none."""
    value = stored.value("title")
    return value if isinstance(value, str) and value else None


def titled_by(stored: StoredSession) -> tuple[str, ...]:
    """Return the addresses of those whose words a title may be: who gave it, or all who captured any."""
    written = [(r.clock, name, r.author) for name, r in stored.registers.items() if r.name == "title"]
    if title_of(stored):
        return (max(written)[2].email,)
    return tuple(sorted({capture.author.email for capture in stored.captures.values()}))


def tags_of(stored: StoredSession) -> tuple[str, ...]:
    """Return a session's tags, in order; a register of another type holds none."""
    value = stored.value("tags")
    return tuple(sorted(set(value))) if isinstance(value, tuple) else ()


def set_title(naming: Naming, session: SessionId, title: str | None) -> str | None:
    """Give a session a title, or take it back (None); the same one again commits nothing.

    Returns:
        The title as it is stored: on one line, and redacted.

    Raises:
        BadTitle: Nothing can be read in it, or it is too long.
        SessionUnknown: The memory has no such session.
    """
    new = None
    if title is not None:
        new = naming.redact(as_title(title))
    with naming.storage.lock():
        folder, stored = _load(naming, session)
        if new != title_of(stored):
            _write(naming, folder, stored, "title", new)
    return new


def set_tags(
    naming: Naming, session: SessionId, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> tuple[str, ...]:
    """Add tags to a session and take others away; where that changes nothing, nothing is committed.

    Returns:
        The session's tags, in order.

    Raises:
        BadTag: One is empty, too long, or holds what a tag cannot; or there are too many.
        SessionUnknown: The memory has no such session.
    """
    added = {naming.redact(as_tag(tag)) for tag in add}
    # What was redacted when it was added is found again by what it was redacted to.
    removed = {form for tag in remove for form in (tag, naming.redact(tag))}
    with naming.storage.lock():
        folder, stored = _load(naming, session)
        before = tags_of(stored)
        after = tuple(sorted((set(before) | added) - removed))
        if len(after) > max(MAX_TAGS, len(before)):
            raise BadTag(f"{len(after)} tags", f"at most {MAX_TAGS} to a session")
        if after != before:
            _write(naming, folder, stored, "tags", after)
    return after


def _load(naming: Naming, session: SessionId) -> tuple[Folder, StoredSession]:
    memory = open_memory(naming.storage, naming.ref)
    folder = require(memory, session)
    return folder, memory.load(folder)


def _write(
    naming: Naming,
    folder: Folder,
    stored: StoredSession,
    name: RegisterName,
    value: str | tuple[str, ...] | None,
) -> None:
    writer = naming.writer
    register = Register(folder.session, name, value, stored.next_clock(), writer.now(), writer.author)
    record_id, blob = records.seal(register)
    message = f"{_VERBS[name]} {_one_line(stored.key)} {SKIP_CI}\n"
    with naming.storage.begin() as batch:
        changes = {layout.session_register_path(folder.session, record_id): batch.add("blob", blob)}
        commit(naming.storage, naming.ref, writer, message, changes, batch)


_VERBS: dict[RegisterName, str] = {"title": "Title", "tags": "Tag"}


def as_title(text: str) -> str:
    """Return a title as it is stored, but for what is redacted; raises BadTitle."""
    title = " ".join(_printable(text).split())
    if not title:
        raise BadTitle(text, "a word or more")
    if len(title) > MAX_TITLE:
        raise BadTitle(text, f"at most {MAX_TITLE} characters")
    return title


def as_tag(text: str) -> str:
    """Return a tag as it is stored, but for what is redacted; raises BadTag."""
    tag = unicodedata.normalize("NFC", text)
    if not 1 <= len(tag) <= MAX_TAG or tag.startswith("-"):
        raise BadTag(text, f"1 to {MAX_TAG} characters, not beginning with -")
    if "," in tag or tag != "".join(_printable(tag).split()):
        raise BadTag(text, "no space, no comma and nothing invisible")
    return tag


def _printable(text: str) -> str:
    """Replace what is not printable (controls, marks of direction, lone surrogates) by spaces."""
    return "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))


def _one_line(key: SessionKey) -> str:
    name = _printable(str(key))
    return name if len(name) <= _MAX_NAME_IN_MESSAGE else name[: _MAX_NAME_IN_MESSAGE - 1] + "…"
