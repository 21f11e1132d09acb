"""What no expression can tell of a value: checksums, entropy, ranges. Rules name these functions.

A check is asked about the secret alone, with all escapes taken away, and says whether it is one. It looks at
each byte a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Check = Callable[[bytes], bool]

CHECKS: Final[Mapping[str, Check]] = {}
