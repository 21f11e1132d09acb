"""An open full-text index: what is asked of it, and what it hands out."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, cast

import tantivy

from indexer.lexical.found import Candidate, Counted, Reached
from indexer.lexical.schema import NO_MOMENT, Damaged, analyzers, as_key, at_least, guarded, number_of
from indexer.lexical.words import spaced
from indexer.lexical.writer import HEAP_BYTES, Writer

_LEAST: Final = 1e-4
"""By so much two scores may differ that are taken for the same."""


def _negative_score(hit: tuple[Any, Any]) -> float:
    return -float(hit[0])


@lru_cache(maxsize=1024)
def _analyzed(name: str, text: str) -> tuple[str, ...]:
    """Return a text's words as an analyzer has them: many indexes are asked for the words of one query."""
    return tuple(_analyzers()[name].analyze(spaced(text)))


@cache
def _analyzers() -> Mapping[str, tantivy.TextAnalyzer]:
    return analyzers()


class LexicalIndex:
    """An open index, at the state that it had when it was opened."""

    def __init__(self, folder: Path) -> None:
        """Open an index for reading and writing.

        Raises:
            Damaged: It cannot be opened.
        """
        with guarded():
            self._index = tantivy.Index.open(str(folder))
            self.analyzers = analyzers()
            for name, analyzer in self.analyzers.items():
                self._index.register_tokenizer(name, analyzer)
            self.schema = self._index.schema
            self.searcher = self._index.searcher()
            self._speakers: dict[str, list[int]] | None = None

    def words(self, text: str) -> list[str]:
        """Return a text's words as the `exact` field has them."""
        return list(_analyzed("words", text))

    def stems(self, text: str) -> list[str]:
        """Return a text's words as the `body` and `output` fields have them."""
        return list(_analyzed("stems", text))

    @cached_property
    def closed(self) -> Mapping[int, Any]:
        """The notes that do not stand any more, by their numbers, each with where it is.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            most = int(self.searcher.doc_freq("closed", True))
            if not most:
                return {}
            found = self.searcher.search(self.term("closed", True), limit=most, count=False).hits
            addresses = [address for _, address in found]
            return dict(zip(self._column("session_number", addresses), addresses, strict=True))

    @cached_property
    def closers(self) -> Mapping[int, frozenset[str]]:
        """The same with the addresses of those who superseded it; none where it is done.

        Raises:
            Damaged: The files cannot be read.
        """
        return {
            number: frozenset(self.stored(address)["closed_by"]) for number, address in self.closed.items()
        }

    def term(self, field: str, value: object) -> tantivy.Query:
        """Return what finds the documents that have a term."""
        return tantivy.Query.term_query(self.schema, field, value)

    def spread(self, field: str, term: str) -> int:
        """Return how many documents have a term, those deleted but not yet merged away too."""
        with guarded():
            return int(self.searcher.doc_freq(field, term))

    @property
    def size(self) -> int:
        """How many documents there are."""
        return int(self.searcher.num_docs)

    @cached_property
    def has_echoes(self) -> bool:
        """Whether any document is gitmem's own words."""
        return self.matching(self.term("echo", True)) > 0

    def matching(self, query: tantivy.Query) -> int:
        """Return how many documents match a query."""
        with guarded():
            return _count(self.searcher.search(query, limit=1, count=True))

    def speakers(self, word: str) -> list[int]:
        """Return the numbers of those who said something and have a word in their name."""
        if self._speakers is None:
            by_word: dict[str, list[int]] = {}
            for name in self.names_beginning("name", ""):
                for each in dict.fromkeys(self.words(name)):
                    by_word.setdefault(each, []).append(number_of(name))
            self._speakers = by_word
        return self._speakers.get(word, [])

    def best(self, query: tantivy.Query, limit: int, floor: float = -math.inf) -> list[Candidate]:
        """Return the documents that match a query best, those that score at least `floor`.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            found = self.searcher.search(query, limit=limit, count=False).hits
            # The best come first: what nobody would rank is not looked at any further.
            found = found[: bisect_right(found, _LEAST - floor, key=_negative_score)]
            # A sum of 32-bit numbers depends on their order, which depends on how the files were merged.
            scores = [round(float(score), 4) for score, _ in found]
            return self._candidates([address for _, address in found], scores)

    def gain(self, candidates: Sequence[Candidate], speakers: Mapping[int, float]) -> None:
        """Let documents of some speakers, who go by their numbers, score more.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            numbers = self._column("speaker", [each.address for each in candidates])
        for each, number in zip(candidates, numbers, strict=True):
            each.score += speakers.get(number, 0.0)

    def coverage(self, query: tantivy.Query, limit: int) -> dict[int, float]:
        """Return what the documents that score best in a query score there, by their places.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            found = self.searcher.search(query, limit=limit, count=False).hits
            places = self._column("place", [address for _, address in found])
        return {place: round(float(score), 4) for place, (score, _) in zip(places, found, strict=True)}

    def meanings(self, query: tantivy.Query, limit: int) -> list[int] | None:
        """Return the keys of the embeddings that documents of a query have; None where they are over `limit`.

        Raises:
            Damaged: The files cannot be read.
        """
        having = tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, at_least(self.schema, "meaning", 1))]
        )
        with guarded():
            found = self.searcher.search(
                tantivy.Query.const_score_query(having, 0.0), limit=limit + 1, count=False
            ).hits
            if len(found) > limit:
                return None
            return list(dict.fromkeys(self._column("meaning", [address for _, address in found])))

    def counts(self, query: tantivy.Query, fields: Sequence[str], most: int) -> dict[str, dict[str, int]]:
        """Count the documents of a query by the values of fields, of each field the `most` frequent.

        Raises:
            Damaged: The files cannot be read.
        """
        asked = {name: {"terms": {"field": name, "size": most}} for name in fields}
        with guarded():
            found = cast(dict[str, Any], self.searcher.aggregate(query, asked))
        return {
            name: {str(bucket["key"]): int(bucket["doc_count"]) for bucket in found[name]["buckets"]}
            for name in fields
        }

    def names_beginning(self, field: str, beginning: str) -> list[str]:
        """Return what documents have in a field of whole names that begins so."""
        with guarded():
            return [str(name) for name, _ in self.searcher.terms_with_prefix(field, beginning)]

    def is_alive(self, word: str) -> bool:
        """Tell whether any document has a word; the words of those that were deleted stay for a while."""
        return self.matching(self.term("exact", word)) > 0

    def words_beginning(self, beginning: str, limit: int) -> list[tuple[str, int]]:
        """Return words that begin so, those of most documents first."""
        with guarded():
            found = self.searcher.terms_with_prefix("exact", beginning, limit=limit)
        return [(str(word), int(count)) for word, count in found]

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
        columns = [self._column(name, addresses) for name in ("session_number", "place", "digest", "meaning")]
        moments = self.searcher.fast_field_values("at", addresses)
        return [
            Candidate(
                address, score, session, place, digest, meaning, NO_MOMENT if at is None else cast(int, at)
            )
            for address, score, at, session, place, digest, meaning in zip(
                addresses, scores, moments, *columns, strict=True
            )
        ]

    def _column(self, name: str, addresses: list[Any]) -> list[int]:
        column = cast(list[int], self.searcher.fast_field_values(name, addresses))
        if None in column:
            raise Damaged("a document has not the numbers that every document has")
        return column

    def stored(self, address: Any) -> dict[str, Any]:
        """Return what was stored with a document."""
        with guarded():
            return cast(
                dict[str, Any], json.loads(cast(bytes, self.searcher.doc(address).get_first("stored")))
            )

    def beside_turn(self, session: str, stream: str, ordinal: int, reach: int) -> list[dict[str, Any]]:
        """Return what was stored with the turns at most so far from one in its stream, in order, without it.

        Those that are gitmem's own words are left out.

        Raises:
            Damaged: The files cannot be read.
        """
        unsigned, must = tantivy.FieldType.Unsigned, tantivy.Occur.Must
        first, last = max(0, ordinal - reach), ordinal + reach
        near = tantivy.Query.range_query(self.schema, "ordinal", unsigned, first, last)
        clauses = [(must, self.term("part", f"{session}/{as_key(stream)}")), (must, near)]
        clauses += [(tantivy.Occur.MustNot, self.term("echo", True))] if self.has_echoes else []
        with guarded():
            query = tantivy.Query.const_score_query(tantivy.Query.boolean_query(clauses), 0.0)
            found = self.searcher.search(query, limit=2 * reach + 1, count=False).hits
        turns = [self.stored(address) for _, address in found]
        return sorted(
            (turn for turn in turns if turn["ordinal"] != ordinal), key=lambda turn: int(turn["ordinal"])
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
            query = at_least(self.schema, "ordinal", 0)
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

    def holds(self, session: str) -> bool:
        """Tell whether the files have anything of a session, be it deleted or not."""
        return self._held(session) > 0

    def beside(self, sessions: Collection[str], most: int) -> dict[str, int] | None:
        """Return the other sessions of which documents stand in the same files as some sessions' own, each
        with how many of its documents stand elsewhere.

        None where these come to more than `most` documents, or where what is deleted of `sessions` is in the
        files still, and nobody can tell in which.

        Raises:
            Damaged: The files cannot be read.
        """
        with guarded():
            files: set[int] = set()
            for session in sessions:
                own = self._addresses(self._all_of(session))
                if len(own) < self._held(session):
                    return None
                files |= {address.segment_ord for address in own}
            everything = self._addresses(tantivy.Query.all_query())
            there = [address for address in everything if address.segment_ord in files]
            if len(there) > most:
                return None
            numbers = set(self.searcher.fast_field_values("session_number", there))  # a card has none
            found: dict[str, int] = {}
            for session in {*self.names_beginning("session", ""), *self.names_beginning("card", "")}:
                if session in sessions or (None not in numbers and number_of(session) not in numbers):
                    continue
                all_of = self._addresses(self._all_of(session))
                elsewhere = sum(address.segment_ord not in files for address in all_of)
                if elsewhere < len(all_of):
                    found[session] = elsewhere
                    if sum(found.values()) + len(there) > most:
                        return None
            return found

    def _held(self, session: str) -> int:
        return self.spread("session", session) + self.spread("card", session)

    def _all_of(self, session: str) -> tantivy.Query:
        either = [(tantivy.Occur.Should, self.term(name, session)) for name in ("session", "card")]
        return tantivy.Query.boolean_query(either)

    def _addresses(self, query: tantivy.Query) -> list[Any]:
        """Return where all documents of a query are, in no order."""
        found = self.searcher.search(
            tantivy.Query.const_score_query(query, 0.0), limit=max(1, self.size), count=False
        )
        return [address for _, address in found.hits]

    def embedded(self, first_round: int) -> dict[int, Any]:
        """Return the embeddings' keys of turns added in a round or later, each with where one such turn is.

        Raises:
            Damaged: The files cannot be read.
        """
        having = [at_least(self.schema, "meaning", 1), at_least(self.schema, "round", first_round)]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, each) for each in having])
        with guarded():
            found = self.searcher.search(
                tantivy.Query.const_score_query(query, 0.0), limit=max(1, self.size), count=False
            ).hits
            addresses = [address for _, address in found]
            return dict(zip(self._column("meaning", addresses), addresses, strict=True))

    def writer(self, round_number: int = 0) -> Writer:
        """Start to change the index; the one who does holds the lock.

        What is added is of a round: each time that the index is brought up has a higher number.
        """
        with guarded():
            return Writer(self._index.writer(heap_size=HEAP_BYTES, num_threads=1), round_number)


def _count(result: Any) -> int:
    return int(result.count)  # its type declares only the hits
