"""Qwen Code: lines of JSON, appended to; one file a session and one for each subagent.

A line is a message as Gemini's API has it, with what Claude Code's lines say around it, or an event of the
program. A forked session begins with a copy of another's lines under the same uuids.
"""

from __future__ import annotations

import re

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, count, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import part
from gitmem.transcripts.times import to_ms

NAME = "qwen"

_TYPES = frozenset(("user", "assistant", "tool_result", "system"))
_UNINTERESTING = frozenset(
    (
        "agent_bootstrap",  # a copy of what its parent had
        "agent_retry",
        "agent_session_ready",
        "at_command",  # the user's line has it
        "attribution_snapshot",
        "background_task_completed",
        "branch_checkpoint",
        "file_history_snapshot",
        "goal_runtime",
        "goal_state",
        "goal_turn_end",
        "omni_recall",
        "parent_session",
        "session_approval_mode",
        "session_artifact_event",
        "session_artifact_snapshot",
        "session_execution_engine",
        "session_notes",
        "session_source",
        "session_sources_snapshot",
        "turn_result",
        "ui_telemetry",
        "user_text_elements",
    )
)
_OF_HOST = frozenset(("agent_launch_prompt", "cron", "goal_runtime", "notification"))
"""User's lines that no user wrote."""
_EXIT_CODE = re.compile(r"^Exit Code: (-?\d{1,10})$", re.MULTILINE)
_EXIT_LINES_LIMIT = 1000


def identify(head: Head) -> Identity | None:
    """Recognise lines that only Qwen Code writes; Claude Code's are like them, but their messages have no
    parts."""
    ours = [record for record in head.records if _is_like_ours(record)]
    if not any("systemPayload" in r or isinstance(child(r, "message").get("parts"), list) for r in ours):
        return None
    first = ours[0]
    native_id = string(first, "sessionId") or head.stem
    agent_id = string(first, "agentId") if first.get("isSidechain") is True else None
    return Identity(
        agent=NAME,
        native_id=native_id,
        stream=f"agent-{agent_id}" if agent_id else MAIN_STREAM,
        parent_id=native_id if agent_id else None,
        shape="lines",
        cwd=next((cwd for record in ours if (cwd := string(record, "cwd"))), None),
        forked_from=next((name for record in ours if (name := _forked_from(record))), None),
    )


def _is_like_ours(record: Object) -> bool:
    return string(record, "type") in _TYPES and {"uuid", "sessionId"} <= record.keys()


def _forked_from(record: Object) -> str | None:
    return string(child(record, "forkedFrom"), "sessionId")


