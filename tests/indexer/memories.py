"""A real repository with a memory that a test fills line by line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from gitmem.format import layout, records, segments
from gitmem.format.memory import Memory, open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.ids import MAIN_STREAM, Oid, RecordId, SessionId
from gitmem.model.records import (
    Author,
    Capture,
    CodePosition,
    Register,
    RegisterName,
    SegmentEntry,
    Session,
    Tombstone,
)
from gitmem.model.refs import DEFAULT_MEMORY_REF
from gitmem.objects.trees import Path as TreePath
from gitmem.objects.trees import walk
from gitmem.sidecar.wire import Place
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.starting import start

ADA = Author("Ada Example", "ada@example.org")


def said(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    """Return a line of the neutral form."""
    return {"role": role, "text": text, **more}


def called(name: str, call_id: str, text: str = "", **arguments: Any) -> dict[str, Any]:
    return said(text, "assistant", tool_calls=[{"id": call_id, "name": name, "input": arguments}])


def gave(call_id: str, text: str, is_error: bool = False) -> dict[str, Any]:
    return said(text, "tool", call_id=call_id, is_error=is_error)


class Filled:
    """The memory of a repository, and what a test does to it."""

    def __init__(self, top: Path, environ: Mapping[str, str], ref: str = DEFAULT_MEMORY_REF) -> None:
        self.top, self.ref, self.environ = top, ref, environ
        self.git = Git(environ)
        self.repository = discover(top, self.git)
        self.now = 1_800_000_000.0
        self.captures: dict[tuple[SessionId, str], RecordId] = {}
        self.lines: dict[tuple[SessionId, str], int] = {}
        self.clock = 0
        with closing(self.storage()) as storage:
            start(storage, ref, self.writer(ADA))

    @property
    def place(self) -> Place:
        common = str(self.repository.common_dir)
        return Place(str(self.top), common, self.ref, self.repository.name, "team")

    def storage(self) -> GitStorage:
        return open_storage(self.repository, self.git)

    def memory(self, storage: GitStorage) -> Memory:
        return open_memory(storage, self.ref)

    def writer(self, author: Author) -> Writer:
        self.now += 1
        now = self.now
        return Writer(author, lambda: now)

    def add(
        self,
        native_id: str,
        lines: Iterable[Mapping[str, Any] | bytes],
        *,
        agent: str = "generic",
        keep: int | None = None,
        stream: str = MAIN_STREAM,
        author: Author = ADA,
        branch: str | None = None,
    ) -> SessionId:
        """Capture lines of a session, behind those that are there, of which the first `keep` stay."""
        record = Session(agent, native_id, hashlib.sha256(native_id.encode()).hexdigest())
        session = records.session_id(record)
        encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines]
        at = (session, stream)
        keep = self.lines.get(at, 0) if keep is None else keep
        writer = self.writer(author)
        with closing(self.storage()) as storage, storage.begin() as batch:
            changes: dict[TreePath, Oid | None] = {}
            entries = []
            for sealed, _ in segments.seal_all(b"".join(encoded), segments.EMPTY_GROUP):
                changes[layout.segment_path(session, sealed.name)] = batch.add("blob", sealed.blob)
                entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
            before = self.captures.get(at)
            capture = Capture(
                session=session,
                at=writer.now(),
                author=author,
                by="test",
                redaction="none",
                segments=tuple(entries),
                keep=keep,
                parents=(before,) if before else (),
                stream=stream,
                code=CodePosition(branch=branch) if branch else None,
            )
            name, blob = records.seal(capture)
            changes[layout.capture_path(session, name)] = batch.add("blob", blob)
            changes[layout.session_path(session)] = batch.add("blob", records.seal(record)[1])
            commit(storage, self.ref, writer, "capture\n", changes, batch)
        self.captures[at], self.lines[at] = name, keep + len(encoded)
        return session

    def register(
        self, session: SessionId, name: RegisterName, value: str | tuple[str, ...] | bool | None
    ) -> None:
        """Write a register of a session."""
        self.clock += 1
        writer = self.writer(ADA)
        record_id, blob = records.seal(Register(session, name, value, self.clock, writer.now(), ADA))
        with closing(self.storage()) as storage, storage.begin() as batch:
            path = layout.session_register_path(session, record_id)
            commit(storage, self.ref, writer, "register\n", {path: batch.add("blob", blob)}, batch)

    def erase(self, session: SessionId) -> None:
        """Take a session out of the tree, and leave a tombstone in its place."""
        writer = self.writer(ADA)
        name, blob = records.seal(Tombstone(session, "team", writer.now(), ADA))
        with closing(self.storage()) as storage, storage.begin() as batch:
            path = layout.tombstone_path(session, name)
            commit(storage, self.ref, writer, "bury\n", {path: batch.add("blob", blob)}, batch)
        self.remove(session)

    def remove(self, session: SessionId) -> None:
        """Take a session out of the tree, as an erasure does."""
        with closing(self.storage()) as storage, storage.begin() as batch:
            memory = self.memory(storage)
            folder = layout.session_folder(session)
            gone = {path: None for path, _ in walk(storage, memory.root) if path[: len(folder)] == folder}
            assert gone, "the session is there"
            commit(storage, self.ref, self.writer(ADA), "remove\n", gone, batch)
        for at in [at for at in self.captures if at[0] == session]:
            del self.captures[at], self.lines[at]


def names_of(answer: Mapping[str, Any]) -> Sequence[str]:
    """Return the hits of an answer as `native id#ordinal`, in order."""
    return [f"{hit['session'].partition('/')[2]}#{hit['ordinal']}" for hit in answer["hits"]]
