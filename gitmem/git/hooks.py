"""gitmem's hooks in a repository: where git takes hooks from, and gitmem's entries there.

A git that knows hooks of the configuration (2.54) is given those, and no file is touched; any other gets a
block in a file for each hook. Never both, so that no event is left twice. What managers of hooks write again
and again is left to them: the line to put into their own files is what docs/hooks.md calls a snippet.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.git import hook_config
from gitmem.git.hook_files import (
    Why,
    remove_files,
    runs_block,
    text_of,
    why_left,
    write_files,
)
from gitmem.git.hook_text import HOOKS, has_block
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.enabling import HooksElsewhere

SNIPPET: Final = 'command -v gitmem-hook >/dev/null 2>&1 && gitmem-hook HOOK "$@" || :'
_SNIPPET_THAT_FAILS: Final = (
    '! command -v gitmem-hook >/dev/null 2>&1 || gitmem-hook HOOK "$@" || [ $? -ne 1 ] || exit 1'
)

_LEFTHOOK_FILES: Final = (
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook.yaml",
    "lefthook-local.yml",
)


class Hooks(NamedTuple):
    """Which hooks tell gitmem, and by what.

    `how` is None where none do. `folder` is where git takes files from. `ours` are the hooks that have an
    entry of gitmem's own, `snippets` those that call the stub by a line of somebody's. `left` could not be
    given an entry.
    """

    how: Literal["config", "files"] | None
    folder: Path
    ours: tuple[str, ...] = ()
    snippets: tuple[str, ...] = ()
    left: tuple[tuple[str, Why], ...] = ()


def install(repository: Repository, git: Git, stub: bytes, *, force: bool = False) -> Hooks:
    """Have git run the stub for every hook that gitmem listens to; the second time only mends and renews.

    Raises:
        HooksElsewhere: git takes hooks from a folder that is not this clone's, and nobody said `force`.
        HookInTheWay: A hook's name is taken by something that is no file.
        DiskRefused: The disk does not let it.
        GitFailed: git does not let it.
    """
    folder = folder_of(repository, git)
    snippets = _snippets(repository, folder)
    if hook_config.is_known(git):
        remove_files(_folders(repository, folder), repository.state_dir)
        hook_config.write(repository, git, stub, [hook for hook in HOOKS if hook not in snippets])
    else:
        hook_config.remove(repository, git)
        if force or _is_own(repository, folder):
            if len(snippets) < len(HOOKS):
                write_files(folder, stub, repository.state_dir, besides=snippets)
        elif not snippets:
            raise _elsewhere(repository, folder)
    return find(repository, git)


def obstacle(repository: Repository, git: Git) -> HooksElsewhere | None:
    """Return why `install` would write no hook unless it is forced to; None where it would."""
    folder = folder_of(repository, git)
    if hook_config.is_known(git) or _is_own(repository, folder):
        return None
    return _elsewhere(repository, folder)


def remove(repository: Repository, git: Git) -> Hooks:
    """Take out all that `install` wrote, and return what stood there before.

    Raises:
        DiskRefused: The disk does not let it; what is left is found again the next time.
        GitFailed: git does not let it.
    """
    before = find(repository, git)
    hook_config.remove(repository, git)
    remove_files(_folders(repository, before.folder), repository.state_dir)
    return before


def find(repository: Repository, git: Git) -> Hooks:
    """Return which hooks tell gitmem now."""
    folder = folder_of(repository, git)
    snippets = _snippets(repository, folder)
    configured = hook_config.find(repository, git) if hook_config.is_known(git) else []
    if configured:
        return Hooks("config", folder, tuple(hook for hook in HOOKS if hook in configured), snippets)
    ours = tuple(hook for hook in HOOKS if hook not in snippets and runs_block(folder, hook))
    others = [hook for hook in HOOKS if hook not in (*ours, *snippets)]
    left = tuple((hook, why) for hook in others if (why := why_left(folder / hook)) is not None)
    return Hooks("files" if ours or snippets else None, folder, ours, snippets, left)


def snippet_for(hook: str) -> str:
    """Return the line that somebody may put into a hook of theirs; the one for pre-push can fail it."""
    return (_SNIPPET_THAT_FAILS if hook == "pre-push" else SNIPPET).replace("HOOK", hook)


def folder_of(repository: Repository, git: Git) -> Path:
    """Return the folder that git takes this worktree's hooks from, which need not exist."""
    here = repository.top or repository.git_dir
    answer = git.run(
        ["rev-parse", "--git-path", "hooks"],
        doing=f"find the hooks of {here}",
        git_dir=repository.git_dir,
        cwd=here,
        as_user=True,  # the user's core.hooksPath is what is asked for
    )
    return Path(os.path.normpath(here / answer.text))


def _folders(repository: Repository, folder: Path) -> list[Path]:
    """Return the folders that gitmem may have written to: git's default one, and the one in use."""
    return list(dict.fromkeys((repository.common_dir / "hooks", folder)))


def _is_own(repository: Repository, folder: Path) -> bool:
    return folder.resolve().is_relative_to(repository.common_dir.resolve())


def _elsewhere(repository: Repository, folder: Path) -> HooksElsewhere:
    own = (folder.parent if _is_of_husky(folder) else folder) / "HOOK"
    return HooksElsewhere(str(folder), _whose(repository, folder), SNIPPET, str(own))


def _whose(repository: Repository, folder: Path) -> str:
    if _is_of_husky(folder) or (folder / "_" / "husky.sh").is_file():
        return "husky writes"
    if not folder.is_dir():
        return "is no folder"
    if repository.top is not None and folder.resolve().is_relative_to(repository.top.resolve()):
        return "is part of the project"
    return "serves other repositories too"


def _snippets(repository: Repository, folder: Path) -> tuple[str, ...]:
    """Return the hooks for which somebody's own line, or a manager that is at work here, calls the stub."""
    top = repository.top
    return tuple(
        hook
        for hook in HOOKS
        if top is not None and re.search(rf"gitmem-hook\"? {hook}\b", _what_it_runs(top, folder, hook))
    )


def _what_it_runs(top: Path, folder: Path, hook: str) -> str:
    """Return the text that says what a hook runs: its file, or what the manager reads that wrote the file."""
    runs = text_of(folder / hook)
    if _is_of_husky(folder):
        return text_of(folder.parent / hook)
    if "call_lefthook" in runs:
        return "".join(text_of(top / name) for name in _LEFTHOOK_FILES)
    if "pre-commit.com" in runs:
        # There the stub goes by an id.
        return text_of(top / ".pre-commit-config.yaml").replace("gitmem-", "gitmem-hook ")
    return "" if has_block(runs.encode("utf-8", "surrogateescape")) else runs


def _is_of_husky(folder: Path) -> bool:
    return folder.name == "_" and (folder / "h").is_file()
