"""Tool calls in VS Code's chat: which of what the model asked for is which of what was shown.

The chat shows an invocation by a phrase and an id of its own. Arguments and answers are kept in the metadata
of the result, by the model's id and the model's name for the tool, and only once the request has ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gitmem.model.turns import ToolResult
from gitmem.transcripts.calls import Call, describe, describe_text
from gitmem.transcripts.fields import NOTHING, Object, child, children, integer, mapping, string

_OTHER_NAMES = {
    "find_files": "file_search",
    "find_text_in_files": "grep_search",
    "list_directory": "list_dir",
    "search_codebase": "semantic_search",
}
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_SUFFIX = "__vscode-"
_DENIED = 0
_DEEPEST = 24


class Answer(NamedTuple):
    """What a call came to."""

    text: str
    result: ToolResult


class Calls:
    """The calls of one request."""

    def __init__(self, metadata: Object, invocations: Sequence[Object]) -> None:
        asked = [call for one in children(metadata, "toolCallRounds") for call in children(one, "toolCalls")]
        self._answers = child(metadata, "toolCallResults")
        self._asked = _matched(asked, [one for one in invocations if "subAgentInvocationId" not in one])
        self.are_none = not asked and not invocations

    def of(self, invocation: Object) -> tuple[Call, Answer | None]:
        """Return an invocation's call, and its answer where there is one."""
        asked = self._asked.get(id(invocation), NOTHING)
        call_id, specific = string(invocation, "toolCallId"), child(invocation, "toolSpecificData")
        name = string(asked, "name") or string(invocation, "toolId") or ""
        given = asked.get("arguments", _input(invocation, specific))
        call = (
            describe_text(call_id, name, given) if isinstance(given, str) else describe(call_id, name, given)
        )
        return call, self._answer(invocation, asked, specific, call_id)

    def _answer(
        self, invocation: Object, asked: Object, specific: Object, call_id: str | None
    ) -> Answer | None:
        answered = child(self._answers, string(asked, "id") or "")
        if invocation.get("isComplete") is False and not answered:
            return None
        shown = child(invocation, "resultDetails")
        status = integer(child(specific, "terminalCommandState"), "exitCode")
        text = "".join(_texts(answered.get("content"), 0)).strip("\n") or _output(shown, specific)
        confirmed = invocation.get("isConfirmed")
        was_denied = confirmed is False or integer(mapping(confirmed), "type") == _DENIED
        is_error = was_denied or shown.get("isError") is True or status not in (None, 0)
        said = text or shown_text(invocation.get("pastTenseMessage"))
        return Answer(said, ToolResult(call_id, is_error, status))


def shown_text(value: object) -> str:
    """Return a text as VS Code shows it: plain, or Markdown."""
    return value if isinstance(value, str) else string(mapping(value), "value") or ""


def _matched(asked: Sequence[Object], shown: Sequence[Object]) -> dict[int, Object]:
    """Return the calls by the invocations, these by their identity.

    By the id where they share it; in order where there are as many of both; and else each by the next call of
    a tool of that name.
    """
    by_id = {own: call for call in asked if (own := _bare_id(string(call, "id")))}
    same = {id(one): by_id[own] for one in shown if (own := _bare_id(string(one, "toolCallId"))) in by_id}
    if same:
        return same
    if len(asked) == len(shown):
        return {id(one): call for one, call in zip(shown, asked, strict=True)}
    found: dict[int, Object] = {}
    at = 0
    for one in shown:
        name = _bare_name(string(one, "toolId") or "")
        for place in range(at, len(asked)):
            if name and (string(asked[place], "name") or "").startswith(name):
                found[id(one)], at = asked[place], place + 1
                break
    return found


def _bare_id(call_id: str | None) -> str:
    return (call_id or "").partition(_SUFFIX)[0]


def _bare_name(tool_id: str) -> str:
    """Return the model's name for a tool, or how it begins, from VS Code's: `copilot_readFile`."""
    name = _CAPITAL.sub("_", tool_id.removeprefix("copilot_")).lower()
    return _OTHER_NAMES.get(name, name)


def _input(invocation: Object, specific: Object) -> object:
    """Return what is shown of a call's arguments."""
    kind = string(specific, "kind")
    if kind == "terminal":
        line = child(specific, "commandLine")
        edited = string(line, "userEdited") or string(line, "toolEdited") or string(line, "original")
        return {"command": edited or string(specific, "command") or ""}
    if kind == "input":
        return specific.get("rawInput")
    if kind is not None:
        return {name: value for name, value in specific.items() if name not in ("kind", "result")}
    shown = child(invocation, "resultDetails").get("input")
    if isinstance(shown, str):
        return shown
    return {"description": shown_text(invocation.get("invocationMessage"))}


def _output(shown: Object, specific: Object) -> str:
    """Return what is shown of a call's answer."""
    output = shown.get("output")
    if isinstance(output, str):
        return output
    texts = [
        text for item in children(shown, "output") if (text := string(item, "value")) and item.get("isText")
    ]
    terminal = string(child(specific, "terminalCommandOutput"), "text")
    return "\n".join(texts) or terminal or string(specific, "result") or ""


def _texts(value: object, depth: int) -> Iterator[str]:
    """Yield the texts of an answer: plain ones, and the leaves of what was laid out for a prompt."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict):
        inner = value.get("value")
        if isinstance(inner, str):
            yield f"{inner}\n"
        elif isinstance(leaf := value.get("text"), str):
            yield f"\n{leaf}" if value.get("lineBreakBefore") is True else leaf
        else:
            yield from _texts(inner or value.get("node") or value.get("children"), depth + 1)
