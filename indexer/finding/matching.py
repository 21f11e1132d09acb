"""From what people ask to what tantivy looks for: terms with their weights, and filters.

Words are alternatives, and the more of them a turn has, and the rarer they are, the better it is. What was
written as one (an identifier, a path, a word in a script without spaces) counts most where it stands as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

import tantivy

from gitmem.query.filters import Filters
from gitmem.query.narrowing import Narrowed
from gitmem.query.text import REQUIRED, Term
from indexer.finding.queries import (
    MUST,
    MUST_NOT,
    any_of,
    any_or_none,
    boosted,
    constant,
    every_of,
    unscored,
)
from indexer.finding.spread import Spread
from indexer.finding.synonyms import Synonyms
from indexer.finding.trusted import known_addresses
from indexer.lexical import LexicalIndex, as_key
from indexer.lexical.schema import LONGEST_TOOL, NO_MOMENT, UNSET_LEVEL
from indexer.lexical.words import STOP_WORDS, is_unspaced, parts_of_identifiers

EXACT_WEIGHT: Final = 0.5
OUTPUT_WEIGHT: Final = 0.3
TOGETHER_WEIGHT: Final = 1.0
SPEAKER_WEIGHT: Final = 1.0
SYNONYM_WEIGHT: Final = 0.3
COMMON_SHARE: Final = 0.3
"""A word that is less rare than this share of the rarest does not count where it is looked at how many of the
words that were asked for a turn has."""

_RARE_SPEAKER: Final = 0.5
"""Who says more than about two thirds of all is not told apart by their name."""

_CONTRACTED: Final = re.compile(r"['’](?:s|t|d|m|ll|re|ve)\Z", re.IGNORECASE)


class Asked(NamedTuple):
    """What a query comes to in one index.

    `wanted` scores by words, None where none were asked for; `coverage` says what part of what was asked for
    a turn has, as a sum of at most `telling`; it is None where one thing alone tells anything, and `telling`
    is 0 then if no turn has that; `speakers` what a score gains by who spoke and `spoken` what finds what
    they said; `narrowed` are the turns that may be found at all, None where all may.
    """

    wanted: tantivy.Query | None
    coverage: tantivy.Query | None
    telling: float
    speakers: dict[int, float]
    spoken: tantivy.Query | None
    narrowed: tantivy.Query | None


class _Speakers(NamedTuple):
    """What a score gains by who spoke, by the speakers' numbers, and what finds what they said."""

    gains: dict[int, float]
    query: tantivy.Query | None


