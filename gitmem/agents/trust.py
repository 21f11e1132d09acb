"""Whether Codex trusts hooks: it runs none before somebody has looked at them, and says nothing.

What was trusted stands in the user's config.toml as `hooks.state."<file>:<event>:<n>:<m>".trusted_hash`
(Codex 0.169).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def is_trusted(config: Path, hooks: Path) -> bool:
    """Tell whether any hook of a file has been trusted; a configuration that cannot be read trusts none."""
    try:
        said: Any = tomllib.loads(config.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    for key in ("hooks", "state"):
        said = said.get(key) if isinstance(said, dict) else None
    if not isinstance(said, dict):
        return False
    return any(
        name.startswith(f"{hooks}:") and isinstance(state, dict) and "trusted_hash" in state
        for name, state in said.items()
    )
