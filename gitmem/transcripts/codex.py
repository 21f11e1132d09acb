"""Codex CLI: lines of JSON, appended to; one file a thread, subagents' threads included.

What the model saw are `response_item` lines; `event_msg` lines repeat much of it for the screen, and alone
know the usage and the exit codes. A forked thread begins with a copy of another's lines, stamped anew, under
the same turn ids.
"""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Kind, Tokens, ToolResult
from gitmem.transcripts import handed
from gitmem.transcripts.agent import Agent, Head, Identity
from gitmem.transcripts.calls import describe, describe_text
from gitmem.transcripts.fields import Object, child, children, count, integer, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "codex"

_TYPES = frozenset(("session_meta", "response_item", "event_msg", "turn_context", "compacted", "world_state"))
_UNINTERESTING_ITEMS = frozenset(("compaction", "compaction_trigger", "context_compaction", "ghost_snapshot"))
_UNINTERESTING_EVENTS = frozenset(
    (
        "agent_message",
        "agent_reasoning",
        "agent_reasoning_raw_content",
        "agent_reasoning_section_break",
        "user_message",
        "dynamic_tool_call_request",
        "dynamic_tool_call_response",
        "exec_command_begin",
        "item_completed",
        "item_started",
        "mcp_tool_call_begin",
        "mcp_tool_call_end",
        "patch_apply_begin",
        "web_search_begin",
        "web_search_end",
        "exited_review_mode",
        "image_generation_end",
        "plan_update",
        "view_image_tool_call",
        "collab_agent_interaction_begin",
        "collab_agent_interaction_end",
        "collab_agent_spawn_begin",
        "collab_agent_spawn_end",
        "collab_close_begin",
        "collab_close_end",
        "collab_resume_begin",
        "collab_resume_end",
        "collab_waiting_begin",
        "collab_waiting_end",
        "sub_agent_activity",
        "task_complete",
        "thread_goal_updated",
        "thread_rolled_back",
        "token_usage",
        "undo_completed",
    )
)

_NOTICES = {
    "background_event": "",
    "context_compacted": "Context compacted",
    "deprecation_notice": "",
    "entered_review_mode": "Review of ",
    "error": "",
    "model_reroute": "",
    "stream_error": "",
    "turn_aborted": "Turn aborted: ",
    "warning": "",
}
_NOTICE_KEYS = ("message", "reason", "user_facing_hint", "summary")

_FILE_ID = re.compile(r"rollout-.*?-([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\Z")
_EXIT_CODE = re.compile(r"^(?:Process exited with code|[Ee]xit code:) (-?\d{1,10})\b", re.MULTILINE)
_FAILED = re.compile(r"[\w./ -]{1,60} failed\b|aborted by user\b|failed to ")
_HEADER_LIMIT = 4096
_MOST_EXITS = 1000
_MOST_HELD = 64


def identify(head: Head) -> Identity | None:
    """Recognise a thread by its first `session_meta`, or by lines that only Codex writes."""
    ours = [record for record in head.records if string(record, "type") in _TYPES and "payload" in record]
    if not ours:
        return None
    meta = next((child(record, "payload") for record in ours if record["type"] == "session_meta"), {})
    named = _FILE_ID.match(head.stem)
    thread = string(meta, "id") or (named[1] if named else head.stem)
    parent = _parent_thread(meta)
    root = string(meta, "session_id")
    return Identity(
        agent=NAME,
        native_id=thread if parent is None else root if root not in (None, thread) else parent,
        stream=MAIN_STREAM if parent is None else f"agent-{thread}",
        parent_id=parent,
        shape="lines",
        cwd=string(meta, "cwd"),
        forked_from=_forked_from(meta),
    )


def _forked_from(meta: Object) -> str | None:
    return string(meta, "forked_from_id") or handed.forked_from(meta, NAME)


def _parent_thread(meta: Object) -> str | None:
    spawn = child(child(child(meta, "source"), "subagent"), "thread_spawn")
    return string(meta, "parent_thread_id") or string(spawn, "parent_thread_id")


