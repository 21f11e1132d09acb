"""What an answer says about each turn that was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from gitmem.model.times import to_text
from gitmem.query.text import Query
from gitmem.sidecar.wire import Json
from indexer.finding.legs import Source
from indexer.finding.snippets import snippet
from indexer.lexical import Candidate
from indexer.lexical.words import parts_of_identifiers


def hits_of(sources: Sequence[Source], query: Query, ordered: Sequence[Candidate]) -> list[Json]:
    """Return turns as the answer has them, each with the stretch of its text that matches best."""
    markers = [_Marker(source, query) for source in sources]
    cards: dict[tuple[int, str], Mapping[str, object]] = {}
    return [_hit(sources[each.source], each, markers[each.source].matches, cards) for each in ordered]


def _hit(
    source: Source,
    candidate: Candidate,
    matches: Callable[[str], bool],
    cards: dict[tuple[int, str], Mapping[str, object]],
) -> Json:
    turn = source.turns.stored(candidate.address)
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
