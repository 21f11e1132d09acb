"""Telling a session once, though the hooks of a clone, a project and a user may all run as it begins."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gitmem import disk
from gitmem.agents.ledger import digest
from gitmem.model.errors.base import GitmemError

_FILE: Final = "told"
_WINDOW_MS: Final = 10_000
_MOST: Final = 50
_WAIT_S: Final = 0.2


def is_first(state_dir: Path, session_id: str, now_ms: int) -> bool:
    """Tell whether nobody has told a session within the last seconds, and note that we do.

    It may be told again later: after it has been compacted. Where nothing can be noted, we are the first.
    """
    path, name = state_dir / _FILE, digest(session_id.encode("utf-8", "surrogatepass"))[:16]
    with suppress(GitmemError), disk.locked(state_dir / f"{_FILE}.lock", _WAIT_S):
        told = _read(path)
        if 0 <= now_ms - told.get(name, -_WINDOW_MS) < _WINDOW_MS:
            return False
        told.pop(name, None)
        told = dict([*told.items(), (name, now_ms)][-_MOST:])
        disk.replace_file(path, json.dumps(told).encode() + b"\n", durable=False, mode=0o600)
    return True


def _read(path: Path) -> dict[str, int]:
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: at for name, at in found.items() if isinstance(at, int)}
