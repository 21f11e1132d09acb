"""The full-text index: its fields, how text becomes terms, and the reading and writing of its files.

A turn is one document. A session has one more, its card, which holds what is only known when the session has
been read to its end; no query of words or filters finds a card.

tantivy fails in three ways (ValueError, OSError, and a panic of its own kind); all of them become `Damaged`
here, for whoever asks can do the same thing about each: build the index anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import tantivy

from indexer.words import parts_of_identifiers, spaced

SCHEMA_VERSION: Final = 2
"""Goes up whenever a field, an analyzer or what is put into them changes."""

HEAP_BYTES: Final = 64 << 20
UNSET_LEVEL: Final = "unset"
"""Stands in the index where nobody gave a session a level: which one it has then, who asks says."""

LONGEST_TOOL: Final = 256
_LONGEST_KEY: Final = 16_000  # tantivy drops terms of 65,531 bytes and more; a character has up to four
_LONGEST_TERM_BYTES: Final = 65  # a SHA-256 in hex still is one
_PANIC: Final = "PanicException"


class Damaged(Exception):
    """The index's files are not what they should be."""


class Entry(NamedTuple):
    """One turn, as it goes into the index.

    `body` is what somebody said or did; `output` what came back by itself. `stored` is handed back as it is.
    `session` and `stream` are what the turn belongs to, `ordinal` its number in that stream, `chain` a
    digest of the stream up to and including it.
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
    tool: str
    level: str
    tags: Sequence[str]
    files: Sequence[str]
    is_error: bool
    at_ms: int | None


class Candidate(NamedTuple):
    """A document that matches: where it is, what it scored, and what ranking has to know of it."""

    address: Any
    score: float
    session: int
    stream: int
    ordinal: int
    digest: int


class Reached(NamedTuple):
    """How far a stream is in the index: its documents, and the chain at the last of them."""

    turns: int
    chain: int


class Counted(NamedTuple):
    """What an index holds."""

    turns: int
    sessions: int


class LexicalIndex:
    """An open index, at the state that it had when it was opened."""

    def __init__(self, folder: Path) -> None:
        """Open an index for reading and writing.

        Raises:
            Damaged: It cannot be opened.
        """
        with guarded():
            self._index = tantivy.Index.open(str(folder))
            self.analyzers = _analyzers()
            for name, analyzer in self.analyzers.items():
                self._index.register_tokenizer(name, analyzer)
            self.schema = self._index.schema
            self.searcher = self._index.searcher()

    def words(self, text: str) -> list[str]:
        """Return a text's words as the `exact` field has them."""
        return list(self.analyzers["words"].analyze(spaced(text)))

    def stems(self, text: str) -> list[str]:
        """Return a text's words as the `body` and `output` fields have them."""
        return list(self.analyzers["stems"].analyze(spaced(text)))

    def best(self, query: tantivy.Query, limit: int) -> list[Candidate]:
        """Return the documents that match a query best.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            found = self.searcher.search(query, limit=limit, count=False).hits
            # A sum of 32-bit numbers depends on their order, which depends on how the files were merged.
            scores = [round(float(score), 4) for score, _ in found]
            return self._candidates([address for _, address in found], scores)

    def newest(self, query: tantivy.Query, limit: int) -> list[Candidate]:
        """Return the latest documents that match a query, with their moments as scores.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            found = self.searcher.search(query, limit=limit, count=False, order_by_field="at").hits
            addresses = [address for _, address in found]
            moments = self.searcher.fast_field_values("at", addresses)
            return self._candidates(addresses, [-math.inf if at is None else float(at) for at in moments])

    def _candidates(self, addresses: list[Any], scores: list[float]) -> list[Candidate]:
        columns = [
            cast(list[int], self.searcher.fast_field_values(name, addresses))
            for name in ("session_number", "stream_number", "ordinal", "digest")
        ]
        if any(None in column for column in columns):
            raise Damaged("a document has not the numbers that every document has")
        return [
            Candidate(address, score, *numbers)
            for address, score, *numbers in zip(addresses, scores, *columns, strict=True)
        ]

    def stored(self, address: Any) -> dict[str, Any]:
        """Return what was stored with a document."""
        with guarded():
            return cast(
                dict[str, Any], json.loads(cast(bytes, self.searcher.doc(address).get_first("stored")))
            )

    def card(self, session: str) -> dict[str, Any]:
        """Return a session's card; empty where it has none."""
        with guarded():
            query = tantivy.Query.term_query(self.schema, "card", session)
            found = self.searcher.search(query, limit=1, count=False).hits
        return self.stored(found[0][1]) if found else {}

    def count(self) -> Counted:
        """Count the turns and the sessions in the index."""
        with guarded():
            unsigned = tantivy.FieldType.Unsigned
            query = tantivy.Query.range_query(self.schema, "ordinal", unsigned, lower_bound=0)
            turns = _count(self.searcher.search(query, limit=1, count=True))
            return Counted(turns, int(self.searcher.num_docs) - turns)

    def streams(self, session: str) -> dict[str, Reached]:
        """Return every stream of a session that is in the index, by its name as `as_key` has it."""
        reached = {}
        with guarded():
            for part, _ in self.searcher.terms_with_prefix("part", f"{session}/"):
                query = tantivy.Query.term_query(self.schema, "part", part)
                result = self.searcher.search(query, limit=1, count=True, order_by_field="ordinal")
                if result.hits:
                    addresses = [result.hits[0][1]]
                    chain = cast(list[int], self.searcher.fast_field_values("chain", addresses))[0]
                    reached[part.partition("/")[2]] = Reached(_count(result), chain)
        return reached

    def writer(self) -> Writer:
        """Start to change the index; the one who does holds the lock."""
        with guarded():
            return Writer(self._index.writer(heap_size=HEAP_BYTES, num_threads=1))


