"""Pictures whose bytes were not kept: a grey one of the same kind stands in for each.

A model's interface refuses a session in which a picture is none, and with it all that is said from then on.
A stored line is still the same line as one with such a picture, for a placeholder stands for any text.
"""

from __future__ import annotations

import re
from typing import Final

from gitmem.handing_over.steps import Lost

PICTURES: Final = "pictures, which are grey now"

_PLACEHOLDER: Final = re.compile(
    rb'(?<=[",])\[gm:payload-(gif|jpeg|png|webp):[0-9]{1,15}:[a-z2-7]{16}\](?=")'
)
"""As it stands for all of a text, or for what comes behind `data:image/png;base64,`."""

_GREY: Final = {
    b"gif": b"R0lGODlhIAAgAIAAAICAgAAAACwAAAAAIAAgAAACHoSPqcvtD6OctNqLs968+w+G4kiW5omm6sq27gubBQA7",
    b"jpeg": b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    b"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAAgACABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQ"
    b"AQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAAAAAP/Z",
    b"png": b"iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAFklEQVR42mNoIAAYRhWMKhhVMFIVAABCAAAfN5c2"
    b"AAAAAABJRU5ErkJggg==",
    b"webp": b"UklGRh4AAABXRUJQVlA4TBEAAAAvH8AHAAdQwAIWsP+BiOh/AAA=",
}
"""32 pixels each way: what is much smaller some models refuse as well."""


def with_pictures(line: bytes, lost: Lost) -> bytes:
    """Return a line with a picture wherever one stood, and count them."""
    if b"[gm:payload-" not in line:
        return line
    changed, count = _PLACEHOLDER.subn(lambda found: _GREY[found[1]], line)
    lost[PICTURES] += count
    return changed
