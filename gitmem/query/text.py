"""The query language: words, "phrases", beginnings*, field:value, gm:kind, and what is -left out.

A query is never refused. What would have no meaning (a quote that nothing closes, a field that nobody knows,
a query that leaves out everything) is read as words.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

TermKind = Literal["word", "phrase", "prefix", "placeholder"]
REQUIRED: Final[frozenset[TermKind]] = frozenset({"phrase", "placeholder"})
"""Kinds of terms that have to be there; of the others, more are better."""

MAX_TERMS: Final = 64
MAX_CHARACTERS: Final = 4096
"""Nobody types more; of a text that was pasted, its beginning says what it is about."""

FIELDS: Final = (
    "agent",
    "author",
    "branch",
    "file",
    "is",
    "kind",
    "level",
    "repo",
    "role",
    "session",
    "since",
    "tag",
    "tool",
    "until",
)
_FIELD: Final = "|".join(FIELDS)
_PARTS: Final = re.compile(
    rf'(?<!\S)(-?)(?:({_FIELD}):(?:"([^"]*)"(?!\S)|([^\s"]\S*))|"([^"]*)"(?!\w)|“([^”]*)”(?!\w))|(\S+)'
)
_LEFT_OUT: Final = re.compile(r"-(?=\w)(?![A-Za-z0-9]\Z)")
_BEGINNING: Final = re.compile(r"(.*\w\w)\*\Z", re.DOTALL)
_PLACEHOLDER: Final = re.compile(r"gm:([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)\Z")
_HAS_WORD: Final = re.compile(r"[^\W_]")


class Term(NamedTuple):
    """One thing to look for. `text` may hold several words: a phrase's, or an identifier's parts.

    Of a placeholder, which stands where something was redacted, it is the kind or some of its words, as in
    `aws-key`.
    """

    kind: TermKind
    text: str


class Narrowing(NamedTuple):
    """A field's value that turns must have, or must not; `text` is how it was written."""

    field: str
    value: str
    is_left_out: bool
    text: str


class Query(NamedTuple):
    """What must, may and must not be there.

    A turn has to match some of `terms` and none of `unwanted`; of `terms`, phrases and placeholders have to
    be there. All `narrowings` have to hold.
    """

    terms: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    narrowings: tuple[Narrowing, ...] = ()


def parse(text: str, *, is_narrowed: bool = False) -> Query:
    """Read a query.

    A query that only leaves out is read as words, unless it `is_narrowed` by something beside it. A single
    letter behind a dash is an option of some program and no word to leave out, and so is what stands
    behind two dashes.
    """
    wanted: list[Term] = []
    unwanted: list[Term] = []
    narrowings: list[Narrowing] = []
    for found in _PARTS.finditer(readable(text[:MAX_CHARACTERS])):
        dash, name, quoted, value, straight, curly, bare = found.groups()
        if name:
            narrowings.append(Narrowing(name, quoted or value or "", bool(dash), found[0]))
            continue
        if bare:
            left_out = _LEFT_OUT.match(bare)
            into, term = (unwanted, _term(bare[1:])) if left_out else (wanted, _term(bare))
        else:
            into, term = (unwanted if dash else wanted), Term("phrase", straight or curly or "")
        if _HAS_WORD.search(term.text) and term not in into:
            into.append(term)
    if unwanted and not (wanted or narrowings or is_narrowed):
        return Query(tuple(Term("word", term.text) for term in unwanted[:MAX_TERMS]))
    return Query(tuple(wanted[:MAX_TERMS]), tuple(unwanted[:MAX_TERMS]), tuple(narrowings[:MAX_TERMS]))


def readable(text: str) -> str:
    """Return text without lone surrogates, which stand in arguments for bytes that are no text."""
    return text.encode("utf-8", "replace").decode()


def as_words(query: Query, refused: tuple[Narrowing, ...]) -> Query:
    """Return a query in which some narrowings are words, as they were written."""
    words = tuple(Term("word", each.text) for each in refused if _HAS_WORD.search(each.text))
    left = tuple(each for each in query.narrowings if each not in refused)
    return Query(tuple(dict.fromkeys((*query.terms, *words)))[:MAX_TERMS], query.unwanted, left)


def _term(text: str) -> Term:
    placeholder = _PLACEHOLDER.match(text)
    if placeholder:
        return Term("placeholder", placeholder[1].lower())
    beginning = _BEGINNING.match(text)
    if beginning and "*" not in beginning[1]:
        return Term("prefix", beginning[1])
    return Term("word", text)
