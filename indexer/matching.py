"""From what people ask to what tantivy looks for: terms with their weights, and filters.

Words are alternatives, and the more of them a turn has, and the rarer they are, the better it is. What was
written as one (an identifier, a path, a word in a script without spaces) counts most where it stands as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import tantivy

from gitmem.query.filters import Filters
from gitmem.query.text import Query, Term
from indexer.lexical import LONGEST_TOOL, UNSET_LEVEL, LexicalIndex, as_key
from indexer.words import STOP_WORDS, is_unspaced, parts_of_identifiers

EXACT_WEIGHT: Final = 0.5
OUTPUT_WEIGHT: Final = 0.3
TOGETHER_WEIGHT: Final = 1.0

_CONTRACTED: Final = re.compile(r"['’](?:s|t|d|m|ll|re|ve)\Z", re.IGNORECASE)

_MUST, _SHOULD, _MUST_NOT = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Occur.MustNot


class Matcher:
    """Makes queries for one index."""

    def __init__(self, index: LexicalIndex, repo: str, level: str) -> None:
        """`repo` is what the repository is called, `level` what sessions have that were given none."""
        self._index, self._repo, self._level = index, repo, level

    def match(
        self, query: Query, filters: Filters, *, strictly: bool = True, without: Sequence[str] = ()
    ) -> tantivy.Query | None:
        """Return what finds the turns that are asked for; None where nothing can be found.

        With `strictly`, a phrase has to be there; otherwise it counts as much as its words. A query without
        a term finds every turn that fits the filters. No turn of the sessions `without` is found.
        """
        narrowed = self._filters(filters)
        if narrowed is None:
            return None
        terms = [
            (_MUST if strictly and term.kind == "phrase" else _SHOULD, self._term(term))
            for term in self.asking(query)
        ]
        unwanted = [(_MUST_NOT, self._anywhere(term)) for term in query.unwanted]
        unwanted += [(_MUST_NOT, self._one("session", session)) for session in without]
        wanted = tantivy.Query.boolean_query(terms) if terms else _unscored(self._every_turn())
        return tantivy.Query.boolean_query(
            [(_MUST, wanted), *unwanted, *((_MUST, _unscored(each)) for each in narrowed)]
        )

    def asking(self, query: Query) -> list[Term]:
        """Return the terms that say what is asked for: without stop words, unless there are no others."""
        terms = [term._replace(text=_CONTRACTED.sub("", term.text)) for term in query.terms]
        saying = [
            term
            for term in terms
            if term.kind != "word" or not STOP_WORDS.issuperset(self._index.words(term.text))
        ]
        return saying or terms

    def _term(self, term: Term) -> tantivy.Query:
        """Return what finds one term and scores it."""
        words, stems = self._index.words(term.text), self._index.stems(term.text)
        if not words:
            return tantivy.Query.empty_query()
        weight = EXACT_WEIGHT if len(words) == 1 else TOGETHER_WEIGHT
        ways = [_boosted(self._run("exact", words, term), weight)]
        if len(words) > 1 or term.kind == "prefix":
            ways.append(_boosted(self._run("output", stems, term), OUTPUT_WEIGHT))
        if term.kind == "word":
            ways += self._apart(term)
        return _any(ways)

    def _apart(self, term: Term) -> list[tantivy.Query]:
        """Return what finds the parts of a term: words, those within identifiers, neighbouring characters."""
        stems = list(dict.fromkeys(self._index.stems(f"{term.text} {parts_of_identifiers(term.text)}")))
        characters = [stem for stem in stems if is_unspaced(stem)]
        pairs = [pair for pair in pairwise(self._index.words(term.text)) if all(map(is_unspaced, pair))]
        ways: list[tantivy.Query] = []
        for stem in stems:
            # One character alone says little where its neighbours were asked for too.
            if stem not in characters or not pairs:
                ways.append(self._one("body", stem))
                ways.append(_boosted(self._one("output", stem), OUTPUT_WEIGHT))
        for pair in dict.fromkeys(pairs):
            ways.append(self._phrase("exact", pair))
            ways.append(_boosted(self._phrase("output", pair), OUTPUT_WEIGHT))
        return ways

    def _anywhere(self, term: Term) -> tantivy.Query:
        """Return what finds every turn that has a term as it was written."""
        words, stems = self._index.words(term.text), self._index.stems(term.text)
        if not words:
            return tantivy.Query.empty_query()
        return _any([self._run("exact", words, term), self._run("output", stems, term)])

    def _run(self, field: str, words: Sequence[str], term: Term) -> tantivy.Query:
        """Return what finds words one behind the other; the last of a prefix may go on."""
        if term.kind != "prefix":
            return self._one(field, words[0]) if len(words) == 1 else self._phrase(field, words)
        if len(words) == 1:
            return tantivy.Query.fuzzy_term_query(
                self._index.schema, field, words[0], distance=0, prefix=True
            )
        return tantivy.Query.phrase_prefix_query(self._index.schema, field, list(words))

    def _one(self, field: str, value: object) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, field, value)

    def _phrase(self, field: str, words: Sequence[str]) -> tantivy.Query:
        return tantivy.Query.phrase_query(self._index.schema, field, list(words))

    def _every_turn(self) -> tantivy.Query:
        return tantivy.Query.range_query(
            self._index.schema, "ordinal", tantivy.FieldType.Unsigned, lower_bound=0
        )

    def _filters(self, filters: Filters) -> list[tantivy.Query] | None:
        """Return what every turn that is asked for fits; None where none can."""
        if filters.repos and self._repo not in filters.repos:
            return None
        levels = [*filters.levels, UNSET_LEVEL] if self._level in filters.levels else filters.levels
        words, one = self._index.words, self._one
        alternatives: list[list[tantivy.Query]] = [
            [one("agent", as_key(agent)) for agent in filters.agents],
            [one("branch", as_key(branch)) for branch in filters.branches],
            [one("role", role) for role in filters.roles],
            [one("tool", tool[:LONGEST_TOOL].lower()) for tool in filters.tools],
            [one("tag", as_key(tag)) for tag in filters.tags],
            [one("level", as_key(level)) for level in levels],
            [self._in_a_row("author", words(author)) for author in filters.authors],
            [self._in_a_row("file", _parts_of_path(path)) for path in filters.files],
            [self._session(name) for name in filters.sessions],
            [one("error", True)] if filters.errors else [],
            self._between(filters.since_ms, filters.until_ms),
        ]
        return [_any(each) for each in alternatives if each]

    def _in_a_row(self, field: str, words: Sequence[str]) -> tantivy.Query:
        if not words:
            return tantivy.Query.empty_query()
        return self._one(field, words[0]) if len(words) == 1 else self._phrase(field, words)

    def _session(self, beginning: str) -> tantivy.Query:
        """Return what finds the turns of every session whose name or id begins so."""
        found = [
            self._one(field, name)
            for field in ("key", "session")
            # Of a name too long for a term, all has to be there.
            for name, _ in self._index.searcher.terms_with_prefix(field, as_key(beginning))
        ]
        return _any(found) if found else tantivy.Query.empty_query()

    def _between(self, since_ms: int | None, until_ms: int | None) -> list[tantivy.Query]:
        if since_ms is None and until_ms is None:
            return []
        integer = tantivy.FieldType.Integer
        return [tantivy.Query.range_query(self._index.schema, "at", integer, since_ms, until_ms)]


def _any(queries: Sequence[tantivy.Query]) -> tantivy.Query:
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(_SHOULD, query) for query in queries])


def _boosted(query: tantivy.Query, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(query, weight)


def _unscored(query: tantivy.Query) -> tantivy.Query:
    return tantivy.Query.const_score_query(query, 0.0)


def _parts_of_path(path: str) -> list[str]:
    return [part for part in re.split(r"[/\\]+", path) if part not in ("", ".")]
