"""Writing a session back into an agent's own place, so that the agent goes on with it.

1. The agent's own session, which began in this working tree: its lines as they are stored, under its own id.
   What is captured then is the same session. Where the agent has it already, with as much or more, nothing is
   written.
2. The agent's own, but begun elsewhere, by somebody who is not known here, or standing there with other
   content: its records as they are stored, under another id and with this directory for its own, and without
   what sets the agent's state.
3. Another agent's: made of its turns.

The sessions of 2 and 3 name their origin, so that capture knows what in them is a copy. Their ids are made
of the session's and of how far it goes: handed over twice, it is found where it stands. Nothing that stands
there is ever written over.

What is handed over is the session's own stream; where only one of its subagents says anything, that is it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import Final, Literal, NamedTuple

import msgspec

from gitmem import disk
from gitmem.format.manifest import Head
from gitmem.format.memory import Folder, Memory
from gitmem.handing_over.placing import FOLDER, Stream, Told, foretell, place, replace, tidy
from gitmem.handing_over.records import encoded, records_of
from gitmem.handing_over.steps import Lost, Step, steps_of
from gitmem.handing_over.target import Copy, Document, at_text
from gitmem.handing_over.targets import TARGETS
from gitmem.model.errors.handing_over import (
    NothingToHandOver,
    NotResumable,
    SessionHidden,
    TranscriptInTheWay,
)
from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM, SessionKey
from gitmem.model.times import to_ms
from gitmem.model.turns import Header, Turn
from gitmem.transcripts.detect import HEAD_BYTES, detect
from gitmem.transcripts.fields import Object
from gitmem.transcripts.read import iterate
from gitmem.verbs.belonging import Belonging
from gitmem.verbs.naming import title_of
from gitmem.verbs.reading import heads, streams
from gitmem.verbs.summaries import FirstWords

Form = Literal["verbatim", "renamed", "built"]
State = Literal["written", "stands", "planned"]

_WAIT_S: Final = 60.0
_LEFT: Final = "streams that stay behind"
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}\Z")


class Asked(NamedTuple):
    """What is to be handed to whom, and where that is: the user's home, the clone's local state, a working
    tree. `salt` makes the copy another one than those before; `claim` is told of a new session's key before
    anything of it is written. `is_known` says that all who captured it are known here. `at_ms` is now."""

    target: str | None
    home: Path
    environ: Mapping[str, str]
    state_dir: Path
    top: Path
    salt: bytes = b""
    is_dry: bool = False
    claim: Callable[[SessionKey], object] = lambda key: None
    is_known: bool = True
    at_ms: int = 0


class Left(NamedTuple):
    """A stream that stayed behind, by the name that `gitmem show --stream` takes, and its lines."""

    stream: str
    lines: int


class Resumed(NamedTuple):
    """What came of it: the session as the agent has it, and what was lost on the way.

    `files` are those that were written, or stand there. `importer` is the program that has yet to take in the
    first of them. `left` are the streams of which nothing came along.
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
    left: tuple[Left, ...]


