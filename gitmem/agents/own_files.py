"""Files that are gitmem's own as a whole: each says so, and by a digest that nobody has changed it.

So a newer version may replace one without asking, wherever it was committed, and never one that somebody has
made their own.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal

_MARK: Final = re.compile(rb"gitmem-enable ([0-9a-f]{16})")
_PLACE: Final = b"gitmem-enable 0000000000000000"

State = Literal["ours", "changed", "foreign"]


def certified(text: str) -> bytes:
    """Return a file's content with its digest in the place that is left for one."""
    content = text.encode()
    assert content.count(_PLACE) == 1
    return content.replace(_PLACE, b"gitmem-enable " + _digest(content))


def state(content: bytes) -> State:
    """Tell whether a file is as some version of gitmem wrote it."""
    found = _MARK.search(content)
    if found is None:
        return "foreign"
    bare = content[: found.start()] + _PLACE + content[found.end() :]
    return "ours" if _digest(bare) == found[1] else "changed"


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:16].encode()
