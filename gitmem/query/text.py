"""The query language: words, "phrases", beginnings* and what is -left out. Whatever is typed means something.

A query is never refused. What would have no meaning (a quote that nothing closes, a query that leaves out
everything) is read as words.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

TermKind = Literal["word", "phrase", "prefix"]

MAX_TERMS: Final = 64
MAX_CHARACTERS: Final = 4096
"""Nobody types more; of a text that was pasted, its beginning says what it is about."""

_CLOSED_QUOTES: Final = re.compile(r'(?<!\S)(-?)(?:"([^"]*)"|“([^”]*)”)(?!\w)|(\S+)')
_LEFT_OUT: Final = re.compile(r"-(?=\w)(?![A-Za-z0-9]\Z)")
_BEGINNING: Final = re.compile(r"(.*\w\w)\*\Z", re.DOTALL)
_HAS_WORD: Final = re.compile(r"[^\W_]")


class Term(NamedTuple):
    """One thing to look for. `text` may hold several words: a phrase's, or an identifier's parts."""

    kind: TermKind
    text: str


class Query(NamedTuple):
    """What must, may and must not be there.

    A turn has to match some of `terms` and none of `unwanted`; of `terms`, phrases have to be there.
    """

    terms: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()


def parse(text: str) -> Query:
    """Read a query.

    A single letter behind a dash is an option of some program and no word to leave out, and so is what stands
    behind two dashes.
    """
    readable = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for dash, straight, curly, bare in _CLOSED_QUOTES.findall(readable):
        phrase = straight or curly
        if bare:
            left_out = _LEFT_OUT.match(bare)
            into, term = (unwanted, _term(bare[1:])) if left_out else (wanted, _term(bare))
        else:
            into, term = (unwanted if dash else wanted), Term("phrase", phrase)
        if _HAS_WORD.search(term.text) and term not in into:
            into.append(term)
    if unwanted and not wanted:
        return Query(tuple(Term("word", term.text) for term in unwanted[:MAX_TERMS]))
    return Query(tuple(wanted[:MAX_TERMS]), tuple(unwanted[:MAX_TERMS]))


def _term(text: str) -> Term:
    beginning = _BEGINNING.match(text)
    if beginning and "*" not in beginning[1]:
        return Term("prefix", beginning[1])
    return Term("word", text)
