"""Reading the bubbles of Cursor's editor: what somebody said, thought, or asked a tool for, one each."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.fields import Object, child, count, integer, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

_USER = (1, "user")
_ASSISTANT = (2, "ai", "assistant")
_COMPACTED = 22
_PLACEHOLDERS = (None, "", "[]", "{}")
_ANSWERS = ("output", "contents", "content", "text", "result", "message", "error")
_NOT_RUN = ("cancelled", "rejected")
_UNFINISHED = ("loading", "pending", "running", "streaming")
_TIMES = ("clientStartTime", "clientRpcSendTime", "clientSettleTime", "clientEndTime")
_WORD = re.compile(r"\S")


def read_bubble(recorder: Recorder, bubble: Object) -> None:
    """Record what a bubble holds."""
    kind = bubble.get("type")
    details = Details(
        id=string(bubble, "bubbleId") or string(bubble, "id"),
        at_ms=_at(bubble),
        cwd=string(bubble, "workspaceProjectDir"),
    )
    recorder.tell(started_ms=details.at_ms, cwd=details.cwd)
    if isinstance(kind, bool) or not isinstance(kind, int | str):
        recorder.count_unknown("bubble (no type)")
    elif kind in _USER:
        _read_user(recorder, bubble, details)
    elif kind in _ASSISTANT:
        _read_assistant(recorder, bubble, details)
    else:
        recorder.count_unknown(f"bubble {kind}")


def _read_user(recorder: Recorder, bubble: Object, details: Details) -> None:
    recorder.add_words(
        part(string(bubble, "text") or string(bubble, "rawText") or string(bubble, "initText") or ""), details
    )


def _read_assistant(recorder: Recorder, bubble: Object, details: Details) -> None:
    model = string(child(bubble, "modelInfo"), "modelName") or string(bubble, "modelType")
    details = replace(details, model=model if model != "default" else None)
    recorder.tell(model=details.model)
    usage, first = child(bubble, "tokenCount"), len(recorder.pending)
    thinking = bubble.get("thinking")
    thought = thinking if isinstance(thinking, str) else string(mapping(thinking), "text")
    recorder.add("assistant", "thinking", thought or "", details)
    text = string(bubble, "text") or string(bubble, "rawText") or ""
    if bubble.get("capabilityType") == _COMPACTED:
        recorder.add("system", "notice", text or "Context compacted", details)
    elif _WORD.search(text):
        recorder.add("assistant", "message", text, details)
    tool = child(bubble, "toolFormerData")
    if string(tool, "name") or string(tool, "toolCallId"):
        _read_tool(recorder, tool, details)
    failed = child(bubble, "errorDetails")
    if failed:
        said = string(failed, "message") or string(failed, "error") or "error"
        recorder.add("system", "notice", said, details)
    tokens = Tokens(input=count(usage, "inputTokens"), output=count(usage, "outputTokens")) if usage else None
    if tokens and tokens != Tokens() and len(recorder.pending) > first:
        recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=tokens)


def _read_tool(recorder: Recorder, tool: Object, details: Details) -> None:
    """Record a call and, once it has one, its result: both stand in the same bubble."""
    call_id, name = string(tool, "toolCallId"), string(tool, "name") or ""
    given = next(
        (tool[key] for key in ("rawArgs", "params") if tool.get(key) not in (*_PLACEHOLDERS, None)), {}
    )
    call = describe_text(call_id, name, given) if isinstance(given, str) else describe(call_id, name, given)
    recorder.add_call(call, details)
    status, decision = string(tool, "status") or "", string(tool, "userDecision")
    text, exit_status = _answer(tool.get("result"))
    failure, _ = _answer(tool.get("error"))
    if status in _UNFINISHED or not (status or text or failure):
        return
    is_error = (
        status == "error"
        or status in _NOT_RUN
        or decision == "rejected"
        or bool(failure and not text)
        or exit_status not in (None, 0)
    )
    said = "\n".join(filter(None, (text, failure))) or (decision or status if is_error else "")
    result = ToolResult(call_id, is_error, exit_status)
    answered = replace(details, model=None)
    recorder.add("tool", "tool_result", said, answered, result=result)


def _answer(cell: object) -> tuple[str, int | None]:
    """Return what a tool answered, and a process's exit status: JSON inside of a text, mostly."""
    if cell is None:
        return "", None
    value = cell
    if isinstance(cell, str):
        try:
            value = msgspec.json.decode(cell)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return cell, None
    if isinstance(value, str):
        return value, None
    answer = mapping(value)
    exit_status = integer(answer, "exitCode")
    if exit_status is None:
        exit_status = integer(answer, "exitCodeV2")
    for key in _ANSWERS:
        text = content_text(answer[key]) if key in answer else ""
        if text:
            return text, exit_status
    if value in (None, {}, []):
        return "", exit_status
    return cell if isinstance(cell, str) else _encoded(value), exit_status


def _encoded(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return ""


def _at(bubble: Object) -> int | None:
    """Return when a bubble was made; older ones say only when a request was sent."""
    for value in (bubble.get("createdAt"), bubble.get("timestamp")):
        found = to_ms(value)
        if found is not None:
            return found
    times = child(bubble, "timingInfo")
    return next(
        (at for key in _TIMES if (at := to_ms(times.get(key))) is not None and at > _EARLIEST_MS), None
    )


_EARLIEST_MS = 1_500_000_000_000
"""Some of these times count from when the window was opened."""
