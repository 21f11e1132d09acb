"""What other text a text may stand for: base64, hex, percent-encoding, character references, UTF-16, colours.

Text in base64 is told from other base64 by where in the alphabet its characters stand: a byte of ASCII has
its first bit clear, which leaves three of four characters half of the alphabet or less. That finds its own
alignment, and random base64 passes five groups of four once in 100 000 places.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from gitmem.redaction.expressions import expression
from gitmem.redaction.views import GridView, Matched, View

_FIRST, _SECOND, _THIRD = "[C-DI-Za-f]", "[A-HQ-Xg-nw-z0-3]", "[ABEFIJMNQRUVYZcdghklopstwx014589]"
_ANY = "[A-Za-z0-9+/_-]"
_BASE64_OF_TEXT = f"(?:{_FIRST}{_SECOND}{_THIRD}{_ANY}){{5}}"
_BASE64_OF_UTF16 = f"(?:[I-Za-f][AQgw][AB]{_ANY}A[C-H][AEIMQUYcgkosw048]A){{2}}"
_HEX_BYTE = "[2-7][0-9a-fA-F]"
_HEX_OF_TEXT = (
    rf"(?:{_HEX_BYTE}){{14}}|(?:{_HEX_BYTE}[ :]){{13}}{_HEX_BYTE}"
    rf"|(?:0[xX]{_HEX_BYTE}[, ]{{1,2}}){{8}}|(?:\\+[xX]{_HEX_BYTE}){{4}}"
)
_REFERENCE = r"%[2-7][0-9A-Fa-f]|&(?:#[0-9xX]|quot;|amp;|apos;)"
CODED = "|".join((_BASE64_OF_TEXT, _BASE64_OF_UTF16, _HEX_OF_TEXT, _REFERENCE))
"""Finds whether a text may hold coded text."""

_ESC = r"(?:\x1b|\\+(?:u001[bB]|x1[bB]|033|e))"
_BEL = r"(?:\x07|\\+u0007|\\+a)"
COLOUR = rf"{_ESC}(?:\[[0-9;:?]{{0,32}}[A-Za-z]|\][^\x07\x1b\\\"]{{0,256}}(?:{_BEL}|{_ESC}\\*))"
"""ECMA-48's control sequences, and OSC (titles, links); ESC as itself or as JSON, C and shells write it."""
_NUL = r"(?:\x00|\\+u0000)"
_COLOURS = re.compile(
    rb"[\x1b\x00\\](?<!\\\\)"
    rb"(?:(?:(?<=\x00)|(?<=\\)\\*+u0000)|(?:(?<=\x1b)|(?<=\\)\\*+(?:u001[bB]|x1[bB]|033|e))"
    rb"(?:\[[0-9;:?]{0,32}[A-Za-z]"
    rb"|\][^\x07\x1b\\\"]{0,256}(?:\x07|\\++(?:u0007|a)|(?:\x1b|\\++(?:u001[bB]|x1[bB]|033|e))\\*+)))"
)
"""`COLOUR` and `_NUL` for `re`, which is faster at taking away much; it begins with one of three bytes, and
looks at a run of backslashes from its first on alone."""
COLOURED = rf"{_ESC}[\[\]]|[!-~]{_NUL}[!-~]{_NUL}"
"""Finds whether a text may hold colours, or UTF-16, which is ASCII with NULs."""

_BREAK = r"(?:\r?\n|\r|\\+[nr]|\\+u000[aAdD])"
_SPLIT = (
    rf"(?:\\*[\"'][ \t]{{0,4}}[+.]?)?[ \t]{{0,4}}\\*{_BREAK}"
    rf"(?:[ \t\r\n>|+]|\\+[nrt]|\\+u000[9aAdD]){{0,64}}(?:\\*[\"'])?"
)
"""A line end within a value: behind a backslash, before indentation or margins, between parts of a string."""

_GOING = b"\0\0"

_ONE = r"(?:[A-Za-z0-9+_-]|\\*/)"
_WRAP = rf"[ \t]{{0,4}}{_BREAK}(?:[ \t>|\r\n]|\\+[nrt]){{0,64}}"
_RUN = rf"{_ONE}{{12,}}(?:{_WRAP}{_ONE}{{4,}})*={{0,2}}"
_NOT_BASE64 = rf"{_WRAP}|\\+"
_HEX_RUN = (
    r"(?:[0-9a-fA-F]{2}){14,}[0-9a-fA-F]?|(?:[0-9a-fA-F]{2}[ :]){13,}[0-9a-fA-F]{2}"
    r"|(?:0[xX][0-9a-fA-F]{2}[, ]{1,2}){8,}"
)
_UNITS = re.compile(
    rb"%[0-9A-Fa-f]{2}|&(?:amp|quot|apos|lt|gt|#[0-9]{2,3}|#[xX][0-9a-fA-F]{2});"
    rb"|\\(?<!\\\\)\\*+[xX][0-9a-fA-F]{2}"
)
_BEFORE = 8 << 10
"""How far before the first sign of text in it a run is read from."""
_NAMED = {b"amp": b"&", b"quot": b'"', b"apos": b"'", b"lt": b"<", b"gt": b">"}
_URLSAFE = bytes.maketrans(b"-_", b"+/")


