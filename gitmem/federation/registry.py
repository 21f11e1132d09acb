"""When each submodule was synced last, and what came of it: a file of the superproject's own clone.

Local state, of no weight: a submodule that it does not know was never synced from here, and whoever cannot
read it knows none. A submodule that was moved keeps its git directory, and by that its entry.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from gitmem import disk
from gitmem.git.submodules import Submodule, Superproject
from gitmem.model.errors.store import DiskRefused, StoreBusy
from gitmem.verbs import caching

Outcome = Literal["synced", "nothing to do", "offline", "not shared", "failed"]
"""synced: something went or came; nothing to do: all were the same already; offline: a remote did not
answer; not shared: nobody chose a remote there; failed: anything else."""

_KIND: Final = "submodules 1"
_WAIT_S: Final = 5.0


class Entry(msgspec.Struct, frozen=True):
    """What is known of a submodule: where it was, when it was synced last (ms since 1970), and how that went.

    `reached_ms` is when that last went well; `why` says what went wrong since.
    """

    name: str
    path: str
    synced_ms: int
    outcome: Outcome
    why: str = ""
    reached_ms: int | None = None


Came = tuple[Submodule, Outcome, str]
"""What came of syncing a submodule, and why no more."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[bytes, Entry])


def read_registry(superproject: Superproject) -> dict[Path, Entry]:
    """Return what is known of each submodule, by its common directory."""
    top = superproject.top.common_dir
    entries = caching.load(_path(superproject), _KIND, _DECODER) or {}
    return {Path(os.path.normpath(top / os.fsdecode(place))): entry for place, entry in entries.items()}


def note_synced(superproject: Superproject, came: Iterable[Came], now_ms: int) -> None:
    """Remember what came of syncing submodules; those whose git directory is gone are forgotten.

    A disk that refuses is let have its way: nothing depends on it.
    """
    lock, top = _path(superproject).with_name("submodules.lock"), superproject.top.common_dir
    with suppress(DiskRefused, StoreBusy), disk.locked(lock, _WAIT_S):
        known = read_registry(superproject)
        for submodule, outcome, why in came:
            if submodule.repository is None or outcome == "not shared":
                continue
            at = submodule.repository.common_dir
            before = known.get(at)
            reached_ms = before.reached_ms if before is not None else None
            if outcome in ("synced", "nothing to do"):
                reached_ms = now_ms
            name, path, said = map(_readable, (submodule.name, submodule.path, why))
            known[at] = Entry(name, path, now_ms, outcome, said, reached_ms)
        _write(superproject, {_place(at, top): each for at, each in known.items() if at.is_dir()})


def _write(superproject: Superproject, entries: Mapping[bytes, Entry]) -> None:
    caching.write_derived(_path(superproject), _KIND, _ENCODER.encode(dict(sorted(entries.items()))))


def _readable(text: str) -> str:
    """Return a name as a file of texts can hold it: bytes of it that are no UTF-8 are escaped."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")


def _place(at: Path, top: Path) -> bytes:
    """Return where a git directory is, from the superproject's own where it is in that: both may be moved."""
    return os.fsencode(at.relative_to(top) if at.is_relative_to(top) else at)


def _path(superproject: Superproject) -> Path:
    return superproject.top.state_dir / "submodules"
