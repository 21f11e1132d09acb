"""The two legs of a search: the turns that have the words, and those whose texts are nearest in meaning.

Filters hold before anything is ranked, in both. A leg brings candidates with a score of their words and the
share that they have of what was asked for, each of them exactly, so that both legs' can be added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.query.narrowing import Narrowed
from gitmem.query.trusting import from_texts
from gitmem.sidecar.wire import Place, Request
from indexer.finding import ranking
from indexer.finding.matching import Asked, Matcher
from indexer.finding.nearness import Telling
from indexer.finding.queries import both, scoring, with_terms
from indexer.finding.trusted import is_by_strangers
from indexer.lexical import Candidate, LexicalIndex
from indexer.lexical.found import place_in

if TYPE_CHECKING:
    import tantivy
    from numpy import float32
    from numpy.typing import NDArray

    from indexer.vectors.store import Vectors

CANDIDATES: Final = 500
"""Turns that are ranked: neighbours and sessions are made of these. More of them where they are not enough
for as many hits as are wanted, for they are all of few sessions, or say the same."""

MOST_CANDIDATES: Final = 64_000
_GROWTH: Final = 8

COVERED: Final = 3
"""For so many times the candidates it is known how much of what was asked for they have."""

MEANT: Final = 100
"""Texts that are nearest in meaning, which join the candidates."""

MEANT_ALONE: Final = 400
"""As many where nothing else brings candidates: sessions are made of these."""

_TURNS_OF_A_TEXT: Final = 4
"""Of a text that is said more often, no more turns join."""

_SCORED_ONE_BY_ONE: Final = 20_000
"""Where filters leave no more texts than that, each is scored; else all are, and the best looked through."""


class Source(NamedTuple):
    """An index that is searched, together with others or alone."""

    place: Place
    turns: LexicalIndex
    matcher: Matcher
    vectors: Vectors | None


def by_words(
    sources: Sequence[Source], asked: Narrowed, request: Request, *, strictly: bool
) -> list[Candidate]:
    """Return turns that have the words, or that fit where no words are asked for.

    There are enough of them for as many hits as are wanted, if the indexes have so many.
    """
    by_session, most = request.group == "session", max(CANDIDATES, 10 * request.limit)
    candidates: list[Candidate] = []
    seen: dict[tuple[int, int], str] = {}
    while True:
        rounds = list(_round(sources, asked, request, most, seen, strictly=strictly))
        found = [each for one in rounds for each in one.candidates]
        is_cut = any(each.is_cut for each in rounds)
        if len(sources) > 1 and len(found) > most:
            # As many as of one index that has everything; of those that score alike the newest.
            found, is_cut = ranking.in_order(found)[:most], True
        candidates = [*candidates, *found] if by_session else found
        have = len({each.session if by_session else each.digest for each in candidates})
        if have >= request.limit or not is_cut:
            return candidates
        if by_session:
            # A session that is longer than what is ranked hides all others; each round knows more of them.
            for each in candidates:
                if (each.source, each.session) not in seen:
                    stored = sources[each.source].turns.stored(each.address)
                    seen[each.source, each.session] = stored["session"]
        elif most >= MOST_CANDIDATES:
            return candidates
        most = min(most * _GROWTH, MOST_CANDIDATES)  # for there were hundreds of the same


def nearest_texts(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    meaning: NDArray[float32],
    *,
    strictly: bool,
) -> list[list[int]]:
    """Return for each source the keys of its texts that are nearest in meaning, the nearest first.

    Of several sources, those that are the nearest of all of them together: as many as of one.
    """
    texts = max(MEANT_ALONE if request.mode == "semantic" else MEANT, request.limit)
    found = [_nearest(source, asked, request, meaning, texts, strictly=strictly) for source in sources]
    if sum(map(len, found)) <= texts:
        return found
    scored = [
        (-float(score), number, key)
        for number, (source, keys) in enumerate(zip(sources, found, strict=True))
        if source.vectors is not None and keys
        for score, key in zip(source.vectors.scores(meaning, keys), keys, strict=True)
        if not math.isnan(score)
    ]
    nearest: list[list[int]] = [[] for _ in sources]
    for _, number, key in sorted(scored)[:texts]:
        nearest[number].append(key)
    return nearest


def by_meaning(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    nearest: Sequence[Sequence[int]],
    known: Sequence[Candidate],
    *,
    strictly: bool,
) -> list[Candidate]:
    """Return the turns that say one of the nearest texts and are not known yet, scored by their words."""
    candidates: list[Candidate] = []
    for number, (source, keys) in enumerate(zip(sources, nearest, strict=True)):
        familiar = frozenset(each.meaning for each in known if each.source == number)
        new = [key for key in keys if key not in familiar]
        matched = source.matcher.match(asked, request.filters, strictly=strictly) if new else None
        if matched is None:
            continue
        if request.mode == "semantic":
            matched = matched._replace(wanted=None, coverage=None)
        candidates += _of_source(number, _standing(source, request, _saying(source, matched, new)))
    return candidates


def give_cosines(
    sources: Sequence[Source], candidates: Sequence[Candidate], meaning: NDArray[float32]
) -> None:
    """Give each turn that has a vector the cosine of its text."""
    cosines: dict[tuple[int, int], float] = {}
    for number, source in enumerate(sources):
        if source.vectors is None:
            continue
        keys = list({each.meaning for each in candidates if each.source == number and each.meaning})
        scores = source.vectors.scores(meaning, keys)
        cosines |= {
            (number, key): float(score)
            for key, score in zip(keys, scores, strict=True)
            if not math.isnan(score)
        }
    for each in candidates:
        # Rounded as scores of words are: what a vector scores may depend on where in a file it stands.
        each.cosine = round(cosines.get((each.source, each.meaning), 0.0), 5)


def query_of(source: Source, matched: Asked) -> tantivy.Query:
    """Return what finds the turns with words that fit, or all that fit."""
    if matched.wanted is not None:
        return both(matched.wanted, matched.narrowed)
    return matched.narrowed if matched.narrowed is not None else source.matcher.every_turn()


def telling_in(sources: Sequence[Source], asked: Narrowed, request: Request, *, strictly: bool) -> Telling:
    """Return how much there is of what was asked for, which is the same in all indexes searched together."""
    for source in sources:
        matched = source.matcher.match(asked, request.filters, strictly=strictly)
        if matched is not None:
            return Telling(matched.telling, matched.coverage is not None)
    return Telling(0.0, False)


class Floor:
    """The least score with which a turn is among the best of all indexes, as far as these have been asked.

    Terms count in each index as in all of them: what is below it in one would not be ranked in one index
    of everything either. With 0 for `most` there is none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._best: list[float] = []
        self.score = -math.inf

    def raise_by(self, scores: list[float]) -> None:
        """Take in what an index has, the best first."""
        if self._most:
            self._best = sorted([*self._best, *scores], reverse=True)[: self._most]
            if len(self._best) == self._most:
                self.score = self._best[-1]


