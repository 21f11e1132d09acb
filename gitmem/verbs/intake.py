"""What an import is given, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gitmem.format.absent import NOTHING, Absent
from gitmem.model.errors.base import GitmemError
from gitmem.model.ids import Oid, SessionId, SessionKey
from gitmem.model.records import CodePosition
from gitmem.model.settings import Level
from gitmem.objects.storage import Storage
from gitmem.redaction.redactor import Redactor
from gitmem.transcripts.detect import Identity
from gitmem.verbs.committing import Writer
from gitmem.verbs.levels import Levels
from gitmem.verbs.sealing import Sealer


class Refused(NamedTuple):
    """A file that was not taken in, and why."""

    path: Path
    error: GitmemError


class Rendition(NamedTuple):
    """A session of a collection, of about `size_bytes`; `lines()` writes it out."""

    identity: Identity
    lines: Callable[[], Iterator[bytes]]
    size_bytes: int = 0


class Source(NamedTuple):
    """A file to import; `agent` is None where its content decides.

    With a `rendition`, the path is a name for it below that of its collection, and no file.
    """

    path: Path
    agent: str | None = None
    accepts: Callable[[Identity], bool] = lambda _: True
    rendition: Rendition | None = None


class Diverted(NamedTuple):
    """A file whose session is of another level than the memory's that it was to be taken into."""

    source: Source
    key: SessionKey
    level: Level


class Progress(NamedTuple):
    """How far an import has come: bytes of transcript looked at, and what it is at."""

    bytes_done: int
    path: Path


@dataclass
class Report:
    """What an import came to. Sessions are named once, however many files or batches they took."""

    files: int = 0
    unchanged: int = 0
    new_sessions: set[SessionId] = field(default_factory=set)
    grown_sessions: set[SessionId] = field(default_factory=set)
    lines: int = 0
    bytes: int = 0
    replaced: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    diverted: list[Diverted] = field(default_factory=list)
    erased: list[SessionKey] = field(default_factory=list)
    commits: list[Oid] = field(default_factory=list)

    def include(self, other: Report) -> None:
        """Count what another import took in, too."""
        self.files += other.files
        self.unchanged += other.unchanged
        self.new_sessions |= other.new_sessions
        self.grown_sessions |= other.grown_sessions
        self.lines += other.lines
        self.bytes += other.bytes
        self.replaced += other.replaced
        self.refused += other.refused
        self.diverted += other.diverted
        self.erased += other.erased
        self.commits += other.commits


class Intake(NamedTuple):
    """What every import needs: where to, by whom, through which redactor.

    `by` names this program and its version; `code` where the code stands, if that is known to belong to
    the transcripts; `whole` takes a last line without a line end too, which a growing file may yet finish.
    A batch is committed once it has that many bytes of transcript, or that many files. `levels` decides which
    sessions are of this memory's `level`; without it, all of them are. With `again`, what was erased is taken
    in as new. Text of sessions that is not here `absent` brings, where a transcript is compared with it.
    """

    storage: Storage
    ref: str
    state_dir: Path
    writer: Writer
    redactor: Redactor
    key: bytes
    sealer: Sealer
    by: str
    code: CodePosition | None = None
    whole: bool = True
    wait_s: float = 3600.0
    batch_bytes: int = 32 << 20
    batch_sources: int = 1000
    tell: Callable[[Progress], None] = lambda _: None
    level: Level = "team"
    levels: Levels | None = None
    again: bool = False
    absent: Absent = NOTHING
