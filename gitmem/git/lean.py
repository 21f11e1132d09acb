"""What a remote keeps for us: fetching a memory without the text of old sessions, and more of it by name.

The remote becomes a promisor (`remote.<name>.promisor`) without a filter of its own, so that the user's own
fetches stay whole, and without `extensions.partialClone`, so that every library still opens the repository.
git marks the packs that come from it: what they refer to and is not here is promised, for fsck and gc too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.git.settings import days_of
from gitmem.git.transport import Remote, last_words, run
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.sharing import FetchRefused
from gitmem.model.ids import Oid

SMALL: Final = "--filter=blob:limit=1k"
"""What comes of trees: with them most records, which are small, and little of the text."""
ROOTS: Final = "--filter=tree:1"
"""What comes of a history: its root trees, so that `git log --all -- PATH` need not ask for each."""

_BY_NAME: Final = (
    "fetch",
    "--keep",
    "--no-auto-maintenance",
    "--no-prune",
    "--no-prune-tags",
    "--no-recurse-submodules",
    "--no-tags",
    "--no-write-commit-graph",
    "--no-write-fetch-head",
    "--refmap=",
)


def days_kept(remote: Remote) -> int | None:
    """Return of how many days the text of sessions is pulled from a remote; None where all of it is.

    Raises:
        BadSetting: It says no such thing.
    """
    values = remote.repository.config.get(f"remote.{remote.name}.gitmemsince")
    if not values or remote.repository.is_partial:
        return None
    return days_of(f"remote.{remote.name}.gitmemSince", values[-1])


def lean_remotes(repository: Repository) -> list[str]:
    """Return the remotes that keep the text of old sessions for us."""
    prefix, suffix = "remote.", ".gitmemsince"
    names = [name for name in repository.config if name.startswith(prefix) and name.endswith(suffix)]
    return [name.removeprefix(prefix).removesuffix(suffix) for name in names]


def keep_days(repository: Repository, git: Git, remote: str, since: str) -> None:
    """Remember that only the text of the last months is to be pulled from a remote, before anything is."""
    for name, value in ((f"remote.{remote}.gitmemSince", since), (f"remote.{remote}.promisor", "true")):
        _configure(repository, git, ["--replace-all", name, value])


def keep_all(repository: Repository, git: Git, remote: str) -> None:
    """Forget that choice; all that the remote promised is here."""
    for name in (f"remote.{remote}.promisor", f"remote.{remote}.gitmemSince"):
        _configure(repository, git, ["--unset-all", name])


def fetch_named(remote: Remote, oids: Sequence[Oid], *, small: bool = False) -> None:
    """Fetch objects by their names, over one connection; of trees with `small` what is small below them.

    Raises:
        FetchRefused: The remote does not answer, or does not give them.
    """
    try:
        run(
            remote,
            [*_BY_NAME, SMALL if small else "--no-filter", "--stdin", "--end-of-options", remote.name],
            f"fetch what {remote.name} kept for us",
            config={**filter_config(remote), **_FETCH_CONFIG, "fetch.negotiationAlgorithm": "noop"},
            stdin="".join(f"{oid}\n" for oid in oids).encode(),
        )
    except GitFailed as error:
        raise FetchRefused(remote.name, last_words(error.stderr)) from error


def filter_config(remote: Remote) -> dict[str, str]:
    """Return what keeps git from making this a partial clone for good because it was given a filter once."""
    return {f"remote.{remote.name}.partialclonefilter": "blob:none"}


def whole_config(remote: Remote) -> dict[str, str]:
    """Return what has git take in a pack for one that lacks nothing."""
    return {f"remote.{remote.name}.promisor": "false"}


_FETCH_CONFIG: Final = {"fetch.fsckObjects": "true", "fetch.unpackLimit": "1"}


def _configure(repository: Repository, git: Git, args: Sequence[str]) -> None:
    unset_already = 5
    git.run(
        ["config", *args],
        doing="remember what is to be pulled",
        git_dir=repository.git_dir,
        accept=(0, unset_already),
    )
