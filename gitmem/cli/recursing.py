"""Which repositories a command is about: the one at hand, or its superproject and all that are in it.

A search loads this, so it loads nothing that reads a memory.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from gitmem.cli.context import Context
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.repositories import RepositoryError
from gitmem.model.errors.store import StoreError

if TYPE_CHECKING:
    from gitmem.git.repository import Repository
    from gitmem.git.submodules import Submodule, Superproject


T = TypeVar("T")


class Reach(NamedTuple):
    """The repositories that a command is about, each with a context of its own.

    `superproject` is None where the repository at hand is meant alone. `called` is what people call each of
    them here, by its common directory: its name, or its path where two of them have the same name.
    """

    contexts: tuple[Context, ...]
    superproject: Superproject | None
    called: Mapping[Path, str]

    def name_of(self, context: Context) -> str:
        """Return what people call a repository here."""
        return self.called[context.repository.common_dir]


def reach(context: Context, recurse: bool | None, named: Sequence[str] = ()) -> Reach:
    """Return the repositories that a command reads, the superproject first.

    `recurse` is as somebody said, None where nobody did: then the settings decide. Of `named` ones, by their
    names or paths or those of the submodules, only these are meant, and they may be removed or not checked
    out.
    """
    found = superproject_of(context) if recurses(context, recurse) else None
    if found is None or not found.submodules:
        repository = context.repository
        is_meant = not named or repository.name in named
        return Reach((context,) if is_meant else (), None, {repository.common_dir: repository.name})
    called = names_in(found)
    contexts = [
        context.at(repository)
        for repository, submodule in members(found)
        if (_is_named(repository, submodule, called, named) if named else _is_here(submodule))
    ]
    return Reach(tuple(contexts), found, called)


def recurses(context: Context, recurse: bool | None) -> bool:
    """Tell whether a command is to look beyond the repository at hand."""
    return context.settings.recurse_submodules if recurse is None else recurse


def superproject_of(context: Context) -> Superproject | None:
    """Return the superproject that the repository at hand is in, or is; None where there is none.

    What keeps git from telling is said, and keeps nobody from working in the repository at hand.
    """
    if not _may_have_others(context.repository):
        return None
    from gitmem.git.submodules import survey

    try:
        return survey(context.repository, context.git)
    except RepositoryError as error:
        context.output.warn(f"submodules were left out: {error}")
        return None


def _may_have_others(repository: Repository) -> bool:
    """Tell at a glance whether a repository may have submodules, or be one: most neither have any nor are."""
    top = repository.top
    if top is None:
        return False
    places = [top / ".gitmodules", repository.common_dir / "modules", repository.git_dir / "modules"]
    return any(map(os.path.lexists, (*places, *(folder / ".git" for folder in top.parents))))


def members(superproject: Superproject) -> list[tuple[Repository, Submodule | None]]:
    """Return every repository of a superproject that can be opened, itself first, with what it is there."""
    found: list[tuple[Repository, Submodule | None]] = [(superproject.top, None)]
    found += [(each.repository, each) for each in superproject.submodules if each.repository is not None]
    return found


def names_in(superproject: Superproject) -> dict[Path, str]:
    """Return what people call each repository of a superproject, by its common directory."""
    each = members(superproject)
    count = Counter(repository.name for repository, _ in each)
    return {
        repository.common_dir: submodule.path
        if submodule is not None and count[repository.name] > 1
        else repository.name
        for repository, submodule in each
    }


def first_that(
    context: Context,
    recurse: bool | None,
    attempt: Callable[[Context], T],
    *unknown: type[GitmemError],
) -> T:
    """Return what the attempt comes to in the first repository that knows: the one at hand is asked first.

    Raises:
        GitmemError: What the repository at hand raises, where no other one knows any better either.
    """
    try:
        return attempt(context)
    except unknown as error:
        first = error
    for other in others(context, recurse):
        try:
            return attempt(other)
        except GitmemError as error:
            if not isinstance(error, (*unknown, StoreError, RepositoryError)):
                raise
            # What is wrong there is told to whoever asks there.
    raise first


def others(context: Context, recurse: bool | None) -> Iterator[Context]:
    """Yield the other repositories of the superproject, the superproject first."""
    for each in reach(context, recurse).contexts:
        if each is not context:
            yield each


def _is_here(submodule: Submodule | None) -> bool:
    return submodule is None or submodule.state == "here"


def _is_named(
    repository: Repository, submodule: Submodule | None, called: Mapping[Path, str], named: Iterable[str]
) -> bool:
    names = {repository.name, called[repository.common_dir]}
    if submodule is not None:
        names |= {submodule.name, submodule.path}
    return not names.isdisjoint(named)
