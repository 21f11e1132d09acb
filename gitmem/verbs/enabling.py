"""Having git tell gitmem what happens in a repository, and having it stop.

A repository takes part as soon as it has a spool: what a hook runs looks for that folder and does nothing
where it is missing. Beside it stands which Python a drain is to be started by.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

import gitmem
from gitmem import disk
from gitmem.git import hooks, templates
from gitmem.git.hooks import Hooks
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.sidecar.starting import home

SPOOL: Final = "spool"
PYTHON: Final = "python"
REF: Final = "ref"
STUB: Final = "agent-hook"
SERVER: Final = "agent-mcp"

_PASSING: Final = (".tmp", ".taken")
"""Endings of what a stub or a drain was at work on."""


class Disabled(NamedTuple):
    """What stood there before, and how many events wait for a drain that nothing starts any more."""

    hooks: Hooks
    waiting: int


def enable_git(repository: Repository, git: Git, *, force: bool = False) -> Hooks:
    """Make a repository take part and have git's hooks say so; the second time only mends and renews.

    The repository takes part even where no hook could be written, so that a manager's line has a say.

    Raises:
        HooksElsewhere: git takes hooks from a folder that is not this clone's, and nobody said `force`.
        HookInTheWay: A hook's name is taken by something that is no file.
        DiskRefused: The disk does not let it.
    """
    opt_in(repository.state_dir)
    return hooks.install(repository, git, stub(), force=force)


def disable_git(repository: Repository, git: Git) -> Disabled:
    """Take the hooks out, and the spool unless events wait in it.

    Raises:
        DiskRefused: The disk does not let it.
    """
    before = hooks.remove(repository, git)
    return Disabled(before, opt_out(repository.state_dir))


def enable_new_clones(git: Git, data_dir: Path) -> Path:
    """Make every repository take part that is made or cloned from now on; returns git's template folder.

    Raises:
        HookInTheWay: A hook's name is taken by something that is no file.
        DiskRefused: The disk does not let it.
    """
    return templates.write_template(git, data_dir, stub(), opt_in)


def disable_new_clones(git: Git, data_dir: Path) -> Path | None:
    """Take gitmem out of git's template folder again; returns the folder, None where there is none.

    Raises:
        DiskRefused: The disk does not let it.
    """
    return templates.remove_template(git, data_dir, opt_out)


def takes_part(state_dir: Path) -> bool:
    """Tell whether what hooks run leaves anything here, whoever calls it."""
    return (state_dir / SPOOL).is_dir()


def opt_in(state_dir: Path) -> None:
    """Make a spool, and note by which Python, and from which folder of packages, a drain is to be started."""
    disk.make_private_folder(state_dir / SPOOL)
    note_python(state_dir)


def note_python(state_dir: Path) -> None:
    """Note by which Python, and from which folder of packages, gitmem is to be started."""
    lines = os.fsencode(sys.executable), os.fsencode(home())
    if not any(b"\n" in line for line in lines):
        disk.replace_file(state_dir / PYTHON, b"%b\n%b\n" % lines)


def note_ref(state_dir: Path, ref: str) -> None:
    """Tell the stub, which asks git nothing, what the memory's ref is where it is not the usual one."""
    path, content = state_dir / REF, os.fsencode(ref) + b"\n"
    if ref == DEFAULT_MEMORY_REF:
        if path.exists():
            disk.remove_file(path)
    elif not path.is_file() or path.read_bytes() != content:
        disk.replace_file(path, content)


def opt_out(state_dir: Path) -> int:
    """Remove what `opt_in` made, but for a spool with events in it; returns how many there are.

    Where agents have hooks it all stays: theirs need it too.
    """
    if (state_dir / STUB).exists():
        return 0
    for path in sorted(state_dir.glob("ran-*")):
        disk.remove_file(path)
    for name in ("told", "told.lock"):
        disk.remove_file(state_dir / name)
    for name in (PYTHON, REF):
        if (state_dir / name).exists():
            disk.remove_file(state_dir / name)
    spool = state_dir / SPOOL
    if not spool.is_dir():
        disk.remove_empty_folder(state_dir)
        return 0
    names = sorted(path.name for path in spool.iterdir())
    waiting = sum(name.endswith(".event") for name in names)
    if not waiting:
        for name in names:
            if name.endswith(_PASSING) or name in ("count", "drainer", "failure"):
                disk.remove_file(spool / name)
        disk.remove_empty_folder(spool)
        disk.remove_empty_folder(state_dir)
    return waiting


def stub() -> bytes:
    """Return the script that hooks run; the wheel carries it as data."""
    return _shipped("git/gitmem-hook")


def agent_text(name: str) -> str:
    """Return a file that is written for agents."""
    return _shipped(f"agents/{name}").decode()


def write_agent_stubs(folder: Path) -> None:
    """Write what agents' entries run into a folder, and by which Python; the second time only renews.

    Raises:
        DiskRefused: The disk does not let it.
    """
    note_python(folder)
    for name, content in _agent_stubs():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            disk.replace_file(path, content, mode=0o777)


def are_agent_stubs_current(folder: Path) -> bool:
    """Tell whether what agents' entries run is there, as this version writes it."""
    try:
        return all((folder / name).read_bytes() == content for name, content in _agent_stubs())
    except OSError:
        return False


def _agent_stubs() -> tuple[tuple[str, bytes], ...]:
    return (STUB, stub()), (SERVER, _shipped("agents/gitmem-mcp"))


def remove_agent_stubs(folder: Path, *, with_python: bool = False) -> None:
    """Remove what agents' entries run, and by which Python where nothing else asks for that.

    Raises:
        DiskRefused: The disk does not let it.
    """
    for name in (STUB, SERVER, *([PYTHON] if with_python else [])):
        disk.remove_file(folder / name)
    disk.remove_empty_folder(folder)


def _shipped(name: str) -> bytes:
    package = Path(gitmem.__file__).parent
    for folder in (package / "_hooks", package.parent / "hooks"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise FileNotFoundError(f"{package}: no hooks beside it")
