"""Messages whose content is a text or a list of blocks as Anthropic's API has them, in which several agents
keep what was said."""

from __future__ import annotations

import re

from gitmem.model.turns import ToolResult
from gitmem.transcripts.calls import describe
from gitmem.transcripts.fields import Object, children, mapping, string
from gitmem.transcripts.recorder import Details, Recorder
from gitmem.transcripts.text import content_text, part

_UNINTERESTING = frozenset(("container_upload", "redacted_thinking"))
_SHOWN = {"document": "[document]", "file": "[file]", "image": "[image]"}
_EXIT_LIMIT = 200


def add_user(
    recorder: Recorder, content: object, details: Details, exit_code: re.Pattern[str] | None = None
) -> None:
    """Record a user's message: the results in it, and their words, parted from what the host put in."""
    said = [content] if isinstance(content, str) else []
    for item in content if isinstance(content, list) else ():
        block = mapping(item)
        kind = string(block, "type") or "(no type)"
        if kind == "text":
            said.append(string(block, "text") or "")
        elif kind.endswith("tool_result"):
            add_result(recorder, block, details, exit_code)
        elif kind in _SHOWN:
            said.append(_SHOWN[kind])
        else:
            recorder.count_unknown(f"user/{kind}")
    add_words(recorder, said, details)


def add_words(recorder: Recorder, said: list[str], details: Details) -> None:
    """Record texts of one user's message, parted."""
    parted = [part(text) for text in said]
    preamble = "\n".join(words.preamble for words in parted if words.preamble)
    message = "\n".join(words.message for words in parted if words.message.strip())
    recorder.add("user", "preamble", preamble, details)
    recorder.add("user", "message", message, details)


def add_result(
    recorder: Recorder, block: Object, details: Details, exit_code: re.Pattern[str] | None = None
) -> None:
    """Record a result; its exit status is the first group of `exit_code`, where that is found at its end."""
    text, is_error = content_text(block.get("content")), block.get("is_error") is True
    found = exit_code.search(text, max(0, len(text) - _EXIT_LIMIT)) if exit_code else None
    status = int(found[1]) if found else None
    result = ToolResult(string(block, "tool_use_id"), is_error or status not in (None, 0), status)
    recorder.add("tool", "tool_result", text, details, result=result)


def add_assistant(recorder: Recorder, message: Object, details: Details) -> None:
    """Record what an assistant said and asked for. The first turn has the tokens among `details`."""
    content = message.get("content")
    if isinstance(content, str):
        recorder.add("assistant", "message", content, details)
    for block in children(message, "content"):
        before = recorder.next_ordinal
        add_assistant_block(recorder, block, details)
        if recorder.next_ordinal > before:
            details.tokens = None


def add_assistant_block(recorder: Recorder, block: Object, details: Details) -> None:
    """Record one block of what an assistant said."""
    kind = string(block, "type") or "(no type)"
    if kind == "text":
        recorder.add("assistant", "message", string(block, "text") or "", details)
    elif kind == "thinking":
        recorder.add("assistant", "thinking", string(block, "thinking") or "", details)
    elif kind.endswith("tool_use"):
        call = describe(string(block, "id"), string(block, "name") or "", block.get("input"))
        recorder.add_call(call, details)
    elif kind.endswith("tool_result"):  # of a tool that the provider ran
        add_result(recorder, block, details)
    elif kind in _SHOWN:
        recorder.add("assistant", "message", _SHOWN[kind], details)
    elif kind not in _UNINTERESTING:
        recorder.count_unknown(f"assistant/{kind}")
