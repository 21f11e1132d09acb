"""The fields of the full-text index, and how text becomes terms.

A turn is one document, and so is a note. A session has one more, its card, which holds what is only known
when the session has been read to its end; no query of words or filters finds a card.

tantivy fails in three ways (ValueError, OSError, and a panic of its own kind); all of them become `Damaged`
here, for whoever asks can do the same thing about each: build the index anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import tantivy

from gitmem.model.times import to_text

SCHEMA_VERSION: Final = 8
"""Goes up whenever a field, an analyzer or what is put into them changes."""

MOST_UNSIGNED: Final = (1 << 64) - 1
NO_MOMENT: Final = -(1 << 63)
"""Stands for the time of a turn that has none: before all others."""
UNSET_LEVEL: Final = "unset"
"""Stands in the index where nobody gave a session a level: which one it has then, who asks says."""

NOBODY: Final = "-"
"""Stands in the index for who captured something without saying an address."""

LONGEST_TOOL: Final = 256
_LONGEST_KEY: Final = 16_000  # tantivy drops terms of 65,531 bytes and more; a character has up to four
_LONGEST_TERM_BYTES: Final = 65  # a SHA-256 in hex still is one
_PANIC: Final = "PanicException"


class Damaged(Exception):
    """The index's files are not what they should be."""


def create(folder: Path) -> None:
    """Make an empty index in a folder that is there."""
    with guarded():
        tantivy.Index(_schema(), path=str(folder))


def month_of(at_ms: int) -> str:
    """Return the month that a moment is in, in UTC, as `2026-05`; empty where it has no date."""
    try:
        return to_text(at_ms)[:7]
    except ValueError:
        return ""


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
    for name in ("session", "part", "card", "key", "tag", "by", "kind"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("agent", "role", "branch", "tool", "level", "name", "month"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_text_field("author", tokenizer_name="words", index_option="position")
    builder.add_text_field("file", tokenizer_name="path", index_option="position")
    for name in ("error", "closed", "echo"):
        builder.add_boolean_field(name, indexed=True)
    builder.add_integer_field("at", indexed=True, fast=True)
    builder.add_integer_field("captured", indexed=True)
    for name in ("ordinal", "digest", "meaning", "round"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    for name in ("session_number", "place", "chain", "speaker"):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


def analyzers() -> dict[str, tantivy.TextAnalyzer]:
    """Return the analyzers by name; an index knows only their names, so each opening registers them."""
    tokenizer, filters = tantivy.Tokenizer, tantivy.Filter
    plain = [filters.remove_long(_LONGEST_TERM_BYTES), filters.lowercase(), filters.ascii_fold()]
    return {
        "words": _analyzer(tokenizer.simple(), plain),
        "stems": _analyzer(tokenizer.simple(), [*plain, filters.stemmer("english")]),
        "path": _analyzer(tokenizer.regex(r"[^/\\]+"), []),
    }


def _analyzer(tokenizer: tantivy.Tokenizer, filters: Sequence[tantivy.Filter]) -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tokenizer)
    for each in filters:
        builder = builder.filter(each)
    return builder.build()


def at_least(schema: tantivy.Schema, field: str, least: int) -> tantivy.Query:
    return tantivy.Query.range_query(schema, field, tantivy.FieldType.Unsigned, lower_bound=least)
