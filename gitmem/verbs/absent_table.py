"""The table of the sessions whose text stayed with a remote; light, for a search asks it too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from gitmem import disk
from gitmem.model.ids import SessionId

_TABLE = "absent.json"


def read_absent(state_dir: Path, ref: str) -> frozenset[SessionId]:
    """Return the sessions of the memory at a ref whose text is not here."""
    return frozenset(_read(state_dir).get(ref, ()))


def absent_mark(state_dir: Path) -> bytes:
    """Return what tells one state of the table from another; nothing where there is none."""
    try:
        status = (state_dir / _TABLE).stat()
    except OSError:
        return b""
    return f"absent {status.st_mtime_ns} {status.st_size}\n".encode()


def note_absent(state_dir: Path, ref: str, sessions: Iterable[SessionId]) -> None:
    """Write down which sessions' text is not here; under the storage's lock, before the ref has them."""
    table = _read(state_dir)
    wanted = sorted(sessions)
    if table.get(ref, []) == wanted:
        return
    table = {**table, ref: wanted}
    content = json.dumps({name: listed for name, listed in table.items() if listed}).encode()
    disk.replace_file(state_dir / _TABLE, content)


def _read(state_dir: Path) -> dict[str, list[SessionId]]:
    try:
        table = json.loads((state_dir / _TABLE).read_bytes())
    except FileNotFoundError:
        return {}
    return {str(ref): [SessionId(one) for one in listed] for ref, listed in table.items()}
