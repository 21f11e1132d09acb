"""Claude Code: lines of JSON, appended to; one file a session and one for each subagent.

A line is one block of an API message, or an event of the program; the same message, and its usage, is spread
over several lines. Resumed and forked sessions begin with a copy of another's lines under the same uuids.
"""

from __future__ import annotations

import re

import msgspec

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolResult
from gitmem.transcripts import handed
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, count, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms

NAME = "claude-code"

_CONVERSATION = ("user", "assistant", "system", "attachment")
_UNINTERESTING = frozenset(
    (
        "bridge-session",
        "file-history-snapshot",
        "last-prompt",  # repeats a user's line
        "mode",
        "permission-mode",
        "progress",  # a running command's output so far, a subagent's lines: both have a place of their own
        "queue-operation",  # what is queued comes again as a user's line or an attachment
    )
)
_TITLES = ("custom-title", "agent-name", "ai-title", "summary")
"""Lines that name the session, the best first."""
_TITLE_KEYS = {
    "custom-title": "customTitle",
    "agent-name": "agentName",
    "ai-title": "aiTitle",
    "summary": "summary",
}
_TYPES = frozenset((*_CONVERSATION, *_UNINTERESTING, *_TITLES, "pr-link"))

_NOTICES = frozenset(
    ("api_error", "away_summary", "compact_boundary", "informational", "local_command", "stop_hook_summary")
)
_UNINTERESTING_SYSTEM = frozenset(("bridge_status", "microcompact_boundary", "turn_duration"))

_INJECTED_ATTACHMENTS = frozenset(("file", "hook_additional_context", "selected_lines_in_ide"))
_UNINTERESTING_ATTACHMENTS = frozenset(
    (
        "agent_listing_delta",
        "auto_mode",
        "command_permissions",
        "date_change",
        "deferred_tools_delta",
        "diagnostics",
        "directory",
        "edited_text_file",
        "goal_status",
        "hook_cancelled",
        "hook_non_blocking_error",
        "hook_success",
        "hook_system_message",
        "mcp_instructions_delta",
        "nested_memory",
        "opened_file_in_ide",
        "plan_mode",
        "plan_mode_exit",
        "skill_listing",
        "task_reminder",
        "todo_reminder",
        "ultra_effort_enter",
    )
)
_UNINTERESTING_BLOCKS = frozenset(("container_upload", "redacted_thinking"))

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (-?\d{1,10})\b")


def identify(head: Head) -> Identity | None:
    """Recognise a session, or a subagent's file, by the records that only Claude Code writes."""
    ours = [record for record in head.records if _is_ours(record)]
    if not ours:
        return None
    sessions = [name for record in ours if (name := string(record, "sessionId"))]
    # A resumed session begins with lines of the one before: the file is named after the one it is.
    native_id = head.stem if head.stem in sessions else sessions[0] if sessions else head.stem
    told = [record for record in ours if "isSidechain" in record]
    stream = _stream(told[0], head) if told else MAIN_STREAM
    return Identity(
        agent=NAME,
        native_id=native_id,
        stream=stream,
        parent_id=native_id if stream else None,
        shape="lines",
        cwd=next((cwd for record in ours if (cwd := string(record, "cwd"))), None),
        forked_from=next((name for record in ours if (name := _forked_from(record))), None),
    )


def _is_ours(record: Object) -> bool:
    kind = string(record, "type")
    if kind == "summary":
        return "leafUuid" in record
    if kind == "file-history-snapshot":
        return "snapshot" in record
    return kind in _TYPES and "sessionId" in record


def _stream(record: Object, head: Head) -> str:
    if record.get("isSidechain") is not True:
        return MAIN_STREAM
    agent_id = string(record, "agentId")
    if agent_id is not None:
        return f"agent-{agent_id}"
    return head.stem if head.stem.startswith("agent-") else MAIN_STREAM


def _forked_from(record: Object) -> str | None:
    return string(child(record, "forkedFrom"), "sessionId") or handed.forked_from(record, NAME)


