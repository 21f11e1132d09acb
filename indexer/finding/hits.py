"""What an answer says about each turn that was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from gitmem.model.times import to_text
from gitmem.query.text import Query
from gitmem.sidecar.wire import Json
from indexer.finding.legs import Source
from indexer.finding.passages import passage
from indexer.finding.snippets import snippet
from indexer.lexical import Candidate
from indexer.lexical.words import parts_of_identifiers

MOST_WITH_NEIGHBOURS: Final = 60
"""So many of the best hits come with the turns beside them, where passages are asked for."""

_REACH: Final = 2


def hits_of(
    sources: Sequence[Source], query: Query, ordered: Sequence[Candidate], passage_characters: int = 0
) -> list[Json]:
    """Return turns as the answer has them, each with the stretch of its text that matches best.

    Where passages are asked for, each has its own, and the best hits the turns beside them with theirs.
    """
    markers = [_Marker(source, query) for source in sources]
    cards: dict[tuple[int, str], Mapping[str, object]] = {}
    hits: list[Json] = []
    for rank, each in enumerate(ordered):
        source, matches = sources[each.source], markers[each.source].matches
        turn = source.turns.stored(each.address)
        hit = _hit(source, each, turn, matches, cards)
        if passage_characters:
            hit["passage"] = passage(turn["text"], matches, passage_characters)._asdict()
            beside = []
            if rank < MOST_WITH_NEIGHBOURS:
                where = turn["session"], turn["stream"], turn["ordinal"]
                beside = source.turns.beside_turn(*where, _REACH)
            hit["beside"] = [_neighbour(one, matches, passage_characters) for one in beside]
        hits.append(hit)
    return hits


def _neighbour(turn: Mapping[str, Any], matches: Callable[[str], bool], characters: int) -> Json:
    names = ("turn", "ordinal", "role", "line", "kind", "tool", "error", "author", "branch")
    at_ms = turn["at"]
    return {
        **{name: turn[name] for name in names},
        "at": None if at_ms is None else to_text(at_ms),
        "captured_by": turn["by"],
        "passage": passage(turn["text"], matches, characters)._asdict(),
    }


def _hit(
    source: Source,
    candidate: Candidate,
    turn: Mapping[str, Any],
    matches: Callable[[str], bool],
    cards: dict[tuple[int, str], Mapping[str, object]],
) -> Json:
    session = turn["session"]
    at = (candidate.source, session)
    if at not in cards:
        cards[at] = turn.get("card") or source.turns.card(session)  # a note has its own
    card = cards[at]
    shown = snippet(turn["text"], matches)
    hit: Json = {
        "session": turn["key"],
        "turn": turn["turn"],
        "ordinal": turn["ordinal"],
        "role": turn["role"],
        "at": _moment(turn["at"]),
        "score": round(candidate.score, 4),
        "title": card.get("title", ""),
        "snippet": shown.text,
        "agent": turn["agent"],
        "model": turn["model"] or card.get("model"),
        "repo": source.place.name,
        "branch": turn["branch"],
        "author": turn["author"],
        "captured_by": turn["by"],
        "titled_by": card.get("titled_by", []),
        "level": turn["level"] or source.place.level,
        "id": session,
        "stream": turn["stream"],
        "line": turn["line"],
        "kind": turn["kind"],
        "tool": turn["tool"],
        "error": turn["error"],
        "marks": shown.marks,
    }
    if "note" in turn:
        hit["note"] = {**turn["note"], "due": _moment(turn["note"]["due"])}
    return hit


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_text(at_ms)


class _Marker:
    """Tells whether a word of a text is one of those asked for."""

    def __init__(self, source: Source, query: Query) -> None:
        self._source, self._query = source, query
        self._known: dict[str, bool] = {}

    def matches(self, word: str) -> bool:
        """Tell whether a word would be marked."""
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._look_at(word)
        return known

    def _look_at(self, word: str) -> bool:
        index = self._source.turns
        stems, beginnings = self._wanted
        # Nearly every word is of small letters, and has no parts.
        both = word if word[1:].islower() else f"{word} {parts_of_identifiers(word)}"
        if not stems.isdisjoint(index.stems(both)):
            return True
        return bool(beginnings) and any(found.startswith(beginnings) for found in index.words(word))

    @cached_property
    def _wanted(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """The stems asked for, and what words may begin with."""
        index, matcher = self._source.turns, self._source.matcher
        asking = matcher.asking(self._query.terms)
        texts = [f"{term.text} {parts_of_identifiers(term.text)}" for term in asking]
        texts += [" ".join(other) for term in asking for other in matcher.others(term)]
        beginnings = (index.words(term.text)[-1:] for term in asking if term.kind == "prefix")
        return (
            frozenset(stem for text in texts for stem in index.stems(text)),
            tuple(words[0] for words in beginnings if words),
        )
