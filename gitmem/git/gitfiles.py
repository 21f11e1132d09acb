"""A repository found by its own files, without starting git: a superproject may have a hundred submodules.

What git documents of a repository's layout, and no more. Whatever is unusual (another user's files, an
extension, a configuration that includes others) is left to git, which then has to be asked.
https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from gitmem.git.asking import ask_at
from gitmem.git.configfile import ConfigUnclear, Entry, entries
from gitmem.git.process import Git
from gitmem.git.repository import CONFIG_LOOKED_AT, Repository, is_git_directory
from gitmem.model.errors.repositories import GitFailed, NotARepository

_CONFIG_NAMES: Final = re.compile(CONFIG_LOOKED_AT)
_POINTER: Final = b"gitdir: "
_MOST_BYTES: Final = 1 << 20
_FORMAT: Final = "core.repositoryformatversion"
_EXTENSION: Final = "extensions."
_OBJECT_FORMAT, _REF_STORAGE = "extensions.objectformat", "extensions.refstorage"
_KNOWN: Final = frozenset(
    {_OBJECT_FORMAT, _REF_STORAGE, "extensions.partialclone", "extensions.relativeworktrees"}
)

Config = Mapping[str, tuple[str, ...]]


class Everywhere(NamedTuple):
    """The user's settings for every repository: those of files, and those that were given to this run.

    A file that they include on a condition counts for all repositories as it does for the one at hand.
    """

    files: Config
    given: Config


class RealPaths:
    """Where paths lead to, links followed; what is the same folder is looked up once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Return where a path leads to."""
        above, name = os.path.split(os.path.normpath(path))
        if above not in self._known:
            self._known[above] = os.path.realpath(above)
        whole = os.path.join(self._known[above], name)  # noqa: PTH118 (a superproject may have a hundred)
        return os.path.realpath(whole) if os.path.islink(whole) else whole  # noqa: PTH114


class NotPlain(Exception):
    """The files do not say all: git has to be asked."""


def settings_everywhere(repository: Repository, git: Git) -> Everywhere:
    """Return the settings that a user has everywhere; one run of git.

    Raises:
        GitMissing: There is no git.
        GitFailed: git cannot read them, and says why.
    """
    question = ["config", "-z", "--show-scope", "--get-regexp", CONFIG_LOOKED_AT]
    [answer] = ask_at(
        git.elsewhere(), repository.top or repository.git_dir, question, doing="read the configuration"
    )
    if answer.status not in (0, 1):
        raise GitFailed("read the configuration", answer.status, answer.stderr)
    found: dict[str, dict[str, tuple[str, ...]]] = {"files": {}, "given": {}}
    parts = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
    for scope, entry in zip(parts[:-1:2], parts[1::2], strict=False):
        if scope in ("local", "worktree"):
            continue
        name, has_value, value = entry.partition("\n")
        into = found["given" if scope == "command" else "files"]
        into[name] = (*into.get(name, ()), value if has_value else "true")
    return Everywhere(found["files"], found["given"])


def open_working_tree(top: Path, everywhere: Everywhere, paths: RealPaths) -> Repository:
    """Return the repository whose working tree has this root; `everywhere` are the user's own settings.

    Raises:
        NotARepository: There is no `.git`, or it leads nowhere.
        NotPlain: git has to be asked.
    """
    pointer = f"{top}/.git"
    try:
        status = os.lstat(pointer)
    except OSError:
        raise NotARepository(str(top)) from None
    named = ".git"
    if stat.S_ISREG(status.st_mode):
        content = _read(pointer)
        if not content.startswith(_POINTER):
            raise NotPlain(pointer)
        named = os.fsdecode(content.removeprefix(_POINTER).rstrip(b"\r\n"))
    elif not stat.S_ISDIR(status.st_mode):
        raise NotPlain(pointer)  # a link
    git_dir = Path(paths.of(f"{top}/{named}" if not named.startswith("/") else named))
    if not is_git_directory(git_dir):
        raise NotARepository(str(top))
    _require_own(status, os.stat(top))  # noqa: PTH116 (a superproject may have a hundred)
    repository = _opened(git_dir, everywhere)
    named_top = repository.config.get("core.worktree")
    if named_top and paths.of(os.path.join(git_dir, named_top[-1])) != str(top):  # noqa: PTH118
        raise NotPlain(str(git_dir))
    return repository._replace(top=top)


def open_git_directory(git_dir: Path, everywhere: Everywhere) -> Repository:
    """Return the repository of a git directory whose working tree is gone, or is of no interest.

    Raises:
        NotPlain: git has to be asked.
    """
    return _opened(git_dir, everywhere)


def _opened(git_dir: Path, everywhere: Everywhere) -> Repository:
    common_dir = git_dir
    if os.path.lexists(f"{git_dir}/commondir"):
        named = os.fsdecode(_read(f"{git_dir}/commondir").strip(b"\n"))
        common_dir = Path(os.path.realpath(git_dir / named))
        _require_own(os.stat(common_dir))  # noqa: PTH116
    _require_own(os.stat(git_dir))  # noqa: PTH116
    try:
        own = list(entries(_read(f"{common_dir}/config")))
    except ConfigUnclear as error:
        raise NotPlain(str(common_dir)) from error
    said = {entry.name: entry.value.lower() for entry in own}
    extensions = {name for name in said if name.startswith(_EXTENSION)}
    hash_name, ref_format = said.get(_OBJECT_FORMAT, "sha1"), said.get(_REF_STORAGE, "files")
    if (
        said.get(_FORMAT, "0") not in ("0", "1")
        or not extensions <= _KNOWN
        or said.get("core.bare", "false") not in ("false", "0", "no", "off")
        or hash_name not in ("sha1", "sha256")
        or ref_format not in ("files", "reftable")
    ):
        raise NotPlain(str(common_dir))
    return Repository(
        top=None,
        git_dir=git_dir,
        common_dir=common_dir,
        hash_name="sha256" if hash_name == "sha256" else "sha1",
        ref_format="reftable" if ref_format == "reftable" else "files",
        is_bare=False,
        is_shallow=os.path.exists(f"{common_dir}/shallow"),  # noqa: PTH110
        config=_together(everywhere, own),
    )


def _together(everywhere: Everywhere, own: Iterable[Entry]) -> Config:
    found = dict(everywhere.files)
    for name, value in own:
        if _CONFIG_NAMES.match(name):
            found[name] = (*found.get(name, ()), value)
    for name, values in everywhere.given.items():
        found[name] = (*found.get(name, ()), *values)
    return MappingProxyType(found)


def _require_own(*found: os.stat_result) -> None:
    """Leave it to git to judge what belongs to another user: safe.directory may name it."""
    if any(status.st_uid != os.geteuid() for status in found):
        raise NotPlain("it belongs to another user")


def _read(path: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123 (it is open already)
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NotPlain(path) from error
    if len(content) > _MOST_BYTES:
        raise NotPlain(path)
    return content
