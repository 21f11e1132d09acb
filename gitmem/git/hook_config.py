"""Hooks in a repository's own configuration, which git reads from 2.54 on: no hook file is touched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.git.process import Git
from gitmem.git.repository import Repository

_SINCE: Final = (2, 54)
_SECTION: Final = "hook.gitmem-"
# The stub by its place when this was written; then, for a repository that was moved since, by what git tells
# the hooks of a main and of a linked working tree. Nothing happens where it is at none of them. The shell
# that git starts reads the stub, which ends it; one more shell would take longer.
_COMMAND: Final = (
    'd=${{GIT_DIR:-.git}}; test ! -f "$d/commondir" || d=$d/../..; '
    'for h in {own} "$d/gitmem/hook"; do test ! -r "$h" || {{ set -- {hook} "$@"; . "$h"; }}; done; :'
)


def is_known(git: Git) -> bool:
    """Tell whether the user's git runs hooks of the configuration."""
    answer = git.run(["version"], doing="find out git's version")
    found = re.search(r"(\d+)\.(\d+)", answer.text)
    return found is not None and (int(found[1]), int(found[2])) >= _SINCE


def write(repository: Repository, git: Git, stub: bytes, hooks: Iterable[str]) -> None:
    """Have git run the stub for these hooks and for no others."""
    disk.replace_file(stub_path(repository), stub, mode=0o777)
    own = "'" + str(stub_path(repository)).replace("'", "'\\''") + "'"
    # The command first: git dies of an event that has none.
    wanted = {hook: {"command": _COMMAND.format(own=own, hook=hook), "event": hook} for hook in hooks}
    standing = _sections(repository, git)
    for hook in standing:
        if standing[hook] != wanted.get(hook):
            _config(repository, git, ["--remove-section", _SECTION + hook])
    for hook, entry in wanted.items():
        if standing.get(hook) != entry:
            for key, value in entry.items():
                _config(repository, git, ["--replace-all", f"{_SECTION}{hook}.{key}", value])


def remove(repository: Repository, git: Git) -> None:
    """Take gitmem's hooks out of the configuration, whatever git wrote them."""
    for hook in _sections(repository, git):
        _config(repository, git, ["--remove-section", _SECTION + hook])
    if stub_path(repository).exists():
        disk.remove_file(stub_path(repository))


def find(repository: Repository, git: Git) -> list[str]:
    """Return the hooks for which gitmem stands in the repository's own configuration."""
    return [hook for hook, entry in _sections(repository, git).items() if entry.get("event") == hook]


def stub_path(repository: Repository) -> Path:
    """Return where the stub is that the entries read."""
    return repository.state_dir / "hook"


def _sections(repository: Repository, git: Git) -> dict[str, dict[str, str]]:
    """Return gitmem's sections with their values, finished or not."""
    answer = _config(repository, git, ["--null", "--get-regexp", r"^hook\.gitmem-"], accept=(0, 1))
    found: dict[str, dict[str, str]] = {}
    for entry in answer.split("\0")[:-1]:
        name, _, value = entry.partition("\n")
        hook, _, key = name.removeprefix(_SECTION).rpartition(".")
        found.setdefault(hook, {})[key] = value
    return found


def _config(repository: Repository, git: Git, args: list[str], accept: tuple[int, ...] = (0,)) -> str:
    if args[0] != "--null":
        disk.announce("write", repository.common_dir / "config")
    answer = git.run(
        ["config", "--local", *args],
        doing=f"read and write the hooks in the configuration of {repository.common_dir}",
        git_dir=repository.common_dir,
        accept=accept,
    )
    return answer.stdout.decode("utf-8", "surrogateescape")