class ClaudeCodeReader(LineReader):
    """Reads the lines of a session and of its subagents."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._titles: dict[str, str] = {}
        self._pull_request: str | None = None
        self._header_is_told = False

    def read(self, record: Object) -> None:
        """Read one line."""
        kind = string(record, "type") or ""
        if kind in _CONVERSATION:
            self._recorder.replaying = self._recorder.knows(string(record, "uuid"))
            self._read_conversation(kind, record)
            self._recorder.replaying = False
        elif kind in _TITLES:
            self._read_title(kind, record)
        elif kind == "pr-link":
            self._read_pull_request(record)
        elif kind not in _UNINTERESTING:
            self._recorder.count_unknown(kind or "(no type)")

    def _read_conversation(self, kind: str, record: Object) -> None:
        details = Details(
            id=string(record, "uuid"),
            parent=string(record, "parentUuid"),
            at_ms=to_ms(record.get("timestamp")),
            cwd=string(record, "cwd"),
            branch=string(record, "gitBranch"),
        )
        if not self._header_is_told:
            self._tell_header(record, details)
        if kind == "assistant":
            self._read_assistant(record, details)
        elif kind == "user":
            self._read_user(record, details)
        elif kind == "system":
            self._read_system(record, details)
        else:
            self._read_attachment(child(record, "attachment"), details)

    def _tell_header(self, record: Object, details: Details) -> None:
        model = string(child(record, "message"), "model")
        if model == "<synthetic>":
            model = None
        self._recorder.tell(
            started_ms=details.at_ms,
            cwd=details.cwd,
            branch=details.branch,
            agent_version=string(record, "version"),
            forked_from=_forked_from(record),
            model=model,
        )
        self._header_is_told = model is not None and details.at_ms is not None

    def _read_assistant(self, record: Object, details: Details) -> None:
        recorder, message = self._recorder, child(record, "message")
        model = string(message, "model")
        if model != "<synthetic>":
            details.model = model
        if record.get("isApiErrorMessage") is True:
            recorder.add("system", "notice", content_text(message.get("content")), details)
            return
        first = len(recorder.pending)
        content = message.get("content")
        if isinstance(content, str):
            recorder.add("assistant", "message", content, details)
        for block in children(message, "content"):
            self._read_assistant_block(block, details)
        usage = child(message, "usage")
        if usage and len(recorder.pending) > first:
            name = (string(message, "id") or string(record, "uuid") or "", string(record, "requestId") or "")
            tokens = recorder.uncounted(name, _tokens(usage))
            if tokens is not None:
                recorder.pending[first] = msgspec.structs.replace(recorder.pending[first], tokens=tokens)

    def _read_assistant_block(self, block: Object, details: Details) -> None:
        recorder, kind = self._recorder, string(block, "type") or "(no type)"
        if kind == "text":
            recorder.add("assistant", "message", string(block, "text") or "", details)
        elif kind == "thinking":
            recorder.add("assistant", "thinking", string(block, "thinking") or "", details)
        elif kind.endswith("tool_use"):  # mcp_tool_use and server_tool_use are run by the provider
            call = describe(string(block, "id"), string(block, "name") or "", block.get("input"))
            recorder.add_call(call, details)
        elif kind.endswith("tool_result"):
            self._read_tool_result(block, details)
        elif kind not in _UNINTERESTING_BLOCKS:
            recorder.count_unknown(f"assistant/{kind}")

    def _read_user(self, record: Object, details: Details) -> None:
        recorder, content = self._recorder, child(record, "message").get("content")
        said = [content] if isinstance(content, str) else []
        for block in content if isinstance(content, list) else ():
            kind = string(mapping(block), "type") or "(no type)"
            if kind == "tool_result":
                self._read_tool_result(mapping(block), details)
            elif kind in ("text", "image"):
                said.append(content_text(block))
            elif kind == "document":
                said.append("[document]")
            else:
                recorder.count_unknown(f"user/{kind}")
        if record.get("isCompactSummary") is True:
            recorder.add("system", "notice", "\n".join(said), details)
        elif record.get("isMeta") is True:
            recorder.add("user", "preamble", "\n".join(said), details)
        else:
            self._add_words(said, details)

    def _add_words(self, said: list[str], details: Details) -> None:
        parted = [part(text) for text in said]
        preamble = "\n".join(words.preamble for words in parted if words.preamble)
        message = "\n".join(words.message for words in parted if words.message.strip())
        self._recorder.add("user", "preamble", preamble, details)
        self._recorder.add("user", "message", message, details)

    def _read_tool_result(self, block: Object, details: Details) -> None:
        text = content_text(block.get("content"))
        is_error = block.get("is_error") is True
        exit_code = _EXIT_CODE.match(text) if is_error else None
        result = ToolResult(
            string(block, "tool_use_id"), is_error, int(exit_code[1]) if exit_code is not None else None
        )
        self._recorder.add("tool", "tool_result", text, details, result=result)

    def _read_system(self, record: Object, details: Details) -> None:
        subtype = string(record, "subtype") or "(no subtype)"
        if subtype in _NOTICES:
            self._recorder.add("system", "notice", _notice(subtype, record), details)
        elif subtype not in _UNINTERESTING_SYSTEM:
            self._recorder.count_unknown(f"system/{subtype}")

    def _read_attachment(self, attachment: Object, details: Details) -> None:
        kind = string(attachment, "type") or "(no type)"
        if kind == "queued_command":  # typed while the agent was busy
            self._add_words([content_text(attachment.get("prompt"))], details)
        elif kind in _INJECTED_ATTACHMENTS:
            content = attachment.get("content")
            file = child(mapping(content), "file")
            text = string(file, "content") or content_text(content)
            name = string(attachment, "filename")
            self._recorder.add("user", "preamble", f"{name}\n{text}" if name else text, details)
        elif kind not in _UNINTERESTING_ATTACHMENTS:
            self._recorder.count_unknown(f"attachment/{kind}")

    def _read_title(self, kind: str, record: Object) -> None:
        title = string(record, _TITLE_KEYS[kind])
        if title is None:
            return
        if kind == "summary" and string(record, "leafUuid") not in self._recorder.ids:
            return  # older versions put other sessions' summaries at the head of a file
        self._titles[kind] = title
        self._recorder.retell(title=next(self._titles[name] for name in _TITLES if name in self._titles))

    def _read_pull_request(self, record: Object) -> None:
        url = string(record, "prUrl")
        if url is not None and url != self._pull_request:  # written again at every start
            self._pull_request = url
            at_ms = to_ms(record.get("timestamp"))
            self._recorder.add("system", "notice", f"Pull request {url}", Details(at_ms=at_ms))


def _notice(subtype: str, record: Object) -> str:
    if subtype == "stop_hook_summary":
        errors = record.get("hookErrors")
        return "\n".join(e for e in errors if isinstance(e, str)) if isinstance(errors, list) else ""
    text = string(record, "content")
    if text is None:
        error = child(record, "error")
        text = string(error, "formatted") or string(error, "message") or ""
    return part(text).message if subtype == "local_command" else text


def _tokens(usage: Object) -> Tokens:
    return Tokens(
        input=count(usage, "input_tokens"),
        output=count(usage, "output_tokens"),
        cache_read=count(usage, "cache_read_input_tokens"),
        cache_write=count(usage, "cache_creation_input_tokens"),
    )


AGENT = Agent(name=NAME, identify=identify, reader=ClaudeCodeReader)
