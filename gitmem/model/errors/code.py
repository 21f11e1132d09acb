"""Lines, files and commits whose history cannot be told."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


class TargetUnknown(GitmemError):
    """What was to be explained is neither a file nor a commit."""

    hint = (
        "git ls-files: lists the files; git log --oneline: lists the commits; "
        "gitmem show NAME: is for sessions and checkpoints"
    )

    def __init__(self, text: str, expected: str) -> None:
        self.text, self.expected = text, expected
        super().__init__(f"could not explain {text[:200]!r}: it is no {expected} here")


class LineMissing(GitmemError):
    """A file has no such line."""

    def __init__(self, path: str, line: int, count: int) -> None:
        self.path, self.line, self.count = path, line, count
        super().__init__(
            f"could not explain line {line} of {path}: it has {count:,} line{'' if count == 1 else 's'}",
            hint=f"gitmem why {path}: sums up all of them",
        )


class FileNotExplained(GitmemError):
    """A file is there, and is none whose lines can be told apart."""

    hint = "gitmem why COMMIT: explains what a commit added"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not explain {path}: {why}")


class FolderNotExplained(FileNotExplained):
    """A folder was named where one of its files was meant."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "it is a folder")
        self.hint = f"git ls-files {path}: lists its files; gitmem why FILE: explains one of them"


class FileOutside(FileNotExplained):
    """A file is outside of the repository at hand."""

    def __init__(self, path: str, top: str) -> None:
        super().__init__(path, f"it is outside of {top}")
        self.hint = "gitmem -C DIR why FILE: explains a file of the repository at DIR"


class FileInAnotherRepository(FileNotExplained):
    """A file belongs to a repository inside of the one at hand, which has a memory of its own."""

    def __init__(self, path: str, top: str) -> None:
        super().__init__(path, f"it belongs to the repository at {top}")
        self.top = top
        self.hint = f"gitmem -C {top} why FILE: explains it there"
