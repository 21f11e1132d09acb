"""What recording checkpoints works with, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from gitmem.checkpoints.events import Event
from gitmem.checkpoints.worktrees import Worktree
from gitmem.git.process import Git
from gitmem.git.repository import Repository
from gitmem.model.ids import Oid, RecordId
from gitmem.objects.storage import Storage
from gitmem.redaction.redactor import Redactor
from gitmem.verbs.committing import Writer
from gitmem.verbs.intake import Report, Source


class Kept(Protocol):
    """A snapshot of a working tree, which is not anybody's yet."""

    @property
    def staged(self) -> Oid | None:
        """The tree of what was staged."""

    @property
    def working(self) -> Oid | None:
        """The tree of what stood in the working tree."""

    def tie(self, checkpoint: RecordId) -> None:
        """Remember whose it is; the checkpoint is about to be in the memory."""


Snapshot = Callable[[Repository, Path | None, int], Kept | None]
"""Takes a snapshot of a working tree: of which, with which index if not its own, at which moment in ms."""


class Means(NamedTuple):
    """What recording works with.

    `take_in` imports sources, `redactor` is made when it is first needed, `wish` is told of events before
    they are removed. `is_new` says that the memory has just begun, and holds nothing of what this clone once
    captured.
    """

    repository: Repository
    git: Git
    storage: Storage
    ref: str
    writer: Writer
    redactor: Callable[[], Redactor]
    take_in: Callable[[Sequence[Source]], Report]
    home: Path
    environ: Mapping[str, str]
    now_ns: Callable[[], int]
    is_new: bool = False
    snapshot: Snapshot | None = None
    wish: Callable[[Sequence[Event]], object] = lambda events: None


class Occasion(NamedTuple):
    """An event in a working tree, which calls for a checkpoint; `message` is what its author said."""

    worktree: Worktree
    event: Event
    message: str = ""
