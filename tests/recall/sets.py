"""The sets that recall is measured on: sessions, queries, and what each query should find.

A set is a folder with `sessions/` and `queries.jsonl` (`{"query", "gold": [ids]}` a line), or one of such
folders, each of which is searched for itself. Our own is beside this file; others are in GITMEM_CORPUS.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Literal, NamedTuple

Group = Literal["turn", "session"]

OWN = Path(__file__).with_name("set")
SEED = 3
_LONG_WORD = re.compile(r"[^\W\d_]{5,}")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


class Query(NamedTuple):
    """What is asked for, and the ids of the turns or sessions that it should find."""

    text: str
    gold: tuple[str, ...]


class Part(NamedTuple):
    """A folder of sessions that are searched together, and the queries about them."""

    folder: Path
    queries: tuple[Query, ...]

    @property
    def sessions(self) -> Path:
        """The folder of transcripts."""
        return self.folder / "sessions"


class RecallSet(NamedTuple):
    """What is measured together; `group` is what a query should find."""

    name: str
    group: Group
    parts: tuple[Part, ...]

    @property
    def golds(self) -> list[tuple[str, ...]]:
        """What each query should find, in the order of the queries."""
        return [query.gold for part in self.parts for query in part.queries]

    def with_typos(self) -> RecallSet:
        """Return the set with one typo in each second longer word of every query; the same ones each time."""
        rng = random.Random(SEED)
        parts = tuple(
            part._replace(queries=tuple(q._replace(text=misspelt(q.text, rng)) for q in part.queries))
            for part in self.parts
        )
        return self._replace(name=f"{self.name}, typos", parts=parts)


def every_set(corpus: Path | None) -> list[RecallSet]:
    """Return our own set and those of a corpus, where there is one."""
    found = [load("own", OWN, "turn")]
    if corpus is not None:
        for name, group in (("locomo", "turn"), ("recall", "session")):
            assert (corpus / name).is_dir(), f"{corpus} has no {name}"
            found.append(load(name, corpus / name, group))
    return found


def load(name: str, folder: Path, group: Group) -> RecallSet:
    """Read a set."""
    folders = [path.parent for path in sorted(folder.rglob("queries.jsonl"))]
    assert folders, f"no set in {folder}"
    return RecallSet(name, group, tuple(_part(each) for each in folders))


def misspelt(text: str, rng: random.Random) -> str:
    """Break every second word of five letters or more, the first of them always."""
    nth = -1

    def at(match: re.Match[str]) -> str:
        nonlocal nth
        nth += 1
        return match[0] if nth % 2 else _broken(match[0], rng)

    return _LONG_WORD.sub(at, text)


def _part(folder: Path) -> Part:
    lines = (folder / "queries.jsonl").read_text().splitlines()
    read = (json.loads(line) for line in lines)
    queries = tuple(Query(each["query"].replace("\n", " "), tuple(each["gold"])) for each in read)
    assert queries, f"no queries in {folder}"
    return Part(folder, queries)


def _broken(word: str, rng: random.Random) -> str:
    """Swap two neighbours, drop or double a letter, or hit the key beside it; never the first letter."""
    kind, at = rng.choice(["swap", "drop", "double", "beside"]), rng.randrange(1, len(word) - 1)
    if kind == "swap" and word[at] != word[at + 1]:
        return f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    beside = [
        key
        for row in _ROWS
        if word[at].lower() in row
        for key in row[max(0, row.index(word[at].lower()) - 1) :][:3]
        if key != word[at].lower()
    ]
    if kind == "beside" and beside:
        return word[:at] + rng.choice(beside) + word[at + 1 :]
    return word[:at] + word[at] + word[at:]
