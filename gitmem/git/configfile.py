"""git's configuration files, read without git: a superproject may have a hundred of them.

What git documents of their syntax, and less: a file that is written in another way than git itself writes it,
or that includes others, is unclear, so that git has to be asked. https://git-scm.com/docs/git-config#_syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_BLANK: Final = re.compile(r"[ \t]*(?:[#;].*)?\Z")
_SECTION: Final = re.compile(
    r'[ \t]*\[(?P<name>[A-Za-z0-9-]+)(?:[ \t]+"(?P<sub>(?:[^"\\\0]|\\[^\0])*)")?\][ \t]*(?P<rest>.*)\Z'
)
_KEY: Final = re.compile(r"[ \t]*(?P<name>[A-Za-z][A-Za-z0-9-]*)[ \t]*(?P<has_value>=[ \t]*)?(?P<rest>.*)\Z")
_PLAIN: Final = re.compile(r'[^"\\#;\t\r\n\v\f\0]*\Z')
_PIECE: Final = re.compile(
    r'"(?P<quoted>(?:[^"\\\n\r\0]|\\["\\ntb])*)"|\\(?P<escaped>["\\ntb])|(?P<plain>[^"\\#;\t\r\v\f\0]+)'
    r"|(?P<comment>[#;].*)"
)
_ESCAPED: Final = re.compile(r'\\(["\\ntb])')
_ESCAPES: Final = {"n": "\n", "t": "\t", "b": "\b"}
_INCLUDING: Final = frozenset({"include", "includeif"})


class ConfigUnclear(ValueError):
    """A file is not of the plainest: git has to say what stands in it."""


class Entry(NamedTuple):
    """A setting, by git's name for it (lower case, but for what is between its dots), and its value."""

    name: str
    value: str


def entries(content: bytes) -> Iterator[Entry]:
    """Yield the settings of a file in order, as `git config --list` names them; bytes survive `os.fsencode`.

    Raises:
        ConfigUnclear: Something stands there that is left to git to understand.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    section = ""
    for line in text.split("\n"):
        if _BLANK.match(line):
            continue
        header = _SECTION.match(line)
        if header:
            if header["name"].lower() in _INCLUDING:
                raise ConfigUnclear("it includes another file")
            section = header["name"].lower() + "."
            if header["sub"] is not None:
                section += re.sub(r"\\(.)", r"\1", header["sub"]) + "."
            line = header["rest"]
            if _BLANK.match(line):
                continue
        key = _KEY.match(line)
        if key is None or not section or (key["rest"] and key["has_value"] is None):
            raise ConfigUnclear(line)
        yield Entry(
            section + key["name"].lower(), "true" if key["has_value"] is None else _value(key["rest"])
        )


def _value(text: str) -> str:
    if _PLAIN.match(text):
        return text.rstrip(" ")
    parts: list[str] = []
    at, kept = 0, 0  # `kept` parts are followed by something that is no space
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ConfigUnclear(text)
        at = piece.end()
        if piece["comment"] is not None:
            break
        if piece["plain"] is not None:
            plain = piece["plain"]
            if plain[0] == " " and not any(parts):
                raise ConfigUnclear(text)  # behind "", where gits differ
            parts += [plain.rstrip(" "), plain[len(plain.rstrip(" ")) :]]
            kept = len(parts) - 1 if parts[-2] else kept
        else:
            quoted = piece["quoted"] if piece["quoted"] is not None else piece[0]
            parts.append(_ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted))
            kept = len(parts)
    return "".join(parts[:kept])
