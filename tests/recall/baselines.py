"""What gitmem's search is compared with, on the same turns: each ranks ids, the best first.

A session stands where its best turn does. ripgrep, FTS5 and Tantivy see the text that gitmem's index takes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import TypeAlias

import tantivy

from indexer.lexical.words import STOP_WORDS
from tests.recall.asking import Turn
from tests.recall.embedding import Embed
from tests.recall.sets import Group

Rank: TypeAlias = Callable[[str], list[str]]
"""Answers one query."""

RRF_K = 60
_DEPTH = 100
_TURNS_LOOKED_AT = 2_000
_WORD = re.compile(r"\w+")


def words_of(query: str, *, without: frozenset[str] = frozenset()) -> list[str]:
    """Return the distinct words of a query; all of them where only stop words would be left."""
    words = list(dict.fromkeys(word.casefold() for word in _WORD.findall(query)))
    return [word for word in words if word not in without] or words


def ripgrep(turns: Sequence[Turn], group: Group) -> Rank:
    """Count the words of a query that a turn has, as one who greps for each; the newest of equals first.

    Nobody greps for `the`: words that a question is made of are left out.
    """
    newest = sorted(turns, key=lambda turn: -turn.at_ms)
    folded = [turn.text.casefold() for turn in newest]

    def rank(query: str) -> list[str]:
        words = words_of(query, without=STOP_WORDS)
        counts = [sum(word in text for word in words) for text in folded]
        order = sorted((at for at, count in enumerate(counts) if count), key=lambda at: -counts[at])
        return _names((newest[at] for at in order), group)

    return rank


def fts5(turns: Sequence[Turn], group: Group, *, drops_stop_words: bool) -> Rank:
    """Search SQLite's FTS5 with its Porter stemmer for any of the words, by its BM25."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE turns USING fts5(text, tokenize = 'porter unicode61')")
    rows = ((at, turn.text) for at, turn in enumerate(turns))
    database.executemany("INSERT INTO turns (rowid, text) VALUES (?, ?)", rows)
    dropped = STOP_WORDS if drops_stop_words else frozenset[str]()

    def rank(query: str) -> list[str]:
        asked = " OR ".join(f'"{word}"' for word in words_of(query, without=dropped))
        if not asked:
            return []
        sql = "SELECT rowid FROM turns WHERE turns MATCH ? ORDER BY bm25(turns), rowid LIMIT ?"
        with closing(database.execute(sql, (asked, _TURNS_LOOKED_AT))) as found:
            return _names((turns[at] for (at,) in found), group)

    return rank


def tantivy_defaults(turns: Sequence[Turn], group: Group) -> Rank:
    """Search Tantivy as its README would: one field of English stems, any of the words, its BM25."""
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("at", stored=True)
    builder.add_text_field("text", tokenizer_name="en_stem")
    index = tantivy.Index(builder.build())
    with index.writer(heap_size=64 << 20, num_threads=1) as writer:
        for at, turn in enumerate(turns):
            document = tantivy.Document()
            document.add_unsigned("at", at)
            document.add_text("text", turn.text)
            writer.add_document(document)
        writer.commit()
    index.reload()
    searcher = index.searcher()

    def rank(query: str) -> list[str]:
        asked = index.parse_query(" ".join(words_of(query)), ["text"])
        hits = searcher.search(asked, limit=_TURNS_LOOKED_AT, count=False).hits
        return _names((turns[searcher.doc(address).get_first("at")] for _, address in hits), group)

    return rank


def reciprocal_ranks(*ranks: Rank) -> Rank:
    """Fuse lists of ids by the sum of 1/(60 + rank), as most peers do."""

    def rank(query: str) -> list[str]:
        scores: dict[str, float] = {}
        for each in ranks:
            for place, name in enumerate(each(query)[:_DEPTH], 1):
                scores[name] = scores.get(name, 0.0) + 1 / (RRF_K + place)
        return sorted(scores, key=lambda name: (-scores[name], name))

    return rank


def cosine(turns: Sequence[Turn], group: Group, embed: Embed) -> Rank:
    """Rank messages by the cosine of a model's vectors."""
    said = [turn for turn in turns if turn.meant]
    rows = embed([turn.meant for turn in said])

    def rank(query: str) -> list[str]:
        scores = rows @ embed([query])[0]
        order = (-scores).argsort(kind="stable")[:_TURNS_LOOKED_AT]
        return _names((said[int(at)] for at in order), group)

    return rank


def _names(turns: Iterable[Turn], group: Group) -> list[str]:
    return list(dict.fromkeys(turn.id if group == "turn" else turn.session for turn in turns))
