"""What a user calls the people behind pseudonyms: a list of their own, on their own disk.

Nothing of it is ever published. People tell each other who they are in whatever way they like.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from gitmem import disk

MAX_NAME: Final = 200

_FILE: Final = "audit-names"
_LOCK_WAIT_S: Final = 10.0


def read_names(user_dir: Path) -> dict[str, str]:
    """Return the names by pseudonym; none where the list cannot be read."""
    try:
        found = json.loads((user_dir / _FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {actor: name for actor, name in found.items() if isinstance(name, str)} if found else {}


def set_name(user_dir: Path, actor: str, name: str | None) -> None:
    """Call somebody so from now on; None forgets what they were called.

    Raises:
        DiskRefused, StoreBusy: The list cannot be written.
    """
    path = user_dir / _FILE
    with disk.locked(path.with_name(_FILE + ".lock"), _LOCK_WAIT_S):
        names = read_names(user_dir)
        names.pop(actor, None)
        if name is not None:
            names[actor] = name[:MAX_NAME]
        disk.replace_file(path, json.dumps(names, sort_keys=True).encode() + b"\n", mode=0o600)
