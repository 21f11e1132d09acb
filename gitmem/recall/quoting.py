"""Quoting text so that it stays a quotation, whatever it says.

Two things hold for every line between the delimiters of an answer. It begins with `| `, and is somebody's
words; or with `# `, and is ours: a citation, fixed words, and names in double quotes that no name can close.
The second delimiter has a number that was drawn for this answer, so nothing that was written before can be
one.

What programs that read an agent's input may act on (tags such as `<system-reminder>`, tokens such as
`<|im_start|>`) is no longer what they look for: its `<` is another character.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.recall.delimiters import MARK

PREFIX: Final = "| "
HEADING: Final = "# "

_OPENS: Final = re.compile(r"<(?=[A-Za-z/|!?$_])|[\uff1c\ufe64](?=\S)")
_OPENED: Final = "‹"
_MARK: Final = re.compile(r"gitmem[\s\W_]*history", re.IGNORECASE)
_NAME_ENDS: Final = re.compile(r'["“”„«»\[\]|#\\]')


def harmless(text: str) -> str:
    """Return clean text in which nothing looks like a tag, a special token, or a delimiter of ours."""
    text = _OPENS.sub(_OPENED, text)
    return _MARK.sub("gitmem’s history", text) if MARK[:6] in text.casefold() else text


def quoted(text: str) -> str:
    """Return clean text as lines that all begin as quoted ones do; no line end of any kind escapes."""
    return "\n".join(f"{PREFIX}{line}".rstrip() for line in harmless(text).splitlines() or [""])


def named(text: str) -> str:
    """Return a name for a line of ours: on one line, in double quotes, with none of its own."""
    return '"' + " ".join(_NAME_ENDS.sub(" ", harmless(text)).split()) + '"'
