"""Loading msgspec without the backports that it looks into first, and of which this Python has all."""

from __future__ import annotations

import sys
from typing import Final

_BACKPORTS: Final = "typing_extensions"


def load_msgspec() -> None:
    """Load msgspec, which takes half the time without them; where either is loaded, there is nothing to gain.

    msgspec is made to do without: it then takes the same names from `typing`. For a process that has no other
    threads yet, since meanwhile nobody can load the backports.
    """
    if "msgspec" in sys.modules or _BACKPORTS in sys.modules:
        return
    sys.modules[_BACKPORTS] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[_BACKPORTS]
