"""What goes into the full-text index, and the changes to it that become visible together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import tantivy

from indexer.lexical.schema import MOST_UNSIGNED, NOBODY, UNSET_LEVEL, as_key, guarded, month_of, number_of
from indexer.lexical.words import parts_of_identifiers, spaced

HEAP_BYTES: Final = 192 << 20
"""Of what is not yet written. A million turns come to four pieces; with a third of this they are ten times as
many, and merging them maps 760 MB where now it is 290."""


class Entry(NamedTuple):
    """One turn, as it goes into the index.

    `body` is what somebody said or did; `output` what came back by itself. `stored` is handed back as it is.
    `session` and `stream` are what the turn belongs to, `ordinal` its number in that stream, `chain` a
    digest of the stream up to and including it. `meaning` is the key of the turn's embedding, 0 where it has
    none. `author` has all words by which who spoke is found, `name` is what they are called.
    `captured_by` is the address of who captured it, empty where there is none. A note has `kinds`, and
    `is_closed` where it does not stand any more. An echo is gitmem's own words.
    """

    session: str
    stream: str
    ordinal: int
    chain: int
    digest: int
    body: str
    output: str
    stored: bytes
    key: str
    agent: str
    role: str
    branch: str
    author: str
    name: str
    tool: str
    level: str
    tags: Sequence[str]
    files: Sequence[str]
    is_error: bool
    at_ms: int | None
    captured_ms: int | None
    meaning: int
    captured_by: str = ""
    kinds: Sequence[str] = ()
    is_closed: bool = False
    is_echo: bool = False


class Writer:
    """Changes to an index, which become visible together."""

    def __init__(self, writer: tantivy.IndexWriter, round_number: int) -> None:
        self._writer, self._round = writer, round_number

    def add(self, entry: Entry) -> None:
        """Add a turn."""
        document = tantivy.Document()
        text = document.add_text
        text("session", entry.session)
        text("part", f"{entry.session}/{as_key(entry.stream)}")
        _add_texts(text, entry)
        for name in ("key", "agent", "role", "branch"):
            value = getattr(entry, name)
            if value:
                text(name, as_key(value))
        if entry.tool:
            text("tool", entry.tool.lower())
        text("level", as_key(entry.level or UNSET_LEVEL))
        if entry.author:
            text("author", spaced(entry.author))
        text("by", as_key(entry.captured_by.lower() or NOBODY))
        if entry.name:
            text("name", as_key(entry.name))
        for tag in entry.tags:
            text("tag", as_key(tag))
        for path in entry.files:
            text("file", path)
        for kind in entry.kinds:
            text("kind", kind)
        flags = (("closed", entry.is_closed), ("error", entry.is_error), ("echo", entry.is_echo))
        for name, holds in flags:
            if holds:
                document.add_boolean(name, True)
        if entry.at_ms is not None:
            document.add_integer("at", entry.at_ms)
            text("month", month_of(entry.at_ms))
        if entry.captured_ms is not None:
            document.add_integer("captured", entry.captured_ms)
        stream = number_of(f"{entry.session}/{entry.stream}")
        for name, number in (
            ("session_number", number_of(entry.session)),
            ("place", (stream + entry.ordinal) & MOST_UNSIGNED),
            ("ordinal", entry.ordinal),
            ("chain", entry.chain),
            ("digest", entry.digest),
            ("meaning", entry.meaning),
            ("speaker", number_of(as_key(entry.name)) if entry.name else 0),
            ("round", self._round),
        ):
            document.add_unsigned(name, number)
        document.add_bytes("stored", entry.stored)
        self._add(document)

    def put_card(self, session: str, card: bytes) -> None:
        """Give a session its card, in place of the one that it had."""
        self._delete("card", session)
        document = tantivy.Document()
        document.add_text("card", session)
        document.add_bytes("stored", card)
        self._add(document)

    def remove(self, session: str) -> None:
        """Take a session out, its card too."""
        self._delete("session", session)
        self._delete("card", session)

    def commit(self) -> None:
        """Make the changes durable and visible, and wait until the files are at rest."""
        with guarded():
            self._writer.commit()
            self._writer.wait_merging_threads()

    def collect(self) -> None:
        """Remove the files that no reader of this process has open any more, and that nothing names."""
        with guarded():
            self._writer.garbage_collect_files()
            self._writer.wait_merging_threads()

    def _add(self, document: tantivy.Document) -> None:
        with guarded():
            self._writer.add_document(document)

    def _delete(self, field: str, value: str) -> None:
        with guarded():
            self._writer.delete_documents_by_term(field, value)


def _add_texts(text: Callable[[str, str], None], entry: Entry) -> None:
    body = spaced(entry.body)
    if body:
        text("body", body)
        text("exact", body)
        parts = parts_of_identifiers(entry.body)
        if parts:
            text("body", parts)
    if entry.output:
        text("output", spaced(entry.output))
