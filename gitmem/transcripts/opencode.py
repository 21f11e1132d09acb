"""opencode: sessions of its database, or of the files of versions before it, or one JSON document a session,
as `opencode export` writes it.

The document is `{info, messages: [{info, parts: []}]}`, the same bodies that its database holds, of which the
rendition has a line for each message and one for the session. Subagents are sessions of their own. Nothing is
ever replayed but what `gitmem resume` wrote: a fork gives its copies ids of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts import handed
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, Listing
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, count, integer, string
from gitmem.transcripts.forms import lines_or_documents
from gitmem.transcripts.opencode_database import OpencodeDatabase
from gitmem.transcripts.opencode_storage import OpencodeStorage
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import clean, part
from gitmem.transcripts.times import to_ms

NAME = "opencode"

_UNINTERESTING_PARTS = frozenset(
    # what a patch changed, its tool calls say; usage is on the message
    ("agent", "patch", "snapshot", "step-finish", "step-start")
)


def identify(head: Head) -> Identity | None:
    """Recognise the document by its `info` and its list of messages, or by a session's own fields."""
    document = head.records[0] if head.records else {}
    if "message" in document:
        return _identify_rendition(child(document, "message"), head)
    info = child(document, "info")
    is_session = "projectID" in info or "directory" in info or (string(info, "id") or "").startswith("ses_")
    if not is_session or not isinstance(document.get("messages", []), list):
        return None
    own, parent = string(info, "id") or head.stem, string(info, "parentID")
    return Identity(
        agent=NAME,
        native_id=parent or own,
        stream=f"agent-{own}" if parent else MAIN_STREAM,
        parent_id=parent,
        shape="document",
        cwd=string(info, "directory"),
        forked_from=_forked_from(next(iter(children(document, "messages")), {})),
    )


def _identify_rendition(message: Object, head: Head) -> Identity | None:
    origin = _forked_from(message)
    if origin is None:
        return None  # its name says whose it is, and no line but the last what it is
    return Identity(NAME, head.stem, MAIN_STREAM, None, "document", None, origin)


def _forked_from(message: Object) -> str | None:
    for item in children(message, "parts"):
        for holder in (child(item, "metadata"), child(child(item, "state"), "metadata")):
            if (origin := handed.forked_from(holder, NAME)) is not None:
                return origin
    return None


class OpencodeSessions:
    """The sessions of a database, or the one that a file of the older storage stands for."""

    def holds(self, path: Path, head: bytes) -> bool:
        """Tell whether it is either."""
        return _DATABASE.holds(path, head) if path.suffix == ".db" else _STORAGE.holds(path, head)

    def sessions(self, path: Path, since: str | None) -> Listing:
        """List them."""
        return (_DATABASE if path.suffix == ".db" else _STORAGE).sessions(path, since)

    def rendition(self, path: Path, identity: Identity) -> Iterator[bytes]:
        """Yield a session's lines, which are the same for both."""
        return (_DATABASE if path.suffix == ".db" else _STORAGE).rendition(path, identity)


_DATABASE, _STORAGE = OpencodeDatabase(), OpencodeStorage()