def decoded(text: bytes) -> Iterator[View]:
    """Yield readings of the text's coded parts; each stands alone. In all not above five times the text."""
    if expression(_REFERENCE + r"|\\[xX]" + _HEX_BYTE).search(text):
        yield View.within(View(text), _UNITS, _unit)
    if expression(f"{_BASE64_OF_TEXT}|{_BASE64_OF_UTF16}").search(text):
        yield from _base64(text)
    if expression(_HEX_OF_TEXT).search(text):
        yield from _hex(text)


def uncoloured(text: bytes) -> View:
    """Return the text without colours and NULs."""
    return View.within(View(text), _COLOURS, _nothing, _without_colours(text))


def _without_colours(text: bytes) -> bytes:
    """Say what `_COLOURS` takes away, at the speed of memory where that is NULs alone, as in UTF-16."""
    if expression(rf"{COLOUR}|\\+u0000").search(text):
        return _COLOURS.sub(b"", text)
    return text.translate(None, b"\0")


def joined(text: bytes) -> View:
    """Return the text without what may part a value: line ends, margins, colours."""
    return View.within(View(text), expression(f"{COLOUR}|{_NUL}|{_SPLIT}"), _nothing)


def roughly_joined(text: bytes, is_coloured: bool = True) -> bytes:
    """Return what holds each secret that `joined` holds, at the speed of memory; lines stay lines.

    A text that is known not to be coloured need not be searched for colours.
    """
    if is_coloured and expression(COLOURED).search(text):
        text = _without_colours(text)
    # Two bytes for two take a third less than nothing for two; what is put in their place goes with the rest.
    return text.replace(b"\\n", _GOING).replace(b"\\r", _GOING).translate(None, b"\\\r\0 \t\"'>|+")


def _base64(text: bytes) -> Iterator[View]:
    """Read each run at each of four alignments, since a word before it may look like a part of it."""
    hit = expression(f"{_BASE64_OF_TEXT}|{_BASE64_OF_UTF16}")
    position = 0
    while found := hit.search(text, position):
        runs = expression(_RUN).finditer(text, max(position, found.start() - _BEFORE))
        run = next(run for run in runs if run.end() > found.start())
        position = run.end()
        part: View = GridView(View(text), run[0], run.start(), 1, 1)
        if b"\\" in run[0] or not run[0].isascii() or any(blank in run[0] for blank in b" \t\r\n>|"):
            part = View.within(part, expression(_NOT_BASE64), _nothing)
        coded = part.data.rstrip(b"=").translate(_URLSAFE)
        for offset in range(min(4, len(coded))):
            quads = coded[offset:]
            if len(quads) % 4 == 1:
                quads = quads[:-1]
            plain = binascii.a2b_base64(quads + b"=" * (-len(quads) % 4))
            yield GridView(part, plain, offset, 4, 3)


def _hex(text: bytes) -> Iterator[View]:
    for run in expression(_HEX_RUN).finditer(text):
        whole = run[0]
        separated = not whole.isalnum()
        if whole[1:2] in b"xX" and len(whole) > 2:
            stripped, per = (
                View.within(
                    GridView(View(text), whole, run.start(), 1, 1), expression("0[xX]|[, ]"), _nothing
                ),
                2,
            )
        elif separated:
            stripped, per = (
                View.within(GridView(View(text), whole, run.start(), 1, 1), expression("[ :]"), _nothing),
                2,
            )
        else:
            stripped, per = GridView(View(text), whole, run.start(), 1, 1), 2
        for offset in range(1 if separated else 2):
            digits = stripped.data[offset:]
            yield GridView(stripped, binascii.a2b_hex(digits[: len(digits) // 2 * 2]), offset, per, 1)


def _unit(match: Matched) -> bytes:
    text = match[0]
    if text[:1] == b"%" or text[:1] == b"\\":
        return bytes([int(text[-2:], 16)])
    name = text[1:-1]
    if name[:1] != b"#":
        return _NAMED[name]
    number = int(name[2:], 16) if name[1:2] in b"xX" else int(name[1:])
    return chr(number).encode()


def _nothing(_match: Matched) -> bytes:
    return b""
