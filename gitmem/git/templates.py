"""git's template folder, which every new repository and clone is made from: gitmem's hooks put in and out.

A folder that the user has chosen keeps what it has, and gets hooks as a repository does. Else gitmem makes
one of what git's own holds, below the user's data, and tells git of it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.hook_files import remove_files, write_files
from gitmem.git.process import Git

_NAME: Final = "init.templateDir"
_NOT_OF_TEMPLATE: Final = frozenset({"HEAD", "config", "objects", "refs"})


def write_template(git: Git, data_dir: Path, stub: bytes, opt_in: Callable[[Path], None]) -> Path:
    """Put gitmem's hooks into the user's template folder, and return it.

    `opt_in` puts into a state folder what makes a repository take part; new repositories get a copy.

    Raises:
        HookInTheWay: A hook's name is taken by something that is no file.
        DiskRefused: The disk does not let it.
        GitFailed: git does not let it.
    """
    folder = chosen(git)
    if folder is None:
        folder = _own(data_dir)
        _copy_default(git, folder)
        write_files(folder / "hooks", stub, data_dir)
        opt_in(folder / "gitmem")
        _config(git, [_NAME, str(folder)])
    else:
        write_files(folder / "hooks", stub, data_dir)
        opt_in(folder / "gitmem")
    return folder


def remove_template(git: Git, data_dir: Path, opt_out: Callable[[Path], object]) -> Path | None:
    """Take out what `write_template` put there, and return the template folder, if there is one.

    Repositories that were made meanwhile keep their hooks.

    Raises:
        DiskRefused: The disk does not let it.
        GitFailed: git does not let it.
    """
    folder = chosen(git)
    if folder is None:
        return None
    if folder == _own(data_dir):
        _config(git, ["--unset-all", _NAME])
        if folder.is_dir():
            disk.remove_folder(folder)
    else:
        remove_files([folder / "hooks"], data_dir)
        opt_out(folder / "gitmem")
    disk.remove_empty_folder(data_dir)
    return folder


def chosen(git: Git) -> Path | None:
    """Return the template folder that the user's configuration names."""
    text = _config(git, ["--type=path", "--get", _NAME], accept=(0, 1))
    return Path(text) if text else None


def _own(data_dir: Path) -> Path:
    return data_dir / "template"


def _copy_default(git: Git, folder: Path) -> None:
    """Copy what git gives a new repository, by having it make one."""
    with disk.workroom(folder.parent) as room:
        made = room / "made"
        git.elsewhere().run(["init", "--quiet", "--bare", str(made)], doing="read git's template folder")
        for path in sorted(made.rglob("*")):
            name = path.relative_to(made)
            if name.parts[0] in _NOT_OF_TEMPLATE:
                continue
            if path.is_dir():
                disk.make_folder(folder / name)
            else:
                mode = stat.S_IMODE(path.stat().st_mode)
                disk.replace_file(folder / name, path.read_bytes(), durable=False, mode=mode)


def _config(git: Git, args: list[str], accept: tuple[int, ...] = (0,)) -> str:
    return (
        git.elsewhere()
        .run(["config", "--global", *args], doing=f"read and write the setting {_NAME}", accept=accept)
        .text
    )
