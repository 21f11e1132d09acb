"""Signatures of a memory: who signed which commits and tombstones, and how much no good one covers.

A signed commit vouches for its whole tree. A history only ever adds to its tree, so what the signed commits
cover is in the latest of them: the ones that no other well-signed commit has in its history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gitmem.format.burial import all_tombstones
from gitmem.format.memory import open_memory
from gitmem.git.signing import State, Verdict, is_signed
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Tombstone
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, decode_commit
from gitmem.objects.storage import Storage
from gitmem.sharing.erasers import Certified


class SignedCommit(NamedTuple):
    """A commit that is signed, who it says made it and when, and what git says of its signature."""

    commit: Oid
    committer: str
    at_s: int
    verdict: Verdict


class Survey(NamedTuple):
    """The signatures of one memory.

    `commits` are those of its history that are signed, `others` counts the rest. Of `records` in its tree,
    segments included, `uncovered` are in the tree of no commit with a good signature. `unsigned` counts the
    tombstones without a signature.
    """

    ref: str
    commits: tuple[SignedCommit, ...]
    others: int
    records: int
    uncovered: int
    tombstones: tuple[Certified, ...]
    unsigned: int

    def count(self, state: State) -> int:
        """Count signatures, of commits and of tombstones, by what git says of them."""
        verdicts = [each.verdict for each in self.commits] + [each.verdict for each in self.tombstones]
        return sum(verdict.state == state for verdict in verdicts)


def survey(
    storage: Storage,
    ref: str,
    check: Callable[[Sequence[Oid]], Mapping[Oid, Verdict]],
    certify: Callable[[Iterable[tuple[RecordId, Tombstone]]], Sequence[Certified]],
) -> Survey:
    """Look at all signatures of the memory at a ref; `check` and `certify` ask git about them.

    A commit that a shallow clone does not have ends its line.

    Raises:
        NoMemory: There is none.
        StoreError: The history or the tree cannot be read; `gitmem verify` says more.
    """
    memory = open_memory(storage, ref)
    history, signed = _read_history(storage, memory.commit)
    verdicts = check(signed)
    good = {oid for oid in signed if verdicts[oid].state == "good"}
    latest = _latest(history, memory.commit, good)
    found = list(all_tombstones(storage, memory.root))
    certified = certify(found)
    rows = (SignedCommit(oid, *_made(history[oid]), verdicts[oid]) for oid in signed)
    return Survey(
        ref,
        tuple(sorted(rows, key=lambda row: -row.at_s)),
        len(history) - len(signed),
        *_covered(storage, memory.root, [history[oid].tree for oid in latest]),
        tuple(certified),
        len(found) - len(certified),
    )


def _read_history(storage: Storage, tip: Oid) -> tuple[dict[Oid, Commit], list[Oid]]:
    """Return the commits that lead to a tip, and which of them are signed."""
    history: dict[Oid, Commit] = {}
    signed: list[Oid] = []
    todo = [tip]
    while todo:
        oid = todo.pop()
        if oid in history or not storage.contains(oid):
            continue
        _, data = storage.read(oid)
        history[oid] = decode_commit(data, oid)
        if is_signed(data):
            signed.append(oid)
        todo += history[oid].parents
    return history, signed


def _latest(history: Mapping[Oid, Commit], tip: Oid, good: set[Oid]) -> list[Oid]:
    """Return the well-signed commits that are reached first on the ways back from a tip."""
    found: list[Oid] = []
    seen: set[Oid] = set()
    todo = [tip]
    while todo:
        oid = todo.pop()
        if oid in seen or oid not in history:
            continue
        seen.add(oid)
        if oid in good:
            found.append(oid)
        else:
            todo += history[oid].parents
    return found


def _made(commit: Commit) -> tuple[str, int]:
    return f"{commit.committer.name} <{commit.committer.email}>", commit.committer.time_s


def _covered(storage: Storage, root: Oid, signed: Sequence[Oid]) -> tuple[int, int]:
    """Count the records of a tree, and those that none of several trees has."""
    records = sum(len(path) > 1 for path, _ in trees.walk(storage, root))
    if not signed:
        return records, records
    missing: set[trees.Path] | None = None
    for tree in signed:
        lacked = {path for path in _lacked(storage, tree, root) if len(path) > 1}
        missing = lacked if missing is None else missing & lacked
    return records, len(missing or ())


def _lacked(storage: Storage, old: Oid | None, new: Oid, path: trees.Path = ()) -> Iterator[trees.Path]:
    """Yield the files of a tree that another lacks, of which no more is opened: it may be a stranger's."""
    before, after = trees.read_tree(storage, old), trees.read_tree(storage, new)
    for name, entry in after.items():
        was = before.get(name)
        if was == entry:
            continue
        if entry.is_tree:
            yield from _lacked(storage, was.oid if was and was.is_tree else None, entry.oid, (*path, name))
        else:
            yield (*path, name)
