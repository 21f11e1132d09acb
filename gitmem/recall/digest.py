"""A digest of what went on in a repository, in few tokens: what happened last, and what is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gitmem.recall.delimiters import Delimiters
from gitmem.recall.quoting import HEADING, named, quoted
from gitmem.recall.tokens import estimate

TOKENS: Final = 350
MORE: Final = (
    "more: gitmem recall QUESTION; gitmem show CITATION; gitmem search --file PATH; gitmem note list"
)


class Item(NamedTuple):
    """Something that a digest tells of: its citation, a day, what we say of it, names that somebody gave,
    and what was said.

    Each name stands behind a word of ours, which may be empty. `commit` is an object id, empty where none is
    known.
    """

    cite: str
    day: str = ""
    words: str = ""
    names: tuple[tuple[str, str], ...] = ()
    text: str = ""
    commit: str = ""


class Part(NamedTuple):
    """Items of one kind, the most important first, below a heading of ours."""

    heading: str
    items: tuple[Item, ...]


def written(parts: Sequence[Part], around: Delimiters, tokens: int = TOKENS) -> str:
    """Return a digest of at most so many tokens, without a line end behind it; empty where nothing fits.

    Each part has its first items before any has its last, so that none crowds out another.
    """
    told: dict[str, list[str]] = {part.heading: [] for part in parts}
    said: dict[str, tuple[tuple[str, str], ...]] = {}
    for part, item in _in_turn(parts):
        # That there was something says more than nothing, where there is no room for what was said.
        for fitting in (item, item._replace(text="")):
            told[part.heading].append(_lines(fitting, said.get(part.heading, ())))
            if estimate(_whole(told, around)) <= tokens:
                said[part.heading] = item.names
                break
            told[part.heading].pop()
    return _whole(told, around) if any(told.values()) else ""


def _in_turn(parts: Sequence[Part]) -> Iterator[tuple[Part, Item]]:
    most = max((len(part.items) for part in parts), default=0)
    for nth in range(most):
        for part in parts:
            if nth < len(part.items):
                yield part, part.items[nth]


def _whole(told: dict[str, list[str]], around: Delimiters) -> str:
    lines = [around.begins]
    for heading, items in told.items():
        if items:
            lines += [f"{HEADING}{heading}", *items]
    return "\n".join([*lines, f"{HEADING}{MORE}", around.ends])


def _lines(item: Item, before: Sequence[tuple[str, str]] = ()) -> str:
    """Return what is said of an item; an agent that the one `before` it was made with goes without saying."""
    parts = [item.cite, item.day, item.words]
    parts += [
        f"{label} {named(name)}".strip()
        for label, name in item.names
        if name and (label != "with" or (label, name) not in before)
    ]
    parts.append(f"commit {item.commit[:10]}" if item.commit else "")
    heading = HEADING + " ".join(part for part in parts if part)
    return f"{heading}\n{quoted(item.text)}" if item.text else heading
