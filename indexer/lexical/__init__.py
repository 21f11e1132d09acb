"""The full-text index of turns: its fields, how text becomes terms, reading and writing its files."""

from indexer.lexical.found import Candidate
from indexer.lexical.index import LexicalIndex
from indexer.lexical.schema import SCHEMA_VERSION, Damaged, as_key, create, number_of
from indexer.lexical.writer import Entry, Writer

__all__ = [
    "SCHEMA_VERSION",
    "Candidate",
    "Damaged",
    "Entry",
    "LexicalIndex",
    "Writer",
    "as_key",
    "create",
    "number_of",
]
