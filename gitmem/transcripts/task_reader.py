"""Reading the tasks of Cline and its forks from their renditions."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Kind, Tokens, ToolResult
from gitmem.transcripts.agent import LineReader
from gitmem.transcripts.blocks import add_assistant_block
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import NOTHING, Object, child, count, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.tagged_tools import THINKING, elements_in, pieces_of
from gitmem.transcripts.task_folders import API, UI
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.times import to_ms
from gitmem.transcripts.whole_files import decode

_WORDS = re.compile(r"<(task|feedback|user_message|user_input|answer)(?: [^<>\n]{0,200})?>")
"""What a person said, within a result as well."""
_HOST_TEXTS = (
    "# TODO LIST",
    "# task_progress",
    "<environment_details>",
    "<explicit_instructions",
    "[ERROR] You did not use a tool",
    "[TASK RESUMPTION]",
)
_RESULT = re.compile(r"\[[a-z_]{1,60}\b[^\n]{0,4000}?\] Result:[ \t]*\n?")
_FAILURES = (
    "The tool execution failed with the following error:",
    "The user denied this operation.",
    "<error>",
    "Error:",
)
_EXIT_CODE = re.compile(r"\b[Ee]xit code:? (-?\d{1,10})\b")
_EXIT_LIMIT = 400

_NOTICES = frozenset(
    (
        "api_req_failed",
        "clineignore_error",
        "condense_context_error",
        "diff_error",
        "error",
        "mistake_limit_reached",
        "rooignore_error",
    )
)
_UNINTERESTING = frozenset(
    (
        "act_mode_respond",
        "api_req_deleted",
        "api_req_finished",
        "api_req_rate_limit_wait",
        "api_req_retried",
        "api_req_retry_delayed",
        "api_req_started",
        "auto_approval_max_req_reached",
        "browser_action",
        "browser_action_launch",
        "browser_action_result",
        "browser_session_status",
        "checkpoint_created",
        "checkpoint_saved",
        "codebase_search_result",
        "command",
        "command_output",
        "completion_result",
        "condense",
        "deleted_api_reqs",
        "error_retry",
        "followup",
        "generate_explanation",
        "hook_output_stream",
        "hook_status",
        "image",
        "info",
        "load_mcp_documentation",
        "mcp_notification",
        "mcp_server_request_started",
        "mcp_server_response",
        "new_task",
        "plan_mode_respond",
        "reasoning",
        "report_bug",
        "resume_completed_task",
        "resume_task",
        "shell_integration_warning",
        "sliding_window_truncation",
        "subtask_result",
        "summarize_task",
        "task",
        "task_progress",
        "text",
        "tool",
        "use_mcp_server",
        "use_subagents",
        "user_edit_todos",
        "user_feedback",
        "user_feedback_diff",
    )
)
"""What is shown of the messages that the model got and gave."""


class TaskReader(LineReader):
    """Reads the lines of a task's rendition, of which `task_key` names those about the task itself."""

    def __init__(self, recorder: Recorder, task_key: str) -> None:
        self._recorder = recorder
        self._task_key = task_key
        self.begin()

    def begin(self) -> None:
        """Begin a stream."""
        self._asked_ms: int | None = None
        self._shown_ms: int | None = None
        self._tokens: Tokens | None = None
        self._model: str | None = None

    def read(self, record: Object) -> None:
        """Read one line."""
        if API in record:
            self._read_message(child(record, API))
        elif UI in record:
            self._read_shown(child(record, UI))
        elif self._task_key in record:
            self._read_task(child(record, self._task_key))
        else:
            self._recorder.count_unknown(string(record, "type") or "(no type)")

    def _read_task(self, task: Object) -> None:
        recorder = self._recorder
        if recorder.stream == MAIN_STREAM:
            cwd = string(task, "workspace") or string(task, "cwdOnTaskInitialization")
            recorder.retell(title=_unwrapped(string(task, "task") or "") or None)
            recorder.tell(cwd=cwd, model=string(task, "modelId"))

    def _read_shown(self, shown: Object) -> None:
        at_ms = to_ms(shown.get("ts"))
        kind = string(shown, "say") or string(shown, "ask") or "(no type)"
        model = string(child(shown, "modelInfo"), "modelId")
        self._model = model or self._model
        if kind == "api_req_started":
            self._asked_ms = at_ms
            usage = mapping(decode((string(shown, "text") or "{}").encode()))
            self._tokens = _tokens(usage)
        elif self._shown_ms is None:
            self._shown_ms = at_ms
        if kind in _NOTICES:
            self._recorder.add("system", "notice", string(shown, "text") or kind, Details(at_ms=at_ms))
        elif kind == "condense_context":
            summary = string(child(shown, "contextCondense"), "summary")
            self._recorder.add("system", "notice", summary or "Context condensed", Details(at_ms=at_ms))
        elif kind not in _UNINTERESTING:
            self._recorder.count_unknown(f"ui/{kind}")

    def _read_message(self, message: Object) -> None:
        recorder, role = self._recorder, string(message, "role") or "(none)"
        own_ms = to_ms(message.get("ts"))
        shown = (self._asked_ms, self._shown_ms) if role == "user" else (self._shown_ms, self._asked_ms)
        at_ms = own_ms if own_ms is not None else next((ms for ms in shown if ms is not None), None)
        self._asked_ms = self._shown_ms = None
        recorder.tell(started_ms=at_ms)
        details = Details(id=string(message, "id"), at_ms=at_ms)
        if message.get("isSummary") is True:
            recorder.add("system", "notice", content_text(message.get("content")), details)
        elif role == "user":
            self.read_user(message.get("content"), details)
        elif role == "assistant":
            model = string(child(message, "modelInfo"), "modelId") or self._model
            recorder.tell(model=model)
            self.read_assistant(message.get("content"), replace(details, model=model, tokens=self._tokens))
            self._tokens = None
        else:
            recorder.count_unknown(f"role {role}")

    def read_assistant(self, content: object, details: Details) -> None:
        """Read what the model said and asked for, by elements in its text as well."""
        recorder = self._recorder
        for block in _blocks(content):
            before = recorder.next_ordinal
            kind = string(block, "type")
            if kind == "text":
                for piece in pieces_of(string(block, "text") or ""):
                    if piece.arguments is not None:
                        recorder.add_call(describe(None, piece.name or "", piece.arguments), details)
                    else:
                        piece_kind: Kind = "thinking" if piece.name == THINKING else "message"
                        recorder.add("assistant", piece_kind, piece.text, details)
                    details.tokens = None
            elif kind == "reasoning":
                recorder.add("assistant", "thinking", string(block, "text") or "", details)
            else:
                add_assistant_block(recorder, block, details)
            if recorder.next_ordinal > before:
                details.tokens = None

    def read_user(self, content: object, details: Details) -> None:
        """Read what the model was sent: results, people's words, and what the host added."""
        recorder = self._recorder
        result: list[str] | None = None
        hosted: list[str] = []
        said: list[str] = []
        for block in _blocks(content):
            kind, text = string(block, "type") or "(no type)", string(block, "text") or ""
            begun = _RESULT.match(text) if kind == "text" else None
            is_of_host = kind == "text" and text.lstrip().startswith(_HOST_TEXTS)
            if result is not None and (begun is not None or is_of_host or kind == "tool_result"):
                self._add_result(result, said, details)
                result = None
            if begun is not None:
                result = [text[begun.end() :]]
            elif kind == "tool_result":
                self._add_result([content_text(block.get("content"))], said, details, block)
            elif is_of_host:
                hosted.append(text)
            elif kind in ("text", "image"):
                (said if result is None else result).append(text or "[image]")
            elif kind in ("document", "file"):
                said.append(f"[{kind}]")
            else:
                recorder.count_unknown(f"user/{kind}")
        if result is not None:
            self._add_result(result, said, details)
        parted = [part(_unwrapped(text)) for text in said]
        preamble = "\n".join(filter(None, (*(words.preamble for words in parted), *hosted)))
        recorder.add("user", "preamble", preamble, details)
        message = "\n".join(words.message for words in parted if words.message.strip())
        recorder.add("user", "message", message, details)

    def _add_result(
        self, texts: list[str], said: list[str], details: Details, block: Object = NOTHING
    ) -> None:
        text = "\n".join(filter(None, texts))
        said += _words_in(text)
        code = _EXIT_CODE.search(text[:_EXIT_LIMIT])
        status = int(code[1]) if code else None
        has_failed = block.get("is_error") is True or text.lstrip().startswith(_FAILURES)
        result = ToolResult(string(block, "tool_use_id"), has_failed or status not in (None, 0), status)
        self._recorder.add("tool", "tool_result", text, details, result=result)


def _blocks(content: object) -> list[Object]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [mapping(block) for block in content] if isinstance(content, list) else []


def _words_in(text: str) -> list[str]:
    return [words.strip("\n") for _, words, _, _ in elements_in(text, _WORDS)]


def _unwrapped(text: str) -> str:
    kept: list[str] = []
    at = 0
    for _, words, start, stop in elements_in(text, _WORDS):
        kept += (text[at:start], words.strip("\n"))
        at = stop
    return "".join((*kept, text[at:]))


def _tokens(usage: Object) -> Tokens | None:
    tokens = Tokens(
        input=count(usage, "tokensIn"),
        output=count(usage, "tokensOut"),
        cache_read=count(usage, "cacheReads"),
        cache_write=count(usage, "cacheWrites"),
    )
    return tokens if tokens != Tokens() else None
