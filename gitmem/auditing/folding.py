"""From readings that wait to what goes into the chain: what is alike within a minute is one, and counted.

An agent may search a thousand times in a minute. Each of them costs a line in a file, and all together one
entry of the chain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.auditing.entries import Deed
from gitmem.model.times import to_text

FOLDED_WITHIN_MS: Final = 60_000


class Read(NamedTuple):
    """One reading, or several alike; `at_ms` is when the first of them was, `last_ms` the last."""

    action: str
    by: str
    subject: str
    at_ms: int
    last_ms: int
    times: int
    detail: Mapping[str, int]


def take(audit_dir: Path) -> list[Deed] | None:
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
        content = taken.read_bytes()
    return [_as_deed(read) for read in _fold(content)]


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
            _as_deed(Read(action, by, subject, at_ms, at_ms, 2, detail)).check()
        except (ValueError, TypeError, AttributeError):
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


def _as_deed(read: Read) -> Deed:
    detail: dict[str, int | str] = dict(read.detail)
    if read.times > 1:
        detail |= {"times": read.times, "until": to_text(read.last_ms)}
    return Deed(read.action, to_text(read.at_ms), read.by, detail, "", read.subject)
