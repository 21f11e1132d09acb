"""A digest of what went on in a repository, in few tokens: what is open, and what happened last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gitmem.recall.delimiters import WIDEST, Delimiters
from gitmem.recall.quoting import HEADING, named, quoted
from gitmem.recall.tokens import estimate
from gitmem.recall.trimming import CUT, trim
from gitmem.recall.turns import Passage

TOKENS: Final = 350
MORE: Final = "more: gitmem recall QUESTION; gitmem show CITATION; gitmem note list"

_WANTED: Final = 6
"""So many items are shortened, as far as that goes, before one of them is left out."""

_LENGTHS: Final = (100, 32, 24, 18)
"""Tokens of a text: as it comes, and how it is shortened."""

_QUOTING: Final = 4
"""Tokens that quoting a text on one line adds to it."""


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
    """Items of one kind, the most important first, below a heading of ours.

    So many of its `first` ones come before any of another part.
    """

    heading: str
    items: tuple[Item, ...]
    first: int = 0


def written(parts: Sequence[Part], around: Delimiters, tokens: int = TOKENS) -> str:
    """Return a digest of at most so many tokens, without a line end behind it; empty where nothing fits.

    Each part has its first items before any has its last, so that none crowds out another, and long ones are
    shortened before any is left out. What is said depends on no number that was drawn.
    """
    ordered = list(_in_turn(parts))
    page = _Page(tokens)
    for count in range(min(_WANTED, len(ordered)), 0, -1):
        if page.fill(ordered[:count]):
            break
    for part, item in ordered[page.count :]:
        if not page.add(part, _cut(item, _LENGTHS[-1])):
            page.add(part, item._replace(text=""))
    for part, item in ordered:
        page.lengthen(part, item)
    return _whole(parts, page.told, around) if page.count else ""


class _Page:
    """What is told, by the headings of its parts, and how many tokens are left."""

    def __init__(self, tokens: int) -> None:
        self.told: dict[str, list[Item]] = {}
        self.left = tokens - estimate(_whole((), {}, WIDEST))
        self.count = 0

    def fill(self, items: Sequence[tuple[Part, Item]]) -> bool:
        """Tell of some items on an empty page, as long as fits; of none if not even the shortest do.

        The last may go without what was said: that there was something says more than nothing.
        """
        found = None
        for length in reversed(_LENGTHS):
            longer = [(part, _cut(item, length)) for part, item in items]
            if not self._has_room(longer):
                break
            found = longer
        *before, (part, item) = items
        if found is None and len(items) > part.first:
            shortest = [(part, _cut(item, _LENGTHS[-1])) for part, item in before]
            shortest.append((part, item._replace(text="")))
            found = shortest if self._has_room(shortest) else None
        for part, item in found or ():
            self.add(part, item)
        return found is not None

    def _has_room(self, items: Sequence[tuple[Part, Item]]) -> bool:
        left = self.left
        before: dict[str, tuple[tuple[str, str], ...]] = {}
        for part, item in items:
            left -= _cost(item, before.get(part.heading, ()))
            left -= 0 if part.heading in before else _cost_of_heading(part.heading)
            before[part.heading] = item.names
        return left >= 0

    def add(self, part: Part, item: Item) -> bool:
        """Tell of an item behind the others of its part, if there is room."""
        there = self.told.get(part.heading, [])
        cost = _cost(item, there[-1].names if there else ())
        cost += 0 if there else _cost_of_heading(part.heading)
        if cost > self.left:
            return False
        self.told[part.heading] = [*there, item]
        self.left -= cost
        self.count += 1
        return True

    def lengthen(self, part: Part, whole: Item) -> None:
        """Tell more of an item, if it was shortened and there is room for more."""
        there = self.told.get(part.heading, [])
        for at, item in enumerate(there):
            if item.cite == whole.cite and item.text and item.text != whole.text:
                room = self.left + estimate(quoted(item.text))
                longer = _cut(whole, room - _QUOTING)
                more = _cost(longer) - _cost(item)
                if len(longer.text) > len(item.text) and more <= self.left:
                    there[at] = longer
                    self.left -= more


@lru_cache(128)
def _cut(item: Item, tokens: int) -> Item:
    text = item.text.removesuffix(CUT)
    return item._replace(text=trim(Passage(text, behind=text != item.text), tokens)) if item.text else item


def _in_turn(parts: Sequence[Part]) -> Iterator[tuple[Part, Item]]:
    for part in parts:
        yield from ((part, item) for item in part.items[: part.first])
    most = max((len(part.items) - part.first for part in parts), default=0)
    for nth in range(most):
        for part in parts:
            yield from ((part, item) for item in part.items[part.first + nth : part.first + nth + 1])


def _whole(parts: Sequence[Part], told: dict[str, list[Item]], around: Delimiters) -> str:
    lines = [around.begins]
    for part in parts:
        before: tuple[tuple[str, str], ...] = ()
        for nth, item in enumerate(told.get(part.heading, ())):
            lines += [] if nth else [f"{HEADING}{part.heading}"]
            lines.append(_lines(item, before))
            before = item.names
    return "\n".join([*lines, f"{HEADING}{MORE}", around.ends])


def _cost_of_heading(heading: str) -> int:
    return estimate(f"{HEADING}{heading}\n")


@lru_cache(128)
def _cost(item: Item, before: tuple[tuple[str, str], ...] = ()) -> int:
    return estimate(f"{_lines(item, before)}\n")


def _lines(item: Item, before: Sequence[tuple[str, str]]) -> str:
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
