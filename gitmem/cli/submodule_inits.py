"""Making submodules remember, one after the other; a remote is chosen in those that are named, and no others.

Whose a submodule's remote is, nobody can tell from here: what somebody else looks after is mostly public, and
not to be written to. So the superproject's choice says nothing about its submodules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.cli.recursing import members, recurses, superproject_of
from gitmem.cli.text import one_line
from gitmem.git.repository import Repository
from gitmem.git.submodules import Submodule, Superproject
from gitmem.model.errors.base import GitmemError, UsageError

_SHOWN: Final = 5


class Other(NamedTuple):
    """A repository of the superproject that is to remember too, and the remote that it is shared with.

    `path` is None for the superproject itself. `alike` is a remote that was chosen elsewhere, which this one
    has at the same host and owner and was not named for.
    """

    repository: Repository
    path: str | None
    share: str | None
    alike: str | None


def meant(
    context: Context, recurse: bool | None, share: str | None, named: Sequence[str]
) -> tuple[Other, ...]:
    """Return the other repositories that are meant: those below, and all where somebody said so.

    Raises:
        UsageError: A submodule is named to be shared, and there is none, or it has no such remote.
    """
    superproject = superproject_of(context) if recurses(context, recurse) or named else None
    found = list(_found(context, superproject, is_all=bool(recurse))) if superproject else []
    if named and share is None:
        hint = "gitmem init --share REMOTE --share-submodule PATH: names the remote"
        raise UsageError("--share-submodule says where a remote is chosen too: expected --share", hint=hint)
    for pattern in named:
        fitting = [submodule for _, submodule in found if submodule and _is_named(submodule, [pattern])]
        if not fitting:
            hint = "gitmem status: lists the submodules"
            raise UsageError(f"could not share {pattern!r}: no submodule is called that here", hint=hint)
    return tuple(_other(context, repository, submodule, share, named) for repository, submodule in found)


def init_others(
    context: Context,
    others: Sequence[Other],
    remember: Callable[[Context, str | None], dict[str, Any]],
    *,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Make each of them remember, and return what came of it for programs; one that fails is told."""
    output, came = context.output, []
    for other in others:
        told: dict[str, Any] = {"path": other.path, "repo": other.repository.name, "shared": other.share}
        if not as_json:
            output.say("")
            output.say(Styled(one_line(other.path or other.repository.name), "strong"))
        try:
            told |= remember(context.at(other.repository), other.share)
        except GitmemError as error:
            told |= {"error": str(error)}
            output.warn(Styled(f"{one_line(other.path or other.repository.name)}:", "name"), f" {error}")
        came.append(told)
    alike = [one_line(other.path) for other in others if other.alike and other.path]
    if alike and not as_json:
        paths = ", ".join(alike[:_SHOWN]) + (", …" if len(alike) > _SHOWN else "")
        output.say("")
        output.say(
            Styled(
                f"not shared, but of the same owner: {paths}; --share-submodule PATH: shares it too", "dim"
            )
        )
    return came


def _found(
    context: Context, superproject: Superproject, *, is_all: bool
) -> list[tuple[Repository, Submodule | None]]:
    at_hand = context.repository
    return [
        (repository, submodule)
        for repository, submodule in members(superproject)
        if repository.common_dir != at_hand.common_dir
        and (submodule is None or submodule.state == "here")
        and (is_all or _is_below(repository, at_hand))
    ]


def _is_below(repository: Repository, other: Repository) -> bool:
    if repository.top is None or other.top is None:
        return False
    return repository.top.is_relative_to(other.top)


def _other(
    context: Context,
    repository: Repository,
    submodule: Submodule | None,
    share: str | None,
    named: Sequence[str],
) -> Other:
    path = submodule.path if submodule else None
    if share is None or submodule is None:
        return Other(repository, path, None, None)
    if not _is_named(submodule, named):
        owners = _owner(context.repository, share), _owner(repository, share)
        return Other(repository, path, None, share if owners[0] and owners[0] == owners[1] else None)
    if f"remote.{share}.url" not in repository.config:
        hint = f"git -C {path} remote -v: lists those that it has"
        raise UsageError(f"could not share {path}: it has no remote {share}", hint=hint)
    return Other(repository, path, share, None)


def _is_named(submodule: Submodule, patterns: Sequence[str]) -> bool:
    return any(
        fnmatchcase(name, pattern) for name in (submodule.path, submodule.name) for pattern in patterns
    )


def _owner(repository: Repository, remote: str) -> str:
    """Return a remote's address without its last part: host and owner, on most hosts."""
    url = repository.config.get(f"remote.{remote}.url", ("",))[0]
    return url.rstrip("/").rpartition("/")[0]
