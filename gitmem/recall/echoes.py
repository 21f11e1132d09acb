"""What gitmem itself put into a session: it repeats what others said, and must not be repeated again.

It is known by the lines that its quotations stand between, and by the calls that asked for it. Both are
anybody's text: whoever copies them hides their own words from `gitmem recall`, and nobody else's.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.recall.delimiters import MARK

_SPAN: Final = re.compile(
    rf"\[{MARK} ([0-9a-f]{{12}}) begins\b.*?(?:\[{MARK} \1 ends\]|\Z)",
    re.DOTALL,
)
_READING: Final = "recall|digest|search|show|why|sessions|log|note|hook|mcp"
_CALL: Final = re.compile(
    r"(?:^|[;&|(`\n]|\s-l?c\s)[ \t]{0,16}[\"']?(?:\w+=[^\s;&|]*+[ \t]++){0,8}"  # where a command stands
    r"(?:[\w.~/-]{0,200}/)?(?:gitmem|git[ -]mem|python[0-9.]{0,6}(?: -[EPIsu]{1,5}){0,3} -m gitmem)"
    rf"(?: -C ?\S{{1,400}}| --no-pager| --color\S{{0,9}}){{0,4}}[ \t]+(?:{_READING})\b"
)
"""A command line that reads a memory, at the begin of one or of a part; bounded, for anybody may write it."""

_NAMES: Final = ("gitmem", "git-mem", "git mem")
_TOOL: Final = re.compile(r"(?:\A|_)gitmem(?:_|\Z)|\bgitmem\b")
_LOOKED_AT: Final = 8_192
_WRAPPING: Final = 120
"""Characters that a host may put round what a hook said."""


def without_echoes(text: str) -> str:
    """Return a text without what stands between gitmem's own delimiters, and without these.

    What was cut off before its end is one to the end of the text.
    """
    return _SPAN.sub("", text) if MARK in text else text


def is_echo(kind: str, text: str, tool: str) -> bool:
    """Tell whether a turn is nothing but gitmem's own: a call of it, what it answered, or what a hook put in.

    What a call of it by another tool, such as a shell, came to does not tell by itself: its call does.
    """
    if kind in ("tool_call", "tool_result") and "gitmem" in tool and _TOOL.search(tool):
        return True
    if kind == "tool_call":
        text = text[:_LOOKED_AT]
        # Most calls have no such word, and each turn of a memory is looked at.
        return any(name in text for name in _NAMES) and _CALL.search(text) is not None
    if MARK not in text:
        return False
    left = without_echoes(text).strip()
    is_wrapping = len(left) <= _WRAPPING and (kind != "message" or left.endswith(":"))
    return not left or is_wrapping
