"""GitHub Copilot CLI: lines of JSON, appended to; one file of events a session."""

from __future__ import annotations

import re

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.fields import Object, child, children, count, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "copilot-cli"

_UNINTERESTING = frozenset(
    (
        "agent_idle",
        "assistant.intent",
        "assistant.message_delta",
        "assistant.message_start",
        "assistant.reasoning_delta",
        "assistant.streaming_delta",
        "assistant.turn_end",
        "assistant.turn_start",
        "assistant.usage",
        "hook.end",
        "hook.progress",
        "hook.start",
        "instruction_discovered",
        "permission.completed",
        "permission.requested",
        "session.background_tasks_changed",
        "session.binary_asset",
        "session.compaction_start",
        "session.custom_agents_updated",
        "session.extensions_loaded",
        "session.idle",
        "session.mcp_server_status_changed",
        "session.mcp_servers_loaded",
        "session.mode_changed",
        "session.permissions_changed",
        "session.plan_changed",
        "session.shutdown",
        "session.skills_loaded",
        "session.snapshot_rewind",
        "session.task_complete",
        "session.tools_updated",
        "session.usage_checkpoint",
        "session.usage_info",
        "session.workspace_file_changed",
        "skill.invoked",
        "subagent.completed",
        "subagent.deselected",
        "subagent.selected",
        "subagent.started",
        "tool.execution_partial_result",
        "tool.execution_progress",
        "tool.user_requested",
        "user_input.completed",
        "user_input.requested",
    )
)
_NOTICES = {
    "abort": "Aborted: ",
    "session.compaction_complete": "Context compacted",
    "session.error": "",
    "session.handoff": "",
    "session.info": "",
    "session.truncation": "Context truncated",
    "session.warning": "",
    "subagent.failed": "",
    "system.notification": "",
}
_NOTICE_KEYS = ("message", "content", "reason", "summaryContent", "summary", "error")
_EVENT = re.compile(r"(?:session|user|assistant|tool|hook|system|permission|subagent|skill)\.\w+\Z|abort\Z")

_EXIT_CODE = re.compile(r"<(?:shellId: \S+ completed|exited) with exit code (-?\d{1,10})>\s*\Z")
_EXIT_LINE_LIMIT = 200


def identify(head: Head) -> Identity | None:
    """Recognise a session by its events; the first of them names it."""
    ours = [record for record in head.records if _is_event(record)]
    if not ours:
        return None
    start = next((child(record, "data") for record in ours if record["type"] == "session.start"), {})
    named = head.stem if head.stem != "events" else head.path.parent.name
    return Identity(
        agent=NAME,
        native_id=string(start, "sessionId") or named or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="lines",
        cwd=string(child(start, "context"), "cwd"),
        forked_from=None,
    )


def _is_event(record: Object) -> bool:
    kind = string(record, "type")
    return kind is not None and isinstance(record.get("data"), dict) and _EVENT.match(kind) is not None


class CopilotCliReader(LineReader):
    """Reads the events of a session."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._cwd: str | None = None
        self._branch: str | None = None
        self._model: str | None = None
        self._asked: set[str] = set()
        self._last_reasoning: str | None = None

    def read(self, record: Object) -> None:
        """Read one event."""
        kind, data = string(record, "type") or "(no type)", child(record, "data")
        if kind in _UNINTERESTING:
            return
        event_id, at_ms = string(record, "id"), to_ms(record.get("timestamp"))
        self._recorder.replaying = self._recorder.knows(event_id)
        if kind in ("session.start", "session.resume", "session.context_changed", "session.model_change"):
            self._read_session(data, at_ms)
        elif kind == "session.title_changed":
            self._recorder.retell(title=string(data, "title"))
        else:
            details = Details(
                id=event_id,
                parent=string(record, "parentId"),
                at_ms=at_ms,
                cwd=self._cwd,
                branch=self._branch,
            )
            self._read_said(kind, data, details)
        self._recorder.replaying = False

    def _read_session(self, data: Object, at_ms: int | None) -> None:
        context = child(data, "context") or data
        self._cwd = string(context, "cwd") or self._cwd
        self._branch = string(context, "branch") or self._branch
        self._model = string(data, "newModel") or string(data, "selectedModel") or self._model
        started_ms = to_ms(data.get("startTime"))
        self._recorder.tell(
            started_ms=started_ms if started_ms is not None else at_ms,
            cwd=self._cwd,
            branch=self._branch,
            commit=string(context, "headCommit"),
            model=self._model,
            agent_version=string(data, "copilotVersion"),
        )

    def _read_said(self, kind: str, data: Object, details: Details) -> None:
        recorder = self._recorder
        if kind == "user.message":
            self._read_user(data, details)
        elif kind == "assistant.message":
            self._read_assistant(data, details)
        elif kind == "assistant.reasoning":
            self._last_reasoning = string(data, "content") or ""
            details.model = self._model
            recorder.add("assistant", "thinking", self._last_reasoning, details)
        elif kind == "tool.execution_start":
            details.model = string(data, "model") or self._model
            self._read_call(data, "toolName", details)
        elif kind == "tool.execution_complete":
            self._read_result(data, details)
        elif kind == "system.message":
            recorder.add("system", "preamble", content_text(data.get("content")), details)
        elif kind in _NOTICES:
            text = next((text for key in _NOTICE_KEYS if (text := string(data, key))), "")
            recorder.add("system", "notice", f"{_NOTICES[kind]}{text}", details)
        else:
            recorder.count_unknown(kind)

    def _read_user(self, data: Object, details: Details) -> None:
        text = content_text(data.get("content"))
        if (string(data, "source") or "").startswith("skill-"):
            self._recorder.add("user", "preamble", text, details)
            return
        self._recorder.add_words(part(text), details)

    def _read_assistant(self, data: Object, details: Details) -> None:
        recorder = self._recorder
        details.model = string(data, "model") or self._model
        first = len(recorder.pending)
        reasoning = string(data, "reasoningText") or ""
        if reasoning != self._last_reasoning:
            recorder.add("assistant", "thinking", reasoning, details)
        self._last_reasoning = None
        recorder.add("assistant", "message", content_text(data.get("content")), details)
        for request in children(data, "toolRequests"):
            self._read_call(request, "name", details)
        if len(recorder.pending) > first and "outputTokens" in data:
            name = (string(data, "apiCallId") or string(data, "messageId") or details.id or "", "")
            tokens = recorder.uncounted(name, Tokens(output=count(data, "outputTokens")))
            if tokens is not None:
                recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=tokens)

    def _read_call(self, data: Object, name_key: str, details: Details) -> None:
        call_id = string(data, "toolCallId")
        if call_id is not None:
            if call_id in self._asked:  # asked for in a message, and now begun
                return
            self._asked.add(call_id)
        name, arguments = string(data, name_key) or "", data.get("arguments")
        if isinstance(arguments, str):
            call = describe_text(call_id, name, arguments)
        else:
            call = describe(call_id, name, arguments)
        self._recorder.add_call(call, details)

    def _read_result(self, data: Object, details: Details) -> None:
        call_id = string(data, "toolCallId")
        self._asked.discard(call_id or "")
        text = string(child(data, "result"), "content") or string(child(data, "error"), "message") or ""
        exit_code = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINE_LIMIT))
        exit_status = int(exit_code[1]) if exit_code else None
        is_error = data.get("success") is False or exit_status not in (None, 0)
        result = ToolResult(call_id, is_error, exit_status)
        self._recorder.add("tool", "tool_result", text, details, result=result)


AGENT = Agent(name=NAME, identify=identify, reader=CopilotCliReader)
