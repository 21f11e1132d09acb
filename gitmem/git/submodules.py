"""A superproject and its submodules: all repositories that belong together, from anywhere inside.

The list of them comes with a clone and could say anything: what it names is looked at where it stands, and
followed nowhere. A submodule that is there costs no process: its own files say what it is.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

from gitmem.git.configfile import ConfigUnclear, Entry, entries
from gitmem.git.gitfiles import (
    Everywhere,
    NotPlain,
    RealPaths,
    open_git_directory,
    open_working_tree,
    settings_everywhere,
)
from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover, is_git_directory
from gitmem.model.errors.repositories import ForeignOwner, GitFailed, NotARepository

State = Literal["here", "not checked out", "removed", "refused"]
"""here: it has a working tree; not checked out: it is listed and has none; removed: it is listed no more, but
its git directory is still there; refused: it is not what it should be, so nothing of it is looked at."""

LIST: Final = ".gitmodules"
_MODULES: Final = "modules"
_MOST_LISTED: Final = 10_000
_MOST_BYTES: Final = 4 << 20
_MOST_NESTED: Final = 32
_CONTROLS: Final = re.compile(r"[\0-\x1f\x7f]")
_PATH: Final = re.compile(r"submodule\.(?P<name>.*)\.path\Z", re.DOTALL)


class Submodule(NamedTuple):
    """A submodule: its name behind those of the submodules that it is in, and its path from the very top.

    `repository` is what holds its memory; None where there is nothing, or nothing that may be looked at. One
    that has no working tree has no `top`. `why` says what is wrong with one that is refused.
    """

    name: str
    path: str
    state: State
    repository: Repository | None = None
    why: str = ""


class Superproject(NamedTuple):
    """The repository that is in no other one, and all that are in it, each behind the one that has it."""

    top: Repository
    submodules: tuple[Submodule, ...]

    @property
    def repositories(self) -> list[Repository]:
        """It and its submodules that have a working tree."""
        found = (each.repository for each in self.submodules if each.state == "here")
        return [self.top, *(repository for repository in found if repository is not None)]

    def called(self, repository: Repository) -> Submodule | None:
        """Return the submodule that a repository is; None for the superproject itself."""
        at = repository.common_dir
        return next(
            (one for one in self.submodules if one.repository and one.repository.common_dir == at), None
        )


def with_submodules(repository: Repository, git: Git) -> list[Repository]:
    """Return the outermost superproject of a repository and all submodules below that are checked out."""
    return survey(repository, git).repositories


def survey(repository: Repository, git: Git) -> Superproject:
    """Find the outermost superproject of a repository, and what became of each submodule below.

    A repository that is in none, and has none, is a superproject without submodules, and costs some looks at
    its folders.

    Raises:
        GitMissing: There is no git.
        GitFailed: git cannot read the user's own settings.
    """
    if repository.top is None:
        return Superproject(repository, ())
    return _Survey(repository, git.elsewhere()).found()


class _Survey:
    """One look at a superproject; each git directory is found once."""

    def __init__(self, start: Repository, git: Git) -> None:
        self._start, self._git = start, git
        self._seen: dict[Path, str] = {}
        self._links: dict[str, bool] = {}
        self._paths = RealPaths()

    @cached_property
    def _everywhere(self) -> Everywhere:
        return settings_everywhere(self._start, self._git)

    def found(self) -> Superproject:
        top = self._outermost()
        self._seen[top.common_dir] = "."
        return Superproject(top, tuple(self._below(top, "", "", 0)))

    def _outermost(self) -> Repository:
        top = self._start
        while (above := self._above(top)) is not None:
            top = above
        return top

    def _above(self, repository: Repository) -> Repository | None:
        """Return the repository that has this one as a submodule; one around it that does not is none."""
        assert repository.top is not None
        own = Path(os.path.realpath(repository.top))
        for folder in own.parents:
            if not os.path.lexists(folder / ".git"):
                continue
            with suppress(_ListRefused):
                if os.path.relpath(own, folder) in map(_normal, _listed(folder, self._git).values()):
                    return self._open_above(folder)
            return None
        return None

    def _open_above(self, folder: Path) -> Repository | None:
        try:
            return self._open(folder)
        except (NotARepository, ForeignOwner, GitFailed):
            return None

    def _open(self, top: Path) -> Repository:
        try:
            return open_working_tree(top, self._everywhere, self._paths)
        except NotPlain:
            found = discover(top, self._git)
            if found.top != top:
                raise NotARepository(str(top)) from None
            return found

    def _below(self, repository: Repository, name: str, path: str, depth: int) -> Iterator[Submodule]:
        """Yield the submodules of a repository and those in them, each name and path behind its own."""
        assert repository.top is not None
        try:
            listed = _listed(repository.top, self._git)
        except _ListRefused as error:
            yield Submodule(name, posixpath.join(path, LIST), "refused", None, str(error))
            listed = {}
        if depth >= _MOST_NESTED and listed:
            why = f"more than {_MOST_NESTED} of them are in each other"
            yield Submodule(name, posixpath.join(path, LIST), "refused", None, why)
            return
        told: set[str] = set()
        for own, at in listed.items():
            found = self._look(repository, own, at)
            found = found._replace(
                name=posixpath.join(name, found.name), path=posixpath.join(path, found.path)
            )
            if found.repository is not None:
                first = self._seen.setdefault(found.repository.common_dir, found.path)
                if first != found.path:
                    why = f"it is the same repository as {first}"
                    found = found._replace(state="refused", repository=None, why=why)
                elif found.path in told:
                    continue
            told.add(found.path)
            yield found
            if found.state == "here" and found.repository is not None:
                yield from self._below(found.repository, found.name, found.path, depth + 1)
        for folder in dict.fromkeys((repository.git_dir, repository.common_dir)):
            yield from self._left_over(folder / _MODULES, name, path, listed)

    def _look(self, above: Repository, name: str, path: str) -> Submodule:
        """Look at what a list names."""
        assert above.top is not None
        why = _why_refused(name, path)
        if why:
            return Submodule(name, path, "refused", None, why)
        path = _normal(path)
        place = above.top / path
        if self._leads_through_link(above.top, path):
            return Submodule(name, path, "refused", None, "a link stands in its place")
        if not os.path.lexists(place / ".git"):
            return Submodule(name, path, "not checked out", self._absorbed(above, name))
        try:
            return Submodule(name, path, "here", self._open(place))
        except ForeignOwner as error:
            why = str(error)
        except NotARepository:
            why = "its .git leads to no git directory, or to that of another working tree"
        except GitFailed as error:
            why = str(error)
        return Submodule(name, path, "refused", None, why)

    def _leads_through_link(self, top: Path, path: str) -> bool:
        *above, last = path.split("/")
        at = str(top)
        for part in above:
            at = f"{at}/{part}"
            if at not in self._links:
                self._links[at] = _is_link(at)
            if self._links[at]:
                return True
        return _is_link(f"{at}/{last}")

    def _absorbed(self, above: Repository, name: str) -> Repository | None:
        """Return what holds the memory of a submodule without a working tree, if it was ever here."""
        folder = above.git_dir / _MODULES
        git_dir = folder / name
        if self._leads_through_link(folder, name) or not is_git_directory(git_dir):
            return None
        return self._open_left_over(git_dir)

    def _open_left_over(self, git_dir: Path) -> Repository | None:
        try:
            return open_git_directory(git_dir, self._everywhere)
        except NotPlain:
            with suppress(NotARepository, ForeignOwner, GitFailed):
                return discover(git_dir, self._git)
            return None

    def _left_over(
        self, folder: Path, name: str, path: str, listed: Container[str] = ()
    ) -> Iterator[Submodule]:
        """Yield what git keeps of submodules that are listed no more."""
        for own, git_dir in _git_directories(folder, self._seen):
            if own in listed:
                continue  # it is told already, with what is wrong
            repository = self._open_left_over(git_dir)
            if repository is not None and repository.common_dir not in self._seen:
                whole = posixpath.join(name, own)
                self._seen[repository.common_dir] = whole
                yield Submodule(whole, posixpath.join(path, own), "removed", repository)
                yield from self._left_over(git_dir / _MODULES, whole, posixpath.join(path, own))


class _ListRefused(Exception):
    """A list of submodules cannot be used."""


def _listed(top: Path, git: Git) -> Mapping[str, str]:
    """Return the paths of a list of submodules by their names; the last one of a name counts, as in git."""
    path = top / LIST
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _ListRefused(f"{LIST} is no file, or cannot be read: {error.strerror}") from error
    with open(handle, "rb") as file:  # noqa: PTH123 (it is open already)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _ListRefused(f"{LIST} is no file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise _ListRefused(f"{LIST} has more than {_MOST_BYTES >> 20} MiB")
    found: dict[str, str] = {}
    for name, value in _entries(content, path, git):
        is_path = _PATH.match(name)
        if is_path:
            found[is_path["name"]] = value
    if len(found) > _MOST_LISTED:
        raise _ListRefused(f"{LIST} has {len(found):,} submodules, more than {_MOST_LISTED:,}")
    return found


def _entries(content: bytes, path: Path, git: Git) -> list[Entry]:
    try:
        return list(entries(content))
    except ConfigUnclear:
        pass
    try:
        # What git is to read is what was read here, whatever becomes of the file.
        answer = git.run(
            ["config", "--null", "--no-includes", "--file", "-", "--list"],
            doing=f"list the submodules of {path.parent}",
            cwd=path.parent,
            stdin=content,
        )
    except GitFailed as error:
        raise _ListRefused(f"{LIST} cannot be read: {error.stderr}") from error
    pairs = (
        entry.partition("\n") for entry in answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    )
    return [Entry(name, value) for name, _, value in pairs]


def _why_refused(name: str, path: str) -> str:
    """Say why git, or we, would have nothing to do with what a list names; nothing where all is well."""
    if not name or ".." in re.split(r"[/\\]", name):
        return "its name could lead out of the superproject"
    if not path or path.startswith(("/", "-")) or path.endswith("\\"):
        return "its path is none of a folder in the superproject"
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return "its path leads out of the superproject"
    if any(part.lower() == ".git" for part in parts):
        return "its path leads into a git directory"
    if _CONTROLS.search(name + path):
        return "there is a control character in its name or path"
    return ""


def _normal(path: str) -> str:
    return posixpath.normpath(path)


def _is_link(path: str) -> bool:
    return os.path.islink(path)  # noqa: PTH114 (there may be thousands)


def _git_directories(folder: Path, known: Container[Path], depth: int = 0) -> Iterator[tuple[str, Path]]:
    """Yield the git directories below a folder by their names, which may have slashes in them.

    Those that are known are left out.
    """
    if depth >= _MOST_NESTED:
        return
    try:
        with os.scandir(folder) as listed:
            names = sorted(entry.name for entry in listed if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        git_dir = folder / name
        if git_dir in known:
            continue
        if is_git_directory(git_dir):
            yield name, git_dir
        else:
            for below, found in _git_directories(git_dir, known, depth + 1):
                yield f"{name}/{below}", found