class CodexReader:
    """Reads the lines of a session's threads.

    Usage comes on a line of its own, behind the turns that it is about and sometimes their results, so the
    model's last turn waits for it: its tokens are the one thing that a line yet to come may change.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._instructions: str | None = None
        self.begin()

    def begin(self) -> None:
        """Begin a thread."""
        self._details = Details()
        self._model: str | None = None
        self._turn_id: str | None = None
        self._own_turn_ids: set[str] = set()
        self._is_first_meta = True
        self._exits: dict[str, tuple[int | None, bool]] = {}
        self._total_usage: Object | None = None
        self._unplaced: Tokens | None = None

    def read_members(self, members: Object) -> None:
        """There are no documents."""

    def ready(self) -> int:
        """All before the model's last turn."""
        pending = self._recorder.pending
        at = self._last_of_model()
        return len(pending) if at is None or len(pending) - at > _MOST_HELD else at

    def read(self, record: Object) -> None:
        """Read one line."""
        kind, payload = string(record, "type") or "(no type)", child(record, "payload")
        self._details.at_ms = at_ms = to_ms(record.get("timestamp"))
        if kind == "response_item":
            self._read_item(payload)
        elif kind == "event_msg":
            self._read_event(payload)
        elif kind == "turn_context":
            self._enter_turn(string(payload, "turn_id"))
            self._set_context(payload)
        elif kind == "session_meta":
            self._read_meta(payload, at_ms)
        elif kind == "compacted":
            self._recorder.add("system", "notice", string(payload, "message") or "", self._details)
        elif kind != "world_state":  # what the model was told of its surroundings, again
            self._recorder.count_unknown(kind)

    def _read_meta(self, meta: Object, at_ms: int | None) -> None:
        if not self._is_first_meta:  # the one of the thread that this was copied from
            return
        self._is_first_meta = False
        git = child(meta, "git")
        cwd, branch = string(meta, "cwd"), string(git, "branch")
        self._details.cwd, self._details.branch = cwd, branch
        started_ms = to_ms(meta.get("timestamp"))
        self._recorder.tell(
            started_ms=started_ms if started_ms is not None else at_ms,
            cwd=cwd,
            branch=branch,
            commit=string(git, "commit_hash"),
            agent_version=string(meta, "cli_version"),
        )
        if self._recorder.stream == MAIN_STREAM:
            self._recorder.tell(forked_from=_forked_from(meta))
        instructions = string(child(meta, "base_instructions"), "text")
        if instructions is not None and instructions != self._instructions:
            self._instructions = instructions
            self._recorder.replaying = handed.forked_from(meta, NAME) is not None  # they stand in the origin
            self._recorder.add("system", "preamble", instructions, self._details)
            self._recorder.replaying = False

    def _enter_turn(self, turn_id: str | None) -> None:
        if turn_id is None or turn_id == self._turn_id:
            return
        self._turn_id = turn_id
        if turn_id not in self._own_turn_ids:  # a turn may be gone back to, after a compaction
            self._recorder.replaying = self._recorder.knows(turn_id)
            if not self._recorder.replaying:
                self._own_turn_ids.add(turn_id)

    def _set_context(self, context: Object) -> None:
        cwd, model = string(context, "cwd"), string(context, "model")
        if cwd is not None:
            self._details.cwd = cwd
        if model is not None:
            self._model = model
            self._recorder.tell(model=model)

    def _read_item(self, item: Object) -> None:
        kind = string(item, "type") or "(no type)"
        self._details.id = string(item, "id")
        if kind == "message":
            self._read_message(item)
        elif kind == "reasoning":
            shown = (content_text(item.get("summary")), content_text(item.get("content")))
            self._add_assistant("thinking", "\n".join(text for text in shown if text))
        elif kind.endswith(("_call_output", "_search_output")):
            self._read_output(item)
        elif kind.endswith("_call"):
            self._read_call(kind, item)
        elif kind == "agent_message":
            self._add_assistant("message", content_text(item.get("content")), string(item, "author"))
        elif kind not in _UNINTERESTING_ITEMS:
            self._recorder.count_unknown(f"response_item/{kind}")

    def _add_assistant(self, kind: Kind, text: str, author: str | None = None) -> None:
        details = replace(self._details, model=self._model, author=author)
        self._recorder.add("assistant", kind, text, details)
        self._place_usage()

    def _read_message(self, item: Object) -> None:
        recorder, role = self._recorder, string(item, "role")
        if role == "assistant":
            self._add_assistant("message", content_text(item.get("content")))
        elif role == "user":
            parted = [part(content_text(block)) for block in children(item, "content")]
            preamble = "\n".join(words.preamble for words in parted if words.preamble)
            message = "\n".join(words.message for words in parted if words.message.strip())
            recorder.add("user", "preamble", preamble, self._details)
            recorder.add("user", "message", message, self._details)
        else:
            recorder.add("system", "preamble", content_text(item.get("content")), self._details)

    def _read_call(self, kind: str, item: Object) -> None:
        call_id, namespace = string(item, "call_id"), string(item, "namespace")
        name = string(item, "name") or kind.removesuffix("_call")
        if namespace is not None:
            name = f"{namespace}.{name}"
        arguments = next((item[key] for key in ("arguments", "input", "action") if key in item), None)
        if isinstance(arguments, str):
            call = describe_text(call_id, name, arguments)
        else:
            call = describe(call_id, name, arguments)
        self._recorder.add_call(call, replace(self._details, model=self._model))
        self._place_usage()

    def _read_output(self, item: Object) -> None:
        call_id, output = string(item, "call_id"), item.get("output")
        exit_status, has_failed = self._exits.pop(call_id or "", (None, False))
        if isinstance(output, dict):
            has_failed = has_failed or output.get("success") is False
            output = output.get("content")
        text = content_text(output if output is not None else item.get("tools"))
        if text.startswith('{"output"'):
            text, exit_status = _unwrapped(text, exit_status)
        if exit_status is None:
            exit_status = _exit_status(text)
        is_error = has_failed or exit_status not in (None, 0) or _FAILED.match(text) is not None
        result = ToolResult(call_id, is_error, exit_status)
        self._recorder.add("tool", "tool_result", text, self._details, result=result)

    def _read_event(self, event: Object) -> None:
        kind = string(event, "type") or "(no type)"
        self._details.id = None
        if kind == "token_count":
            self._read_usage(child(event, "info"))
        elif kind in ("exec_command_end", "patch_apply_end"):
            self._note_exit(event)
        elif kind == "task_started":
            self._enter_turn(string(event, "turn_id"))
        elif kind == "thread_settings_applied":
            self._set_context(child(event, "thread_settings"))
        elif kind == "thread_name_updated":
            if self._recorder.stream == MAIN_STREAM:
                self._recorder.retell(title=string(event, "thread_name"))
        elif kind in _NOTICES:
            text = next((text for key in _NOTICE_KEYS if (text := string(event, key))), "")
            self._recorder.add("system", "notice", f"{_NOTICES[kind]}{text}", self._details)
        elif kind not in _UNINTERESTING_EVENTS:
            self._recorder.count_unknown(f"event_msg/{kind}")

    def _note_exit(self, event: Object) -> None:
        call_id = string(event, "call_id")
        if call_id is not None and len(self._exits) < _MOST_EXITS:
            has_failed = event.get("success") is False or string(event, "status") == "failed"
            self._exits[call_id] = integer(event, "exit_code"), has_failed

    def _read_usage(self, info: Object) -> None:
        total, last = child(info, "total_token_usage"), child(info, "last_token_usage")
        if not last or total == self._total_usage:  # told again, with other limits
            return
        self._total_usage = total
        if not self._recorder.replaying:
            self._unplaced = _sum(self._unplaced, _tokens(last))
            self._place_usage()

    def _place_usage(self) -> None:
        if self._unplaced is None:
            return
        at = self._last_of_model()
        if at is not None:
            turn = self._recorder.pending[at]
            tokens = _sum(turn.tokens, self._unplaced)
            self._recorder.pending[at] = msgspec.structs.replace(turn, tokens=tokens)
            self._unplaced = None

    def _last_of_model(self) -> int | None:
        pending = self._recorder.pending
        at = len(pending)
        while at:  # at most _MOST_HELD, and mostly one
            at -= 1
            if pending[at].role == "assistant":
                return at
        return None


