"""What a host of a remote may keep of what was erased, and what to ask it for.

A push takes a branch's place; the objects that it led to stay at the host until it clears them away, and can
be had there by whoever knows their names. What hosts do is theirs to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gitmem.cli.text import one_line
from gitmem.model.ids import Oid


class Host(NamedTuple):
    """A kind of host: what it keeps, and who can have it cleared away."""

    name: str
    keeps: str
    ask: str


_GITHUB: Final = Host(
    "GitHub",
    "old commits stay readable by their ids, in cached views, in forks and in pull requests",
    "GitHub Support can remove cached views and collect garbage; forks are their owners' to clear",
)
_GITLAB: Final = Host(
    "GitLab",
    "old commits stay until housekeeping prunes what nothing leads to, and in refs of merge requests",
    "a maintainer can run repository cleanup and prune unreachable objects in the project's settings",
)
_BITBUCKET: Final = Host(
    "Bitbucket",
    "old commits stay readable by their ids until garbage collection runs",
    "Bitbucket Support can run garbage collection for a repository",
)
_PLAIN: Final = Host(
    "the host",
    "old commits stay until git's garbage collection prunes them, and in forks and backups",
    "whoever runs it can do: git reflog expire --expire=now --all && git gc --prune=now",
)
_KNOWN: Final[Sequence[tuple[str, Host]]] = (
    ("github", _GITHUB),
    ("gitlab", _GITLAB),
    ("bitbucket", _BITBUCKET),
)
_USERINFO: Final = re.compile(r"(?<=://)[^/@]*@")
_PLACE: Final = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?([^/:]*)")

_REQUEST: Final = """\
Repository: {url}
Branch or ref: {ref}

Data was erased from this ref for good, and its history was replaced by a force push. Please remove the
objects that nothing leads to any more, from the repository, its caches and its backups as far as you can, and
from forks that share storage with it. These commits, and all that only they lead to, must not be readable
any more:

{commits}

({name}: {keeps}. {ask}.)
"""


def host_of(url: str) -> Host:
    """Tell which kind of host a URL leads to; one that is not known is told of as git itself behaves."""
    found = _PLACE.match(url.lower())
    place = found[1] if found else ""
    return next((host for word, host in _KNOWN if word in place), _PLAIN)


def request_text(url: str, ref: str, commits: Iterable[Oid]) -> str:
    """Return what to send to whoever runs a remote, so that it clears away what was erased."""
    host = host_of(url)
    return _REQUEST.format(
        url=one_line(_USERINFO.sub("", url)),
        ref=ref,
        commits="\n".join(f"    {commit}" for commit in commits),
        name=host.name,
        keeps=host.keeps,
        ask=host.ask[0].upper() + host.ask[1:],
    )
