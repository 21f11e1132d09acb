"""Finding turns: by words, by meaning, and both as one, over one index or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.query.narrowing import Narrowed
from gitmem.query.text import REQUIRED
from gitmem.sidecar.wire import Facet, Request
from indexer.finding import ranking
from indexer.finding.beside import Beside
from indexer.finding.legs import (
    Source,
    by_meaning,
    by_words,
    give_cosines,
    nearest_texts,
    query_of,
    telling_in,
)
from indexer.finding.nearness import any_near_enough, is_weak, more_than_among_few, near_enough
from indexer.lexical import Candidate
from indexer.lexical.schema import UNSET_LEVEL

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

_MOST_VALUES: Final = 100


class Found(NamedTuple):
    """Hits in order; relaxed where no turn had the phrases that were asked for beside words.

    Weak where there are hits, and none of them is an answer.
    """

    ordered: list[Candidate]
    is_relaxed: bool = False
    is_weak: bool = False


class Meaning(NamedTuple):
    """What a query means; strange where nobody knows any of its words."""

    vector: Callable[[], NDArray[float32]]
    is_strange: bool


def find(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    meaning: Meaning | None,
) -> Found:
    """Return hits in order: as many as are wanted, if there are so many.

    `meaning` has the query's unit vector; None where meaning is not asked for.
    """
    found = _find(sources, asked, request, meaning, strictly=True)
    if found.ordered or len({term.kind in REQUIRED for term in asked.query.terms}) != 2:
        return found
    found = _find(sources, asked, request, meaning, strictly=False)
    return found._replace(is_relaxed=bool(found.ordered))


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
        query = query_of(source, matched)
        if not request.filters.closed:
            query = source.matcher.standing(query)
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


def _find(
    sources: Sequence[Source],
    asked: Narrowed,
    request: Request,
    meaning: Meaning | None,
    *,
    strictly: bool,
) -> Found:
    if not asked.query.terms:
        return Found(_listed(sources, asked, request))
    if meaning is None:  # and by words alone it cannot be told what is no answer
        found = by_words(sources, asked, request, strictly=strictly)
        return Found(_ranked(found, request, has_meaning=False))
    texts = sum(source.vectors.count for source in sources if source.vectors is not None)
    more = more_than_among_few(texts, is_strange=meaning.is_strange)
    candidates = _by_both(sources, asked, request, meaning, strictly=strictly)
    telling = telling_in(sources, asked, request, strictly=strictly)
    weak = is_weak(candidates, telling, more)
    if request.mode != "semantic":
        candidates = near_enough(candidates, more)
    elif not any_near_enough(candidates, more):
        candidates = []
    return Found(_ranked(candidates, request, has_meaning=True), is_weak=weak and bool(candidates))


def _by_both(
    sources: Sequence[Source], asked: Narrowed, request: Request, meaning: Meaning, *, strictly: bool
) -> list[Candidate]:
    """Return turns that have the words and turns that are nearest in meaning, each with its cosine."""

    def look() -> tuple[NDArray[float32], list[list[int]]]:
        vector = meaning.vector()
        return vector, nearest_texts(sources, asked, request, vector, strictly=strictly)

    if request.mode == "semantic":
        candidates: list[Candidate] = []
        vector, nearest = look()
    else:
        beside = Beside(look)
        candidates = by_words(sources, asked, request, strictly=strictly)
        vector, nearest = beside.result()
    candidates += by_meaning(sources, asked, request, nearest, candidates, strictly=strictly)
    candidates = list({each.place: each for each in reversed(candidates)}.values())
    give_cosines(sources, candidates, vector)
    return candidates


def _ranked(candidates: list[Candidate], request: Request, *, has_meaning: bool) -> list[Candidate]:
    if request.mode == "semantic" and has_meaning:
        for each in candidates:
            each.score = each.cosine
    else:
        ranking.weigh_coverage(candidates)
        ranking.lend_to_neighbours(candidates)
        if has_meaning:
            ranking.fuse(candidates)
    if request.is_recent:
        ranking.weigh_recency(candidates, request.now_ms)
    ordered = ranking.in_order(candidates)
    return ranking.by_session(ordered) if request.group == "session" else ranking.by_turn(ordered)


def _listed(sources: Sequence[Source], asked: Narrowed, request: Request) -> list[Candidate]:
    """Return the latest turns that fit, which are in no order of scores."""
    ordered = ranking.in_order(by_words(sources, asked, request, strictly=True))
    if request.group == "session":
        ordered = ranking.first_of_each_session(ordered)
    for each in ordered:
        each.score = 0.0
    return ordered
