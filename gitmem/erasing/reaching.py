"""What a repository's objects are reached from, whose that is, and which objects it reaches.

As `git gc` sees it, but working trees' own refs, and what an operation that is not finished noted down, count
too. gitmem's own reflogs do not: what they alone reach, no memory has any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.erasing.reflogs import git_dirs, read_reflogs
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid
from gitmem.model.refs import is_own

_HEX: Final = re.compile(rb"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_FETCHED: Final = "FETCH_HEAD"
_UNDER_WAY: Final = ("rebase-merge", "rebase-apply", "sequencer")
_LARGEST_NOTE: Final = 1 << 20


class Roots(NamedTuple):
    """Ids by what names them: a ref, `HEAD of <path>`, `reflog of <ref>`, or a file of a git directory.

    `own` are the refs of the memory, which keep what they reach; `logged` what their reflogs name, which do
    not; `others` is everything else, and the user's. FETCH_HEAD, which git itself does not heed, is none.
    """

    own: Mapping[str, frozenset[Oid]]
    logged: Mapping[str, frozenset[Oid]]
    others: Mapping[str, frozenset[Oid]]

    @property
    def kept(self) -> frozenset[Oid]:
        """All ids whose objects have to stay, with what they reach; the index aside."""
        return frozenset().union(*self.own.values(), *self.others.values())


def find_roots(repository: Repository, git: Git, ref: str) -> Roots:
    """Return what names objects now; `ref` is the memory's."""
    remotes = {
        name.removeprefix("remote.").removesuffix(".url")
        for name in repository.config
        if name.endswith(".url")
    }
    own: dict[str, set[Oid]] = {}
    logged: dict[str, set[Oid]] = {}
    others: dict[str, set[Oid]] = {}
    for git_dir in git_dirs(repository):
        for name, oid in _refs(git_dir, repository, git):
            (own if is_own(name, ref, remotes) else others).setdefault(name, set()).add(oid)
        for file, oids in _noted(git_dir):
            others.setdefault(file.relative_to(repository.common_dir).as_posix(), set()).update(oids)
    for name, oid in _heads(repository, git):
        others.setdefault(name, set()).add(oid)
    for name, entry in read_reflogs(repository, git):
        if is_own(name, ref, remotes):
            logged.setdefault(name, set()).update(entry)
        else:
            others.setdefault(f"reflog of {name}", set()).update(entry)
    return Roots(*({name: frozenset(oids) for name, oids in each.items()} for each in (own, logged, others)))


def walk(
    repository: Repository,
    git: Git,
    tips: Iterable[Oid],
    *,
    without: Iterable[Oid] = (),
    with_indexes: bool = False,
) -> Iterator[bytes]:
    """Yield what some tips reach, as raw ids, streamed; a tip that is not there reaches nothing.

    `without` leaves out most of what others reach, but not every tree and file: a difference of two walks is
    exact, this is not. Promised objects that a partial clone has not got are passed over.

    Raises:
        GitFailed: An object on the way is missing or damaged.
    """
    args = ["rev-list", "--objects", "--no-object-names", "--ignore-missing"]
    if repository.lacks_promised:
        args.append("--missing=allow-promisor")
    elif not repository.is_shallow:
        args.append("--use-bitmap-index")
    if with_indexes:
        args.append("--indexed-objects")
    with git.start(
        [*args, "--stdin"], doing="find what refs reach", git_dir=repository.common_dir
    ) as process:
        process.stdin.writelines(f"{oid}\n".encode() for oid in tips)
        process.stdin.writelines(f"^{oid}\n".encode() for oid in without)
        process.stdin.close()
        for line in process.stdout:
            yield bytes.fromhex(line.split(None, 1)[0].decode())


def names_holding(repository: Repository, git: Git, roots: Roots, tips: Iterable[Oid], ref: str) -> list[str]:
    """Return what still leads into the histories of some tips, by name; exact for commits.

    A history is held as long as its first commit is: what shares no more than files with it is not told of.
    Nor is a beginning that the memory at `ref` has itself, as where somebody had merged one of its own.
    """
    begun = _beginnings(repository, git, roots.own.get(ref, ()))
    first = [oid for oid in _beginnings(repository, git, tips) if oid not in begun]
    if not first:
        return []
    candidates = {**roots.own, **roots.others}
    asked = frozenset().union(*candidates.values())
    # One walk from all of them says which commits lead back there.
    answer = git.run(
        ["rev-list", "--ignore-missing", "--ancestry-path", "--stdin"],
        doing="find what holds the old history",
        git_dir=repository.common_dir,
        stdin="".join([*(f"{oid}\n" for oid in asked), *(f"^{oid}\n" for oid in first)]).encode(),
    )
    leading = {*answer.text.split(), *first}
    peeled = _peeled(repository, git, asked)
    return sorted(
        name for name, oids in candidates.items() if any(peeled.get(oid, oid) in leading for oid in oids)
    )


def _beginnings(repository: Repository, git: Git, tips: Iterable[Oid]) -> list[Oid]:
    answer = git.run(
        ["rev-list", "--max-parents=0", "--ignore-missing", "--stdin"],
        doing="find where the old history began",
        git_dir=repository.common_dir,
        stdin="".join(f"{tip}\n" for tip in tips).encode(),
    )
    return [Oid(oid) for oid in answer.text.split()]


def _refs(git_dir: Path, repository: Repository, git: Git) -> Iterator[tuple[str, Oid]]:
    roots = ["--include-root-refs"] if repository.ref_format != "files" else []
    answer = git.run(
        ["for-each-ref", "--format=%(objectname) %(refname)", *roots], doing="list refs", git_dir=git_dir
    )
    linked = git_dir != repository.common_dir
    for line in answer.text.splitlines():
        oid, _, name = line.partition(" ")
        if name in ("HEAD", _FETCHED) or (linked and name.startswith("refs/heads/")):
            continue  # each working tree's HEAD is asked for by itself, and branches are everybody's
        yield (name if name.startswith("refs/") else f"{git_dir.name}/{name}"), Oid(oid)


def _heads(repository: Repository, git: Git) -> Iterator[tuple[str, Oid]]:
    answer = git.run(
        ["worktree", "list", "--porcelain"], doing="list working trees", git_dir=repository.common_dir
    )
    top = ""
    for line in answer.text.splitlines():
        word, _, value = line.partition(" ")
        if word == "worktree":
            top = value
        elif word == "HEAD" and value.strip("0"):
            yield f"HEAD of {top}", Oid(value)


def _noted(git_dir: Path) -> Iterator[tuple[Path, list[Oid]]]:
    """Yield the files in which git notes down ids while it is at something, and what a merge began from."""
    files = [file for file in git_dir.glob("*_HEAD") if file.name != _FETCHED]
    for folder in _UNDER_WAY:
        files += (git_dir / folder).glob("*")
    for file in files:
        try:
            with file.open("rb") as opened:
                content = opened.read(_LARGEST_NOTE)
        except (FileNotFoundError, IsADirectoryError):
            continue  # git may have come to an end with it meanwhile
        yield file, [Oid(oid.decode()) for oid in _HEX.findall(content)]


def _peeled(repository: Repository, git: Git, oids: Collection[Oid]) -> dict[Oid, Oid]:
    """Return what annotated tags are of."""
    answer = git.run(
        ["for-each-ref", "--format=%(objectname) %(*objectname)", "refs/"],
        doing="list tags",
        git_dir=repository.common_dir,
    )
    rows = [line.split() for line in answer.text.splitlines()]
    return {Oid(row[0]): Oid(row[1]) for row in rows if len(row) == 2 and row[0] in oids}
