"""What can still be read of a line that a strict JSON decoder refuses."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from gitmem.transcripts.shrink import Shrinker

_ESCAPE = re.compile(
    r"\\(?:"
    r"(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|(?P<good>u[0-9a-fA-F]{4}|[\"\\/bfnrt])"
    r"|)"
)
_LONGEST_INTEGER = 18
_MOST_VALUES = 100


class Salvage(NamedTuple):
    """What a refused line held.

    `values` are its JSON values, in order: more than one where an agent lost a line feed. `was_json` says
    that only its text was at fault: bytes or escapes that are no Unicode, which U+FFFD now stands for.
    """

    values: list[object]
    was_json: bool
    bad_text: bool
    too_deep: bool = False


def salvage(line: bytes) -> Salvage:
    """Read what can be read of one line; never raises.

    Mended are: NUL bytes and a byte order mark around the value (a crash leaves the first, an editor the
    second), invalid UTF-8, lone surrogates, escapes that JSON does not know (a careless redactor leaves
    them), control characters, NaN, and several values on one line. Nesting that no decoder follows is cut.
    """
    text = line.decode("utf-8", "replace")
    bad_text = "\ufffd" in text and "\ufffd".encode() not in line
    lone = False

    def mend(match: re.Match[str]) -> str:
        nonlocal lone
        if match["lone"]:
            lone = True
            return "\\ufffd"
        return match[0] if match["pair"] or match["good"] else r"\\"

    stripped = text.strip("\x00\ufeff \t\r\n")
    mended = _ESCAPE.sub(mend, stripped)
    bad_text = bad_text or lone
    try:
        values, whole = _values(mended)
    except RecursionError:
        return _shallow(mended, bad_text=bad_text)
    was_json = whole and len(values) == 1 and bad_text and len(stripped) == len(text.strip())
    return Salvage(values, was_json, bad_text)


def _shallow(text: str, *, bad_text: bool) -> Salvage:
    shrinker = Shrinker()
    shrinker.feed(text.encode("utf-8", "replace"))
    try:
        values, whole = _values(shrinker.finish().decode("utf-8", "replace"))
    except RecursionError:  # as deep as it may be, and still too deep for this caller's stack
        values, whole = [], False
    return Salvage(values, whole, bad_text, too_deep=True)


def _values(text: str) -> tuple[list[object], bool]:
    """Return the values that stand one behind the other, and whether nothing else does."""
    values: list[object] = []
    at = 0
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except ValueError:
            return values, False
        values.append(value)
        if len(values) == _MOST_VALUES or (at < len(text) and not isinstance(value, dict)):
            return values, False
        while at < len(text) and text[at] in " \t\r\n\x00":
            at += 1
    return values, True


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_constant=lambda _: None)
