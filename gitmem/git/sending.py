"""Sending: refs of a remote move forward, all of them over one connection, and nothing is taken from it.

A push is a fast-forward. Only where its `Move` says so may it be another one, and then from one commit alone.
A long history goes in pieces, so that a connection that breaks off loses one of them at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from gitmem.git.repository import Repository
from gitmem.git.storage import pack_folder
from gitmem.git.transport import Remote, last_words, run
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.sharing import RemoteUnreachable
from gitmem.model.ids import Oid
from gitmem.model.refs import push_refspec
from gitmem.objects.history import first_parents, is_ancestor
from gitmem.objects.storage import Storage

PIECE_BYTES: Final = 32 << 20
"""What one push of a long history carries at most, beyond its last commit."""

_REJECTED: Final = 1
_LAST_LINES: Final = 4
_LONG: Final = 8
_PUSH: Final = ("push", "--porcelain", "--no-follow-tags", "--no-recurse-submodules", "--no-verify")
_LISTING: Final = (
    "rev-list",
    "--first-parent",
    "--reverse",
    "--objects",
    "--in-commit-order",
    "--no-object-names",
)
_CONTENDED: Final = ("lock", "failed to update ref", "incorrect old value", "reference already exists")
"""What receive-pack says when another push was at the same ref in the same moment; never translated."""


class Move(NamedTuple):
    """Where a remote's ref is to point.

    One that is leased moves only from `expected` (None: from not being there), and from there to anywhere;
    any other only forward.
    """

    ref: str
    oid: Oid
    expected: Oid | None = None
    is_leased: bool = False


class PushAnswer(NamedTuple):
    """What a remote said to a push.

    behind: it has commits that we have not; contended: another push was at it in the same moment;
    refused: a hook or a rule of the host's, and `why` in its own words.
    """

    outcome: Literal["pushed", "behind", "contended", "refused"]
    why: str = ""


def push(remote: Remote, moves: Sequence[Move], *, is_atomic: bool = False) -> dict[str, PushAnswer]:
    """Move refs at a remote; where it is atomic all of them, or none.

    Returns:
        The answer for each ref. Where there are several addresses to push to, the worst of them.

    Raises:
        RemoteUnreachable: The remote does not answer, does not let us in, or went away in the middle.
    """
    leases = [f"--force-with-lease={move.ref}:{move.expected or ''}" for move in moves if move.is_leased]
    refspecs = [push_refspec(move.oid, move.ref) for move in moves]
    atomic = ["--atomic"] if is_atomic else []
    try:
        answer = run(
            remote,
            [*_PUSH, *atomic, *leases, "--end-of-options", remote.name, *refspecs],
            f"push to {remote.name}",
            config=_no_mirror(remote),
            accept=(0, _REJECTED),
        )
    except GitFailed as error:
        raise RemoteUnreachable(remote.name, last_words(error.stderr)) from error
    answers: dict[str, PushAnswer] = {}
    for line in answer.text.splitlines():
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        ref = names.partition(":")[2]
        if flag == "!":
            answers[ref] = _as_rejection(summary, answer.stderr)
        elif ref:
            answers.setdefault(ref, PushAnswer("pushed"))
    if any(move.ref not in answers for move in moves):
        raise RemoteUnreachable(remote.name, last_words(answer.stderr))
    return answers


def lacks_objects(remote: Remote, move: Move) -> bool:
    """Whether something that a remote would have to be sent is not here, but with another remote."""
    range_ = [move.oid, *([f"^{move.expected}"] if move.expected else [])]
    listed = remote.git.run(
        ["rev-list", "--objects", "--no-object-names", "--missing=print", *range_],
        doing="find what is to be pushed",
        git_dir=remote.repository.git_dir,
    )
    return listed.stdout.startswith(b"?") or b"\n?" in listed.stdout


def pieces(remote: Remote, storage: Storage, move: Move, most_bytes: int = PIECE_BYTES) -> list[Oid]:
    """Return the commits to push one after the other before the last, so that each push is of bounded size.

    They are first parents, so that each can be forwarded to the next; none where it is little, or where the
    remote's commit is not among what leads there.
    """
    chain = _chain(storage, move)
    is_little = len(chain) < 2 or (move.expected is not None and len(chain) < _LONG)
    if is_little or _packs_bytes(remote.repository) <= most_bytes:
        return []
    found, gathered, last = [], 0, None
    for commit, size_bytes in _sizes(remote, move):
        if last is not None and gathered + size_bytes > most_bytes and last in chain:
            found.append(last)
            gathered = 0
        gathered += size_bytes
        last = commit
    return found


def _chain(storage: Storage, move: Move) -> frozenset[Oid]:
    """Return the first parents, without the last commit, that the remote's own can be forwarded to."""
    chain = list(first_parents(storage, move.oid, until=move.expected))[1:]
    if move.expected is not None and chain and not is_ancestor(storage, move.expected, chain[-1]):
        # What the remote has came in on the way: from there on, and no earlier.
        low, high = 0, len(chain) - 1
        while low < high:
            middle = (low + high) // 2
            if is_ancestor(storage, move.expected, chain[middle]):
                low = middle + 1
            else:
                high = middle
        chain = chain[:low]
    return frozenset(chain)


def _packs_bytes(repository: Repository) -> int:
    return sum(path.stat().st_size for path in pack_folder(repository).glob("pack-*.pack"))


def _sizes(remote: Remote, move: Move) -> Iterator[tuple[Oid, int]]:
    """Yield the first parents that a remote lacks, oldest first, with the bytes that each brings."""
    git_dir, doing = remote.repository.git_dir, "measure what is to be pushed"
    range_ = [move.oid, *([f"^{move.expected}"] if move.expected else [])]
    missing = ["--missing=allow-any"] if remote.repository.lacks_promised else []
    listed = remote.git.run(
        [*_LISTING, *missing, *range_],
        doing=doing,
        git_dir=git_dir,
    )
    sized = remote.git.run(
        ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize:disk)", "--buffer"],
        doing=doing,
        git_dir=git_dir,
        stdin=listed.stdout,
    )
    commit, size_bytes = None, 0
    for line in sized.text.splitlines():
        name, kind, size = line.split()
        if kind == "commit":
            if commit is not None:
                yield commit, size_bytes
            commit, size_bytes = Oid(name), 0
        size_bytes += int(size)
    if commit is not None:
        yield commit, size_bytes


def _no_mirror(remote: Remote) -> dict[str, str]:
    """Return what has a mirror take a push of some refs, which git does not mix with one of all."""
    name = f"remote.{remote.name}.mirror"
    is_mirror = name in remote.repository.config and "=" not in name
    return {name: "false"} if is_mirror else {}


def _as_rejection(summary: str, stderr: str) -> PushAnswer:
    """Tell a lost race from a refusal: `[rejected] (fetch first)`, `[remote rejected] (hook declined)`."""
    kind, _, reason = summary.partition(" (")
    why = reason.removesuffix(")")
    if kind == "[rejected]":
        return PushAnswer("behind", why)
    said = [
        line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:")
    ]
    outcome: Literal["contended", "refused"] = "refused"
    if any(word in why for word in _CONTENDED):
        outcome = "contended"
    return PushAnswer(outcome, "; ".join([why, *filter(None, said[-_LAST_LINES:])]))