def _tokens(usage: Object) -> Tokens:
    cached = count(usage, "cached_input_tokens")
    return Tokens(
        input=max(0, count(usage, "input_tokens") - cached),
        output=count(usage, "output_tokens"),
        cache_read=cached,
        reasoning=count(usage, "reasoning_output_tokens"),
    )


def _sum(one: Tokens | None, other: Tokens | None) -> Tokens | None:
    if one is None or other is None:
        return one or other
    return Tokens(*(a + b for a, b in zip(_astuple(one), _astuple(other), strict=True)))


def _exit_status(text: str) -> int | None:
    """Find the exit code in the lines that Codex puts before a command's own output."""
    end = text.find("\nOutput:", 0, _HEADER_LIMIT)
    found = _EXIT_CODE.search(text, 0, end if end >= 0 else 200)
    return int(found[1]) if found else None


def _unwrapped(text: str, exit_status: int | None) -> tuple[str, int | None]:
    """Take apart `{"output": …, "metadata": {"exit_code": …}}`, which older versions write as text."""
    try:
        wrapper = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text, exit_status
    output = wrapper.get("output")
    if not isinstance(output, str):
        return text, exit_status
    code = integer(child(wrapper, "metadata"), "exit_code")
    return output, code if code is not None else exit_status


_astuple = msgspec.structs.astuple

AGENT = Agent(name=NAME, identify=identify, reader=CodexReader)
