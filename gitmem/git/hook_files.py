"""Hook files in a folder: gitmem's block or file for each hook, written and taken out again.

A hook of somebody's is never lost: a shell script gets a block, a hook of a manager that writes it again is
left to it, and whatever else is a hook is kept beside under another name and called.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from gitmem import disk
from gitmem.git.hook_text import (
    HOOKS,
    STUB,
    Owner,
    calling_file,
    find_block,
    has_block,
    is_shell_script,
    kept_name,
    new_file,
    owner_of,
    reads_its_name,
    with_block,
    without_block,
)
from gitmem.model.errors.enabling import HookInTheWay
from gitmem.model.errors.store import DiskRefused

Why = Owner | Literal["it reads its own name"]
"""Why a hook was left alone: who writes it, or what it does."""

# Where pre-commit and lefthook put a hook that they find in their place; the first one goes on calling it.
_MOVED_TO: Final = (".legacy", ".old")
_MADE: Final = "hooks-folder"
_MAX_HOOK_BYTES: Final = 1 << 24


def write_files(folder: Path, stub: bytes, state_dir: Path, *, besides: Iterable[str] = ()) -> None:
    """Write the stub and, for each hook, a block or a file of our own into a folder.

    Raises:
        HookInTheWay: A hook's name is taken by something that is no file; nothing has been written.
        DiskRefused: The disk does not let it.
    """
    hooks = [hook for hook in HOOKS if hook not in besides]
    for hook in hooks:
        if os.path.lexists(folder / hook) and not ((folder / hook).is_file() or (folder / hook).is_symlink()):
            raise HookInTheWay(str(folder / hook))
    if not folder.exists():
        # Noted before it is made, so that taking it away again needs no guess.
        disk.replace_file(state_dir / _MADE, os.fsencode(folder) + b"\n")
        disk.make_folder(folder)
    if not runs(folder / STUB) or _read(folder / STUB) != stub:
        disk.replace_file(folder / STUB, stub, mode=0o777)
    for hook in hooks:
        _write_hook(folder, hook)


def remove_files(folders: Iterable[Path], state_dir: Path) -> None:
    """Take the blocks, the files and the stub out of folders, and a folder that we made itself.

    Raises:
        DiskRefused: The disk does not let it; what is left is found again the next time.
    """
    for folder in folders:
        if not folder.is_dir():
            continue
        for path in folder.glob(f"{disk.UNPUBLISHED}*"):
            disk.remove_file(path)  # of a process that was killed
        for hook in HOOKS:
            for ending in ("", *_MOVED_TO):
                _remove_block(folder / (hook + ending))
            kept = folder / kept_name(hook)
            if _is_same(kept, folder / hook):
                disk.remove_file(kept)  # likewise: kept, and not yet replaced
        if (folder / STUB).is_file():
            disk.remove_file(folder / STUB)
        made = state_dir / _MADE
        if made.is_file() and _read(made) == os.fsencode(folder) + b"\n":
            disk.remove_empty_folder(folder)
            disk.remove_file(made)


def runs_block(folder: Path, hook: str) -> bool:
    """Tell whether git, running a hook, comes to gitmem's block."""
    path = folder / hook
    return not path.is_symlink() and runs(path) and (has_block(_read(path)) or _legacy_runs_block(path))


def why_left(path: Path) -> Why | None:
    """Return why a hook is not to be touched, if it is not."""
    if not path.is_file():
        return None
    content = _read(path)
    if has_block(content):
        return None
    is_renamed = path.is_symlink() or not is_shell_script(content)
    if is_renamed and reads_its_name(content):
        return owner_of(content) or "it reads its own name"
    return owner_of(content)


def runs(path: Path) -> bool:
    """Tell whether git would run a file as a hook."""
    return path.is_file() and os.access(path, os.X_OK)


def text_of(path: Path) -> str:
    """Return the text of a file; nothing where there is none."""
    return _read(path).decode("utf-8", "surrogateescape") if path.is_file() else ""


def _write_hook(folder: Path, hook: str) -> None:
    path = folder / hook
    if not path.is_symlink() and path.is_file() and not runs(path) and has_block(_read(path)):
        _remove_block(path)  # git passes it over; what is left of it is treated like any other's
    if not os.path.lexists(path):
        disk.replace_file(path, new_file(hook), mode=0o777)
        return
    if why_left(path) is not None or _legacy_runs_block(path):
        return
    content = _read(path) if path.is_file() else b""
    # git runs no hook that may not be executed, and a block would need that bit.
    if not path.is_symlink() and runs(path):
        text = with_block(content, hook)
        if text is not None:
            if text != content:
                disk.rewrite_file(path, text)
            return
    kept = _free_name(folder, hook)
    if not _is_same(folder / kept, path):
        disk.keep_beside(path, folder / kept)
    disk.replace_file(path, calling_file(hook, kept), mode=0o777)


def _remove_block(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        return
    content = _read(path)
    block = find_block(content)
    if block is None:
        return
    text = without_block(content)
    if text is not None:
        disk.rewrite_file(path, text)
    elif block.kept is not None and os.path.lexists(path.with_name(block.kept)):
        disk.rename_file(path.with_name(block.kept), path)
    else:
        disk.remove_file(path)


def _free_name(folder: Path, hook: str) -> str:
    """Return a name for a hook that is kept; what an earlier one left behind is never written over."""
    n = 1
    while os.path.lexists(folder / kept_name(hook, n)):
        if _is_same(folder / kept_name(hook, n), folder / hook):
            break  # The process that kept it was killed before it could go on.
        n += 1
    return kept_name(hook, n)


def _is_same(path: Path, other: Path) -> bool:
    """Tell whether two names are of one file, or of two links that lead to one place."""
    if not os.path.lexists(path) or not os.path.lexists(other):
        return False
    if path.is_symlink() and other.is_symlink():
        return path.readlink() == other.readlink()
    return os.path.samestat(path.lstat(), other.lstat())


def _legacy_runs_block(path: Path) -> bool:
    """Tell whether the pre-commit framework moved the file that we wrote away, and calls it."""
    legacy = path.with_name(f"{path.name}.legacy")
    return runs(legacy) and has_block(_read(legacy)) and "pre-commit.com" in text_of(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_HOOK_BYTES)
    except OSError as error:
        raise DiskRefused("read", str(path), error.strerror or str(error)) from error
