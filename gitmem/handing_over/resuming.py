"""Writing a session back into an agent's own place, so that the agent goes on with it.

1. The agent's own session, which began in this working tree: its lines as they are stored, under its own id.
   What is captured then is the same session. Where the agent has it already, with as much or more, nothing is
   written.
2. The agent's own, but begun elsewhere, or standing there with other content: its lines as they are stored,
   under another id and with this directory for its own.
3. Another agent's: made of its turns.

The sessions of 2 and 3 name their origin, so that capture knows what in them is a copy. Their ids are made
of the session's and of how far it goes: handed over twice, it is found where it stands. Nothing that stands
there is ever written over.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path, PurePath
from typing import Final, Literal, NamedTuple

import msgspec

from gitmem import disk
from gitmem.format.lines import lines_of
from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory
from gitmem.handing_over.records import encoded, records_of
from gitmem.handing_over.steps import Lost, steps_of
from gitmem.handing_over.target import Copy
from gitmem.handing_over.targets import TARGETS
from gitmem.model.errors.handing_over import NotResumable, SessionHidden, TranscriptInTheWay
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM, SessionKey
from gitmem.model.times import to_ms
from gitmem.model.turns import Header, Turn
from gitmem.redaction.placeholders import placeholder_spans
from gitmem.transcripts.detect import HEAD_BYTES, detect
from gitmem.transcripts.fields import Object
from gitmem.transcripts.read import iterate
from gitmem.verbs.belonging import Belonging
from gitmem.verbs.naming import title_of
from gitmem.verbs.reading import heads, streams

Form = Literal["verbatim", "renamed", "built"]
State = Literal["written", "stands", "planned"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}\Z")


class Asked(NamedTuple):
    """What is to be handed to whom, and where that is: the user's home, the clone's local state, a working
    tree. `salt` makes the copy another one than those before; `claim` is told of a new session's key before
    anything of it is written."""

    target: str | None
    home: Path
    environ: Mapping[str, str]
    state_dir: Path
    top: Path
    salt: bytes = b""
    is_dry: bool = False
    claim: Callable[[SessionKey], object] = lambda key: None


class Resumed(NamedTuple):
    """What came of it: the session as the agent has it, and what was lost on the way.

    `files` are those that were written, or stand there. `importer` is the program that has yet to take in the
    first of them.
    """

    key: SessionKey
    origin: SessionKey
    form: Form
    state: State
    files: tuple[Path, ...]
    cwd: Path
    command: tuple[str, ...]
    importer: tuple[str, ...] | None
    lost: Lost
    placeholders: Counter[str]


class _Stream(NamedTuple):
    name: str
    path: Path
    pieces: Callable[[], Iterable[bytes]]


def resume(memory: Memory, folder: Folder, asked: Asked) -> Resumed:
    """Hand a session over.

    Raises:
        NotResumable: There is no way to hand a session to that agent.
        SessionHidden: It was forgotten, or stands under another level.
        TranscriptInTheWay: What is to be written stands there with other content.
        ReaderMissing: No reader knows the session's agent.
        StoreError: Something of the session is not here, or damaged.
        DiskRefused: The disk does not let it.
    """
    return _HandingOver(memory, folder, asked).run()


class _HandingOver:
    def __init__(self, memory: Memory, folder: Folder, asked: Asked) -> None:
        self._memory, self._folder, self._asked = memory, folder, asked
        self._stored = memory.load(folder)
        self._key = self._stored.key
        if self._stored.is_hidden:
            raise SessionHidden(str(self._key))
        name = asked.target or self._key.agent
        if name not in TARGETS:
            raise NotResumable(str(self._key), name, tuple(TARGETS))
        self._target = TARGETS[name]
        self._lost: Lost = Counter()
        self._placeholders: Counter[str] = Counter()

    def run(self) -> Resumed:
        turns, header = self._read()
        self._title = title_of(self._stored) or header.title or ""
        self._header = header
        self._started_ms = self._started(header, turns)
        is_own = self._target.name == self._key.agent
        if is_own and not self._asked.salt and (done := self._as_it_is()) is not None:
            return done
        return self._as_copy("renamed" if is_own else "built", turns)

    def _read(self) -> tuple[list[Turn], Header]:
        """Read all that was said, what it repeats of another session included."""
        reading = iterate(self._key.agent, streams(self._memory, self._folder, self._stored))
        turns = list(reading)
        return turns, reading.header

    def _started(self, header: Header, turns: Iterable[Turn]) -> int:
        """Return when a session began, or as long as nothing says so when it was captured first."""
        told = (header.started_ms, *(turn.at_ms for turn in turns))
        found = next((at_ms for at_ms in told if at_ms is not None and at_ms >= 0), None)
        return min(to_ms(one.at) for one in self._stored.captures.values()) if found is None else found

    def _as_it_is(self) -> Resumed | None:
        """Write the session under its own id; None where that cannot be."""
        began_in = self._began_in()
        is_ours = Belonging((self._asked.top,)).top_of(began_in) == self._asked.top
        cwd = Path(self._header.cwd) if self._header.cwd else self._asked.top
        if not (is_ours and cwd.is_dir() and _NAME.match(self._key.native_id)):
            return None
        copy = self._copy(self._key.native_id, cwd)
        streams = list(self._streams(copy, "verbatim"))
        for path in self._known(copy):
            is_in_place = self._target.importer is not None or path.parent == streams[0].path.parent
            if is_in_place and self._target.continues(path, copy.native_id, streams[0].pieces()):
                return self._resumed(copy, "verbatim", "stands", (path,))
            return None
        return self._write(copy, "verbatim", streams)

    def _as_copy(self, form: Form, turns: list[Turn]) -> Resumed:
        """Write a session of another id."""
        copy = self._copy(self._target.new_id(self._digits()), self._asked.top)
        if form == "built":
            steps = steps_of(turns, self._lost)
            records = list(self._target.built(steps, copy, self._lost))
            streams = [_Stream(MAIN_STREAM, self._place(copy, MAIN_STREAM), lambda: map(encoded, records))]
        else:
            streams = list(self._streams(copy, form))
        for path in self._known(copy):
            if self._target.continues(path, copy.native_id, streams[0].pieces()):
                return self._resumed(copy, form, "stands", (path,))
            raise TranscriptInTheWay(str(path), str(self._key))
        return self._write(copy, form, streams)

    def _began_in(self) -> str | None:
        text = self._memory.text(self._folder, self._heads()[MAIN_STREAM])
        try:
            identity = detect(_beginning(text), PurePath("session"), self._key.agent)
        except UnknownTranscript:
            return self._header.cwd
        return identity.began_in or self._header.cwd

    def _heads(self) -> dict[str, Head]:
        """Return the first head of each stream; of others it is counted what they have more."""
        return {name: head for name, head in heads(self._stored) if name == head.record.stream}

    def _streams(self, copy: Copy, form: Form) -> Iterator[_Stream]:
        own = self._heads()
        for name, head in heads(self._stored):
            if name not in own:
                self._lost["lines of other ends of a fork"] += head.lines
        for name, head in own.items():
            if name != MAIN_STREAM and (self._target.importer is not None or not _NAME.match(name)):
                self._lost["lines of subagents"] += head.lines
                continue
            pieces = self._pieces(head, copy, name, form)
            if pieces is None:
                self._lost["lines of subagents"] += head.lines
                continue
            path = self._place(copy, name)
            is_document = form == "verbatim" and head.record.shape == "document"
            yield _Stream(name, path.with_suffix(".json") if is_document else path, pieces)

    def _pieces(self, head: Head, copy: Copy, name: str, form: Form) -> Callable[[], Iterable[bytes]] | None:
        def stored() -> Iterator[bytes]:
            return self._memory.text(self._folder, head)

        def renamed() -> Iterator[Object] | None:
            return self._target.renamed(records_of(stored(), self._key.agent, head.record.shape), copy, name)

        if form == "verbatim":
            return stored
        return None if renamed() is None else lambda: map(encoded, renamed() or ())

    def _copy(self, native_id: str, cwd: Path) -> Copy:
        return Copy(native_id, self._key, cwd, self._started_ms, self._title, self._header.branch)

    def _place(self, copy: Copy, stream: str) -> Path:
        is_imported = self._target.importer is not None
        return self._target.place(
            self._asked.state_dir if is_imported else self._asked.home, self._asked.environ, copy, stream
        )

    def _known(self, copy: Copy) -> list[Path]:
        return list(self._target.known(self._asked.home, self._asked.environ, copy.native_id))

    def _digits(self) -> str:
        """Return what a new id is made of: the session, how far it goes, for whom and where."""
        said = [self._folder.session, self._target.name, str(self._asked.top)]
        said += [f"{name} {head.capture}" for name, head in sorted(self._heads().items())]
        return hashlib.sha256(
            "\0".join(said).encode("utf-8", "surrogateescape") + self._asked.salt
        ).hexdigest()

    def _write(self, copy: Copy, form: Form, streams: list[_Stream]) -> Resumed:
        if self._target.document is not None:
            [main] = streams
            records = records_of(main.pieces(), self._target.name)
            document = self._target.document(self._asked.home, self._asked.environ, records)
            streams = [main._replace(pieces=lambda: [msgspec.json.encode(document)])]
        elif any(stream.path.exists() or stream.path.is_symlink() for stream in streams):
            raise TranscriptInTheWay(str(streams[0].path), str(self._key))
        if self._asked.is_dry:
            for stream in streams:
                for line in lines_of(stream.pieces()):
                    self._count(line)
            return self._resumed(copy, form, "planned", tuple(stream.path for stream in streams))
        if copy.is_new:
            self._asked.claim(SessionKey(self._target.name, copy.native_id))
        # The main stream comes last: with it the agent sees the session.
        for stream in reversed(streams):
            self._write_stream(stream)
        return self._resumed(copy, form, "written", tuple(stream.path for stream in streams))

    def _write_stream(self, stream: _Stream) -> None:
        disk.make_private_folder(stream.path.parent)
        with disk.NewFile(stream.path.parent) as new:
            last = b""
            for line in lines_of(stream.pieces()):
                self._count(line)
                new.write(line)
                last = line
            if not last.endswith(b"\n"):
                new.write(b"\n")  # what the agent appends begins on a line of its own
            new.publish(stream.path, mode=0o600)

    def _count(self, line: bytes) -> None:
        for start, stop in placeholder_spans(line):
            self._placeholders[line[start:stop].split(b":")[1].decode()] += 1

    def _resumed(self, copy: Copy, form: Form, state: State, files: tuple[Path, ...]) -> Resumed:
        importer = self._target.importer
        return Resumed(
            key=SessionKey(self._target.name, copy.native_id),
            origin=self._key,
            form=form,
            state=state,
            files=files,
            cwd=copy.cwd,
            command=self._target.command(copy.native_id),
            importer=importer(files[0]) if importer is not None and state != "stands" else None,
            lost=+self._lost,
            placeholders=self._placeholders,
        )


def _beginning(text: Iterable[bytes]) -> bytes:
    begun = bytearray()
    for piece in chain(text, (b"",)):
        begun += piece
        if len(begun) >= HEAD_BYTES:
            break
    return bytes(begun)
