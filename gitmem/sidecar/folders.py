"""Where the sidecar is met and what it keeps: a folder of the user alone for its socket, and one for state.

Whoever can write to the socket's folder can answer in the sidecar's place, so nobody but the user may.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitmem.model.errors.searching import SidecarRefused

SOCKET_NAME: Final = "sidecar.sock"
LOCK_NAME: Final = "sidecar.lock"

_SOCKET_PATH_BYTES: Final = 103
"""How long a socket's path may be: macOS has room for 103 bytes and an end, Linux for 107."""


def meeting_folder(environ: Mapping[str, str], uid: int) -> Path:
    """Return the folder for the socket, whether or not it exists.

    It is in XDG_RUNTIME_DIR; where there is none or its path is too long, among temporary files.

    Raises:
        SidecarRefused: The path is too long there too.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and os.path.isdir(runtime):  # noqa: PTH112, PTH117 (cheaper, in a search's way)
        folder = Path(runtime) / "gitmem"
        if _fits(folder):
            return folder
    folder = Path(environ.get("TMPDIR") or "/tmp") / f"gitmem-{uid}"  # noqa: S108 (who owns it is looked at)
    if not _fits(folder):
        raise SidecarRefused(str(folder), "its path is too long for a socket")
    return folder


def is_there(folder: Path, uid: int) -> bool:
    """Tell whether the folder for the socket exists, and is the user's alone.

    Raises:
        SidecarRefused: It exists and somebody else could have a hand in it.
    """
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SidecarRefused(str(folder), error.strerror or str(error)) from error
    if stat.S_ISLNK(status.st_mode):
        raise SidecarRefused(str(folder), "it is a link")
    if not stat.S_ISDIR(status.st_mode):
        raise SidecarRefused(str(folder), "it is no folder")
    if status.st_uid != uid:
        raise SidecarRefused(str(folder), "it belongs to another user")
    if status.st_mode & 0o077:
        raise SidecarRefused(str(folder), "others may enter it")
    return True


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own folder for what gitmem keeps between runs (XDG Base Directory Specification)."""
    state = environ.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        state = f"{environ.get('HOME', '')}/.local/state"
    return Path(state) / "gitmem"


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own folder for what gitmem must not lose (XDG Base Directory Specification)."""
    data = environ.get("XDG_DATA_HOME", "")
    if not data.startswith("/"):  # below a working tree, a key could be committed
        data = f"{environ.get('HOME', '')}/.local/share"
    return Path(data) / "gitmem"


def models_folder(environ: Mapping[str, str]) -> Path:
    """Return where embedding models are where no setting says it."""
    return cache_folder(environ) / "models"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own folder for what can be had again (XDG Base Directory Specification)."""
    cache = environ.get("XDG_CACHE_HOME", "")
    if not cache.startswith("/"):
        cache = f"{environ.get('HOME', '')}/.cache"
    return Path(cache) / "gitmem"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own folder for what they write for gitmem (XDG Base Directory Specification)."""
    config = environ.get("XDG_CONFIG_HOME", "")
    if not config.startswith("/"):
        config = f"{environ.get('HOME', '')}/.config"
    return Path(config) / "gitmem"


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= _SOCKET_PATH_BYTES
