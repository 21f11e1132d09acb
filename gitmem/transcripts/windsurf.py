"""Windsurf: lines of JSON that its transcript hook is handed, one for each step of a conversation.

A line is `{status, type, <type>: {…}}`; the file is written anew, from the conversation's beginning, after
every answer. Windsurf's own store is encrypted, so there is nothing without the hook
`post_cascade_response_with_transcript`. Source: Windsurf's documentation of Cascade hooks. Chats of its old
versions are in the databases of its workspaces.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote

from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import ToolResult
from gitmem.transcripts.agent import Agent, Head, Identity, LineReader
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, integer, string
from gitmem.transcripts.recorder import Details
from gitmem.transcripts.text import content_text, part
from gitmem.transcripts.windsurf_database import (
    NAME,
    WindsurfDatabase,
    identify_chat,
    read_chat_line,
)

_TOOLS = frozenset(
    (
        "code_action",
        "find",
        "grep_search",
        "list_directory",
        "mcp_tool",
        "read_url_content",
        "run_command",
        "search_web",
        "view_file",
    )
)
_STEPS = _TOOLS | {"planner_response", "user_input"}
_RESULTS = ("output", "result", "results", "content", "error")
"""Where a step says what its tool came to; all else of it is what was asked for."""
_NOT_ASKED = frozenset((*_RESULTS, "exit_code", "original_content"))


def identify(head: Head) -> Identity | None:
    """Recognise steps, whose file is named after the conversation, or the rendition of a chat."""
    if not any(_is_ours(record) for record in head.records):
        return identify_chat(head)
    return Identity(
        agent=NAME,
        native_id=head.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="document",
        cwd=next((place for record in head.records if (place := _place(record))), None),
        forked_from=None,
    )


def _is_ours(record: Object) -> bool:
    kind = string(record, "type")
    return kind in _STEPS and isinstance(record.get("status"), str) and isinstance(record.get(kind), dict)


def _place(record: Object) -> str | None:
    """Return where a step worked: of the conversation's directory nothing else is told."""
    cwd = string(child(record, "run_command"), "cwd")
    if cwd is not None:
        return cwd
    path = _path(string(child(record, "code_action"), "path") or "")
    return str(PurePosixPath(path).parent) if path.startswith("/") else None


def _path(text: str) -> str:
    return unquote(text.removeprefix("file://")) if text.startswith("file://") else text


class WindsurfReader(LineReader):
    """Reads the steps of a conversation, or the lines of a chat."""

    def read(self, record: Object) -> None:
        """Read one step, or a line of a chat."""
        recorder, kind = self._recorder, string(record, "type") or "(no type)"
        step = child(record, kind)
        if kind == "user_input":
            recorder.add_words(part(string(step, "user_response") or ""))
        elif kind == "planner_response":
            recorder.add("assistant", "thinking", string(step, "thinking") or "")
            recorder.add("assistant", "message", string(step, "response") or "")
        elif kind in _TOOLS:
            self._read_tool(kind, step, string(record, "status"))
        elif not read_chat_line(recorder, record):
            recorder.count_unknown(kind)

    def _read_tool(self, kind: str, step: Object, status: str | None) -> None:
        """Record a call, and what it came to where the step says so; neither has an id."""
        recorder = self._recorder
        cwd, path = string(step, "cwd"), string(step, "path")
        if cwd is not None:
            recorder.tell(cwd=cwd)
        asked: Object = {key: value for key, value in step.items() if key not in _NOT_ASKED}
        if path is not None:
            asked["path"] = _path(path)
        if kind == "code_action" and "original_content" in step:  # so that what it took out is known, too
            asked["old_string"] = step["original_content"]
            asked["new_string"] = asked.pop("new_content", "")
        details = Details(cwd=cwd)
        recorder.add_call(describe(None, kind, asked), details)
        said = [text for key in _RESULTS if key in step and (text := content_text(step[key]))]
        exit_status = integer(step, "exit_code")
        is_error = status == "error" or "error" in step or exit_status not in (None, 0)
        if said or exit_status is not None:
            result = ToolResult(None, is_error, exit_status)
            recorder.add("tool", "tool_result", "\n".join(said), details, result=result)


AGENT = Agent(
    name=NAME,
    identify=identify,
    reader=WindsurfReader,
    collection=WindsurfDatabase(),
)
