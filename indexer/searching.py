"""Finding turns: by words, by meaning, and both as one, over one index or several.

Each leg brings candidates, filters held before anything is ranked. What the one leg found is scored by the
other too, exactly, so that no score is missing where both are added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.query.narrowing import Narrowed
from gitmem.sidecar.wire import Facet, Place, Request
from indexer import ranking
from indexer.lexical import Candidate, LexicalIndex
from indexer.lexical.index import Coverage, place_in
from indexer.lexical.schema import UNSET_LEVEL
from indexer.matching import Asked, Matcher, both, scoring, with_terms

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
"""How often a text is said at most, on average, by those that join."""
_SCORED_ONE_BY_ONE: Final = 20_000
"""Where filters leave no more texts than that, each is scored; else all are, and the best looked through."""

_MOST_VALUES: Final = 100


class Source(NamedTuple):
    """An index that is searched, together with others or alone."""

    place: Place
    turns: LexicalIndex
    matcher: Matcher
    vectors: Vectors | None


class Found(NamedTuple):
    """Hits in order; relaxed where no turn had the phrases that were asked for beside words."""

    ordered: list[Candidate]
    is_relaxed: bool


class _Leg(NamedTuple):
    """Candidates, and for each source how much of what was asked for they have."""

    candidates: list[Candidate]
    coverage: dict[int, Coverage]


def find(
    sources: Sequence[Source], asked: Narrowed, request: Request, meaning: NDArray[float32] | None
) -> Found:
    """Return hits in order: as many as are wanted, if there are so many.

    `meaning` is the query's unit vector, None where meaning is not asked for.
    """
    ordered = _ordered(sources, asked, request, meaning, strictly=True)
    if ordered or len({term.kind == "phrase" for term in asked.query.terms}) != 2:
        return Found(ordered, False)
    ordered = _ordered(sources, asked, request, meaning, strictly=False)
    return Found(ordered, bool(ordered))


def count_values(
    sources: Sequence[Source], asked: Narrowed, request: Request, *, strictly: bool
) -> dict[str, dict[str, int]]:
    """Count the turns that have some of the words, or fit the filters, by what they have in other fields.

    `strictly` as in `Matcher.match`.
    """
    names: dict[Facet, str] = {"author": "name"}
    fields = [names.get(facet, facet) for facet in request.facets if facet != "repo"]
    counted: dict[str, dict[str, int]] = {facet: {} for facet in request.facets}
    for source in sources:
        matched = source.matcher.match(asked, request.filters, strictly=strictly)
        if matched is None:
            continue
        query = _query(source, matched)
        found = source.turns.counts(query, fields, _MOST_VALUES)
        if "repo" in counted:
            found["repo"] = {source.place.name: source.turns.matching(query)}
        for facet in request.facets:
            for value, count in found[names.get(facet, facet)].items():
                if not count:
                    continue
                shown = source.place.level if value == UNSET_LEVEL and facet == "level" else value
                counted[facet][shown] = counted[facet].get(shown, 0) + count
    return {
        facet: dict(sorted(values.items(), key=lambda each: (-each[1], each[0])))
        for facet, values in counted.items()
    }


def _ordered(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    meaning: NDArray[float32] | None,
    *,
    strictly: bool,
) -> list[Candidate]:
    has_words = bool(asked.query.terms)
    if not has_words:
        return _listed(sources, asked, request)
    legs = []
    if request.mode != "semantic" or meaning is None:
        legs.append(_by_words(sources, asked, request, strictly=strictly))
    if meaning is not None:
        known = legs[0].candidates if legs else []
        legs.append(_by_meaning(sources, asked, request, meaning, known, strictly=strictly))
    leg = _together(legs)
    if meaning is not None:
        _give_cosines(sources, leg.candidates, meaning)
    return _ranked(leg, request, has_meaning=meaning is not None)


def _ranked(leg: _Leg, request: Request, *, has_meaning: bool) -> list[Candidate]:
    if request.mode == "semantic" and has_meaning:
        for each in leg.candidates:
            each.score = each.cosine
    else:
        ranking.weigh_coverage(leg.candidates, leg.coverage)
        ranking.lend_to_neighbours(leg.candidates)
        if has_meaning:
            ranking.fuse(leg.candidates)
    if request.is_recent:
        ranking.weigh_recency(leg.candidates, request.now_ms)
    ordered = ranking.in_order(leg.candidates)
    return ranking.by_session(ordered) if request.group == "session" else ranking.by_turn(ordered)


def _listed(sources: Sequence[Source], asked: Narrowed, request: Request) -> list[Candidate]:
    """Return the latest turns that fit, which are in no order of scores."""
    leg = _gather(sources, asked, request, strictly=True)
    ordered = ranking.in_order(leg.candidates)
    if request.group == "session":
        ordered = ranking.first_of_each_session(ordered)
    for each in ordered:
        each.score = 0.0
    return ordered


def _by_words(sources: Sequence[Source], asked: Narrowed, request: Request, *, strictly: bool) -> _Leg:
    return _gather(sources, asked, request, strictly=strictly)


def _gather(sources: Sequence[Source], asked: Narrowed, request: Request, *, strictly: bool) -> _Leg:
    """Collect candidates until they are enough for as many hits as are wanted, or there are no more."""
    by_session, most = request.group == "session", max(CANDIDATES, 10 * request.limit)
    leg = _Leg([], {})
    seen: dict[tuple[int, int], str] = {}
    while True:
        found = list(_round(sources, asked, request, most, seen, strictly=strictly))
        leg = _together([leg, *found]) if by_session else _together(found)
        have = len({each.session if by_session else each.digest for each in leg.candidates})
        if have >= request.limit or all(len(each.candidates) < most for each in found):
            return leg
        if by_session:
            # A session that is longer than what is ranked hides all others; each round knows one more.
            for each in leg.candidates:
                if (each.source, each.session) not in seen:
                    stored = sources[each.source].turns.stored(each.address)
                    seen[each.source, each.session] = stored["session"]
        elif most >= MOST_CANDIDATES:
            return leg
        else:
            most *= _GROWTH  # for there were hundreds of the same


def _round(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    most: int,
    seen: dict[tuple[int, int], str],
    *,
    strictly: bool,
) -> Iterator[_Leg]:
    for number, source in enumerate(sources):
        without = tuple(session for (at, _), session in seen.items() if at == number)
        matched = source.matcher.match(asked, request.filters, strictly=strictly, without=without)
        if matched is None:
            continue
        query = _query(source, matched)
        if matched.wanted is None:
            found = source.turns.newest(query, most)
            coverage: dict[int, Coverage] = {}
        else:
            found = source.turns.best(query, most, matched.speakers)
            coverage = {}
            if matched.coverage is not None and found:
                covered = both(matched.coverage, matched.narrowed)
                coverage[number] = source.turns.coverage(covered, COVERED * most)
        yield _of_source(number, found, coverage)


def _by_meaning(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    meaning: NDArray[float32],
    known: Sequence[Candidate],
    *,
    strictly: bool,
) -> _Leg:
    """Return the turns whose texts are nearest in meaning and not known yet, scored by their words."""
    is_alone = request.mode == "semantic"
    texts = max(MEANT_ALONE if is_alone else MEANT, request.limit)
    legs = []
    for number, source in enumerate(sources):
        matched = source.matcher.match(asked, request.filters, strictly=strictly)
        if matched is None or source.vectors is None or not source.vectors.count:
            continue
        familiar = frozenset(each.meaning for each in known if each.source == number)
        keys = [key for key in _nearest(source, matched, meaning, texts) if key not in familiar]
        if not keys:
            continue
        narrowed = both(with_terms(source.turns, "meaning", keys), matched.narrowed)
        most = _TURNS_OF_A_TEXT * texts
        found = source.turns.best(narrowed if is_alone else scoring(narrowed, matched.wanted), most)
        coverage = {}
        if matched.coverage is not None and not is_alone:
            coverage[number] = source.turns.coverage(scoring(narrowed, matched.coverage), most)
        legs.append(_of_source(number, found, coverage))
    return _together(legs)


def _nearest(source: Source, matched: Asked, meaning: NDArray[float32], limit: int) -> list[int]:
    """Return the keys of the nearest texts; exactly where filters leave only some."""
    assert source.vectors is not None
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


def _give_cosines(
    sources: Sequence[Source], candidates: Sequence[Candidate], meaning: NDArray[float32]
) -> None:
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


def _query(source: Source, matched: Asked) -> tantivy.Query:
    if matched.wanted is not None:
        return both(matched.wanted, matched.narrowed)
    return matched.narrowed if matched.narrowed is not None else source.matcher.every_turn()


def _of_source(number: int, found: list[Candidate], coverage: dict[int, Coverage]) -> _Leg:
    """Return what was found in an index, told apart from what is found in others."""
    if number:
        for each in found:
            each.source, each.place = number, place_in(number, each.place)
        coverage = {at: each.of_source(number) for at, each in coverage.items()}
    return _Leg(found, coverage)


def _together(legs: Sequence[_Leg]) -> _Leg:
    """Return the candidates of several legs, each once, and what is known of each."""
    if len(legs) == 1:
        return legs[0]
    candidates: dict[int, Candidate] = {}
    coverage: dict[int, Coverage] = {}
    for leg in legs:
        for each in leg.candidates:
            candidates.setdefault(each.place, each)
        for number, more in leg.coverage.items():
            coverage[number] = coverage[number].together(more) if number in coverage else more
    return _Leg(list(candidates.values()), coverage)
