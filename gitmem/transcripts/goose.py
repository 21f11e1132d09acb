"""goose: sessions of its database, or files of JSON lines of versions before 1.10.

What the model is told and a person is not shown (`userVisible` is false) are preambles. Subagents are
sessions of their own, which name their parent.
"""

from __future__ import annotations

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, session_of
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.goose_sessions import NAME, GooseSessions, is_legacy
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

_REQUESTS = ("toolRequest", "frontendToolRequest")
_NOTICES = ("systemNotification", "contextLengthExceeded", "summarizationRequested", "conversationCompacted")
_UNINTERESTING = ("redactedThinking", "toolConfirmationRequest", "actionRequired")


def identify(head: Head) -> Identity | None:
    """Recognise the first line of a rendition, or of an older file."""
    first = head.records[0] if head.records else {}
    about = child(first, "goose")
    own, parent = string(about, "id"), string(about, "parent_session_id")
    if first.keys() == {"goose"} and own is not None:
        last = next((child(record, "goose") for record in head.records[:0:-1] if "goose" in record), about)
        cwd = string(last, "working_dir")
    elif is_legacy(head.records):
        own, parent, cwd = head.stem, None, string(first, "working_dir")
    else:
        return None
    return session_of(NAME, own, parent, cwd)


class GooseReader(LineReader):
    """Reads the messages of a session."""

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        if self._recorder.stream != MAIN_STREAM:
            return
        self._recorder.retell(
            title=string(members, "name") or string(members, "description"),
            started_ms=to_ms(members.get("created_at")),
            cwd=string(members, "working_dir"),
            model=string(child(members, "model_config"), "model_name"),
        )

    def read(self, record: Object) -> None:
        """Read one line."""
        if "goose" in record:
            self.read_members(child(record, "goose"))
            return
        if "working_dir" in record and "role" not in record:
            self.read_members(record)
            return
        message = child(record, "message") or record
        role = string(message, "role")
        details = Details(at_ms=to_ms(message.get("created")))
        named = message.get("id")
        details.id = str(named) if isinstance(named, int | str) and not isinstance(named, bool) else None
        self._recorder.tell(started_ms=details.at_ms)
        if role not in ("user", "assistant", "system"):
            self._recorder.count_unknown(f"role {role or '(none)'}")
            return
        is_shown = child(message, "metadata").get("userVisible") is not False
        for block in children(message, "content"):
            self._read_block(role, block, details, is_shown=is_shown)

    def _read_block(self, role: str, block: Object, details: Details, *, is_shown: bool) -> None:
        recorder, kind = self._recorder, string(block, "type") or "(no type)"
        text = string(block, "text") or ""
        if kind in ("text", "image"):
            self._read_text(role, content_text([block]), details, is_shown=is_shown)
        elif kind in ("thinking", "reasoning"):
            recorder.add("assistant", "thinking", string(block, "thinking") or text, details)
        elif kind in _REQUESTS:
            self._read_request(block, details)
        elif kind == "toolResponse":
            self._read_response(block, details)
        elif kind in _NOTICES:
            recorder.add("system", "notice", string(block, "msg") or text, details)
        elif kind not in _UNINTERESTING:
            recorder.count_unknown(f"block {kind}")

    def _read_text(self, role: str, text: str, details: Details, *, is_shown: bool) -> None:
        recorder = self._recorder
        if not is_shown:
            recorder.add("system" if role == "system" else "user", "preamble", text, details)
        elif role == "user":
            recorder.add_words(part(text), details)
        elif role == "system":
            recorder.add("system", "preamble", text, details)
        else:
            recorder.add("assistant", "message", text, details)

    def _read_request(self, block: Object, details: Details) -> None:
        asked = child(block, "toolCall")
        value = child(asked, "value")
        call = describe(string(block, "id"), string(value, "name") or "", value.get("arguments"))
        self._recorder.add_call(call, details)
        if string(asked, "status") == "error":  # the model asked for something that is no call
            result = ToolResult(string(block, "id"), is_error=True)
            said = string(asked, "error") or "error"
            self._recorder.add("tool", "tool_result", said, details, result=result)

    def _read_response(self, block: Object, details: Details) -> None:
        answer = child(block, "toolResult")
        value = answer.get("value")
        is_error = string(answer, "status") == "error" or "error" in answer
        if isinstance(value, dict):
            is_error = is_error or value.get("isError") is True
            value = value.get("content")
        text = content_text(value) or string(answer, "error") or ""
        result = ToolResult(string(block, "id"), is_error)
        self._recorder.add("tool", "tool_result", text, details, result=result)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=GooseReader,
    collection=GooseSessions(),
)
