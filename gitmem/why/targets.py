"""What somebody wants explained: a file, some of its lines, or a commit; and the lines that it stands for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from gitmem.git.blame import Line, Refusal, added_lines, blame, resolve_commit
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.errors.code import (
    FileInAnotherRepository,
    FileNotExplained,
    FileOutside,
    FolderNotExplained,
    LineMissing,
    TargetUnknown,
)
from gitmem.model.ids import Oid
from gitmem.why.lines import count_lines

Form = Literal["any", "file", "commit"]
"""What a word must be: `--` before it makes it a file, and behind it a commit."""

_NUMBERED = (
    re.compile(r"(?P<path>.+):(?P<first>[0-9]{1,9})(?:[-,](?P<last>[0-9]{1,9}))?:?\Z", re.DOTALL),
    # The column that editors and compilers write behind the line says no more.
    re.compile(r"(?P<path>.+):(?P<first>[0-9]{1,9}):(?P<last>)[0-9]{1,9}:?\Z", re.DOTALL),
)
_AROUND = 12
"""Lines around those that are asked for, which tell whose those are."""

_MOST_BYTES = 64 << 20


class Target(NamedTuple):
    """What is to be explained. `path` counts from where the command was started; `span` is its lines."""

    path: str | None
    span: tuple[int, int] | None
    commit: Oid | None


class Lines(NamedTuple):
    """Lines of a file: those asked for by number, those around them, and how often each text stands in it."""

    path: str
    lines: Sequence[Line]
    numbers: frozenset[int]
    counts: Counter[bytes]


def find_target(text: str, form: Form, repository: Repository, start: Path, git: Git) -> Target:
    """Tell what a word means; a file that exists wins over a commit.

    Raises:
        TargetUnknown: It is none of these.
    """
    if form != "commit":
        if _is_file(text, repository, start, git):
            return Target(text, None, None)
        for numbered in filter(None, (pattern.match(text) for pattern in _NUMBERED)):
            if _is_file(numbered["path"], repository, start, git):
                first = int(numbered["first"])
                last = int(numbered["last"] or first)
                return Target(numbered["path"], (min(first, last), max(first, last)), None)
    commit = resolve_commit(git, start, text) if form != "file" else None
    if commit is None:
        expected = {"any": "file and no commit", "file": "file", "commit": "commit"}[form]
        raise TargetUnknown(text, expected)
    return Target(None, None, commit)


def lines_of(target: Target, repository: Repository, start: Path, git: Git) -> list[Lines]:
    """Return the lines that a target stands for, file by file.

    Raises:
        LineMissing: The file has no such line.
        FileInAnotherRepository: It is a submodule's, or of a clone inside of this one.
        FileNotExplained: It is a folder, elsewhere or no text, or git cannot say where its lines are from.
    """
    if target.commit is not None:
        return _of_commit(git, start, target.commit)
    assert target.path is not None
    if repository.top is None:
        lines = _blamed(blame(git, start, target.path, None, "HEAD"), target.path)
        return [_asked(target, lines[0].path if lines else target.path, lines, len(lines))]
    path = _from_top(repository.top, start, target.path)
    texts = _read(start / target.path, target.path)
    span = _within(target, len(texts))
    around = (max(1, span[0] - _AROUND), min(len(texts), span[1] + _AROUND))
    found = blame(git, start, target.path, around if target.span else None, None) if texts else []
    if isinstance(found, Refusal):
        if not any(words in found.said for words in ("no such path", "no such ref", "bad revision")):
            raise FileNotExplained(target.path, found.said)
        found = [Line(number, text, None, path) for number, text in enumerate(texts, 1)]  # not tracked yet
    numbers = frozenset(range(span[0], span[1] + 1))
    return [Lines(path, found, numbers, count_lines(texts, path))]


def _of_commit(git: Git, start: Path, commit: Oid) -> list[Lines]:
    by_path: dict[str, list[Line]] = {}
    for line in added_lines(git, start, commit):
        by_path.setdefault(line.path, []).append(line)
    return [
        Lines(
            path,
            lines,
            frozenset(line.number for line in lines),
            count_lines((line.text for line in lines), path),
        )
        for path, lines in by_path.items()
    ]


def _asked(target: Target, path: str, lines: Sequence[Line], count: int) -> Lines:
    first, last = _within(target, count)
    counts = count_lines((line.text for line in lines), path)
    return Lines(path, lines, frozenset(range(first, last + 1)), counts)


def _within(target: Target, count: int) -> tuple[int, int]:
    assert target.path is not None
    if target.span is None:
        return 1, count
    first, last = target.span
    if not 1 <= first <= count:
        raise LineMissing(target.path, first, count)
    return first, min(last, count)


def _blamed(found: list[Line] | Refusal, path: str) -> list[Line]:
    if isinstance(found, Refusal):
        raise FileNotExplained(path, found.said)
    return found


def _is_file(path: str, repository: Repository, start: Path, git: Git) -> bool:
    if "\0" in path:
        return False
    if repository.top is not None:
        try:
            return (start / path).exists()
        except OSError:  # a name that is too long
            return False
    said = git.run(
        ["cat-file", "-e", f"HEAD:{path}"],
        doing=f"look for {path}",
        git_dir=repository.git_dir,
        accept=range(256),
    )
    return said.status == 0


def _from_top(top: Path, start: Path, path: str) -> str:
    whole = start / path
    placed = whole.parent.resolve() / whole.name if whole.name != ".." else whole.resolve()
    try:
        below = placed.relative_to(top.resolve())
    except ValueError:
        raise FileOutside(path, str(top)) from None
    for folder in list(below.parents)[:-1]:
        if (top / folder / ".git").exists():
            raise FileInAnotherRepository(path, str(top / folder))
    return below.as_posix()


def _read(file: Path, path: str) -> list[str]:
    """Return the lines of a file as it stands."""
    if file.is_dir():
        raise FolderNotExplained(path)
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise FileNotExplained(path, f"it has more than {_MOST_BYTES >> 20} MiB")
        content = file.read_bytes()
    except OSError as error:
        raise FileNotExplained(path, error.strerror or str(error)) from error
    if b"\0" in content:
        raise FileNotExplained(path, "it is no text")
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