class _Round(NamedTuple):
    """What one look at an index brought; cut where there is more."""

    candidates: list[Candidate]
    is_cut: bool


def _round(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    most: int,
    seen: dict[tuple[int, int], str],
    *,
    strictly: bool,
) -> Iterator[_Round]:
    floor = Floor(most if len(sources) > 1 else 0)
    for number, source in enumerate(sources):
        without = tuple(session for (at, _), session in seen.items() if at == number)
        matched = source.matcher.match(asked, request.filters, strictly=strictly, without=without)
        if matched is None:
            continue
        if matched.wanted is None:
            found = source.turns.newest(query_of(source, matched), most)
            is_cut = len(found) == most
        else:
            found, is_cut = _having_words(source, matched, most, request.limit, floor)
        yield _Round(_of_source(number, _standing(source, request, found)), is_cut)


def _standing(source: Source, request: Request, found: list[Candidate]) -> list[Candidate]:
    """Leave out notes that do not stand any more, unless they are asked for.

    Not by the query: a clause that nearly every turn fits would be paid for by each search. Where only some
    are trusted, nobody else takes the place of what they wrote.
    """
    closed, filters = source.turns.closed, request.filters
    if not closed or filters.closed:
        return found
    known = from_texts(filters.trusted) if filters.trusted else None
    return [
        each
        for each in found
        if each.session not in closed
        or (known is not None and is_by_strangers(known, source.turns.closers[each.session]))
    ]


