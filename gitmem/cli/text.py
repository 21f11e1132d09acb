"""Text on its way to a terminal: made harmless, and measured in columns.

Text from a memory is data that strangers may have written. Nothing of it may move the cursor, set a title,
turn the direction of reading or hide between the letters.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Whole sequences go, so that their parameters do not stay behind as litter. None looks beyond the next
# escape, so that hostile text costs no more than its length.
_SEQUENCES: Final = (
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # OSC, DCS and other strings
    "|\x1b[ -/]+[0-~]"  # character sets
)
_HIDDEN: Final = "\xad\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef"
_SUSPECT: Final = (
    f"[\0-\x08\x0b-\x1f\x7f-\x9f{_HIDDEN}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_INVISIBLE: Final = f"[{_HIDDEN}]"
_LAST_PLANES: Final = "\U000e0000"
_ZERO_WIDTH_CATEGORIES: Final = frozenset({"Mn", "Me", "Cf"})


def clean(text: str) -> str:
    r"""Return text without anything that acts on a terminal; of the controls only \n and \t are left.

    Escape sequences and invisible characters are dropped; other controls and changes of direction are shown
    as what they are. Cleaning twice changes nothing.
    """
    # Most text is of this kind, and the patterns take as long to compile as a search's answer to print.
    if text.isprintable() and (text.isascii() or max(text) < _LAST_PLANES):
        return text
    if not _compiled(_SUSPECT).search(text):
        return text
    text = _compiled(_SEQUENCES).sub("", text.replace("\r\n", "\n"))
    return _compiled(_SUSPECT).sub(_shown, text)


def one_line(text: str) -> str:
    """Return clean text with all white space, line ends too, as single spaces."""
    return " ".join(clean(text).split())


def width(text: str) -> int:
    """Count the columns that clean text takes on a terminal: two for wide characters, none for accents."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def fit(text: str, columns: int) -> str:
    """Cut clean text, with an ellipsis, so that it takes no more than `columns`."""
    if width(text) <= columns:
        return text
    kept, taken = [], 0
    for character in text:
        taken += _columns(character)
        if taken > columns - 1:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…" if columns > 0 else ""


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Fill clean text with spaces up to `columns`; with `right`, on its left."""
    spaces = " " * max(0, columns - width(text))
    return spaces + text if right else text + spaces


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in "\r\u2028\u2029":
        return "\n"
    if _compiled(_INVISIBLE).match(character):
        return ""
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"<U+{code:04X}>"


def _columns(character: str) -> int:
    import unicodedata  # Of no use where all is ASCII.

    if unicodedata.category(character) in _ZERO_WIDTH_CATEGORIES:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def count(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is one."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")
