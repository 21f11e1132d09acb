"""A superproject and its submodules: all repositories that belong together, from anywhere inside."""

from __future__ import annotations

from collections.abc import Iterator

from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover, superproject
from gitmem.model.errors import ForeignOwner, GitFailed, NotARepository

_LIST = ".gitmodules"


def with_submodules(repository: Repository, git: Git) -> list[Repository]:
    """Return the outermost superproject of a repository and all submodules below that are checked out.

    Each once, the superproject first. A submodule whose owner git does not trust is left out, and so is what
    is no working tree of its own: a tree may hold the files of a git directory, with settings in them.
    """
    git = git.elsewhere()
    top = repository
    while (above := superproject(top, git)) is not None:
        top = discover(above, git)
    found = {each.common_dir: each for each in (top, *_below(top, git))}
    return list(found.values())


def _below(repository: Repository, git: Git) -> Iterator[Repository]:
    if repository.top is None or not (repository.top / _LIST).is_file():
        return
    answer = git.run(
        ["config", "--null", "--file", _LIST, "--get-regexp", r"^submodule\..*\.path$"],
        doing=f"list the submodules of {repository.top}",
        cwd=repository.top,
        accept=(0, 1),
    )
    for entry in answer.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        path = (repository.top / entry.partition("\n")[2]).resolve()
        if not path.is_relative_to(repository.top.resolve()):
            continue  # the list comes with a clone, and could lead anywhere
        try:
            submodule = discover(path, git)
        except (NotARepository, ForeignOwner, GitFailed):
            continue  # not checked out, or not to be trusted
        if submodule.top == path and submodule.common_dir != repository.common_dir:
            yield submodule
            yield from _below(submodule, git)
