"""pi, and omp and OpenClaw, which write as it does: lines of JSON, appended to, that form a tree.

Every entry names the one that it follows; whoever goes back to an earlier one begins a branch, and nothing is
taken out. All branches are read, in the order in which they were written. The live one is what leads to the
last entry: the turns that are met going from the last turn to its parent, and on.
"""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import NamedTuple

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, count, integer, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "pi"

_UNINTERESTING = frozenset(
    (
        "custom",  # an extension's own state
        "label",
        "mode_change",
        "session_init",  # a subagent's prompt, which its first message repeats
        "thinking_level_change",
        "ttsr_injection",
    )
)
_SUMMARIES = ("branch_summary", "compaction")
_SUMMARY_ROLES = ("branchSummary", "compactionSummary")
_EXIT_CODE = re.compile(r"^Command exited with code (-?\d{1,10})\s*\Z", re.MULTILINE)
_EXIT_LINE_LIMIT = 200
_CUSTOM_ROLES = ("custom", "developer", "fileMention", "hookMessage")


class _Place(NamedTuple):
    """Where an entry stands in the tree: the nearest entry from it to the root that has turns, itself
    included, and the last of these turns. A turn that the session which this is a fork of has is not here."""

    id: str | None
    ordinal: int | None


_ROOT = _Place(None, None)


def identify(head: Head) -> Identity | None:
    """Recognise a session by its first line."""
    first = next((record for record in head.records if _is_header(record)), None)
    if first is None:
        return None
    return Identity(
        agent=NAME,
        native_id=string(first, "id") or head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="lines",
        cwd=string(first, "cwd"),
        forked_from=_forked_from(first),
    )


def _is_header(record: Object) -> bool:
    return string(record, "type") == "session" and {"id", "timestamp", "cwd"} <= record.keys()


def _forked_from(header: Object) -> str | None:
    """Return a session's id from what is an id, or the path of a file `<time>_<id>.jsonl`."""
    parent = string(header, "parentSession")
    if parent is None:
        return None
    name = PureWindowsPath(parent).name.removesuffix(".jsonl")  # takes both slashes for one
    return name.rpartition("_")[2] or name or None


class PiReader(LineReader):
    """Reads the entries of a session."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._places: dict[str, _Place] = {}
        self._last: str | None = None

    def read(self, record: Object) -> None:
        """Read one line."""
        if string(record, "type") == "session":
            self._recorder.tell(
                title=string(record, "title"),
                started_ms=to_ms(record.get("timestamp")),
                cwd=string(record, "cwd"),
                forked_from=_forked_from(record),
            )
            return
        recorder, own = self._recorder, string(record, "id")
        parent = string(record, "parentId")
        place = self._places.get(parent, _ROOT) if parent else _ROOT
        details = Details(id=own, parent=place.id, at_ms=to_ms(record.get("timestamp")))
        # Entries have short ids of their own: only a fork's copies are known to be copies.
        recorder.replaying = recorder.inherits(own)
        if own and self._last is not None and parent != self._last and "parentId" in record:
            self._tell_branch(place, details)
        first, replayed = recorder.next_ordinal, recorder.tally.replayed
        self._read_entry(record, details)
        recorder.replaying = False
        if own is not None:
            if recorder.next_ordinal > first:
                place = _Place(own, recorder.next_ordinal - 1)
            elif recorder.tally.replayed > replayed:
                place = _Place(own, None)
            self._places[own] = place
            self._last = own

    def _tell_branch(self, place: _Place, details: Details) -> None:
        where = "the beginning" if place.id is None else "what is not here"
        if place.ordinal is not None:
            where = f"turn {place.ordinal}"
        self._recorder.add("system", "notice", f"Back to {where}: another branch begins here", details)

    def _read_entry(self, record: Object, details: Details) -> None:
        recorder, kind = self._recorder, string(record, "type") or "(no type)"
        if kind == "message":
            message = child(record, "message")
            if details.at_ms is None:
                details.at_ms = to_ms(message.get("timestamp"))
            self._read_message(message, details)
        elif kind == "custom_message":
            recorder.add("user", "preamble", content_text(record.get("content")), details)
        elif kind in _SUMMARIES:
            recorder.add("system", "notice", string(record, "summary") or "", details)
        elif kind == "session_info":
            recorder.retell(title=string(record, "name"))
        elif kind == "model_change":
            recorder.tell(model=string(record, "modelId") or string(record, "model"))
        elif kind not in _UNINTERESTING:
            recorder.count_unknown(kind)

    def _read_message(self, message: Object, details: Details) -> None:
        recorder, role = self._recorder, string(message, "role") or "(none)"
        recorder.tell(started_ms=details.at_ms)
        if role == "assistant":
            self._read_assistant(message, details)
        elif role == "toolResult":
            text, is_error = content_text(message.get("content")), message.get("isError") is True
            code = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINE_LIMIT)) if is_error else None
            result = ToolResult(string(message, "toolCallId"), is_error, int(code[1]) if code else None)
            recorder.add("tool", "tool_result", text, details, result=result)
        elif role == "user":
            words = part(content_text(message.get("content")))
            recorder.add_words(words, details)
        elif role in ("bashExecution", "pythonExecution"):
            self._read_execution(message, details)
        elif role in _CUSTOM_ROLES:
            recorder.add("user", "preamble", content_text(message.get("content")), details)
        elif role in _SUMMARY_ROLES:
            recorder.add("system", "notice", string(message, "summary") or "", details)
        else:
            recorder.count_unknown(f"role {role}")

    def _read_assistant(self, message: Object, details: Details) -> None:
        recorder, first = self._recorder, len(self._recorder.pending)
        details.model = string(message, "model")
        recorder.tell(model=details.model)
        content = message.get("content")
        if isinstance(content, str):
            recorder.add("assistant", "message", content, details)
        for block in children(message, "content"):
            kind = string(block, "type") or "(no type)"
            if kind == "text":
                recorder.add("assistant", "message", string(block, "text") or "", details)
            elif kind == "thinking":
                recorder.add("assistant", "thinking", string(block, "thinking") or "", details)
            elif kind == "toolCall":
                call = describe(string(block, "id"), string(block, "name") or "", block.get("arguments"))
                recorder.add_call(call, details)
            elif kind != "redactedThinking":
                recorder.count_unknown(f"assistant/{kind}")
        usage = child(message, "usage")
        if usage and len(recorder.pending) > first:
            recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=_tokens(usage))
        recorder.add("system", "notice", string(message, "errorMessage") or "", details)

    def _read_execution(self, message: Object, details: Details) -> None:
        """Read what the user ran: the command is theirs, its output a result that no call asked for."""
        recorder = self._recorder
        command = string(message, "command") or string(message, "code")
        recorder.add("user", "message", f"! {command}" if command else "", details)
        status = integer(message, "exitCode")
        is_error = message.get("cancelled") is True or status not in (None, 0)
        result = ToolResult(None, is_error, status)
        recorder.add("tool", "tool_result", string(message, "output") or "", details, result=result)


def _tokens(usage: Object) -> Tokens:
    return Tokens(
        input=count(usage, "input"),
        output=count(usage, "output"),
        cache_read=count(usage, "cacheRead"),
        cache_write=count(usage, "cacheWrite"),
    )


AGENT = Agent(name=NAME, identify=identify, reader=PiReader)