class Matcher:
    """Makes queries for one index."""

    def __init__(
        self, index: LexicalIndex, repo: str, level: str, spread: Spread, synonyms: Synonyms
    ) -> None:
        """`repo` is what the repository is called, `level` what sessions have that were given none.

        `spread` knows how rare terms are in all indexes that are searched together.
        """
        self._index, self._repo, self._level = index, repo, level
        self._spread, self._synonyms = spread, synonyms
        self._matched: dict[tuple[Narrowed, Filters, bool, tuple[str, ...]], Asked | None] = {}

    def match(
        self, asked: Narrowed, filters: Filters, *, strictly: bool = True, without: Sequence[str] = ()
    ) -> Asked | None:
        """Return what finds the turns that are asked for; None where nothing can be found.

        With `strictly`, phrases and placeholders have to be there; otherwise it counts as much as its
        words. A query without a term finds every turn that fits the filters. No turn of the sessions
        `without` is found.
        """
        key = (asked, filters, strictly, tuple(without))
        if key not in self._matched:
            self._matched[key] = self._match(asked, filters, strictly, without)
        return self._matched[key]

    def _match(
        self, asked: Narrowed, filters: Filters, strictly: bool, without: Sequence[str]
    ) -> Asked | None:
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for each in (filters, *asked.holding):
            narrowed = self._filters(each)
            if narrowed is None:
                return None
            clauses += [(MUST, query) for query in narrowed]
        for each in asked.excluding:
            narrowed = self._filters(each)
            clauses += [(MUST_NOT, query) for query in narrowed or ()]
        clauses += [(MUST_NOT, self._anywhere(term)) for term in asked.query.unwanted]
        left_out = [query for name in filters.without if name for query in self._sessions(name)]
        left_out += [self._one("session", session) for session in without]
        if filters.firsthand and self._index.has_echoes:
            left_out.append(self._one("echo", True))
        if left_out:
            clauses.append((MUST_NOT, any_of(left_out)))
        terms = self.asking(asked.query.terms)
        if strictly:
            clauses += [(MUST, self._anywhere(term)) for term in terms if term.kind in REQUIRED]
        speakers = self._speakers(terms)
        coverage, telling = self._coverage(terms)
        return Asked(
            wanted=self._wanted(terms) if terms else None,
            coverage=coverage,
            telling=telling,
            speakers=speakers.gains,
            spoken=speakers.query,
            narrowed=unscored(every_of(self._index, clauses)) if clauses else None,
        )

    def asking(self, terms: Sequence[Term]) -> list[Term]:
        """Return the terms that say what is asked for: without stop words, unless there are no others.

        A placeholder of no kind that there is was meant as a word.
        """
        terms = [self._known(term) for term in terms]
        terms = [term._replace(text=_CONTRACTED.sub("", term.text)) for term in terms]
        saying = [
            term
            for term in terms
            if term.kind != "word" or not STOP_WORDS.issuperset(self._index.words(term.text))
        ]
        return saying or list(terms)

    def every_turn(self) -> tantivy.Query:
        """Return what finds every turn."""
        return unscored(
            tantivy.Query.range_query(
                self._index.schema, "ordinal", tantivy.FieldType.Unsigned, lower_bound=0
            )
        )

    def standing(self, query: tantivy.Query) -> tantivy.Query:
        """Return what finds the same, but for notes that do not stand any more."""
        if not self._index.closed:
            return query
        return tantivy.Query.boolean_query([(MUST, query), (MUST_NOT, self._one("closed", True))])

    def others(self, term: Term) -> list[list[str]]:
        """Return what else a term may be called, each as words."""
        if term.kind != "word" or not self._synonyms:
            return []
        words = self._index.words(term.text)
        called = self._synonyms.get(" ".join(words), ())
        return [words for other in called if (words := self._index.words(other))]

    def since(self, at_ms: int) -> tantivy.Query:
        """Return what finds the turns of a moment and after it; of a turn that has none, every turn."""
        if at_ms == NO_MOMENT:
            return self.every_turn()
        return unscored(any_of(self._between("at", at_ms, None)))

    def _speakers(self, terms: Sequence[Term]) -> _Speakers:
        """Return what a score gains by who spoke, for those whose name is asked for."""
        gains: dict[int, float] = {}
        words = []
        said = [term for term in terms if term.kind != "placeholder"]
        for word in dict.fromkeys(word for term in said for word in self._index.words(term.text)):
            count = self._spread.count("author", word)
            rarity = self._spread.rarity_of(count)
            numbers = self._index.speakers(word) if count and rarity >= _RARE_SPEAKER else []
            if numbers:
                words.append(word)
                for number in numbers:
                    gains[number] = gains.get(number, 0.0) + SPEAKER_WEIGHT * rarity
        found = [self._one("author", word) for word in words]
        return _Speakers(gains, unscored(any_of(found)) if found else None)

    def _wanted(self, terms: Sequence[Term]) -> tantivy.Query:
        # One level of alternatives, all of it words but for phrases: tantivy passes over what cannot win.
        return any_or_none([way for term in terms for way in self._term(term)])

    def _term(self, term: Term) -> list[tantivy.Query]:
        """Return what finds one term and scores it, in any of several ways."""
        if term.kind == "placeholder":
            return [
                boosted(self._phrase(field, run), weight)
                for field, weight in (("exact", TOGETHER_WEIGHT), ("output", OUTPUT_WEIGHT))
                for run in self._placeholders(field, term)
            ]
        words, stems = self._index.words(term.text), self._index.stems(term.text)
        if not words:
            return []
        if len(words) == 1 and term.kind == "word":
            ways = [self._scored("exact", words[0], EXACT_WEIGHT)]
        else:
            weight = EXACT_WEIGHT if len(words) == 1 else TOGETHER_WEIGHT
            ways = [self._scored_run("exact", words, term, weight)]
            ways.append(self._scored_run("output", stems, term, OUTPUT_WEIGHT))
        if term.kind == "word":
            ways += self._apart(term)
            for other in self.others(term):
                if len(other) == 1:
                    stems = self._index.stems(other[0])
                    ways += [self._scored("body", stem, SYNONYM_WEIGHT) for stem in stems]
                else:
                    ways.append(self._scored_phrase("exact", other, SYNONYM_WEIGHT))
        return ways

    def _apart(self, term: Term) -> list[tantivy.Query]:
        """Return what finds the parts of a term: words, those within identifiers, neighbouring characters."""
        stems, pairs = self._parts(term)
        ways = [self._scored("body", stem, 1.0) for stem in stems]
        ways += [self._scored("output", stem, OUTPUT_WEIGHT) for stem in stems]
        for pair in pairs:
            ways.append(self._scored_phrase("exact", pair, 1.0))
            ways.append(self._scored_phrase("output", pair, OUTPUT_WEIGHT))
        return ways

    def _parts(self, term: Term) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the stems that a term is made of, and its pairs of characters that stand together."""
        stems = list(dict.fromkeys(self._index.stems(f"{term.text} {parts_of_identifiers(term.text)}")))
        pairs = [pair for pair in pairwise(self._index.words(term.text)) if all(map(is_unspaced, pair))]
        if pairs:  # one character alone says little where its neighbours were asked for too
            stems = [stem for stem in stems if not is_unspaced(stem)]
        return stems, list(dict.fromkeys(pairs))

    def _coverage(self, terms: Sequence[Term]) -> tuple[tantivy.Query | None, float]:
        """Return what adds up, for each turn, how rare the words are that it has of those asked for.

        And the most that it can come to, as `Asked` has both.
        """
        parts: dict[object, tuple[float, list[tantivy.Query]]] = {}
        for term in terms:
            if term.kind in ("prefix", "placeholder"):
                run = self._anywhere(term)
                rarity = self._rarity_of(term, run)
                parts[term] = (rarity, [constant(run, rarity)])
                continue
            stems, pairs = self._parts(term)
            others = [
                stem for other in self.others(term) if len(other) == 1 for stem in self._index.stems(other[0])
            ]
            for stem in stems:
                rarity = self._spread.rarity(stem)
                # A turn has one of the two fields and not both.
                ways = [constant(self._one(field, stem), rarity) for field in ("body", "output")]
                if others:
                    lesser = [
                        constant(self._one("body", other), SYNONYM_WEIGHT * self._spread.rarity(other))
                        for other in others
                    ]
                    ways = [tantivy.Query.disjunction_max_query([*ways, *lesser])]
                parts[stem] = (rarity, ways)
            for pair in pairs:
                rarity = max(map(self._spread.rarity, pair))
                parts[pair] = (
                    rarity,
                    [constant(self._phrase(field, pair), rarity) for field in ("exact", "output")],
                )
        rarest = max((rarity for rarity, _ in parts.values()), default=0.0)
        # What nearly every turn has tells nothing, and is most of what would be gone through.
        telling = [(rarity, ways) for rarity, ways in parts.values() if rarity >= COMMON_SHARE * rarest]
        most = sum(rarity for rarity, _ in telling)
        if len(telling) > 1:
            return any_of([way for _, ways in telling for way in ways]), most
        is_nowhere = rarest == self._spread.rarity_of(0) and not any(map(self.others, terms))
        return None, 0.0 if is_nowhere else most

    def _rarity_of(self, term: Term, found: tantivy.Query) -> float:
        """Return how rare it is, in all that is searched, what a term finds."""
        return self._spread.rarity_of(self._spread.matching(term, lambda index: index.matching(found)))

    def _anywhere(self, term: Term) -> tantivy.Query:
        """Return what finds every turn that has a term as it was written."""
        term = self._known(term)
        if term.kind == "placeholder":
            fields = ("exact", "output")
            return any_of(
                [self._phrase(field, run) for field in fields for run in self._placeholders(field, term)]
            )
        words, stems = self._index.words(term.text), self._index.stems(term.text)
        if not words:
            return tantivy.Query.empty_query()
        return any_of([self._run("exact", words, term), self._run("output", stems, term)])

    def _known(self, term: Term) -> Term:
        if term.kind != "placeholder" or _kinds(term.text):
            return term
        return Term("word", f"gm:{term.text}")

    def _placeholders(self, field: str, term: Term) -> list[list[str]]:
        """Return how placeholders stand in a field, one for each kind; their tokens come behind."""
        split = self._index.words if field == "exact" else self._index.stems
        return [list(split(f"gm {kind}")) for kind in _kinds(term.text)]

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
        return self._index.term(field, value)

    def _scored(self, field: str, word: str, weight: float) -> tantivy.Query:
        """Return what scores a word by how rare it is in all that is searched."""
        return boosted(self._one(field, word), weight * self._spread.factor(self._index, field, word))

    def _scored_run(self, field: str, words: Sequence[str], term: Term, weight: float) -> tantivy.Query:
        whole = words[:-1] if term.kind == "prefix" else words  # a beginning has no rarity in a score
        factor = self._spread.factor(self._index, field, *whole)
        return boosted(self._run(field, words, term), weight * factor)

    def _scored_phrase(self, field: str, words: Sequence[str], weight: float) -> tantivy.Query:
        factor = self._spread.factor(self._index, field, *words)
        return boosted(self._phrase(field, words), weight * factor)

    def _phrase(self, field: str, words: Sequence[str]) -> tantivy.Query:
        return tantivy.Query.phrase_query(self._index.schema, field, list(words))

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
            [one("kind", kind) for kind in filters.kinds],
            [one("tool", tool[:LONGEST_TOOL].lower()) for tool in filters.tools],
            [one("tag", as_key(tag)) for tag in filters.tags],
            [one("level", as_key(level)) for level in levels],
            [self._in_a_row("author", words(author)) for author in filters.authors],
            [self._in_a_row("file", _parts_of_path(path)) for path in filters.files],
            [any_or_none(self._sessions(name)) for name in filters.sessions],
            [any_or_none([one("by", name) for name in known_addresses(self._index, filters.trusted)])]
            if filters.trusted
            else [],
            [one("error", True)] if filters.errors else [],
            self._between("at", filters.since_ms, filters.until_ms),
            self._between("captured", None, filters.as_of_ms),
        ]
        found = [any_of(each) for each in alternatives if each]
        # Filters of the repository alone narrow nothing within it.
        return found or ([self.every_turn()] if filters.repos else [])

    def _in_a_row(self, field: str, words: Sequence[str]) -> tantivy.Query:
        if not words:
            return tantivy.Query.empty_query()
        return self._one(field, words[0]) if len(words) == 1 else self._phrase(field, words)

    def _sessions(self, beginning: str) -> list[tantivy.Query]:
        """Return what finds the turns of each session whose name or id begins so."""
        return [
            self._one(field, name)
            for field in ("key", "session")
            # Of a name too long for a term, all has to be there.
            for name in self._index.names_beginning(field, as_key(beginning))
        ]

    def _between(self, field: str, since_ms: int | None, until_ms: int | None) -> list[tantivy.Query]:
        if since_ms is None and until_ms is None:
            return []
        integer = tantivy.FieldType.Integer
        return [tantivy.Query.range_query(self._index.schema, field, integer, since_ms, until_ms)]


@cache
def _kinds(family: str) -> tuple[str, ...]:
    from gitmem.redaction.placeholders import kinds_in  # Few queries ask for one.

    return tuple(kinds_in(family))


def _parts_of_path(path: str) -> list[str]:
    return [part for part in re.split(r"[/\\]+", path) if part not in ("", ".")]
