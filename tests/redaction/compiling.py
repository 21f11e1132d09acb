"""Write the catalogue as it is read at run time: `python -m tests.redaction.compiling`, after every change to it."""

from __future__ import annotations

import json
from pathlib import Path

from gitmem.redaction.loading import Entry, load_entries
from gitmem.redaction.rules import COMPILED

CATALOGUE = COMPILED.parent

FILES = (
    "keys",
    "cloud",
    "code",
    "operations",
    "data",
    "messaging",
    "payment",
    "models",
    "work",
    "web",
    "assignments",
)
"""In order of precedence."""

GENERIC = frozenset({"web", "assignments"})
"""What no vendor but a standard or a habit makes a secret."""


def entries(name: str, folder: Path = CATALOGUE) -> tuple[Entry, ...]:
    """Read one file of the catalogue."""
    return load_entries((folder / f"{name}.toml").read_text("utf-8"), f"{name}.toml", "secret")


def compiled() -> str:
    """Return the catalogue as JSON, one rule a line."""
    rules = [entry.rule for name in FILES for entry in entries(name)]
    return "[\n" + ",\n".join(json.dumps(rule, ensure_ascii=False) for rule in rules) + "\n]\n"


if __name__ == "__main__":
    COMPILED.write_text(compiled(), "utf-8")
