"""Answers to requests: the index is opened, brought up if it has to be, and asked.

An index that is current is answered from without loading what reads a memory: git's objects, transcripts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gitmem.model.errors import DiskRefused, ModelMissing, NoMemory, StoreBusy
from gitmem.model.times import to_text
from gitmem.query.filters import Filters
from gitmem.query.text import Query, parse
from gitmem.sidecar.wire import Json, Place, Request
from indexer import ranking
from indexer import state as states
from indexer.lexical import Candidate, Damaged, LexicalIndex
from indexer.matching import Matcher
from indexer.snippets import snippet
from indexer.state import State
from indexer.tips import read_tip
from indexer.words import parts_of_identifiers

if TYPE_CHECKING:
    from indexer.follow import Teller

CANDIDATES: Final = 1000
"""Turns that are ranked: neighbours and sessions are made of these. More of them where they are not enough
for as many hits as are wanted, for they are all of few sessions, or say the same."""

MOST_CANDIDATES: Final = 64_000
_GROWTH: Final = 8

_PATIENCE_S: Final = 3.0
"""How long to wait for another process that brings the index up, where there is one to answer from."""
_LONG_PATIENCE_S: Final = 600.0


class Opened(NamedTuple):
    """An index that is open, what it was made of, and how many commits of the memory it does not know."""

    turns: LexicalIndex
    state: State
    behind: int


def answer(request: Request, environ: Mapping[str, str], teller: Teller) -> Iterator[Json]:
    """Do what is asked and yield the answers.

    Raises:
        GitmemError: An expected failure, for whoever asked.
    """
    match request.verb:
        case "search":
            yield from _search(request, environ, teller)
        case "status":
            yield _status(request.places[0], environ)
        case "update":
            _bring_up(request.places[0], environ, teller, _LONG_PATIENCE_S)
            yield _status(request.places[0], environ)
        case "rebuild":
            _bring_up(request.places[0], environ, teller, _LONG_PATIENCE_S, anew=True)
            yield _status(request.places[0], environ)


def _search(request: Request, environ: Mapping[str, str], teller: Teller) -> Iterator[Json]:
    if request.mode == "semantic":
        raise ModelMissing
    opened = _open(request.places[0], environ, teller)
    for text in request.queries:
        try:
            found = _ask(opened, request, text)
        except Damaged:
            teller.notice("made the search index anew: it was damaged")
            state = _bring_up(request.places[0], environ, teller, _LONG_PATIENCE_S, anew=True)
            opened = Opened(_open_folder(request.places[0], state), state, 0)
            found = _ask(opened, request, text)
        yield found


def _open(place: Place, environ: Mapping[str, str], teller: Teller) -> Opened:
    """Open an index that is as far as its memory, or as far as can be had now."""
    loaded = states.load(_root(place))
    condition = states.examine(loaded, place.ref, _tip(place, environ))
    if isinstance(loaded, State) and condition in ("current", "behind"):
        state, behind = loaded, 0
        if condition == "behind":
            try:
                state = _bring_up(place, environ, teller, _PATIENCE_S)
            except (StoreBusy, DiskRefused):
                behind = _count_behind(place, environ, loaded)
        try:
            return Opened(_open_folder(place, state), state, behind)
        except Damaged:
            pass  # or swept away by a process that has just made it anew; either way it is looked at below
    state = _bring_up(place, environ, teller, _LONG_PATIENCE_S)
    return Opened(_open_folder(place, state), state, 0)


def _ask(opened: Opened, request: Request, text: str) -> Json:
    """Answer one query."""
    started = time.perf_counter()
    query = parse(text)
    found = _Found([], False)
    if query.terms or (not text.strip() and request.filters != Filters()):
        found = _find(opened, request, query)
    answer: Json = {
        "query": text,
        "mode": "lexical",
        "hits": _hits(opened, request, query, found.ordered[: request.limit]),
        "indexed": {"commit": opened.state.commit, "behind": opened.behind, "vectors": 0},
        "took_ms": round(1000 * (time.perf_counter() - started), 2),
    }
    if found.is_relaxed:
        answer["relaxed"] = True
    return answer


class _Found(NamedTuple):
    """Hits in order; relaxed where no turn had the phrases that were asked for beside words."""

    ordered: list[Candidate]
    is_relaxed: bool


def _find(opened: Opened, request: Request, query: Query) -> _Found:
    matcher = Matcher(opened.turns, request.places[0].name, request.places[0].level)
    ordered = _ordered(opened.turns, matcher, request, query, strictly=True)
    if ordered or len({term.kind == "phrase" for term in query.terms}) != 2:
        return _Found(ordered, False)
    ordered = _ordered(opened.turns, matcher, request, query, strictly=False)
    return _Found(ordered, bool(ordered))


def _ordered(
    index: LexicalIndex, matcher: Matcher, request: Request, query: Query, *, strictly: bool
) -> list[Candidate]:
    """Return hits in order: as many as are wanted, if there are so many."""
    by_session, most = request.group == "session", max(CANDIDATES, 10 * request.limit)
    candidates: list[Candidate] = []
    seen: dict[int, str] = {}
    while True:
        wanted = matcher.match(query, request.filters, strictly=strictly, without=tuple(seen.values()))
        if wanted is None:
            return []
        found = index.best(wanted, most) if query.terms else index.newest(wanted, most)
        candidates = [*candidates, *found] if by_session else found
        ordered = _ranked(candidates, by_session=by_session, by_score=bool(query.terms))
        if len(ordered) >= request.limit or len(found) < most:
            return ordered
        if by_session:
            # A session that is longer than what is ranked hides all others; each round knows one more.
            seen |= {
                each.session: index.stored(each.address)["session"]
                for each in ordered
                if each.session not in seen
            }
        elif most >= MOST_CANDIDATES:
            return ordered
        else:
            most *= _GROWTH  # for there were hundreds of the same


def _ranked(candidates: list[Candidate], *, by_session: bool, by_score: bool) -> list[Candidate]:
    if by_score:
        ordered = ranking.in_order(ranking.with_neighbours(candidates))
        return ranking.by_session(ordered) if by_session else ranking.by_turn(ordered)
    ordered = ranking.in_order(candidates)
    if by_session:
        ordered = ranking.first_of_each_session(ordered)
    return [each._replace(score=0.0) for each in ordered]


def _hits(opened: Opened, request: Request, query: Query, ordered: list[Candidate]) -> list[Json]:
    index, place = opened.turns, request.places[0]
    matches = _marker(Matcher(index, place.name, place.level), index, query)
    cards: dict[str, Mapping[str, object]] = {}
    hits: list[Json] = []
    for candidate in ordered:
        turn = index.stored(candidate.address)
        session = turn["session"]
        if session not in cards:
            cards[session] = index.card(session)
        shown = snippet(turn["text"], matches)
        at_ms = turn["at"]
        hits.append(
            {
                "session": turn["key"],
                "turn": turn["turn"],
                "ordinal": turn["ordinal"],
                "role": turn["role"],
                "at": None if at_ms is None else to_text(at_ms),
                "score": round(candidate.score, 4),
                "title": cards[session].get("title", ""),
                "snippet": shown.text,
                "agent": turn["agent"],
                "model": turn["model"] or cards[session].get("model"),
                "repo": place.name,
                "branch": turn["branch"],
                "author": turn["author"],
                "level": turn["level"] or place.level,
                "id": session,
                "stream": turn["stream"],
                "line": turn["line"],
                "kind": turn["kind"],
                "tool": turn["tool"],
                "error": turn["error"],
                "marks": shown.marks,
            }
        )
    return hits


def _marker(matcher: Matcher, index: LexicalIndex, query: Query) -> Callable[[str], bool]:
    """Return what tells whether a word of a text is one of those asked for."""
    asking = matcher.asking(query)
    stems = frozenset(
        stem for term in asking for stem in index.stems(f"{term.text} {parts_of_identifiers(term.text)}")
    )
    beginnings = tuple(
        words[-1] for term in asking if term.kind == "prefix" and (words := index.words(term.text))
    )
    known: dict[str, bool] = {}

    def matches(word: str) -> bool:
        if word not in known:
            both = f"{word} {parts_of_identifiers(word)}"
            known[word] = not stems.isdisjoint(index.stems(both)) or any(
                found.startswith(beginnings) for found in index.words(word) if beginnings
            )
        return known[word]

    return matches


def _status(place: Place, environ: Mapping[str, str]) -> Json:
    """Say what state an index is in, without changing it."""
    tip = _tip(place, environ)
    loaded = states.load(_root(place))
    condition = states.examine(loaded, place.ref, tip)
    answer: Json = {"state": condition, "memory": tip, "commit": None, "behind": 0, "turns": 0, "sessions": 0}
    answer |= {"unreadable": [], "vectors": 0, "path": str(_root(place))}
    if isinstance(loaded, State):
        try:
            counted = _open_folder(place, loaded).count()
        except Damaged:
            answer["state"] = "corrupt"
        else:
            answer |= counted._asdict()
        answer["commit"] = loaded.commit
        if loaded.commit != tip:
            answer["behind"] = _count_behind(place, environ, loaded)
        elif condition == "behind":
            answer["state"] = "current"  # but another version of gitmem looked at it last
        answer["unreadable"] = [
            {"session": session, "why": why} for session, why in sorted(loaded.unreadable.items())
        ]
    files = (path for path in _root(place).rglob("*") if path.is_file())
    answer["size_bytes"] = sum(map(_size_of, files))
    return answer


def _tip(place: Place, environ: Mapping[str, str]) -> str:
    tip = read_tip(Path(place.common_dir), place.ref, environ)
    if tip is None:
        raise NoMemory(place.ref)
    return tip


def _bring_up(
    place: Place, environ: Mapping[str, str], teller: Teller, wait_s: float, *, anew: bool = False
) -> State:
    from indexer.follow import bring_up  # reads the memory, which an answer from a current index need not

    return bring_up(place, environ, teller, wait_s=wait_s, anew=anew)


def _count_behind(place: Place, environ: Mapping[str, str], state: State) -> int:
    from indexer.follow import count_behind

    return count_behind(place, environ, state.commit)


def _open_folder(place: Place, state: State) -> LexicalIndex:
    return LexicalIndex(_root(place) / state.folder)


def _root(place: Place) -> Path:
    return states.root_of(Path(place.common_dir))


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # merged away meanwhile
