"""From what a vendor says of its tokens to the expressions that find them: the notation of rule files.

A form is text with slots: `glsa_<alnum 32>_<hex 8>` is what it looks like. A slot names an alphabet and how many
characters of it there are (`32`, `32+`, `20-24`), or the words one of which stands there (`<live|test>`); an
alphabet that has no name is written as RE2 does, `<[A-Za-z0-9=] 24>`. `<uuid>` is one.

What is derived, besides the expression itself: a core, which begins with literal text and takes no more than a
few characters of what follows; where the secret may begin and end; and the placeholders that documentation
writes instead of one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

ALPHABETS: Final = {
    "alnum": "A-Za-z0-9",
    "anyhex": "0-9A-Fa-f",
    "base32": "A-Z2-7",
    "base58": "1-9A-HJ-NP-Za-km-z",
    "base64": "A-Za-z0-9+/",
    "digit": "0-9",
    "dotted": "A-Za-z0-9_.-",
    "hex": "0-9a-f",
    "letter": "A-Za-z",
    "lower": "a-z0-9",
    "upper": "A-Z0-9",
    "upperhex": "0-9A-F",
    "urlsafe": "A-Za-z0-9_-",
    "word": "A-Za-z0-9_",
}

LEFT: Final = r"(?:^|[^A-Za-z0-9]|\[[0-9;]{0,9}[mK]|%[0-9A-F]{2}|\\x[0-9a-f]{2})"
"""A secret begins here, not inside a longer word: `sk-` does not begin in "task-force". A colour code, and a
character in a URL's or a shell's escape, end in letters and digits but are no word."""

GAP: Final = r"[^A-Za-z0-9]{1,24}(?:(?i:value)[^A-Za-z0-9]{1,12})?"
"""Between a name and its value, however quoted; manifests write `name: X, value: Y`."""

RAW_GAP: Final = r"(?:[^A-Za-z0-9]|\\[bfnrt]|\\u[0-9a-fA-F]{4})*"
"""The same while it is still escaped."""

WORDS: Final = (
    r"(?:your|my|the|this|a|an|some|example|sample|test|dummy|fake|placeholder|access|api|app|auth|bearer|basic|bot"
    r"|jwt|oauth|token|key|secret|user|name|username|pass|password|credentials?|base64|encoded|header|value|goes"
    r"|here|string|authentication|authorization|redacted|x+|\.+|\*+|0+|[-_/+])+"
)
"""What is written about a credential, or instead of one."""

_UUID = "<hex 8>-<hex 4>-<hex 4>-<hex 4>-<hex 12>"
_SLOT = re.compile(r"<(\[[^\]]+\]|[a-z0-9]+) (\d+)(?:(\+)|-(\d+))?>|<([^<> ]*\|[^<>]*)>|<([^<>]*)>")
_ESCAPABLE = re.compile(r"[\"'\\/\s<>&]")
"""What an escape may hide from a search of the raw line; a core does without."""

_CORE_CHARACTERS = 8
_CORE_VALUE_CHARACTERS = 24
_LONG_PREFIX = 5
"""A shorter prefix needs more of what follows it to be rare."""


class FormError(ValueError):
    """The notation was not kept; the text says where."""


class Parts(NamedTuple):
    """What a rule is made of; the module gitmem.redaction.rules says what each field means."""

    core: str
    pattern: str
    skip: str


class _Piece(NamedTuple):
    """Literal text; or the words one of which stands there; or characters of an alphabet, None meaning any number.

    `expression` matches it, `literal` is what of it is certain.
    """

    expression: str
    literal: str = ""
    alphabet: str = ""
    at_least: int = 0
    at_most: int | None = 0


def from_form(form: str, before: str = "", skip: str = "") -> Parts:
    """Derive the parts of a token that its own text gives away, or the text `before` it.

    Raises:
        FormError: The form cannot be read, or has no literal text for a core to begin with.
    """
    pieces = _parsed(form)
    whole = _expression(pieces, bounded=bool(before))
    if before:
        return Parts(_longest_run(before), re.escape(before) + whole, _either(skip, f"(?i){WORDS}"))
    lead = "".join(piece.expression for piece in takewhile(lambda piece: not piece.alphabet, pieces))
    return Parts(_core(pieces), LEFT + whole, _either(skip, f"(?i){lead}{WORDS}" if lead else ""))


def from_names(names: Sequence[str], form: str, skip: str = "") -> Parts:
    """Derive the parts of a value that only the name in front of it tells to be a secret.

    In a name `_` stands for any separator or none. Up to twenty further characters may belong to the name.

    Raises:
        FormError: The form cannot be read.
    """
    known = f"(?i:{'|'.join(re.escape(name).replace('_', '[_ .-]?') for name in names)})"
    pieces = _parsed(form)
    return Parts(
        rf"{known}[\w.-]*{RAW_GAP}{_beginning(pieces, _CORE_VALUE_CHARACTERS)}",
        rf"{known}[\w.-]{{0,20}}{GAP}{_expression(pieces, bounded=True)}",
        _either(skip, f"(?i){WORDS}"),
    )


def _either(*expressions: str) -> str:
    return "|".join(filter(None, expressions))


def _parsed(form: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    form = form.replace("<uuid>", _UUID)
    for slot in _SLOT.finditer(form):
        if slot.start() > position:
            pieces.append(_literal(form[position : slot.start()]))
        pieces.append(_slot(slot))
        position = slot.end()
    if position < len(form):
        pieces.append(_literal(form[position:]))
    if not any(piece.alphabet for piece in pieces):
        raise FormError(f"{form!r} has no slot such as <alnum 32>")
    return pieces


def _literal(text: str) -> _Piece:
    if "<" in text or ">" in text:
        raise FormError(f"{text!r} has a bracket that is no slot's")
    return _Piece(re.escape(text), text)


def _slot(slot: re.Match[str]) -> _Piece:
    name, count, more, most, words, unknown = slot.groups()
    if words is not None:
        return _Piece(f"(?:{'|'.join(map(re.escape, words.split('|')))})", min(words.split("|"), key=len))
    if unknown is not None:
        raise FormError(f"{slot[0]!r} is no slot: expected <alphabet count> or <one|other>")
    alphabet = name[1:-1] if name.startswith("[") else ALPHABETS.get(name)
    if alphabet is None:
        raise FormError(f"{name!r} is no alphabet: there are {', '.join(ALPHABETS)}")
    at_least = int(count)
    at_most = None if more else int(most or count)
    if not at_least or (at_most is not None and at_most < at_least) or max(at_least, at_most or 0) > 1000:
        raise FormError(f"{slot[0]!r} has a count out of range: 1 to 1000")
    return _Piece(_repeated(alphabet, at_least, at_most), "", alphabet, at_least, at_most)


def _repeated(alphabet: str, at_least: int, at_most: int | None) -> str:
    if at_most is None:
        return f"[{alphabet}]{{{at_least},}}"
    return f"[{alphabet}]{{{at_least}}}" if at_most == at_least else f"[{alphabet}]{{{at_least},{at_most}}}"


def _expression(pieces: list[_Piece], *, bounded: bool) -> str:
    """Return the secret as a group, with what tells where it ends."""
    last = pieces[-1]
    body = "".join(piece.expression for piece in pieces[:-1])
    if not last.alphabet or last.at_most is None:
        return f"({body}{last.expression})"
    if not re.search(rf"[{last.alphabet}]", "+-/=.~"):
        return rf"({body}{last.expression})(?:\b|_)"  # leaves the next character to the next secret
    if bounded:
        return f"({body}{last.expression})(?:[^{last.alphabet}]|$)"
    return f"({body}{_repeated(last.alphabet, last.at_least, None)})"


def _core(pieces: list[_Piece]) -> str:
    """Return how the token begins, from its first literal text on."""
    first = next((n for n, piece in enumerate(pieces) if not piece.alphabet), None)
    if first is None:
        raise FormError("it has no literal text for a search to begin with: give names, or a core")
    certain = sum(len(piece.literal) for piece in takewhile(lambda piece: not piece.alphabet, pieces[first:]))
    core = _beginning(pieces[first:], _CORE_CHARACTERS + 4 * max(0, _LONG_PREFIX - certain))
    if not core:
        raise FormError("its literal text may be escaped: give a core")
    return core


def _beginning(pieces: list[_Piece], characters: int) -> str:
    """Return the first literals and so many characters, up to where an escape might hide what comes."""
    core = ""
    for piece in pieces:
        if piece.alphabet:
            taken = min(piece.at_least, characters)
            # A slash may have a backslash before it.
            raw = r"\\" + piece.alphabet if "/" in piece.alphabet else piece.alphabet
            core += f"[{raw}]{{{taken}}}"
            characters -= taken
            if not characters or piece.at_least != piece.at_most:
                break
        elif cut := _ESCAPABLE.search(piece.literal):
            core += re.escape(piece.literal[: cut.start()])
            break
        else:
            core += piece.expression
    return core


def _longest_run(before: str) -> str:
    return re.escape(max(_ESCAPABLE.split(before), key=len))
