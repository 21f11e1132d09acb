"""What an index takes for words: where scripts leave no spaces, inside identifiers, and what asks nothing."""

from __future__ import annotations

import re
from typing import Final

# Scripts that are written without spaces, and Hangul, whose words carry their grammar at their ends. Each
# character is a word of its own, and what stands next to each other is looked for next to each other.
_UNSPACED_CHARACTERS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED: Final = re.compile(f"[{_UNSPACED_CHARACTERS}]")
_HUMPED: Final = re.compile(r"\b[A-Za-z][a-z0-9]*[A-Z][A-Za-z0-9]*\b")
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORD: Final = re.compile(f"[{_UNSPACED_CHARACTERS}]|[^\\W_{_UNSPACED_CHARACTERS}]+")
_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_LONGEST_IDENTIFIER: Final = 80

# fmt: off
STOP_WORDS: Final = frozenset(
    {
        "a", "about", "an", "and", "any", "are", "aren", "as", "at", "be", "been", "being", "but", "by",
        "can", "could", "couldn", "did", "didn", "do", "does", "doesn", "doing", "don", "for", "from",
        "had", "hadn", "has", "hasn", "have", "haven", "having", "he", "her", "hers", "him", "his",
        "how", "i", "if", "in", "into", "is", "isn", "it", "its", "me", "my", "of", "on", "or", "our",
        "ours", "she", "should", "shouldn", "so", "some", "such", "than", "that", "the", "their",
        "theirs", "them", "then", "there", "these", "they", "this", "those", "to", "us", "was", "wasn",
        "we", "were", "weren", "what", "when", "where", "which", "while", "who", "whom", "whose", "why",
        "will", "with", "won", "would", "wouldn", "you", "your", "yours",
    }
)
# fmt: on
"""Words that a question is made of and that say nothing about its answer; dropped from queries alone."""


def spaced(text: str) -> str:
    """Return text with spaces round each character of a script that has none."""
    if text.isascii():
        return text
    return _UNSPACED.sub(r" \g<0> ", text)


def without_escapes(text: str) -> str:
    """Return text without what coloured it on a terminal, which would stick to its words."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def parts_of_identifiers(text: str) -> str:
    """Return the parts of every camelCase identifier in a text, each identifier's once.

    snake_case, paths and options need none of this: an analyzer splits where no letter or digit stands.
    """
    found = {word for word in _HUMPED.findall(text) if len(word) <= _LONGEST_IDENTIFIER}
    parts = (_HUMP.findall(word) for word in sorted(found))
    return " ".join(" ".join(several) for several in parts if len(several) > 1)


def find_words(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand, as an analyzer would split it."""
    return [match.span() for match in _WORD.finditer(text)]


def is_unspaced(word: str) -> bool:
    """Tell whether a word is a character of a script without spaces."""
    return _UNSPACED.fullmatch(word) is not None