class Writer:
    """Changes to an index, which become visible together."""

    def __init__(self, writer: tantivy.IndexWriter) -> None:
        self._writer = writer

    def add(self, entry: Entry) -> None:
        """Add a turn."""
        document = tantivy.Document()
        text = document.add_text
        text("session", entry.session)
        text("part", f"{entry.session}/{as_key(entry.stream)}")
        body = spaced(entry.body)
        if body:
            text("body", body)
            text("exact", body)
            parts = parts_of_identifiers(entry.body)
            if parts:
                text("body", parts)
        if entry.output:
            text("output", spaced(entry.output))
        for name in ("key", "agent", "role", "branch", "tool"):
            value = getattr(entry, name)
            if value:
                text(name, as_key(value))
        text("level", as_key(entry.level or UNSET_LEVEL))
        if entry.author:
            text("author", spaced(entry.author))
        for tag in entry.tags:
            text("tag", as_key(tag))
        for path in entry.files:
            text("file", path)
        if entry.is_error:
            document.add_boolean("error", True)
        if entry.at_ms is not None:
            document.add_integer("at", entry.at_ms)
        document.add_unsigned("session_number", number_of(entry.session))
        document.add_unsigned("stream_number", number_of(f"{entry.session}/{entry.stream}"))
        document.add_unsigned("ordinal", entry.ordinal)
        document.add_unsigned("chain", entry.chain)
        document.add_unsigned("digest", entry.digest)
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

    def _add(self, document: tantivy.Document) -> None:
        with guarded():
            self._writer.add_document(document)

    def _delete(self, field: str, value: str) -> None:
        with guarded():
            self._writer.delete_documents_by_term(field, value)


def create(folder: Path) -> None:
    """Make an empty index in a folder that is there."""
    with guarded():
        tantivy.Index(_schema(), path=str(folder))


def as_key(text: str) -> str:
    """Return text as a term that is kept whole: of what is too long for one, its beginning and a digest."""
    if len(text) <= _LONGEST_KEY:
        return text
    return f"{text[:_LONGEST_KEY]}…{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def number_of(name: str) -> int:
    """Return the 64 bits by which a session or stream goes in columns of numbers."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what tantivy raises where files are damaged into Damaged."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise Damaged(str(error)) from error
    except BaseException as error:
        if type(error).__name__ == _PANIC:  # raised by PyO3, which gives no name to catch it by
            raise Damaged(f"tantivy stopped: {error}") from error
        raise


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", tokenizer_name="stems", index_option="freq")
    builder.add_text_field("exact", tokenizer_name="words", index_option="position")
    builder.add_text_field("output", tokenizer_name="stems", index_option="position")
    for name in ("session", "part", "card", "key", "agent", "role", "branch", "level", "tag"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("tool", tokenizer_name="name", index_option="basic")
    builder.add_text_field("author", tokenizer_name="words", index_option="position")
    builder.add_text_field("file", tokenizer_name="path", index_option="position")
    builder.add_boolean_field("error", indexed=True)
    builder.add_integer_field("at", indexed=True, fast=True)
    builder.add_unsigned_field("ordinal", indexed=True, fast=True)
    for name in ("session_number", "stream_number", "chain", "digest"):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


def _analyzers() -> dict[str, tantivy.TextAnalyzer]:
    """Return the analyzers by name; an index knows only their names, so each opening registers them."""
    tokenizer, filters = tantivy.Tokenizer, tantivy.Filter
    plain = [filters.remove_long(_LONGEST_TERM_BYTES), filters.lowercase(), filters.ascii_fold()]
    return {
        "words": _analyzer(tokenizer.simple(), plain),
        "stems": _analyzer(tokenizer.simple(), [*plain, filters.stemmer("english")]),
        "name": _analyzer(tokenizer.raw(), [filters.lowercase()]),
        "path": _analyzer(tokenizer.regex(r"[^/\\]+"), []),
    }


def _analyzer(tokenizer: tantivy.Tokenizer, filters: Sequence[tantivy.Filter]) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tokenizer)
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def _count(result: Any) -> int:
    return int(result.count)  # its type declares only the hits
