"""Finding the repository at hand, and what kind of repository it is.

Two short runs of git, at once, say everything, so that a search can afford it; no library opens the
repository before git has accepted its owner.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, cast, get_args

from gitmem.git.asking import Asked, begin_asking
from gitmem.git.process import Answer, Git
from gitmem.model.errors.repositories import ForeignOwner, GitFailed, NotARepository

HashName = Literal["sha1", "sha256"]
RefFormat = Literal["files", "reftable"]

_QUESTIONS: Final = (
    "--is-bare-repository",
    "--is-shallow-repository",
    "--show-object-format",
    "--show-ref-format",
    "--absolute-git-dir",
    "--git-common-dir",
    "--show-toplevel",
)
CONFIG_LOOKED_AT: Final = (
    r"^(gitmem\.|remote\..*\.(gitmem|gitmemdedicated|gitmemsince|mirror|promisor|url)$|extensions\.partialclone$"
    r"|core\.(pager|worktree|logallrefupdates|sharedrepository)$|submodule\.recurse$|http\.lowspeed(limit|time)$|(user|author)\.(name|email)$"
    r"|user\.signingkey$|gpg\.|commit\.gpgsign$)"
)


class Identity(NamedTuple):
    """Whom a record or commit is by."""

    name: str
    email: str


class Repository(NamedTuple):
    """Where a repository is and of what kind, at the moment it was found.

    `top` is the root of the working tree, None in a bare repository and inside a git directory. `git_dir` is
    this worktree's own, `common_dir` that of all worktrees, where objects and refs are; both are absolute.
    `name` is for people: the last part of origin's URL, or else a directory's name. `config` holds the
    settings that gitmem looks at, by git's lower-case names, each with all its values, the last one winning.
    """

    top: Path | None
    git_dir: Path
    common_dir: Path
    hash_name: HashName
    ref_format: RefFormat
    is_bare: bool
    is_shallow: bool
    config: Mapping[str, tuple[str, ...]]

    def __repr__(self) -> str:
        """Leave the configuration out: it holds addresses, and passwords that people write into them."""
        return f"Repository(common_dir={self.common_dir!r}, git_dir={self.git_dir!r})"

    @property
    def state_dir(self) -> Path:
        """Where this clone's own things are: locks, spool, index; never in the tree."""
        return self.common_dir / "gitmem"

    @property
    def is_partial(self) -> bool:
        """Whether the user made this a partial clone, so that any object may be missing here."""
        if "extensions.partialclone" in self.config:
            return True
        return any(f"remote.{name}.gitmemsince" not in self.config for name in self._promisors())

    @property
    def is_lean(self) -> bool:
        """Whether the text of old sessions stayed with a remote; of the user's own objects none did."""
        return any(f"remote.{name}.gitmemsince" in self.config for name in self._promisors())

    @property
    def lacks_promised(self) -> bool:
        """Whether objects may be missing here that a remote has promised."""
        return self.is_partial or self.is_lean

    def _promisors(self) -> list[str]:
        """Return the names of the remotes that promise what is missing here."""
        return [
            name.removeprefix("remote.").removesuffix(".promisor")
            for name, values in self.config.items()
            if name.endswith(".promisor") and values[-1].lower() in ("true", "yes", "on", "1")
        ]

    @property
    def name(self) -> str:
        """What people call it; bytes of it that are no UTF-8 are escaped."""
        urls = self.config.get("remote.origin.url", ("",))
        name = _name_in_url(urls[0]) or self._directory_name()
        return os.fsencode(name).decode("utf-8", "backslashreplace")

    def _directory_name(self) -> str:
        if self.common_dir.name == ".git":
            return self.common_dir.parent.name
        if self.top is not None:
            return self.top.name
        return self.common_dir.name.removesuffix(".git")


def discover(start: Path, git: Git) -> Repository:
    """Return the repository that `start` is in, or the one that git told its hook about.

    Works from any sub-directory, linked worktree, submodule and git directory. GIT_DIR in the environment
    wins, as it does in git; `git.elsewhere()` looks at the directory alone.

    Raises:
        NotARepository: Neither `start` nor a directory above it is one, or `start` does not exist.
        ForeignOwner: It belongs to another user, and safe.directory does not name it.
        GitMissing: There is no git.
        GitFailed: git cannot open it, and says why.
    """
    return seek(start, git).found()


class Sought(NamedTuple):
    """A repository that is being looked for: git looks while its caller does something else."""

    start: Path
    git: Git
    asked: Asked

    def found(self) -> Repository:
        """Return the repository; once, and raises as `discover` does."""
        return _found(self.start, self.git, *self.asked.answers())


def seek(start: Path, git: Git) -> Sought:
    """Have git look for the repository that `start` is in; raises as `discover` does."""
    if not start.is_dir():
        raise NotARepository(str(start))
    asked = begin_asking(
        git,
        start,
        ["rev-parse", *_QUESTIONS],
        ["config", "-z", "--get-regexp", CONFIG_LOOKED_AT],
        doing=f"open the repository at {start}",
    )
    return Sought(start, git, asked)


