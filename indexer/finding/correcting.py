"""Words that nobody wrote become the nearest that somebody did.

A word is misspelt if no index has it, in any form, and it has no synonyms; the words that an identifier or
a path is made of are words too, but what has humps or digits is looked for as it was written. The nearest
is one edit away (a letter left out, put in, changed, or two swapped), the most frequent of those; of longer
words two edits, where the first two letters and nearly the length are right. On LoCoMo with typos in half of
the longer words this keeps nDCG@10 at .545 of .552.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Final

from gitmem.query.text import Query, Term
from indexer.lexical import LexicalIndex
from indexer.lexical.words import STOP_WORDS, parts_of_identifiers

_SHORTEST: Final = 4
_SHORTEST_FOR_TWO: Final = 7
_LONGEST: Final = 32
_MOST_LOOKED_AT: Final = 5_000
_MOST_TRIED: Final = 8
_MOST_CORRECTED: Final = 8  # a text with more words that nobody wrote is in another language, or pasted
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_PLAIN: Final = re.compile(r"[\W_]*([A-Za-z]+(?:[\W_]+[A-Za-z]+)*)[\W_]*\Z")
_WORD: Final = re.compile(r"[a-z]+")


def corrections(
    query: Query,
    indexes: Sequence[LexicalIndex],
    others: Container[str] = (),
    is_word: Callable[[str], bool] = lambda word: False,
) -> dict[str, str]:
    """Return the misspelt words of a query with what they most likely are, both in lower case.

    `others` are words that may be found by another name. What `is_word` knows is right as it is: nobody wrote
    of water here, but that does not make it `later`.
    """
    words = dict.fromkeys(word for term in query.terms for word in _plain_words(term))
    unknown = [
        word for word in words if word not in others and not is_word(word) and not _is_known(word, indexes)
    ]
    nearest = {word: _nearest(word, indexes) for word in unknown[:_MOST_CORRECTED]}
    return {word: right for word, right in nearest.items() if right is not None}


def is_strange(query: Query, indexes: Sequence[LexicalIndex], is_word: Callable[[str], bool]) -> bool:
    """Tell whether nobody knows a word of a query: neither `is_word`, nor any index."""
    texts = (f"{term.text} {parts_of_identifiers(term.text)}" for term in query.terms)
    words = dict.fromkeys(word for text in texts for word in indexes[0].words(text))
    return not any(is_word(word) for word in words) and not any(_is_known(word, indexes) for word in words)


def corrected(text: str, fixes: dict[str, str]) -> str:
    """Return text with its misspelt words replaced."""
    if not fixes:
        return text
    wrong = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, fixes))})(?![^\W_])", re.IGNORECASE)
    return wrong.sub(lambda found: fixes.get(found[0].lower(), found[0]), text)


def with_corrections(query: Query, fixes: dict[str, str]) -> Query:
    """Return a query with its misspelt words replaced; all else stays as it was written."""
    if not fixes:
        return query
    terms = (
        Term(term.kind, corrected(term.text, fixes)) if _plain_words(term) else term for term in query.terms
    )
    return query._replace(terms=tuple(dict.fromkeys(terms)))


def _plain_words(term: Term) -> list[str]:
    """Return the words of a term that may be misspelt, in lower case."""
    plain = _PLAIN.match(term.text)
    if term.kind != "word" or plain is None or parts_of_identifiers(plain[1]):
        return []
    words = _WORD.findall(plain[1].lower())
    return [word for word in words if _SHORTEST <= len(word) <= _LONGEST and word not in STOP_WORDS]


def _is_known(word: str, indexes: Sequence[LexicalIndex]) -> bool:
    for index in indexes:
        if index.spread("exact", word) or index.spread("author", word):
            return True
        if any(index.spread(field, stem) for stem in index.stems(word) for field in ("body", "output")):
            return True
    return False


def _nearest(word: str, indexes: Sequence[LexicalIndex]) -> str | None:
    counted = {other: sum(index.spread("exact", other) for index in indexes) for other in _edits(word)}
    # A word seldom begins with the wrong letter.
    near = sorted(
        (other for other, count in counted.items() if count),
        key=lambda other: (-counted[other] * (4 if other[0] == word[0] else 1), other),
    )
    best = _first_alive(near, indexes)
    if best is None and len(word) >= _SHORTEST_FOR_TWO:
        counted = {}
        for index in indexes:
            for other, count in index.words_beginning(word[:2], _MOST_LOOKED_AT):
                counted[other] = counted.get(other, 0) + count
        near = [
            other for other in counted if abs(len(other) - len(word)) <= 1 and _distance(word, other) <= 2
        ]
        best = _first_alive(sorted(near, key=lambda other: (-counted[other], other)), indexes)
    return best


def _first_alive(words: Sequence[str], indexes: Sequence[LexicalIndex]) -> str | None:
    """Return the first word that some turn has; those of deleted turns stand in an index for a while."""
    return next(
        (word for word in words[:_MOST_TRIED] if any(index.is_alive(word) for index in indexes)), None
    )


def _edits(word: str) -> Iterator[str]:
    for at in range(len(word) + 1):
        before, behind = word[:at], word[at:]
        if behind:
            yield before + behind[1:]
            if len(behind) > 1 and behind[0] != behind[1]:
                yield before + behind[1] + behind[0] + behind[2:]
            for letter in _LETTERS:
                if letter != behind[0]:
                    yield before + letter + behind[1:]
        for letter in _LETTERS:
            yield before + letter + behind


def _distance(one: str, other: str) -> int:
    """Return how many edits lie between two words, two swapped neighbours being one (Damerau 1964)."""
    row_before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, row_before_last[j - 2] + 1)
            row.append(cost)
        row_before_last, last = last, row
    return last[-1]
