"""Turns as a search hands them over for a quotation: typed, their text clean, with those beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, cast

Json = Mapping[str, object]
Clean = Callable[[str], str]
"""Takes out of a text whatever acts on a terminal or cannot be seen."""

_LONGEST_NAME: Final = 60


class Passage(NamedTuple):
    """A stretch of a turn's text; `words` are where in it, in characters, what was asked for stands.

    `before` and `behind` say whether the turn has more text on that side.
    """

    text: str
    words: tuple[tuple[int, int], ...] = ()
    before: bool = False
    behind: bool = False


class Told(NamedTuple):
    """One turn of a session, with what is known of the session; times as the memory writes them.

    `repo` tells memories apart that were searched together. `author` is who spoke, where the turn says so,
    else who captured it; `trust` is how far the latter is trusted.
    """

    repo: str
    session: str
    id: str
    stream: str
    ordinal: int
    line: int
    turn: str | None
    role: str
    kind: str
    tool: str
    is_error: bool
    author: str
    agent: str
    branch: str
    at: str
    title: str
    trust: str
    score: float
    passage: Passage
    note: str = ""
    """The type of a note, which is no turn of a session: `decision`, `pattern` or `reminder`."""

    @property
    def place(self) -> tuple[str, str, str, int]:
        """What tells it from every other turn."""
        return self.repo, self.id, self.stream, self.ordinal


class Hit(NamedTuple):
    """A turn that was found, and those beside it in its stream, in order."""

    told: Told
    beside: tuple[Told, ...]


def read_hits(hits: Sequence[Json], clean: Clean, *, only_known: bool = False) -> list[Hit]:
    """Read the hits of a search that was asked for passages; `trust` has been told of each.

    With `only_known`, what stands beside a hit and was captured by somebody else is left out.
    """
    found = []
    for hit in hits:
        told = _told(hit, hit, clean)
        beside = cast("Sequence[Json]", hit["beside"])
        told_beside = (_told(hit, one, clean) for one in beside)
        found.append(Hit(told, tuple(one for one in told_beside if not only_known or one.trust == "known")))
    return found


def _told(hit: Json, turn: Json, clean: Clean) -> Told:
    def name(value: object) -> str:
        text = " ".join(clean(str(value or "")).split())
        return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"

    is_same = turn is hit or turn["captured_by"] == hit["captured_by"]
    return Told(
        repo=str(hit["repo"]),
        session=str(hit["session"]),
        id=str(hit["id"]),
        stream=str(hit["stream"]),
        ordinal=int(cast(int, turn["ordinal"])),
        line=int(cast(int, turn["line"])),
        turn=cast("str | None", turn["turn"]),
        role=str(turn["role"]),
        kind=str(turn["kind"]),
        tool=name(turn["tool"]),
        is_error=bool(turn["error"]),
        author=name(turn["author"]),
        agent=name(hit["agent"]),
        branch=name(turn["branch"]),
        at=str(turn["at"] or ""),
        title=name(hit["title"]),
        trust=str(hit["trust"]) if is_same else "unknown",
        score=float(cast(float, hit["score"])) if turn is hit else 0.0,
        passage=passage_of(cast(Json, turn["passage"]), clean),
        note=name(cast(Json, hit["note"])["kind"]) if "note" in hit else "",
    )


def passage_of(passage: Json, clean: Clean) -> Passage:
    """Read the passage of a turn that was found, its text clean."""
    text = str(passage["text"])
    marks = cast("Sequence[Sequence[int]]", passage["marks"])
    parts: list[str] = []
    words: list[tuple[int, int]] = []
    at = length = 0
    for start, end in marks:
        for piece, is_word in ((text[at:start], False), (text[start:end], True)):
            cleaned = clean(piece)
            if is_word:
                words.append((length, length + len(cleaned)))
            parts.append(cleaned)
            length += len(cleaned)
        at = end
    # Cleaned once more as a whole: what acts on a terminal may begin before a word and end behind it.
    whole = "".join([*parts, clean(text[at:])])
    cleaned = clean(whole)
    return Passage(
        cleaned, tuple(words) if cleaned == whole else (), bool(passage["before"]), bool(passage["behind"])
    )
