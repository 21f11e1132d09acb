"""Cursors: where an answer was cut, in a text that only who made it can read anything from.

A cursor says where to go on, and of what question; it holds nothing else, so that none has to be remembered
and none can reach anything that its question does not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

import msgspec

from gitmem.model.errors.serving import CursorRefused

FAR_MS: Final = 1 << 52
"""Further from 1970 than any date, either way: a moment and this make a number that a cursor can hold."""

_LONGEST: Final = 1_000
_DIGEST_BYTES: Final = 9


class _Cut(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    question: str
    at: tuple[int | str, ...]


_decoder: Final = msgspec.json.Decoder(_Cut)


def question_of(name: str, arguments: msgspec.Struct) -> str:
    """Return what tells a question from every other one: its tool and arguments, its cursor left out."""
    said = {key: value for key, value in msgspec.to_builtins(arguments).items() if key != "cursor"}
    digest = hashlib.sha256(msgspec.json.encode([name, said], order="deterministic")).digest()
    return base64.urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode()


def cursor(question: str, *at: int | str) -> str:
    """Return the cursor that goes on at a place in the answer to a question."""
    return base64.urlsafe_b64encode(msgspec.json.encode(_Cut(question, at))).decode().rstrip("=")


def place_of(text: str, question: str, *kinds: type) -> tuple[int | str, ...]:
    """Return the place that a cursor goes on at, one value of each of the kinds.

    Raises:
        CursorRefused: It is none that this question was answered with.
    """
    if not text.isascii() or len(text) > _LONGEST:
        raise CursorRefused
    try:
        cut = _decoder.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        raise CursorRefused from None
    is_whole = len(cut.at) == len(kinds) and all(map(isinstance, cut.at, kinds))
    if cut.question != question or not is_whole or any(isinstance(at, int) and at < 0 for at in cut.at):
        raise CursorRefused
    return cut.at