class OpencodeReader(LineReader):
    """Reads the messages of a session's documents."""

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        if self._recorder.stream != MAIN_STREAM:
            return
        info = child(members, "info")
        self._recorder.retell(
            title=string(info, "title"),
            started_ms=to_ms(child(info, "time").get("created")),
            cwd=string(info, "directory"),
            agent_version=string(info, "version"),
        )

    def read(self, record: Object) -> None:
        """Read one message; of a rendition, the session's own line too."""
        if "session" in record:
            self.read_members({"info": record["session"]})
            return
        record = child(record, "message") or record
        recorder, info = self._recorder, child(record, "info")
        path = child(info, "path")
        details = Details(
            id=string(info, "id"),
            parent=string(info, "parentID"),
            at_ms=to_ms(child(info, "time").get("created")),
            cwd=string(path, "cwd"),
        )
        recorder.tell(started_ms=details.at_ms, cwd=details.cwd, forked_from=_forked_from(record))
        recorder.replaying = recorder.inherits(handed.short_id(string(info, "id") or ""))
        self._read_message(record, info, details)
        recorder.replaying = False

    def _read_message(self, record: Object, info: Object, details: Details) -> None:
        recorder, model = self._recorder, child(info, "model")
        role = string(info, "role")
        if role == "user":
            self._read_user(record, details)
        elif role == "assistant":
            details.model = string(info, "modelID") or string(model, "modelID")
            recorder.tell(model=details.model)
            self._read_assistant(record, info, details)
        else:
            recorder.count_unknown(f"role {role or '(none)'}")

    def _read_user(self, record: Object, details: Details) -> None:
        preamble: list[str] = []
        message: list[str] = []
        for item in children(record, "parts"):
            kind, text = string(item, "type") or "(no type)", string(item, "text") or ""
            if kind == "text" and item.get("synthetic") is True:
                preamble.append(text)
            elif kind == "text":
                words = part(text)
                preamble.append(words.preamble)
                message.append(words.message)
            elif kind == "subtask":  # a command that hands the user's words to a subagent
                message.append(string(item, "prompt") or "")
            elif kind == "file":
                message.append(f"[{string(item, 'filename') or 'file'}]")
            elif kind == "compaction":
                self._recorder.add("system", "notice", "Context compacted", details)
            elif kind not in _UNINTERESTING_PARTS:
                self._recorder.count_unknown(f"user/{kind}")
        self._recorder.add("user", "preamble", "\n".join(filter(None, preamble)), details)
        self._recorder.add("user", "message", "\n".join(filter(None, message)), details)

    def _read_assistant(self, record: Object, info: Object, details: Details) -> None:
        recorder = self._recorder
        first = replace(details, tokens=_tokens(child(info, "tokens"))) if "tokens" in info else details
        for item in children(record, "parts"):
            before = len(recorder.pending)
            self._read_part(item, first)
            if len(recorder.pending) > before:
                first = details
        error = child(info, "error")
        if error:
            text = string(child(error, "data"), "message") or string(error, "name") or "error"
            recorder.add("system", "notice", text, details)

    def _read_part(self, item: Object, details: Details) -> None:
        recorder, kind = self._recorder, string(item, "type") or "(no type)"
        text = string(item, "text") or ""
        started = to_ms(child(item, "time").get("start"))
        if started is not None:
            details = replace(details, at_ms=started)
        if kind == "text":
            recorder.add("assistant", "message", text, details)
        elif kind == "reasoning":
            recorder.add("assistant", "thinking", text, details)
        elif kind == "tool":
            self._read_tool(item, details)
        elif kind == "retry":
            recorder.add("system", "notice", _retried(item), details)
        elif kind == "file":
            recorder.add("assistant", "message", f"[{string(item, 'filename') or 'file'}]", details)
        elif kind == "compaction":
            recorder.add("system", "notice", "Context compacted", details)
        elif kind not in _UNINTERESTING_PARTS:
            recorder.count_unknown(f"assistant/{kind}")

    def _read_tool(self, item: Object, details: Details) -> None:
        recorder, state = self._recorder, child(item, "state")
        call_id, time = string(item, "callID"), child(state, "time")
        call = describe(call_id, string(item, "tool") or "", state.get("input"))
        recorder.add_call(call, replace(details, at_ms=to_ms(time.get("start")) or details.at_ms))
        status = string(state, "status")
        if status not in ("completed", "error"):  # pending or running: there is no result yet
            return
        exit_status = integer(child(state, "metadata"), "exit")
        is_error = status == "error" or exit_status not in (None, 0)
        answered = replace(details, tokens=None, model=None)
        answered.at_ms = to_ms(time.get("end")) or details.at_ms
        text = string(state, "error" if status == "error" else "output") or ""
        result = ToolResult(call_id, is_error, exit_status)
        recorder.add("tool", "tool_result", text, answered, result=result)


def is_rendition(begun: bytes) -> bool:
    """Tell a rendition by its beginning."""
    return begun.startswith((b'{"message":', b'{"session":'))


def _retried(item: Object) -> str:
    error = child(item, "error")
    return clean(string(child(error, "data"), "message") or string(error, "name") or "retry")


def _tokens(usage: Object) -> Tokens:
    cache = child(usage, "cache")
    return Tokens(
        input=count(usage, "input"),
        output=count(usage, "output"),
        cache_read=count(cache, "read"),
        cache_write=count(cache, "write"),
        reasoning=count(usage, "reasoning"),
    )


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=OpencodeReader,
    records=lines_or_documents("messages", is_rendition),
    writes_documents=True,
    collection=OpencodeSessions(),
)