def resume(memory: Memory, folder: Folder, asked: Asked) -> Resumed:
    """Hand a session over.

    Raises:
        NotResumable: There is no way to hand a session to that agent.
        SessionHidden: It was forgotten, or stands under another level.
        NothingToHandOver: Nothing of it would come along.
        TranscriptInTheWay: What is to be written stands there with other content.
        ReaderMissing: No reader knows the session's agent.
        StoreError: Something of the session is not here, or damaged.
        StoreBusy: Another process hands something over, and does not end.
        DiskRefused: The disk does not let it.
    """
    handing_over = _HandingOver(memory, folder, asked)
    if asked.is_dry:
        return handing_over.run()
    disk.make_private_folder(asked.state_dir / FOLDER)
    with disk.locked(asked.state_dir / FOLDER / "lock", _WAIT_S):
        tidy(asked.state_dir)
        return handing_over.run()


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
        self._left: list[Left] = []

    def run(self) -> Resumed:
        is_own = self._target.name == self._key.agent
        turns = self._read(keeps=not is_own)
        if is_own and not self._asked.salt and (done := self._as_it_is()) is not None:
            return done
        return self._as_copy("renamed" if is_own else "built", turns)

    def _read(self, *, keeps: bool) -> list[Turn]:
        """Read all that was said, what it repeats of another session included; return it where it is kept."""
        reading = iterate(self._key.agent, streams(self._memory, self._folder, self._stored))
        kept: list[Turn] = []
        first: int | None = None
        said, asked = Counter[str](), FirstWords()
        for turn in reading:
            said[turn.stream] += 1
            asked.take(turn)
            if first is None and turn.at_ms is not None and turn.at_ms >= 0:
                first = turn.at_ms
            if keeps:
                kept.append(turn)
        self._header: Header = reading.header
        self._spoken = self._spoken_by(said)
        title, own = title_of(self._stored), asked.title_in(self._header)
        self._title = title or own
        self._has_title = title in (None, own) and bool(self._header.title)
        self._started_ms = self._started(first)
        return kept

    def _spoken_by(self, said: Mapping[str, int]) -> str:
        """Return the stream that is handed over."""
        found = [name for name in said if name in self._heads()]
        if MAIN_STREAM in found:
            return MAIN_STREAM
        if len(found) != 1:
            raise NothingToHandOver(str(self._key))
        return found[0]

    def _started(self, first: int | None) -> int:
        """Return when a session began, or as long as nothing says so when it was captured first."""
        told = self._header.started_ms
        found = told if told is not None and told >= 0 else first
        return min(to_ms(one.at) for one in self._stored.captures.values()) if found is None else found

    def _as_it_is(self) -> Resumed | None:
        """Write the session under its own id; None where that cannot be."""
        if self._spoken != MAIN_STREAM:
            return None
        began_in = self._began_in()
        is_ours = Belonging((self._asked.top,)).top_of(began_in) == self._asked.top
        cwd = Path(self._header.cwd) if self._header.cwd else self._asked.top
        if not (is_ours and cwd.is_dir() and _NAME.match(self._key.native_id)):
            return None
        copy = self._copy(self._key.native_id, cwd)
        streams = list(self._streams(copy, "verbatim"))
        known = self._known(copy)
        for path in known:
            if self._target.finds(streams[0].path, path) and self._continues(path, copy, streams[0]):
                return self._resumed(copy, "verbatim", "stands", (path,), Told(Counter(), Counter()))
        is_document = self._heads()[MAIN_STREAM].record.shape == "document"
        has_no_end = is_document and self._target.closing is not None  # nothing can stand behind it
        if known or not self._asked.is_known or has_no_end:
            self._left.clear()  # they are looked at again
            return None
        return self._write(copy, "verbatim", streams)

    def _as_copy(self, form: Form, turns: list[Turn]) -> Resumed:
        """Write a session of another id."""
        copy = self._copy(self._target.new_id(self._digits()), self._asked.top)
        if form == "built":
            steps = steps_of(turns, self._lost, self._spoken)
            turns.clear()
            if not steps:
                raise NothingToHandOver(str(self._key))
            self._leave(name for name, _ in heads(self._stored) if name != self._spoken)
            streams = [Stream(MAIN_STREAM, self._place(copy, MAIN_STREAM), partial(self._built, steps, copy))]
        else:
            streams = list(self._streams(copy, form))
        for path in self._known(copy):
            if self._continues(path, copy, streams[0]):
                return self._resumed(copy, form, "stands", (path,), self._told_of(streams[0]))
            raise TranscriptInTheWay(str(path), str(self._key))
        return self._write(copy, form, streams)

    def _built(self, steps: Sequence[Step], copy: Copy, lost: Lost) -> Iterator[bytes]:
        return map(encoded, self._target.ended(self._target.built(steps, copy, lost), copy))

    def _continues(self, path: Path, copy: Copy, stream: Stream) -> bool:
        return self._target.continues(path, copy.native_id, stream.pieces(Counter()))

    def _told_of(self, stream: Stream) -> Told:
        """Return what was lost when what stands there was written."""
        told = Told(Counter(), Counter())
        for _ in stream.pieces(told.lost):
            pass
        return told

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

    def _streams(self, copy: Copy, form: Form) -> Iterator[Stream]:
        own = self._heads()
        self._leave(name for name, _ in heads(self._stored) if name not in own)
        # What is handed over comes first, and is the session's own stream from here on.
        others = {name: head for name, head in own.items() if name not in (MAIN_STREAM, self._spoken)}
        if self._spoken != MAIN_STREAM and MAIN_STREAM in own:
            self._leave([MAIN_STREAM])
        for name, head in ({MAIN_STREAM: own[self._spoken]} | others).items():
            is_apart = name != MAIN_STREAM and (self._target.importer is not None or not _NAME.match(name))
            pieces = None if is_apart else self._pieces(head, copy, name, form)
            if pieces is None:
                self._leave([name])
                continue
            path = self._place(copy, name)
            is_document = form == "verbatim" and head.record.shape == "document"
            yield Stream(name, path.with_suffix(".json") if is_document else path, pieces)

    def _leave(self, names: Iterable[str]) -> None:
        """Note that streams stay behind: subagents', or other ends of a fork."""
        every = dict(heads(self._stored))
        self._left += [Left(name, every[name].lines) for name in names]

    def _pieces(
        self, head: Head, copy: Copy, name: str, form: Form
    ) -> Callable[[Lost], Iterable[bytes]] | None:
        def stored(lost: Lost) -> Iterator[bytes]:
            return self._memory.text(self._folder, head)

        def renamed(lost: Lost) -> Iterator[Object] | None:
            records = records_of(stored(lost), self._key.agent, head.record.shape, lost)
            found = self._target.renamed(records, copy, name, lost)
            return None if found is None else self._target.ended(found, copy)

        if form == "verbatim":
            return stored
        return None if renamed(Counter()) is None else lambda lost: map(encoded, renamed(lost) or ())

    def _copy(self, native_id: str, cwd: Path) -> Copy:
        return Copy(
            native_id,
            self._key,
            cwd,
            self._started_ms,
            self._title,
            self._header.branch,
            self._has_title,
            self._spoken,
        )

    def _place(self, copy: Copy, stream: str) -> Path:
        is_imported = self._target.importer is not None
        return self._target.place(
            self._asked.state_dir if is_imported else self._asked.home, self._asked.environ, copy, stream
        )

    def _known(self, copy: Copy) -> list[Path]:
        with disk.refusing("look for sessions in", self._asked.home):
            return list(self._target.known(self._asked.home, self._asked.environ, copy.native_id))

    def _digits(self) -> str:
        """Return what a new id is made of: the session, its title, how far it goes, for whom and where."""
        said = [self._folder.session, self._target.name, str(self._asked.top), self._title]
        said += [f"{name} {head.capture}" for name, head in sorted(self._heads().items())]
        return hashlib.sha256(
            "\0".join(said).encode("utf-8", "backslashreplace") + self._asked.salt
        ).hexdigest()

    def _write(self, copy: Copy, form: Form, streams: list[Stream]) -> Resumed:
        files = tuple(stream.path for stream in streams)
        if self._target.closing is not None:
            closing = encoded(self._target.closing(at_text(self._asked.at_ms, 0)))
            streams = [streams[0]._replace(closing=closing), *streams[1:]]
        if self._target.document is not None:
            streams = [self._as_document(streams[0], self._target.document)]
        if self._asked.is_dry:
            told = foretell(streams, str(self._key))
            return self._resumed(copy, form, "planned", files, told)
        if copy.is_new:
            self._asked.claim(SessionKey(self._target.name, copy.native_id))
        if self._target.document is None:
            told = place(streams, self._asked.state_dir, str(self._key))
        else:
            told = replace(streams[0])
        return self._resumed(copy, form, "written", files, told)

    def _as_document(self, main: Stream, document: Document) -> Stream:
        def pieces(lost: Lost) -> Iterator[bytes]:
            records = records_of(main.pieces(lost), self._target.name, lost=lost)
            yield msgspec.json.encode(document(self._asked.home, self._asked.environ, records))

        return main._replace(pieces=pieces)

    def _resumed(self, copy: Copy, form: Form, state: State, files: tuple[Path, ...], told: Told) -> Resumed:
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
            lost=self._lost + told.lost + Counter({_LEFT: len(self._left)}),
            placeholders=told.placeholders,
            left=tuple(self._left),
        )


def _beginning(text: Iterable[bytes]) -> bytes:
    begun = bytearray()
    for piece in chain(text, (b"",)):
        begun += piece
        if len(begun) >= HEAD_BYTES:
            break
    return bytes(begun)
