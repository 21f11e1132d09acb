"""Crush: sessions of a project's own database, `.crush/crush.db` in its working tree.

Subagents are sessions of their own, which name their parent. What a summary replaced is still there.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Role, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader, session_of
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.crush_database import NAME, CrushDatabase
from gitmem.transcripts.fields import Object, child, children, integer, string
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import part
from gitmem.transcripts.times import to_ms

_FAILED = ("error", "canceled", "content_filter", "max_tokens")
_EXIT_CODE = re.compile(r"^Exit code (-?\d{1,10})$", re.MULTILINE)
_EXIT_LINES_LIMIT = 1000


def identify(head: Head) -> Identity | None:
    """Recognise the first line of a rendition."""
    first = head.records[0] if head.records else {}
    about = child(first, "crush")
    own, parent = string(about, "id"), string(about, "parent_session_id")
    if first.keys() != {"crush"} or own is None:
        return None
    began_in = (string(child(record, "crush"), "workspace_cwd") for record in head.records)
    return session_of(NAME, own, parent, next(filter(None, began_in), None))


class CrushReader(LineReader):
    """Reads the messages of a session."""

    def read_members(self, members: Object) -> None:
        """Read what the session says of itself."""
        if self._recorder.stream == MAIN_STREAM:
            self._recorder.retell(
                title=string(members, "title"),
                started_ms=to_ms(members.get("created_at")),
                cwd=string(members, "workspace_cwd"),
            )

    def read(self, record: Object) -> None:
        """Read one line."""
        if "crush" in record:
            self.read_members(child(record, "crush"))
            return
        message = child(record, "message")
        role = string(message, "role")
        details = Details(id=string(message, "id"), at_ms=to_ms(message.get("created_at")))
        self._recorder.tell(started_ms=details.at_ms)
        if role == "assistant":
            details.model = string(message, "model")
            self._recorder.tell(model=details.model)
        elif role not in ("user", "system", "tool"):
            self._recorder.count_unknown(f"role {role or '(none)'}")
            return
        is_summary = message.get("is_summary_message") == 1
        for item in children(message, "parts"):
            self._read_part(role, item, details, is_summary=is_summary)

    def _read_part(self, role: str, item: Object, details: Details, *, is_summary: bool) -> None:
        recorder, kind, data = self._recorder, string(item, "type") or "(no type)", child(item, "data")
        if kind == "text":
            self._read_text(role, data, details, is_summary=is_summary)
        elif kind == "reasoning":
            recorder.add("assistant", "thinking", string(data, "thinking") or "", details)
        elif kind == "tool_call":
            given = data.get("input")
            name, call_id = string(data, "name") or "", string(data, "id")
            is_text = isinstance(given, str) and given
            call = (
                describe_text(call_id, name, str(given)) if is_text else describe(call_id, name, given or {})
            )
            recorder.add_call(call, details)
        elif kind == "tool_result":
            self._read_result(data, details)
        elif kind == "shell_command":  # the user ran it
            recorder.add("user", "message", f"! {string(data, 'command') or ''}", details)
            exit_status = integer(data, "exit_code")
            result = ToolResult(None, exit_status not in (None, 0), exit_status)
            recorder.add("tool", "tool_result", string(data, "output") or "", details, result=result)
        elif kind in ("binary", "image_url"):
            named = string(data, "Path") or string(data, "url") or "file"
            who: Role = "assistant" if role == "assistant" else "user"
            recorder.add(who, "message", f"[{named[:200]}]", details)
        elif kind == "finish":
            if string(data, "reason") in _FAILED:
                said = ": ".join(filter(None, (string(data, "message"), string(data, "details"))))
                recorder.add("system", "notice", said or f"ended: {string(data, 'reason')}", details)
        else:
            recorder.count_unknown(f"part {kind}")

    def _read_text(self, role: str, data: Object, details: Details, *, is_summary: bool) -> None:
        recorder, text = self._recorder, string(data, "text") or ""
        if is_summary:
            recorder.add("system", "notice", text, details)
        elif role == "user":
            words = part(text)
            is_hidden = data.get("hidden") is True  # what Crush itself said, to go on
            recorder.add("user", "preamble", text if is_hidden else words.preamble, details)
            recorder.add("user", "message", "" if is_hidden else words.message, details)
        elif role == "system":
            recorder.add("system", "preamble", text, details)
        else:
            recorder.add("assistant", "message", text, details)

    def _read_result(self, data: Object, details: Details) -> None:
        text = string(data, "content") or ""
        written = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINES_LIMIT))
        exit_status = int(written[1]) if written else None
        is_error = data.get("is_error") is True or exit_status not in (None, 0)
        result = ToolResult(string(data, "tool_call_id"), is_error, exit_status)
        answered = replace(details, model=None)
        self._recorder.add("tool", "tool_result", text, answered, result=result)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=CrushReader,
    collection=CrushDatabase(),
)
