"""The way to a remote, by the user's own git: it alone has their credentials, ssh and proxies.

Refs of gitmem's are moved, and nothing else of the user's: no tag, no other branch, no FETCH_HEAD, no
configuration. git's messages may be in the user's language, so none of them decides anything: exit codes,
refs and `--porcelain` do. gitmem.git.fetching brings things in, gitmem.git.sending sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gitmem.git.process import Answer, Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed, GitSilent
from gitmem.model.errors.sharing import RemoteSilent, RemoteUnknown, RemoteUnreachable

Tell = Callable[[bytes], object]
"""Takes git's progress, as it writes it to a terminal."""

_LAST_LINES: Final = 4
_LOW_SPEED_S: Final = 120
_ADVICE: Final = frozenset(
    {
        "Could not read from remote repository",
        "Please make sure you have the correct access rights",
        "and the repository exists",
    }
)
"""What an English git adds to anything; in other languages it is told with the rest."""


class Remote(NamedTuple):
    """A remote of a repository, and whom to tell about progress.

    A git that talks to it and says nothing for `silence_s` is ended; None where somebody may be typing.
    """

    repository: Repository
    git: Git
    name: str
    tell: Tell | None = None
    silence_s: float | None = None

    @property
    def is_dedicated(self) -> bool:
        """Whether the user said that it is for the memory alone, which may then be its first branch."""
        values = self.repository.config.get(f"remote.{self.name}.gitmemdedicated", ("",))
        return values[-1].lower() in ("true", "yes", "on", "1")


def find_remote(
    repository: Repository, git: Git, name: str, tell: Tell | None = None, silence_s: float | None = None
) -> Remote:
    """Return a remote that the user has configured; a URL or a path is none.

    Raises:
        RemoteUnknown: There is no such remote.
    """
    if f"remote.{name}.url" not in repository.config:
        raise RemoteUnknown(name)
    return Remote(repository, git, name, tell, silence_s)


def has_branches(remote: Remote) -> bool:
    """Tell whether a remote has any branch; the first that is pushed to one without becomes its default.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
    """
    return bool(ask(remote, ["--heads", "--end-of-options", remote.name]))


def ask(remote: Remote, args: Sequence[str]) -> list[str]:
    """Return the lines of what a remote lists of its refs.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
    """
    quiet = remote._replace(tell=None)
    try:
        answer = run(quiet, ["ls-remote", "--quiet", *args], f"reach {remote.name}")
    except GitFailed as error:
        raise RemoteUnreachable(remote.name, last_words(error.stderr)) from error
    return answer.text.splitlines()


def run(
    remote: Remote,
    args: Sequence[str],
    doing: str,
    *,
    config: dict[str, str] | None = None,
    accept: Sequence[int] = (0,),
    stdin: bytes = b"",
) -> Answer:
    """Run a git that talks to a remote, as the user's own would.

    Raises:
        GitFailed: It ended with another status.
        RemoteSilent: It said nothing for too long.
    """
    repository = remote.repository
    is_quiet = remote.tell is None and remote.silence_s is None
    # What is silent for long is ended; git that works says so only when asked to.
    progress = () if is_quiet or args[0] == "ls-remote" else ("--progress",)
    try:
        return remote.git.watch(
            [args[0], *progress, *args[1:]],
            doing=doing,
            tell=remote.tell or (lambda chunk: None),
            git_dir=repository.git_dir,
            # A relative URL counts from the top of the working tree, as it does for the user's own git.
            cwd=repository.top or repository.git_dir,
            config={**_low_speed(remote), **(config or {})},
            accept=accept,
            stdin=stdin,
            silence_s=remote.silence_s,
        )
    except GitSilent as error:
        raise RemoteSilent(remote.name, error.silence_s) from error


def last_words(said: str) -> str:
    """Return the end of what git said, without progress, hints, and advice that it always gives."""
    lines = [line.strip().removesuffix(".") for line in said.splitlines()]
    told = [line for line in lines if line and not line.startswith(("hint:", "remote: hint:"))]
    return "; ".join([line for line in told if line not in _ADVICE][-_LAST_LINES:] or told[-_LAST_LINES:])


def _low_speed(remote: Remote) -> dict[str, str]:
    """Return what has git give up an http connection on which nothing moves, unless the user has chosen."""
    names = ("http.lowspeedlimit", "http.lowspeedtime")
    variables = ("GIT_HTTP_LOW_SPEED_LIMIT", "GIT_HTTP_LOW_SPEED_TIME")
    if any(name in remote.repository.config for name in names) or any(
        variable in remote.git.environ for variable in variables
    ):
        return {}
    # A byte a second is what a server sends that is still at work.
    return {names[0]: "1", names[1]: str(int(remote.silence_s or _LOW_SPEED_S))}
