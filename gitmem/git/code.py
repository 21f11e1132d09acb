"""Questions to git about the user's own commits, each asked once for many of them.

A checkpoint, and `why`, need a commit's tree and parents, what it changed, and its patch id. One process
answers a question for hundreds of commits; what is missing or damaged has no answer, and others have theirs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Final, NamedTuple, TypeVar

from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.ids import Oid
from gitmem.model.records import PathChange

MAX_LISTED_CHANGES: Final = 1_000
MAX_PATCH_BYTES: Final = 20 << 20
"""Of one diff; a longer one has no patch id here."""

_MAX_LISTED_BYTES: Final = 1 << 20
_LONGEST_PATH_BYTES: Final = 4_096
_AT_ONCE: Final = 400
"""What is asked fits into a pipe, so that git never waits for us while we wait for it."""
_PATCHES_BYTES: Final = 32 << 20
_READ_BYTES: Final = 1 << 16
_LONGEST_PIECE_BYTES: Final = 1 << 20
_MAX_COMMIT_BYTES: Final = 16 << 20
_SQUASH: Final = b"Squashed commit of the following:"
_SQUASHED: Final = re.compile(rb"^commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)$", re.MULTILINE)
_MAX_SQUASHED: Final = 1_000

# Nothing that the user's configuration says may change a patch id: others compute the same one.
_PATCH: Final = (
    "diff-tree",
    "--stdin",
    "--root",
    "--always",
    "-r",
    "-p",
    "-U3",
    "--no-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--submodule=short",
    "--ignore-submodules=none",
)
_PATCH_CONFIG: Final = {
    "core.attributesFile": "/dev/null",  # may say that lock files are binary
    "diff.suppressBlankEmpty": "false",  # true has `patch-id` count the lines of a hunk wrongly
}
_NUMSTAT: Final = (
    "diff-tree",
    "--stdin",
    "--root",
    "--always",
    "-r",
    "-z",
    "--numstat",
    "-M",
    "-l400",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
)


class CommitFacts(NamedTuple):
    """What a commit is of: its tree, and the commits that it came from, the first one first.

    `squashed` are those that it says it is made of, in the words of `git merge --squash`.
    """

    oid: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    squashed: tuple[Oid, ...] = ()


class Pair(NamedTuple):
    """A commit, and the one that it is compared with; None is the empty tree."""

    commit: Oid
    base: Oid | None


class Changes(NamedTuple):
    """What changed, as far as it is listed, and how many paths more."""

    listed: tuple[PathChange, ...] = ()
    more: int = 0


T = TypeVar("T")


def commits(repository: Repository, git: Git, names: Iterable[str]) -> dict[str, CommitFacts]:
    """Look up commits by id or as `HEAD`; what is not here, or is no commit, is left out.

    Raises:
        GitFailed: git cannot read the repository.
    """
    found: dict[str, CommitFacts] = {}
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return found
    doing = "look up commits"
    with git.start(["cat-file", "--batch"], doing=doing, git_dir=repository.git_dir) as process:
        for name in wanted:
            process.stdin.write(name.encode("ascii", "replace") + b"\n")
            process.stdin.flush()
            said = process.stdout.readline()
            if not said:
                raise process.failure()
            words = said.split()
            if len(words) != 3 or not words[2].isdigit():
                continue  # "<name> missing"
            size = int(words[2])
            if size > _MAX_COMMIT_BYTES:
                _skip(process.stdout, size + 1)
                continue
            content = process.stdout.read(size + 1)
            if words[1] == b"commit":
                facts = _facts(Oid(words[0].decode()), content)
                if facts is not None:
                    found[name] = facts
    return found


def changes(repository: Repository, git: Git, pairs: Iterable[Pair]) -> dict[Pair, Changes]:
    """Tell what changed between commits and what they are compared with; renames count for the new path."""

    def ask(some: Sequence[Pair]) -> dict[Pair, Changes]:
        doing = "list what commits changed"
        with git.start(_NUMSTAT, doing=doing, git_dir=repository.git_dir) as process:
            _write_pairs(process.stdin, some)
            return dict(_read_numstat(process.stdout, some))

    return _asked(pairs, ask)


def patch_ids(repository: Repository, git: Git, pairs: Iterable[Pair]) -> dict[Pair, str]:
    """Return the stable patch ids of what changed; an empty or a very long diff has none."""

    def ask(some: Sequence[Pair]) -> dict[Pair, str]:
        found: dict[Pair, str] = {}
        left = list(some)
        while left:
            left = _ask_patches(repository, git, left, found)
        return found

    return _asked(pairs, ask)


def squashed_in(message: bytes) -> tuple[Oid, ...]:
    """Return the commits that a message of `git merge --squash` lists, the newest first."""
    _, is_squash, listed = message.partition(_SQUASH)
    if not is_squash:
        return ()
    return tuple(Oid(name.decode()) for name in _SQUASHED.findall(listed)[:_MAX_SQUASHED])


def read_numstat(said: bytes) -> Changes:
    """Read what `--numstat -z` says of one pair."""
    collected = _Collected()
    for entry in _entries(iter(said.split(b"\0"))):
        if isinstance(entry, _Entry):
            collected.add(entry)
    return collected.changes()


def _asked(pairs: Iterable[Pair], ask: Callable[[Sequence[Pair]], Mapping[Pair, T]]) -> dict[Pair, T]:
    """Ask about distinct pairs, so many at once; of those that git fails at, each half on its own."""
    found: dict[Pair, T] = {}
    distinct = tuple(dict.fromkeys(pairs))
    left = [distinct[start : start + _AT_ONCE] for start in range(0, len(distinct), _AT_ONCE)]
    while left:
        some = left.pop()
        try:
            found.update(ask(some))
        except GitFailed:
            if len(some) > 1:
                left += [some[: len(some) // 2], some[len(some) // 2 :]]
    return found


def _facts(oid: Oid, content: bytes) -> CommitFacts | None:
    tree, parents = None, []
    for line in content.split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree":
            tree = Oid(value.decode("ascii", "replace"))
        elif key == b"parent":
            parents.append(Oid(value.decode("ascii", "replace")))
        else:
            break
    return CommitFacts(oid, tree, tuple(parents), squashed_in(content)) if tree else None


def _write_pairs(stdin: IO[bytes], pairs: Sequence[Pair]) -> None:
    for commit, base in pairs:
        stdin.write(f"{commit} {base}\n".encode() if base else f"{commit}\n".encode())
    stdin.close()


def _read_numstat(stdout: IO[bytes], pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Changes]]:
    """Read git's answer about pairs, each of which begins with its commit; one without has none."""
    expected = iter(pairs)
    pair: Pair | None = None
    collected = _Collected()
    for entry in _entries(_tokens(stdout)):
        if isinstance(entry, _Entry):
            collected.add(entry)
            continue
        if pair is not None:
            yield pair, collected.changes()
        pair = next((one for one in expected if one.commit.encode() == entry), None)
        collected = _Collected()
    if pair is not None:
        yield pair, collected.changes()


