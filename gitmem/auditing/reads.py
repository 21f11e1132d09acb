"""Reading, noted at once and cheaply: a line in a file that waits to be folded into the chain.

An agent may search a thousand times in a minute. So reading is not chained when it happens: of what one
reader did in the same way to the same subject within a minute the chain gets one entry, which counts. Nothing
here hashes, and nothing is loaded that a search does not load anyway.

Every line begins with a line end, so that one that a kill cut short spoils no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk

FOLDED_WITHIN_MS: Final = 60_000
MOST_BYTES: Final = 1 << 16
"""What waits at most until somebody folds it: about 600 searches."""


class Read(NamedTuple):
    """One reading, or several alike; `at_ms` is when the first of them was, `last_ms` the last."""

    action: str
    by: str
    subject: str
    at_ms: int
    last_ms: int
    times: int
    detail: Mapping[str, int]


def gather(
    audit_dir: Path, action: str, by: str, subject: str, at_ms: int, detail: Mapping[str, int]
) -> bool:
    """Put a reading down, and tell whether it is time to fold. Under the audit's lock.

    Raises:
        DiskRefused: The disk is full or does not let it.
    """
    path = audit_dir / "reads"
    line = json.dumps([action, by, subject, at_ms, detail], separators=(",", ":"))
    disk.append(path, b"\n" + line.encode(), mode=0o600)
    return os.stat(path).st_size > MOST_BYTES  # noqa: PTH116 (its name is at hand)


def take(audit_dir: Path) -> list[Read] | None:
    """Set aside what has been gathered, and return it, folded; None where there is nothing.

    Under the audit's lock. It is given again, and the same, until it is dropped.

    Raises:
        DiskRefused: The disk does not let it.
    """
    taken = audit_dir / "reads.taken"
    if not taken.exists():
        if not (audit_dir / "reads").exists():
            return None
        disk.rename_file(audit_dir / "reads", taken)
    with disk.refusing("read", taken):
        return _fold(taken.read_bytes())


def drop(audit_dir: Path) -> None:
    """Forget what was taken: it stands in the chain.

    Raises:
        DiskRefused: The disk does not let it.
    """
    disk.remove_file(audit_dir / "reads.taken")


def _fold(content: bytes) -> list[Read]:
    folded: list[Read] = []
    last: dict[tuple[str, str, str], int] = {}
    for line in content.split(b"\n"):
        try:
            action, by, subject, at_ms, detail = json.loads(line)
        except ValueError:
            continue  # It was cut short by a kill, or is the nothing before the first.
        key = (action, by, subject)
        where = last.get(key)
        if where is not None and 0 <= at_ms - folded[where].at_ms < FOLDED_WITHIN_MS:
            same = folded[where]
            counts = {
                name: same.detail.get(name, 0) + detail.get(name, 0)
                for name in same.detail.keys() | detail.keys()
            }
            folded[where] = same._replace(
                last_ms=max(same.last_ms, at_ms), times=same.times + 1, detail=counts
            )
        else:
            last[key] = len(folded)
            folded.append(Read(action, by, subject, at_ms, at_ms, 1, detail))
    return folded