def _found(start: Path, git: Git, answer: Answer, config: Answer) -> Repository:
    # Where there is no working tree git fails at the last question, having answered all others.
    lines = answer.text.split("\n") if answer.stdout else []
    if "cannot chdir to" in answer.stderr and not _names_tree(git) and is_git_directory(start):
        # A submodule's that is gone from the working tree: only the answers that need none are of use.
        own = Git({**git.elsewhere().environ, "GIT_DIR": str(start), "GIT_WORK_TREE": str(start)})
        return discover(start, own)._replace(top=None)
    if len(lines) == len(_QUESTIONS) - 1 and answer.status:
        lines.append("")
    elif answer.status:
        raise _refusal(start, answer)
    if len(lines) != len(_QUESTIONS):
        raise GitFailed(f"open the repository at {start}", answer.status, "its path holds a line end")
    is_bare, is_shallow, hash_name, ref_format, git_dir, common_dir, top = lines
    return Repository(
        top=Path(top) if top else None,
        git_dir=Path(git_dir),
        common_dir=(start / common_dir).resolve(),
        hash_name=_hash_name(hash_name),
        # A git that does not know the question echoes it, and knows no other format than this either.
        ref_format="reftable" if ref_format == "reftable" else "files",
        is_bare=is_bare == "true",
        is_shallow=is_shallow == "true",
        config=_read_config(Path(git_dir), config),
    )


def is_git_directory(path: Path) -> bool:
    """Tell whether a folder has what every git directory has."""
    # Where it is one of a working tree of many, it shares the objects and refs of another.
    beside = ("HEAD", "commondir") if os.path.lexists(f"{path}/commondir") else ("HEAD", "objects", "refs")
    return all(os.path.exists(f"{path}/{name}") for name in beside)  # noqa: PTH110 (there may be many)


def user_config(start: Path, git: Git) -> Mapping[str, tuple[str, ...]]:
    """Return the settings that a user has everywhere, where there is no repository at hand.

    Raises:
        GitMissing: There is no git.
        GitFailed: git cannot read them, and says why.
    """
    answer = git.elsewhere().run(
        ["config", "-z", "--get-regexp", CONFIG_LOOKED_AT],
        doing="read the configuration",
        cwd=start,
        accept=range(256),
    )
    return _read_config(start, answer)


def superproject(repository: Repository, git: Git) -> Path | None:
    """Return the root of the working tree that has this one as a submodule, if there is one."""
    if repository.top is None:
        return None
    answer = git.elsewhere().run(
        ["rev-parse", "--show-superproject-working-tree"],
        doing=f"find the superproject of {repository.top}",
        cwd=repository.top,
    )
    return Path(answer.text) if answer.text else None


def moment_of_commit(repository: Repository, revision: str, git: Git) -> int | None:
    """Return when a commit was made, in milliseconds since 1970, or None where there is no such commit."""
    answer = git.elsewhere().run(
        ["log", "-1", "--format=%ct", "--no-show-signature", "--end-of-options", revision, "--"],
        doing=f"find the commit {revision}",
        git_dir=repository.git_dir,  # HEAD is this worktree's
        accept=range(256),
    )
    return int(answer.text) * 1000 + 999 if not answer.status and answer.text.isdecimal() else None


def identity(repository: Repository, environ: Mapping[str, str]) -> Identity:
    """Return whom git would name as the author, and who is logged in where it would name nobody.

    Never fails, and never guesses at a host's name: without an e-mail address it is <login>@localhost.
    """
    login = _without_crud(environ.get("LOGNAME") or environ.get("USER") or _login_of_process()) or "unknown"
    name = environ.get("GIT_AUTHOR_NAME") or _last(repository, "author.name", "user.name") or login
    email = (
        environ.get("GIT_AUTHOR_EMAIL")
        or _last(repository, "author.email", "user.email")
        or environ.get("EMAIL")
        or f"{login}@localhost"
    )
    return Identity(_without_crud(name) or login, _without_crud(email) or f"{login}@localhost")


def _names_tree(git: Git) -> bool:
    return "GIT_WORK_TREE" in git.environ


def _read_config(git_dir: Path, answer: Answer) -> Mapping[str, tuple[str, ...]]:
    if answer.status not in (0, 1):
        raise GitFailed(f"read the configuration of {git_dir}", answer.status, answer.stderr)
    found: dict[str, tuple[str, ...]] = {}
    for entry in answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        name, has_value, value = entry.partition("\n")
        found[name] = (*found.get(name, ()), value if has_value else "true")
    return MappingProxyType(found)


def _refusal(start: Path, answer: Answer) -> NotARepository | ForeignOwner | GitFailed:
    # The words of git 2.35.3 and later, and of 2.35.2, which first looked at the owner.
    foreign = re.search(
        r"dubious ownership in repository at '(.*)'|unsafe repository \('(.*)' is", answer.stderr
    )
    if foreign:
        return ForeignOwner(foreign[1] or foreign[2])
    if "not a git repository" in answer.stderr:
        return NotARepository(str(start))
    return GitFailed(f"open the repository at {start}", answer.status, answer.stderr)


def _hash_name(text: str) -> HashName:
    if text not in get_args(HashName):
        raise GitFailed("open the repository", 0, f"its object names are of an unknown kind, {text}")
    return cast(HashName, text)


def _name_in_url(url: str) -> str:
    """Return the last part of a URL's path; a URL's user, password and host are never part of a name."""
    path = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*", "", url)
    if path == url:
        path = re.sub(r"^[^/]*:", "", url)
    name = path.rstrip("/").removesuffix("/.git").rpartition("/")[2].removesuffix(".git")
    return "" if name in (".", "..") else name


def _last(repository: Repository, *names: str) -> str:
    return next((repository.config[name][-1] for name in names if name in repository.config), "")


def _login_of_process() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "unknown"


def _without_crud(text: str) -> str:
    """Return a name as a commit can hold it; git itself drops these characters."""
    return re.sub(r"[<>\n\r\0]", "", text).strip(" .,:;\"'\\")
