"""Which remote is meant, and which levels it gets: nothing goes to one that nobody named."""

from __future__ import annotations

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.transport import find_remote
from gitmem.model.errors.sharing import NoRemoteChosen, RemoteAmbiguous
from gitmem.model.settings import LEVELS, Level, Settings


def share(
    repository: Repository, git: Git, remote: str, level: Level = "team", *, is_dedicated: bool = False
) -> None:
    """Choose a remote for good: `push` and `pull` without a name mean it. Other levels that it has stay.

    One that is dedicated to the memory has no other branches, and the memory may be its first.

    Raises:
        RemoteUnknown: There is no such remote.
    """
    find_remote(repository, git, remote)
    name = f"remote.{remote}.gitmem"
    before = repository.config.get(name, ("",))[-1].replace(",", " ").split()
    levels = dict.fromkeys([level, *(one for one in before if one in LEVELS)])
    git.run(
        ["config", "--replace-all", name, ",".join(levels)],
        doing=f"choose {remote} to share the memory with",
        git_dir=repository.git_dir,
    )
    if is_dedicated:
        git.run(
            ["config", "--replace-all", f"{name}Dedicated", "true"],
            doing=f"dedicate {remote} to the memory",
            git_dir=repository.git_dir,
        )


def levels_of(settings: Settings, remote: str) -> tuple[Level, ...]:
    """Return the levels that a remote gets: those it was given, or the team's where it is named unasked."""
    given = {chosen.name: chosen.levels for chosen in settings.remotes}
    return tuple(level for level in LEVELS if level in given.get(remote, {"team"}))


def choose_remote(settings: Settings, named: str | None) -> str:
    """Return the remote that is meant: the one that was named, or the one that was chosen for good.

    Raises:
        NoRemoteChosen: None was.
        RemoteAmbiguous: Several were chosen, and none named.
    """
    if named is not None:
        return named
    given = {remote.name: remote.levels for remote in settings.remotes}
    fitting = [name for name, levels in given.items() if "team" in levels] or list(given)
    if not fitting:
        raise NoRemoteChosen
    if len(fitting) > 1:
        raise RemoteAmbiguous(tuple(fitting))
    return fitting[0]
