"""A memory filled by hand, over any storage: captures of one's own making, without an import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from gitmem.format import layout, records
from gitmem.format.memory import Memory, StoredSession, open_memory, require
from gitmem.format.segments import EMPTY_GROUP, seal_all
from gitmem.model.ids import MAIN_STREAM, RecordId, SessionId, SessionKey
from gitmem.model.records import (
    Author,
    Capture,
    CodePosition,
    Register,
    RegisterName,
    SegmentEntry,
    Session,
    Shape,
)
from gitmem.model.times import to_text
from gitmem.objects.storage import Storage
from gitmem.verbs.committing import Writer, commit
from gitmem.verbs.naming import Naming
from gitmem.verbs.starting import start

REF = "refs/heads/gitmem"
ADA = Author("Ada Example", "ada@example.org")
START_MS = 1_772_000_000_000
"""2026-02-25T06:13:20Z."""


@dataclass
class Book:
    """Writes into one memory; every commit is a second after the one before."""

    storage: Storage
    author: Author = ADA
    clock_s: int = START_MS // 1000

    def __post_init__(self) -> None:
        start(self.storage, REF, self.writer())

    def writer(self) -> Writer:
        def clock() -> float:
            self.clock_s += 1
            return self.clock_s

        return Writer(self.author, clock)

    def naming(self) -> Naming:
        """Return what tags and titles are written through; `SECRET` is a secret."""
        return Naming(self.storage, REF, self.writer(), lambda text: text.replace("SECRET", "[gone]"))

    def memory(self) -> Memory:
        return open_memory(self.storage, REF)

    def stored(self, session: SessionId) -> StoredSession:
        memory = self.memory()
        return memory.load(require(memory, session))

    def capture(
        self,
        lines: Iterable[str | bytes],
        native_id: str = "0f3a81c2-one",
        *,
        agent: str = "claude-code",
        stream: str = MAIN_STREAM,
        beginning: str = "",
        parents: tuple[RecordId, ...] = (),
        keep: int = 0,
        shape: Shape = "lines",
        branch: str | None = None,
    ) -> tuple[SessionId, RecordId]:
        """Write one capture, and its session's record, in a commit of its own."""
        session = Session(agent, native_id, hashlib.sha256(beginning.encode()).hexdigest())
        name = records.session_id(session)
        text = b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines)
        with self.storage.begin() as batch:
            changes = {layout.session_path(name): batch.add("blob", records.seal(session)[1])}
            entries = []
            for sealed, _ in seal_all(text, EMPTY_GROUP):
                changes[layout.segment_path(name, sealed.name)] = batch.add("blob", sealed.blob)
                entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
            record = Capture(
                session=name,
                at=to_text(self.clock_s * 1000),
                author=self.author,
                by="gitmem test",
                redaction="none",
                segments=tuple(entries),
                keep=keep,
                parents=parents,
                stream=stream,
                shape=shape,
                code=CodePosition(branch=branch) if branch else None,
            )
            capture, blob = records.seal(record)
            changes[layout.capture_path(name, capture)] = batch.add("blob", blob)
            commit(self.storage, REF, self.writer(), "Capture 1 session [skip ci]\n", dict(changes), batch)
        return name, capture

    def register(
        self,
        session: SessionId,
        name: RegisterName,
        value: str | tuple[str, ...] | bool | None,
        clock: int = 1,
    ) -> None:
        """Write a register as it is, as another machine might have."""
        record_id, blob = records.seal(
            Register(session, name, value, clock, to_text(self.clock_s * 1000), self.author)
        )
        self.put(session, layout.session_register_path(session, record_id), blob)

    def put(self, session: SessionId, path: tuple[str, ...], blob: bytes | None) -> None:
        """Put any blob anywhere, or take one away."""
        with self.storage.begin() as batch:
            changes = {path: None if blob is None else batch.add("blob", blob)}
            commit(self.storage, REF, self.writer(), "By hand [skip ci]\n", changes, batch)


def said(number: int, role: str, text: str, **more: object) -> str:
    """Return a message of a Claude Code session; the id of number 7 is `m7`, and it is said in second 7."""
    return _line(number, role, text, more)


def called(number: int, name: str, **arguments: object) -> str:
    """Return a call of a tool."""
    block = {"type": "tool_use", "id": f"t{number}", "name": name, "input": arguments}
    return _line(number, "assistant", [block], {})


def answered(number: int, text: str, *, is_error: bool = False) -> str:
    """Return the result of the call before it."""
    block = {"type": "tool_result", "tool_use_id": f"t{number - 1}", "content": text, "is_error": is_error}
    return _line(number, "user", [block], {})


def thought(number: int, text: str) -> str:
    """Return what a model thought."""
    return _line(number, "assistant", [{"type": "thinking", "thinking": text}], {})


def talk(count: int, *, words: str = "the tide comes in") -> list[str]:
    """Return a conversation of so many messages."""
    return [said(n, "assistant" if n % 2 else "user", f"{words} {n}") for n in range(count)]


def key(native_id: str, agent: str = "claude-code") -> str:
    return str(SessionKey(agent, native_id))


def _line(number: int, role: str, content: object, more: dict[str, object]) -> str:
    message: dict[str, object] = {"role": role, "content": content}
    if role == "assistant":
        message |= {"id": f"api{number}", "model": "claude-model-1"}
    record = {
        "type": role,
        "uuid": f"m{number}",
        "parentUuid": f"m{number - 1}" if number else None,
        "sessionId": "0f3a81c2-one",
        "timestamp": to_text(START_MS + number * 1000),
        "cwd": "/home/ada/tides",
        "gitBranch": "main",
        "isSidechain": False,
        "message": message,
        **more,
    }
    return json.dumps(record)
