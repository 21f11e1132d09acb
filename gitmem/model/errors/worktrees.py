"""Checkpoints and the working tree that they are taken from or go back to."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError, UsageError
from gitmem.model.errors.repositories import RepositoryError

_MOST_LISTED = 10


class NoWorkingTree(RepositoryError):
    """The repository is bare, or somebody stands in a git directory."""

    hint = "gitmem -C DIR rewind …: works in a working tree"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"could not find a working tree at {path}")


class PathOutside(UsageError):
    """A path leads out of the working tree."""

    def __init__(self, path: str, top: str) -> None:
        self.path, self.top = path, top
        super().__init__(f"could not rewind {path}: it is not in {top}")


class PathUnknown(GitmemError):
    """Neither the working tree nor the checkpoint has the path."""

    hint = "gitmem rewind --dry-run CHECKPOINT: lists what would change"

    def __init__(self, path: str, checkpoint: str) -> None:
        self.path, self.checkpoint = path, checkpoint
        super().__init__(f"could not rewind {path}: it is neither here nor in checkpoint {checkpoint[:12]}")


class SnapshotMissing(GitmemError):
    """What the files were at a checkpoint is not known in this clone."""

    hint = "gitmem log --checkpoints: lists others; docs/rewind.md says where snapshots are, and how long"

    def __init__(self, checkpoint: str, why: str) -> None:
        self.checkpoint, self.why = checkpoint, why
        super().__init__(f"could not rewind to checkpoint {checkpoint[:12]}: {why}")


class SnapshotIncomplete(GitmemError):
    """The content of some files that a checkpoint lists is gone."""

    def __init__(self, checkpoint: str, paths: tuple[str, ...]) -> None:
        self.checkpoint, self.paths = checkpoint, paths
        super().__init__(
            f"could not rewind to checkpoint {checkpoint[:12]}: the content of {_listed(paths)} is gone",
            hint=f"gitmem rewind {checkpoint[:12]} PATH…: takes the others alone; nothing has changed",
        )


class UncommittedWork(GitmemError):
    """Files would be overwritten or removed as no commit has them."""

    hint = (
        "git stash -u, or git commit: keeps them; --force: goes on, and gitmem rewind --undo brings them back"
    )

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        super().__init__(f"could not rewind: it would undo what is not committed in {_listed(paths)}")


class NothingToUndo(GitmemError):
    """No rewind of this working tree is left to undo."""

    hint = "gitmem log --checkpoints: lists what there is to rewind to"

    def __init__(self, top: str) -> None:
        self.top = top
        super().__init__(f"could not undo a rewind: there is none in {top} that has not been undone")


class RewindUnfinished(GitmemError):
    """Some files are as they were at the checkpoint, and some are not."""

    hint = "gitmem rewind --undo: puts everything back as it was"

    def __init__(self, checkpoint: str, why: str) -> None:
        self.checkpoint, self.why = checkpoint, why
        super().__init__(f"could not finish the rewind to checkpoint {checkpoint[:12]}: {why}")


def _listed(paths: tuple[str, ...]) -> str:
    more = len(paths) - _MOST_LISTED
    return ", ".join(paths[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