class QwenReader(LineReader):
    """Reads the lines of a session and of its subagents."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._title_is_a_persons = False

    def read(self, record: Object) -> None:
        """Read one line."""
        recorder, kind = self._recorder, string(record, "type") or "(no type)"
        if kind not in _TYPES:
            recorder.count_unknown(kind)
            return
        recorder.replaying = recorder.knows(string(record, "uuid"))
        details = Details(
            id=string(record, "uuid"),
            parent=string(record, "parentUuid"),
            at_ms=to_ms(record.get("timestamp")),
            cwd=string(record, "cwd"),
            branch=string(record, "gitBranch"),
        )
        recorder.tell(
            started_ms=details.at_ms,
            cwd=details.cwd,
            branch=details.branch,
            agent_version=string(record, "version"),
            forked_from=_forked_from(record),
        )
        if kind == "assistant":
            self._read_assistant(record, details)
        elif kind == "tool_result":
            self._read_results(record, details)
        elif kind == "user":
            self._read_user(record, details)
        else:
            self._read_event(record, details)
        recorder.replaying = False

    def _read_user(self, record: Object, details: Details) -> None:
        recorder, payload = self._recorder, child(record, "systemPayload")
        sent = "\n".join(filter(None, (self._said(one) for one in _parts(record))))
        shown = string(payload, "displayText")
        if string(record, "subtype") in _OF_HOST or string(record, "provenance") in (
            "system",
            "goal_control",
        ):
            recorder.add("user", "preamble", shown or sent, details)
            return
        words = part(shown or sent)
        added = sent if shown and shown != sent else ""  # the same with its @files and hooks written out
        recorder.add("user", "preamble", "\n".join(filter(None, (words.preamble, added))), details)
        recorder.add("user", "message", words.message, details)

    def _said(self, one: Object) -> str:
        text = string(one, "text")
        if text is None and ("inlineData" in one or "fileData" in one):
            return "[image]"
        if text is None:
            self._recorder.count_unknown(f"part {next(iter(one), '(empty)')}")
        return text or ""

    def _read_assistant(self, record: Object, details: Details) -> None:
        recorder, first = self._recorder, len(self._recorder.pending)
        details.model = string(record, "model")
        recorder.tell(model=details.model)
        for one in _parts(record):
            call = child(one, "functionCall")
            if call:
                name = string(call, "name") or ""
                recorder.add_call(describe(string(call, "id"), name, call.get("args")), details)
            elif one.get("thought") is True:
                recorder.add("assistant", "thinking", string(one, "text") or "", details)
            else:
                recorder.add("assistant", "message", self._said(one), details)
        usage = child(record, "usageMetadata")
        if usage and len(recorder.pending) > first:
            recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=_tokens(usage))

    def _read_results(self, record: Object, details: Details) -> None:
        told = child(record, "toolCallResult")
        has_failed = string(told, "status") in ("error", "cancelled")
        for one in _parts(record):
            answer = child(one, "functionResponse")
            if not answer:
                continue  # what a tool read stands beside its answer: images, files
            response = child(answer, "response")
            text = string(response, "output") or string(response, "error") or ""
            code = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINES_LIMIT))
            status = int(code[1]) if code else None
            is_error = has_failed or "error" in response or status not in (None, 0)
            result = ToolResult(string(answer, "id") or string(told, "callId"), is_error, status)
            self._recorder.add("tool", "tool_result", text, details, result=result)

    def _read_event(self, record: Object, details: Details) -> None:
        recorder, payload = self._recorder, child(record, "systemPayload")
        subtype = string(record, "subtype") or "(no subtype)"
        if subtype == "custom_title":
            is_a_persons = string(payload, "titleSource") != "auto"
            if is_a_persons or not self._title_is_a_persons:
                recorder.retell(title=string(payload, "customTitle"))
                self._title_is_a_persons = is_a_persons
        elif subtype == "slash_command":
            self._read_command(payload, details)
        elif subtype == "chat_compression":
            recorder.add("system", "notice", "Context compressed", details)
        elif subtype == "rewind":
            recorder.add("system", "notice", "Rewound: what follows goes on from an earlier turn", details)
        elif subtype == "notification":
            recorder.add("system", "notice", string(payload, "displayText") or "", details)
        elif subtype in ("mid_turn_user_message", "realtime_message"):
            self._read_user(record, details)
        elif subtype == "session_model":
            recorder.tell(model=string(payload, "modelId"))
        elif subtype not in _UNINTERESTING:
            recorder.count_unknown(f"system/{subtype}")

    def _read_command(self, payload: Object, details: Details) -> None:
        if string(payload, "phase") == "result":
            shown = (string(item, "text") for item in children(payload, "outputHistoryItems"))
            self._recorder.add("system", "notice", "\n".join(filter(None, shown)), details)
        elif payload.get("hiddenInvocation") is not True and payload.get("sentToModel") is not True:
            self._recorder.add("user", "message", string(payload, "rawCommand") or "", details)


def _parts(record: Object) -> list[Object]:
    return children(child(record, "message"), "parts")


def _tokens(usage: Object) -> Tokens:
    cached, thoughts = count(usage, "cachedContentTokenCount"), count(usage, "thoughtsTokenCount")
    return Tokens(
        input=max(0, count(usage, "promptTokenCount") - cached),
        output=count(usage, "candidatesTokenCount") + thoughts,
        cache_read=cached,
        reasoning=thoughts,
    )


AGENT = Agent(name=NAME, identify=identify, reader=QwenReader)
