"""VS Code and the editors made from it: where they keep what is a user's, and how they write down where
something is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitmem.transcripts.fields import mapping, string

VSCODE = ("Code", "Code - Insiders", "VSCodium", "Code - OSS")
DERIVED = ("Cursor", "Windsurf", "Trae", "Kiro", "Antigravity")

_WINDOWS_DRIVE = re.compile(r"/[A-Za-z]:(?:/|\Z)")


def user_folders(home: Path, environ: Mapping[str, str], editors: Iterable[str]) -> list[Path]:
    """Return the folder `User` of each of these editors, on each system; they need not be there."""
    config = environ.get("XDG_CONFIG_HOME")
    roots = [
        Path(config) if config else home / ".config",
        home / "Library" / "Application Support",
        Path(environ["APPDATA"]) if environ.get("APPDATA") else home / "AppData" / "Roaming",
    ]
    return [root / editor / "User" for editor in editors for root in roots]


def server_folders(home: Path) -> list[Path]:
    """Return the same of the servers that run where an editor is connected to from afar."""
    names = (".vscode-server", ".vscode-server-insiders", ".cursor-server", ".windsurf-server")
    return [home / name / "data" / "User" for name in names]


def path_of(place: object) -> str | None:
    """Return the path that a URI names, as text or in its components; None where it is on no disk."""
    if isinstance(place, str):
        try:
            uri = urlsplit(place)
        except ValueError:
            return None
        return _as_path(uri.scheme, unquote(uri.path))
    parts = mapping(place)
    return _as_path(string(parts, "scheme") or "file", string(parts, "path") or string(parts, "fsPath") or "")


def _as_path(scheme: str, path: str) -> str | None:
    if scheme not in ("file", "vscode-remote") or not path:
        return None
    return path[1:] if _WINDOWS_DRIVE.match(path) else path