class _Entry(NamedTuple):
    added: int
    removed: int
    path: bytes


def _entries(tokens: Iterator[bytes]) -> Iterator[_Entry | bytes]:
    """Yield what git says of each path, and the commit that a pair begins with."""
    for token in tokens:
        counts = token.split(b"\t", 2)
        if len(counts) == 3:
            path = counts[2]
            if not path:  # a rename: the old path, then the new one
                next(tokens, b"")
                path = next(tokens, b"")
            yield _Entry(_count(counts[0]), _count(counts[1]), path)
        elif token:
            yield token


def _tokens(stdout: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while piece := stdout.read(_READ_BYTES):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
    if rest:
        yield rest


class _Collected:
    """The changes of one pair as they come, within bounds."""

    def __init__(self) -> None:
        self._listed: list[PathChange] = []
        self._bytes = self._more = 0

    def add(self, entry: _Entry) -> None:
        path = entry.path
        self._bytes += len(path)
        is_listed = (
            len(self._listed) < MAX_LISTED_CHANGES
            and len(path) <= _LONGEST_PATH_BYTES
            and self._bytes <= _MAX_LISTED_BYTES
        )
        if is_listed:
            name = path.decode("utf-8", "backslashreplace")
            self._listed.append(PathChange(name, entry.added, entry.removed))
        else:
            self._more += 1

    def changes(self) -> Changes:
        return Changes(tuple(self._listed), self._more)


def _count(text: bytes) -> int:
    return int(text) if text.isdigit() else -1


def _ask_patches(repository: Repository, git: Git, pairs: list[Pair], found: dict[Pair, str]) -> list[Pair]:
    """Find the patch ids of pairs, in order, until there is much text or a diff is too long.

    Returns:
        The pairs that are left to ask about.
    """
    text = bytearray()
    behind = len(pairs)
    process = git.start(_PATCH, doing="compare commits", git_dir=repository.git_dir, config=_PATCH_CONFIG)
    try:
        _write_pairs(process.stdin, pairs)
        at, begins, is_line_start = -1, 0, True
        while piece := process.stdout.readline(_LONGEST_PIECE_BYTES):
            if is_line_start and at + 1 < len(pairs) and piece == f"{pairs[at + 1].commit}\n".encode():
                if len(text) > _PATCHES_BYTES:
                    behind = at + 1
                    break
                at, begins = at + 1, len(text)
            text += piece
            if len(text) - begins > MAX_PATCH_BYTES:
                del text[begins:]
                behind = at + 1
                break
            is_line_start = piece.endswith(b"\n")
        if behind == len(pairs):
            process.close()
    finally:
        process.kill()  # nothing any more, where it has been closed
    found.update(_ids_of(repository, git, bytes(text), pairs[:behind]))
    return pairs[behind:]


def _ids_of(
    repository: Repository, git: Git, text: bytes, pairs: Sequence[Pair]
) -> Iterator[tuple[Pair, str]]:
    """Have git name patches; its answers come in order, and an empty patch has none."""
    if not text:
        return
    answer = git.run(["patch-id", "--stable"], doing="name patches", git_dir=repository.git_dir, stdin=text)
    expected = iter(pairs)
    for line in answer.stdout.splitlines():
        words = os.fsdecode(line).split()
        if len(words) == 2:
            pair = next((one for one in expected if one.commit == words[1]), None)
            if pair is not None:
                yield pair, words[0]


def _skip(stdout: IO[bytes], count: int) -> None:
    while count > 0 and (piece := stdout.read(min(count, _READ_BYTES))):
        count -= len(piece)
