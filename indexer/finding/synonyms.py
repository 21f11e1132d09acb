"""Words that stand for each other: a list of ours, and a file that users write.

A line is a group of words, separated by commas; `#` begins a comment. A group of the user's own that has a
word of ours goes beside ours; `-word` in the user's file takes a word out of our groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

Synonyms: TypeAlias = Mapping[str, tuple[str, ...]]
"""What else a word may be called, by the word in lower case; several words are a phrase."""

_MAX_BYTES: Final = 1 << 20
_MAX_OTHERS: Final = 8


def load(own: Path | None) -> Synonyms:
    """Read our list and, where there is one, the user's; a file that cannot be read is none."""
    ours = _groups((Path(__file__).parent / "synonyms.txt").read_text("utf-8"))
    theirs = _groups(_content(own)) if own else []
    unwanted = {group[0][1:] for group in theirs if len(group) == 1 and group[0].startswith("-")}
    groups = [[word for word in group if word not in unwanted] for group in ours]
    return _by_word([*(group for group in theirs if len(group) > 1), *groups])


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""  # as the command line says where it is looked for, and `index status` whether it is there


def _groups(text: str) -> list[list[str]]:
    found = (_words(line.partition("#")[0]) for line in text.splitlines())
    return [words for words in found if words]


def _words(line: str) -> list[str]:
    """Return a group's words, each once, and of a line that is no group no more than one would have."""
    words = dict.fromkeys(word for each in line.split(",") if (word := _clean(each)))
    return list(words)[: _MAX_OTHERS + 1]


def _clean(word: str) -> str:
    return " ".join(word.casefold().split())


def _by_word(groups: Iterable[list[str]]) -> Synonyms:
    found: dict[str, list[str]] = {}
    for group in groups:
        for word in group:
            found.setdefault(word, []).extend(other for other in group if other != word)
    return {word: tuple(dict.fromkeys(others))[:_MAX_OTHERS] for word, others in found.items()}