def _having_words(
    source: Source, matched: Asked, most: int, wanted: int, floor: Floor
) -> tuple[list[Candidate], bool]:
    """Return the best turns by their words, and whether there are more.

    Of turns that score alike and are not all among the best, the newest are taken where any of them may be a
    hit, and else none: which ones an index would name first depends on how it came to be.
    """
    query = query_of(source, matched)
    found = source.turns.best(query, most, floor.score)
    is_cut = len(found) == most
    floor.raise_by([each.score for each in found])
    if is_cut:
        least = found[-1].score
        above = [each for each in found if each.score > least]
        if len(above) < 2 * wanted:
            latest = source.turns.newest(query, most)
            recent = both(query, source.matcher.since(latest[-1].at_ms))
            found = [*above, *(each for each in source.turns.best(recent, most) if each.score <= least)]
        else:
            found = above
    _cover(source, matched, found, matched.narrowed, COVERED * most)
    if matched.spoken is None:
        return found, is_cut
    # What somebody who is named said counts more, and may not be among the best without that.
    spoken = both(query, matched.spoken)
    theirs = source.turns.best(spoken, most)
    _cover(source, matched, theirs, both(matched.spoken, matched.narrowed), COVERED * most)
    together = list({each.place: each for each in (*theirs, *found)}.values())
    source.turns.gain(together, matched.speakers)
    return together, is_cut


def _saying(source: Source, matched: Asked, keys: Sequence[int]) -> list[Candidate]:
    """Return turns that say one of some texts, scored by their words; of each text at least one."""
    most = _TURNS_OF_A_TEXT * len(keys)
    found: list[Candidate] = []
    if keys:
        found = _with_keys(source, matched, keys, most)
        if len(found) == most:
            # One that is said all the time would leave no room for others.
            found = [each for key in keys for each in _with_keys(source, matched, [key], _TURNS_OF_A_TEXT)]
    return found


def _with_keys(source: Source, matched: Asked, keys: Sequence[int], most: int) -> list[Candidate]:
    narrowed = both(with_terms(source.turns, "meaning", keys), matched.narrowed)
    found = source.turns.best(scoring(narrowed, matched.wanted), most)
    if matched.coverage is not None and found:
        known = source.turns.coverage(scoring(narrowed, matched.coverage), most)
        for each in found:
            each.coverage = known.get(each.place, 0.0)
    return found


def _cover(
    source: Source, matched: Asked, found: Sequence[Candidate], narrowed: tantivy.Query | None, most: int
) -> None:
    """Give each turn the share that it has of what was asked for; one that is not known has the least."""
    if matched.coverage is None or not found:
        return
    known = source.turns.coverage(both(matched.coverage, narrowed), most)
    least = min(known.values(), default=0.0) if len(known) == most else 0.0
    for each in found:
        each.coverage = known.get(each.place, least)


def _nearest(
    source: Source,
    asked: Narrowed,
    request: Request,
    meaning: NDArray[float32],
    limit: int,
    *,
    strictly: bool,
) -> list[int]:
    """Return the keys of the nearest texts; exactly where filters leave only some."""
    if source.vectors is None or not source.vectors.count:
        return []
    matched = source.matcher.match(asked, request.filters, strictly=strictly)
    if matched is None:
        return []
    if matched.narrowed is None:
        return [int(key) for key in source.vectors.nearest(meaning, limit)[0]]
    few = source.turns.meanings(matched.narrowed, _SCORED_ONE_BY_ONE)
    if few is not None:
        scores = source.vectors.scores(meaning, few)
        known = [(float(score), key) for score, key in zip(scores, few, strict=True) if not math.isnan(score)]
        return [key for _, key in sorted(known, key=lambda each: (-each[0], each[1]))[:limit]]
    keys: list[int] = []
    for page, _ in source.vectors.ordered(meaning):
        narrowed = both(with_terms(source.turns, "meaning", [int(key) for key in page]), matched.narrowed)
        fitting = source.turns.meanings(narrowed, MOST_CANDIDATES)
        known_to_fit = frozenset(fitting) if fitting is not None else frozenset(map(int, page))
        keys += [int(key) for key in page if int(key) in known_to_fit]
        if len(keys) >= limit:
            break
    return keys[:limit]


def _of_source(number: int, found: list[Candidate]) -> list[Candidate]:
    """Return what was found in an index, told apart from what is found in others."""
    if number:
        for each in found:
            each.source, each.place = number, place_in(number, each.place)
    return found
