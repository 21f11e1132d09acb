"""What is asked of git about single lines: who changed them last, what a commit added, its patch id.

All of it is git's own porcelain formats, read and never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gitmem.git.asking import ask_at
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.ids import Oid

_FILE = re.compile(rb'\+\+\+ (?:"?b/(?P<path>.*?)"?|/dev/null)\t?\r?\n?\Z')
_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<start>\d+)(?:,(?P<new>\d+))? @@")
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_MOST_COMMITS = 1000
_TIMEOUT_S = 60.0


class Line(NamedTuple):
    """A line of a file: its number from 1, its text, and the commit that it is from, None if from none yet.

    `path` is what the file was called in that commit, from the top of the working tree.
    """

    number: int
    text: str
    commit: Oid | None
    path: str


class Refusal(NamedTuple):
    """Why git did not blame a file, in its own words."""

    said: str


def blame(
    git: Git, start: Path, path: str, span: tuple[int, int] | None, revision: str | None
) -> list[Line] | Refusal:
    """Say where the lines of a file are from, as it stands in the working tree or at a revision.

    `path` counts from `start`. White space that changed, and lines that moved within a file, count for
    nothing. With `span` only lines from its first to its last are looked at; the first must be there.

    Raises:
        GitMissing, GitFailed: git cannot be started.
    """
    question = ["blame", "--porcelain", "-w", "-M"]
    question += [f"-L{span[0]},{span[1]}"] if span else []
    question += [revision] if revision else []
    [answer] = ask_at(git, start, [*question, "--", path], doing=f"blame {path}")
    if answer.status:
        return Refusal(answer.stderr)
    return list(_porcelain(answer.stdout))


def resolve_commit(git: Git, start: Path, text: str) -> Oid | None:
    """Return the commit that a revision means, or None.

    Raises:
        GitMissing, GitFailed: git cannot be started.
    """
    if "\0" in text:
        return None  # no program can be asked that
    question = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}"]
    [answer] = ask_at(git, start, question, doing=f"find the commit {text}")
    return Oid(answer.text) if answer.status == 0 else None


def added_lines(git: Git, start: Path, commit: Oid) -> Iterator[Line]:
    """Yield the lines that a commit added, path by path; of a merge none, for they are others'.

    Raises:
        GitMissing, GitFailed: git cannot be started, or fails at it.
    """
    question = ["diff-tree", "-p", "-w", "-U0", "-M", "--root", "--no-ext-diff", "--no-textconv"]
    question += ["--no-commit-id", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "-r", commit]
    doing = f"show what {commit} changed"
    [answer] = ask_at(git, start, question, doing=doing)
    if answer.status:
        raise GitFailed(doing, answer.status, answer.stderr)
    path, old, new, number = "", 0, 0, 0
    for raw in answer.stdout.split(b"\n"):
        if old > 0 or new > 0:
            if raw.startswith(b"+"):
                yield Line(number, _text(raw[1:]), commit, path)
                number, new = number + 1, new - 1
            elif raw.startswith(b"-"):
                old -= 1
        elif found := _FILE.match(raw):
            path = _unquoted(found["path"] or b"", is_quoted=raw.startswith(b'+++ "'))
        elif hunk := _HUNK.match(raw):
            old, new = int(hunk["old"] or 1), int(hunk["new"] or 1)
            number = int(hunk["start"])


class Questions:
    """What links ask of git, when nothing nearer was found."""

    def __init__(self, repository: Repository, git: Git) -> None:
        self._repository, self._git = repository, git.elsewhere()

    def patch_ids(self, commits: Sequence[Oid]) -> dict[Oid, str]:
        """Return the stable patch ids of commits; a merge has none, nor has one that changes nothing."""
        doing = "take the patch ids of commits"
        question = ["diff-tree", "--stdin", "-p", "--root", "--no-ext-diff", "--no-textconv"]
        patches = self._run(question, doing, "".join(f"{commit}\n" for commit in commits).encode())
        said = self._run(["patch-id", "--stable"], doing, patches) if patches else None
        lines = said.decode().splitlines() if said else []
        return {Oid(commit): patch for patch, _, commit in (line.partition(" ") for line in lines)}

    def commits_of_branch(self, tip: Oid, merged: Oid) -> tuple[Oid, ...]:
        """Return the commits from a branch's tip back to where it left what `merged` was put upon.

        At most 1,000; none where git does not have them any more.
        """
        question = ["rev-list", f"--max-count={_MOST_COMMITS}", tip, "--not", f"{merged}^@", "--"]
        said = self._run(question, f"list the commits of {tip}")
        return tuple(Oid(line) for line in said.decode().split()) if said else ()

    def _run(self, question: Sequence[str], doing: str, stdin: bytes = b"") -> bytes | None:
        answer = self._git.run(
            question,
            doing=doing,
            git_dir=self._repository.git_dir,
            stdin=stdin,
            accept=range(256),
            timeout_s=_TIMEOUT_S,
        )
        return answer.stdout if answer.status == 0 else None


def _porcelain(said: bytes) -> Iterator[Line]:
    paths: dict[bytes, bytes] = {}
    commit, number = b"", 0
    begins = True
    for raw in said.split(b"\n"):
        if begins:
            parts = raw.split(b" ")
            if len(parts) < 3:
                return
            commit, number, begins = parts[0], int(parts[2]), False
        elif raw.startswith(b"\t"):
            oid = None if not commit.strip(b"0") else Oid(commit.decode())
            yield Line(number, _text(raw[1:]), oid, _text(paths.get(commit, b"")))
            begins = True
        elif raw.startswith(b"filename "):
            name = raw[9:]
            quoted = name.startswith(b'"') and name.endswith(b'"') and len(name) > 1
            paths[commit] = _unescaped(name[1:-1]) if quoted else name


def _unquoted(name: bytes, *, is_quoted: bool) -> str:
    return _text(_unescaped(name) if is_quoted else name)


def _unescaped(name: bytes) -> bytes:
    """Undo git's quoting of a path."""

    def byte(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([_ESCAPED[code]]) if code in _ESCAPED else bytes([int(code, 8) & 0xFF])

    return _ESCAPE.sub(byte, name)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
