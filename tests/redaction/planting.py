"""Secrets planted in every way that a transcript may hold one, and how much of one is left after redaction.

All that is no secret stays byte for byte, so the bytes between placeholders say what was taken away. A secret
has leaked if fewer than sixteen of its characters are gone, or, where it is shorter than that twice, fewer than
half: what is left can then be completed by guessing.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from gitmem.redaction.placeholders import KINDS, PAYLOADS
from tests.redaction.shapes import Shape


class Planted(NamedTuple):
    """A line, and where in it a secret of `characters` characters stands."""

    raw: bytes
    start: int
    end: int
    characters: int


PLACEHOLDER = re.compile(
    rb"\[gm:(?:(?:%b)|(?:%b):(?:0|[1-9][0-9]{0,14})):[a-z2-7]{16}\]"
    % ("|".join(sorted(KINDS)).encode(), "|".join(sorted(PAYLOADS)).encode())
)
"""What a placeholder is, said in another way than the product says it."""

Encode = Callable[[str], bytes]
_ENOUGH = 16
_BREAKS = ("\n", "\r\n", "\\\n", "\n    ", "\n> ", "\n| ", '" +\n  "')
_COLOURS = ("\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\x1b]8;;x\x07")


def _json(times: int) -> Encode:
    def encode(text: str) -> bytes:
        for _ in range(times):
            text = json.dumps(text)[1:-1]
        return text.encode()

    return encode


def _each(write: Callable[[int], str]) -> Encode:
    return lambda text: "".join(write(byte) for byte in text.encode()).encode()


def _by_characters(encode: Encode, before: bytes = b'{"a": "', behind: bytes = b'"}') -> Place:
    """Plant with a code whose parts are the codes of the text's parts."""

    def plant(shape: Shape, secret: str, rng: Random) -> Planted:
        left, whole, right = encode(f"x {shape.before}"), encode(secret), encode(f"{shape.behind} y")
        start = len(before) + len(left)
        return Planted(before + left + whole + right + behind, start, start + len(whole), len(secret))

    return plant


def _in_base64(
    encode: Callable[[bytes], bytes], *, times: int = 1, utf16: bool = False, wrapped: bool = False
) -> Place:
    def plant(shape: Shape, secret: str, rng: Random) -> Planted:
        before, behind = rng.choice(("x ", "xy ", "xyz ")) + shape.before, f"{shape.behind} and what follows"
        code = "utf-16-le" if utf16 else "utf-8"
        text, start = (before + secret + behind).encode(code), len(before.encode(code))
        end = start + len(secret.encode(code))
        for _ in range(times):
            text, start, end = encode(text), start // 3 * 4, -(-end // 3) * 4
        if wrapped:
            lines = [text[at : at + 76] for at in range(0, len(text), 76)]
            text = b"\\n".join(lines)
            start, end = start + 2 * (start // 76), end + 2 * (end // 76)
        return Planted(b'{"a": "' + text + b'"}', start + 7, min(end + 7, len(text) + 7), len(secret))

    return plant


def _parted(parts: tuple[str, ...], encode: Encode) -> Place:
    """Plant with one of these in the midst of the secret, anywhere."""

    def plant(shape: Shape, secret: str, rng: Random) -> Planted:
        at = rng.randrange(1, len(secret))
        parted = secret[:at] + rng.choice(parts) + secret[at:]
        planted = _by_characters(encode)(shape, parted, rng)
        return planted._replace(characters=len(secret))

    return plant


def _utf16(code: str) -> Place:
    def plant(shape: Shape, secret: str, rng: Random) -> Planted:
        left, whole = f"x {shape.before}".encode(code), secret.encode(code)
        raw = left + whole + f"{shape.behind} y".encode(code)
        return Planted(raw, len(left), len(left) + len(whole), len(secret))

    return plant


def _file_name(shape: Shape, secret: str, rng: Random) -> Planted:
    return _by_characters(_json(1), b'{"file_path": "/srv/data/', b'.txt"}')(shape, secret, rng)


def _of_an_id(shape: Shape, secret: str, rng: Random) -> Planted:
    return _by_characters(_json(1), b'{"session_id": "', b'"}')(shape, secret, rng)


Place = Callable[[Shape, str, Random], Planted]

PLACES: dict[str, Place] = {
    "plain": _by_characters(_json(0), b"", b""),
    "JSON once": _by_characters(_json(1)),
    "JSON twice": _by_characters(_json(2)),
    "JSON three times": _by_characters(_json(3)),
    "unicode escapes": _by_characters(_each(lambda byte: f"\\u{byte:04x}")),
    "split": _parted(_BREAKS, _json(1)),
    "split, JSON twice": _parted(_BREAKS, _json(2)),
    "coloured": _parted(_COLOURS, _json(1)),
    "coloured, raw": _parted(_COLOURS, _json(0)),
    "coloured, as written": _parted(("\\033[31m", "\\e[0m", "\\x1b[K"), _json(1)),
    "base64": _in_base64(b64encode),
    "base64url": _in_base64(urlsafe_b64encode),
    "base64 in lines": _in_base64(b64encode, wrapped=True),
    "base64 twice": _in_base64(b64encode, times=2),
    "base64 of UTF-16": _in_base64(b64encode, utf16=True),
    "percent": _by_characters(_each(lambda byte: f"%{byte:02X}")),
    "percent, where needed": _by_characters(lambda text: quote(text, safe="").encode()),
    "percent twice": _by_characters(lambda text: quote(quote(text, safe=""), safe="").encode()),
    "hex": _by_characters(_each(lambda byte: f"{byte:02x}")),
    "hex, as escapes": _by_characters(_each(lambda byte: f"\\\\x{byte:02x}")),
    "UTF-16": _utf16("utf-16-le"),
    "UTF-16, big end first": _utf16("utf-16-be"),
    "UTF-16 in JSON": _by_characters(_each(lambda byte: json.dumps(f"{byte:c}\x00")[1:-1])),
    "object key": _by_characters(_json(1), b'{"', b'": {"b": 1}}'),
    "file name": _file_name,
    "id": _of_an_id,
}
"""Where a secret may stand; chunk boundaries are for whoever feeds the line."""


_GUESSED = re.compile("^assigned-|^authorization|^session-|password|-header$")


def is_promised(place: str, shape: Shape) -> bool:
    """Tell whether the form is known well enough to be found there: a password that a line parts is not."""
    return not (place.startswith("split") and _GUESSED.search(shape.kind))


def is_leaked(planted: Planted, redacted: bytes) -> bool:
    """Tell whether so much of the secret is left that the rest can be guessed."""
    gone = sum(
        max(0, min(end, planted.end) - max(start, planted.start))
        for start, end in _gone(planted.raw, redacted)
    )
    characters = gone * planted.characters / (planted.end - planted.start)
    return characters < min(_ENOUGH, planted.characters / 2)


def _gone(raw: bytes, redacted: bytes) -> Iterator[tuple[int, int]]:
    """Yield the parts of the raw text that placeholders stand for."""
    first, *others = PLACEHOLDER.split(redacted)
    position = len(first)
    for number, piece in enumerate(others):
        last = number == len(others) - 1
        found = len(raw) - len(piece) if last else raw.find(piece, position + 1)
        assert found >= position, "what is no secret was changed"
        yield position, found
        position = found + len(piece)
