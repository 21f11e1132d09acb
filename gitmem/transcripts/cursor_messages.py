"""Reading what Cursor's command line keeps, and what Cursor writes beside its databases: messages of blocks,
or sections of text."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gitmem.model.turns import ToolResult
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, child, children, integer, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part

_EXIT_CODE = re.compile(r"^(?:Exit code|exit code|exitCode): *(-?\d{1,10})$", re.MULTILINE)
_EXIT_LINES_LIMIT = 1000
_ARGUMENT = re.compile(r"^ +([A-Za-z_]\w*): ?(.*)$")
_PLAIN_BLOCKS = ("image", "file", "redacted-reasoning")


def read_message(recorder: Recorder, record: Object) -> None:
    """Record a message of the store, or a line of a transcript."""
    message = child(record, "message")
    role = string(message, "role") or string(record, "role")
    details = Details(id=string(record, "blob"), model=_model(message))
    recorder.tell(model=details.model)
    content = message.get("content")
    blocks = children(message, "content") if isinstance(content, list) else []
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}]
    if role == "user":
        texts = [part(content_text(block)) for block in blocks]
        recorder.add("user", "preamble", "\n".join(filter(None, (t.preamble for t in texts))), details)
        recorder.add("user", "message", "\n".join(filter(None, (t.message for t in texts))), details)
    elif role == "system":
        recorder.add("system", "preamble", content_text(content), details)
    elif role in ("assistant", "tool"):
        for block in blocks:
            _read_block(recorder, block, details)
    else:
        recorder.count_unknown(f"role {role or '(none)'}")


def _read_block(recorder: Recorder, block: Object, details: Details) -> None:
    kind = string(block, "type") or "(no type)"
    text = string(block, "text") or ""
    if kind == "text":
        recorder.add("assistant", "message", text, details)
    elif kind in ("reasoning", "thinking"):
        recorder.add("assistant", "thinking", text or string(block, "thinking") or "", details)
    elif kind in ("tool-call", "tool_use"):
        given = block.get("args", block.get("input"))
        name = string(block, "toolName") or string(block, "name") or ""
        recorder.add_call(describe(_call_id(block), name, given), details)
    elif kind in ("tool-result", "tool_result"):
        _read_result(recorder, block, details)
    elif kind in _PLAIN_BLOCKS:
        recorder.add("assistant", "message", content_text([block]), details)
    else:
        recorder.count_unknown(f"block {kind}")


def _read_result(recorder: Recorder, block: Object, details: Details) -> None:
    answer = block.get("result", block.get("content"))
    text = content_text(answer)
    if not text and isinstance(answer, dict):
        text = content_text(answer.get("output") or answer.get("value"))
    exit_status = integer(answer, "exitCode") if isinstance(answer, dict) else None
    if exit_status is None:
        written = _EXIT_CODE.search(text, max(0, len(text) - _EXIT_LINES_LIMIT))
        exit_status = int(written[1]) if written else None
    is_error = block.get("isError") is True or block.get("is_error") is True or exit_status not in (None, 0)
    result = ToolResult(_call_id(block), is_error, exit_status)
    answered = replace(details, model=None)
    recorder.add("tool", "tool_result", text, answered, result=result)


def _call_id(block: Object) -> str | None:
    return string(block, "toolCallId") or string(block, "tool_use_id") or string(block, "id")


def _model(message: Object) -> str | None:
    return string(child(child(message, "providerOptions"), "cursor"), "modelName")


def read_section(recorder: Recorder, section: str) -> None:
    """Record a section of a text: somebody's words, a thought, a call, or what came of one."""
    mark, _, rest = section.partition("\n")
    if mark.startswith("[Thinking]"):
        first = mark.removeprefix("[Thinking]").strip()
        # What is said after a thought is not told from it, but by an empty line.
        thought, _, said = rest.partition("\n\n") if rest else ("", "", "")
        recorder.add("assistant", "thinking", "\n".join(filter(None, (first, thought.strip()))))
        recorder.add("assistant", "message", said.strip())
    elif mark.startswith("[Tool call]"):
        _read_called(recorder, mark.removeprefix("[Tool call]").strip(), rest)
    elif mark.startswith("[Tool result]"):
        recorder.add("tool", "tool_result", rest.strip(), result=ToolResult(None))
    else:
        role, _, begun = mark.partition(":")
        text = "\n".join(filter(None, (begun.strip(), rest.strip())))
        if role == "user":
            recorder.add_words(part(text))
        elif role == "system":
            recorder.add("system", "preamble", text)
        else:
            recorder.add("assistant", "message", text)


def _read_called(recorder: Recorder, name: str, rest: str) -> None:
    """Record a call whose arguments stand on lines of their own, `  name: value`, some going on below."""
    given: dict[str, object] = {}
    said: list[str] = []
    key: str | None = None
    for line in rest.split("\n"):
        argument = _ARGUMENT.match(line)
        if argument and not said:
            key = argument[1]
            given[key] = argument[2]
        elif key is not None and line.startswith(" ") and not said:
            given[key] = f"{given[key]}\n{line.strip()}"
        elif line.strip() or said:
            said.append(line)
    recorder.add_call(describe(None, name, given))
    recorder.add("assistant", "message", "\n".join(said).strip())
