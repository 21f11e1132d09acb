"""Cline: a folder for each task, of several JSON files, or, from its SDK on, a file of messages and one about
the session beside it; a session that another began is a stream of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens
from gitmem.transcripts.agent import Agent, Head, Identity, session_of
from gitmem.transcripts.fields import Object, child, children, count, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.roo import is_roo
from gitmem.transcripts.task_folders import identity_of, task_folders
from gitmem.transcripts.task_reader import TaskReader
from gitmem.transcripts.text import content_text
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.whole_files import WholeFiles, load, load_beside

NAME = "cline"
TASK, SESSION, MESSAGE = "clineTask", "clineSession", "clineMessage"

_MESSAGES_SUFFIX = ".messages.json"
_STABLE = (
    "version",
    "session_id",
    "sessionId",
    "agent",
    "created_at",
    "started_at",
    "cwd",
    "workspace_root",
    "parent_session_id",
    "parent_agent_id",
    "agent_id",
    "conversation_id",
    "is_subagent",
    "system_prompt",
)


def identify(head: Head) -> Identity | None:
    """Recognise a rendition by its first line."""
    first = head.records[0] if head.records else {}
    task, session = child(first, TASK), child(first, SESSION)
    if string(task, "id"):
        return identity_of(NAME, head.stem, task, list)
    return _identity(head.stem, session) if session else None


def _entry(folder: Path) -> Object:
    """Return a task's entry in the history, which all tasks share."""
    try:
        history = load(folder.parent.parent / "state" / "taskHistory.json")
    except (OSError, UnknownTranscript):
        return {}
    entries = children({"history": history}, "history")
    return next((entry for entry in entries if string(entry, "id") == folder.name), {})


_TASKS = task_folders(NAME, TASK, _entry, lambda folder: not is_roo(folder))


def _is_one(path: Path, head: bytes) -> bool:
    if path.name.endswith(_MESSAGES_SUFFIX):
        return b'"messages"' in head and head.lstrip().startswith(b"{")
    return _TASKS.is_one(path, head)


def _beside(path: Path) -> tuple[Path, ...]:
    return (_manifest(path),) if path.name.endswith(_MESSAGES_SUFFIX) else _TASKS.beside(path)


def _identify(path: Path) -> Identity:
    if not path.name.endswith(_MESSAGES_SUFFIX):
        return _TASKS.identify(path)
    return _identity(path.name.removesuffix(_MESSAGES_SUFFIX), load_beside(_manifest(path)))


def _identity(name: str, session: Object) -> Identity:
    own = string(session, "session_id") or string(session, "sessionId") or name
    parent = string(session, "parent_session_id")
    return session_of(NAME, own, parent, string(session, "cwd") or string(session, "workspace_root"))


def _records(path: Path) -> Iterator[Object]:
    if not path.name.endswith(_MESSAGES_SUFFIX):
        yield from _TASKS.records(path)
        return
    document = mapping(load(path))
    messages = document.get("messages")
    if not isinstance(messages, list):
        raise UnknownTranscript(str(path), "it has no messages")
    session = load_beside(_manifest(path)) | {k: v for k, v in document.items() if k != "messages"}
    yield {SESSION: {name: session[name] for name in _STABLE if name in session}}
    for message in messages:
        yield {MESSAGE: message}
    yield {SESSION: {name: value for name, value in session.items() if name not in _STABLE}}


def _manifest(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(_MESSAGES_SUFFIX) + ".json")


class ClineReader(TaskReader):
    """Reads the lines of a rendition, of a task or of a session of the SDK."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, TASK)

    def read(self, record: Object) -> None:
        """Read one line."""
        if MESSAGE in record:
            self._read_sdk_message(child(record, MESSAGE))
        elif SESSION in record:
            self._read_session(child(record, SESSION))
        else:
            super().read(record)

    def _read_session(self, session: Object) -> None:
        recorder = self._recorder
        if recorder.stream != MAIN_STREAM:
            return
        title = string(child(session, "metadata"), "title")
        recorder.retell(title=title or string(session, "prompt"))
        recorder.tell(
            started_ms=to_ms(session.get("started_at") or session.get("created_at")),
            cwd=string(session, "cwd") or string(session, "workspace_root"),
            model=string(session, "model"),
        )
        recorder.add("system", "preamble", string(session, "system_prompt") or "")

    def _read_sdk_message(self, message: Object) -> None:
        recorder, role = self._recorder, string(message, "role") or "(none)"
        details = Details(id=string(message, "id"), at_ms=to_ms(message.get("ts")))
        content = message.get("content")
        if role in ("user", "tool"):
            self.read_user(content, details)
        elif role == "assistant":
            details.model = string(child(message, "modelInfo"), "id")
            details.tokens = _tokens(child(message, "metrics"))
            self.read_assistant(content, details)
        elif role == "system":
            recorder.add("system", "preamble", content_text(content), details)
        else:
            recorder.count_unknown(f"role {role}")


def _tokens(metrics: Object) -> Tokens | None:
    tokens = Tokens(
        input=count(metrics, "inputTokens"),
        output=count(metrics, "outputTokens"),
        cache_read=count(metrics, "cacheReadTokens"),
        cache_write=count(metrics, "cacheWriteTokens"),
    )
    return tokens if tokens != Tokens() else None


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=ClineReader,
    writes_documents=True,
    collection=WholeFiles(_is_one, _identify, _records, _beside),
)
