"""Where HEAD is and was, and where a branch came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from gitmem.git.asking import ask_at
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid

_BRANCHES: Final = "refs/heads/"
_MOST_MOVES: Final = 20_000
_COMMITTED: Final = re.compile(
    r"(?!.*: fast-forward$)"
    r"(commit|cherry-pick|revert|[^:]*\((pick|reword|edit|squash|fixup|continue|merge)\):)"
)
"""What the reflog says of a move after which git runs post-commit."""
_SWITCHED: Final = re.compile(r"checkout:|[^:]*\((start|finish|abort)\):")
"""And of one to another branch, or to none."""


class Standpoint(NamedTuple):
    """What HEAD is: a commit, and a branch without `refs/heads/`; None where there is none."""

    commit: Oid | None
    branch: str | None


class Moves(NamedTuple):
    """Where HEAD went, by its reflog: moments in seconds since 1970, in order, and a commit for each.

    `made` are the places, in these, of commits that were made then and there; from `stays_since` on HEAD has
    been on one branch.
    """

    at_s: tuple[int, ...]
    commits: tuple[Oid, ...]
    made: tuple[int, ...] = ()
    stays_since: int = 0

    def at(self, at_s: int) -> Oid | None:
        """Return where HEAD was at a moment; None where the reflog does not go back so far."""
        n = bisect_right(self.at_s, at_s)
        return self.commits[n - 1] if n else None

    def made_at(self, moments: Sequence[int]) -> list[int | None]:
        """Return the places of the commits made at some moments, which are in order; each place only once.

        Of several in one second the order tells. None where the reflog knows of none.
        """
        found: list[int | None] = []
        left = len(self.made)
        for at_s in reversed(moments):
            left = bisect_right(self.made, at_s, hi=left, key=self.at_s.__getitem__) - 1
            if left < 0:
                break
            found.append(self.made[left])
        return [None] * (len(moments) - len(found)) + found[::-1]


def standpoint(repository: Repository, git: Git) -> Standpoint:
    """Return where HEAD is now.

    Raises:
        GitMissing, GitFailed: git cannot be asked.
    """
    at_worktree = Git({**git.elsewhere().environ, "GIT_DIR": str(repository.git_dir)})
    commit, ref = ask_at(
        at_worktree,
        repository.git_dir,
        ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
        ["symbolic-ref", "--quiet", "HEAD"],
        doing=f"find HEAD of {repository.git_dir}",
    )
    name = ref.stdout.decode("utf-8", "backslashreplace").strip()
    return Standpoint(
        Oid(commit.text) if commit.status == 0 and commit.text else None,
        name.removeprefix(_BRANCHES) if ref.status == 0 and name.startswith(_BRANCHES) else None,
    )


def moves(repository: Repository, git: Git) -> Moves:
    """Return where HEAD of a working tree went, as far as its reflog knows."""
    answer = git.run(
        [
            "log",
            "--walk-reflogs",
            f"--max-count={_MOST_MOVES}",
            "--date=unix",
            "--no-show-signature",
            "--format=%H %gd %gs",
            "HEAD",
            "--",
        ],
        doing=f"read where HEAD of {repository.git_dir} went",
        git_dir=repository.git_dir,
        accept=range(256),  # one without a commit, or without a reflog, has been nowhere
    )
    found: list[tuple[int, Oid, str]] = []
    for line in answer.stdout.decode("ascii", "replace").split("\n"):
        commit, _, rest = line.partition(" ")
        selector, _, why = rest.partition(" ")
        at_s = selector.removeprefix("HEAD@{").removesuffix("}")
        if at_s.isdigit():
            found.append((int(at_s), Oid(commit), why))
    found.reverse()
    # A clock that was set back: no move counts as older than the one before it.
    latest, ordered = 0, []
    for at, _, _ in found:
        latest = max(latest, at)
        ordered.append(latest)
    made = tuple(n for n, (_, _, why) in enumerate(found) if _COMMITTED.match(why))
    switches = [n for n, (_, _, why) in enumerate(found) if _SWITCHED.match(why)]
    return Moves(
        tuple(ordered),
        tuple(commit for _, commit, _ in found),
        made,
        switches[-1] if switches else 0,
    )


def bases(repository: Repository, git: Git, head: Oid, branch: str | None, remote: str) -> tuple[Oid, ...]:
    """Return where a branch left what it may be merged into: the main branch of a remote, its own upstream.

    A base that is the head itself says nothing and is left out.
    """
    found: dict[Oid, None] = {}
    for ref in _mainlines(repository, git, branch, remote):
        answer = git.run(
            ["merge-base", head, ref],
            doing=f"find where {branch or head} began",
            git_dir=repository.git_dir,
            accept=range(256),  # histories without a common beginning, or a ref that is gone
        )
        base = answer.text.partition("\n")[0]
        if answer.status == 0 and base and base != head:
            found[Oid(base)] = None
    return tuple(found)


def _mainlines(repository: Repository, git: Git, branch: str | None, remote: str) -> Sequence[str]:
    tracking = f"refs/remotes/{remote}"
    candidates = [
        *(f"{tracking}/{name}" for name in ("HEAD", "main", "master") if remote),
        *(f"{_BRANCHES}{name}" for name in ("main", "master")),
    ]
    own = f"{_BRANCHES}{branch}" if branch else None
    answer = git.run(
        ["for-each-ref", "--format=%(refname) %(upstream)", *candidates, *([own] if own else [])],
        doing="find the main branch",
        git_dir=repository.git_dir,
    )
    there: dict[str, str] = {}
    for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
        name, _, upstream = line.partition(" ")
        there[name] = upstream
    main = next((name for name in candidates if name in there and name != own), None)
    upstream = there.get(own, "") if own else ""
    return tuple(dict.fromkeys(name for name in (main, upstream) if name))
