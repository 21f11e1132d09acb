"""Notes written straight into a memory, and read back."""

from __future__ import annotations

from typing import Any

from gitmem.model.ids import RecordId
from gitmem.model.records import Author
from gitmem.notes.listing import Listed, list_notes
from gitmem.notes.writing import Desk, Draft, add
from gitmem.verbs.committing import Writer
from tests.reading.book import ADA, REF, Book


def desk(book: Book, author: Author = ADA) -> Desk:
    """Return what notes are written through; `SECRET` is a secret."""
    writer = Writer(author, book.writer().clock)
    return Desk(book.storage, REF, writer, lambda text: text.replace("SECRET", "[gone]"))


def write(book: Book, text: str, *, author: Author = ADA, **fields: Any) -> RecordId:
    """Write a decision down, unless another type is said."""
    return add(desk(book, author), Draft(**{"type": "decision", "text": text, **fields}))


def listed(book: Book, **asked: Any) -> tuple[Listed, ...]:
    return list_notes(book.memory(), None, **asked)


def texts(book: Book, **asked: Any) -> list[str]:
    return [note.text for note in listed(book, **asked)]
