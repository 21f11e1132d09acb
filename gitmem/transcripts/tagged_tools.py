"""Tool calls that a model wrote into its text, each an element named after the tool: Cline and Roo had them
so before they used the API's own means."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

from gitmem.transcripts.fields import Object

_TOOLS = (
    "access_mcp_resource",
    "apply_diff",
    "ask_followup_question",
    "attempt_completion",
    "browser_action",
    "codebase_search",
    "condense",
    "edit_file",
    "execute_command",
    "fetch_instructions",
    "focus_chain",
    "insert_content",
    "list_code_definition_names",
    "list_files",
    "load_mcp_documentation",
    "new_rule",
    "new_task",
    "plan_mode_respond",
    "plan_mode_response",
    "read_file",
    "replace_in_file",
    "report_bug",
    "run_slash_command",
    "search_and_replace",
    "search_files",
    "switch_mode",
    "update_todo_list",
    "use_mcp_tool",
    "web_fetch",
    "write_to_file",
)
THINKING = "thinking"
_OPENING = re.compile(rf"<({'|'.join((*_TOOLS, THINKING))})>")
_PARAMETER = re.compile(r"<([a-z_]{1,40})>")
_WHOLE = frozenset(("args", "arguments", "content", "diff", "result"))
"""Parameters that may hold anything, their own closing tag too: the last of these ends them."""
_PATH = re.compile(r"<path>([^<\n]{1,4096})</path>")


class Piece(NamedTuple):
    """What a model said, or, where it has a name, a call with its arguments."""

    text: str
    name: str | None = None
    arguments: Object | None = None


def pieces_of(text: str) -> list[Piece]:
    """Cut a model's text at its calls; a call that breaks off stays text."""
    pieces: list[Piece] = []
    at = 0
    for name, body, start, stop in elements_in(text, _OPENING):
        pieces += _said(text[at:start])
        pieces.append(Piece(body.strip("\n"), name, None if name == THINKING else _arguments(body)))
        at = stop
    return pieces + _said(text[at:]) if at else [Piece(text)]


def elements_in(
    text: str, openings: re.Pattern[str], lenient: Container[str] = ()
) -> Iterator[tuple[str, str, int, int]]:
    """Yield elements that begin where a pattern says, whose first group is their name: this, what is inside,
    where they start and where they stop. Each ends where the next closing tag of its name is, or, of those in
    `lenient`, the last; an element that does not end is none. Linear in the text's length.
    """
    at = 0
    unclosed: set[str] = set()
    while "<" in text and (opening := openings.search(text, at)) is not None:
        name, at = opening[1], opening.end()
        closing = f"</{name}>"
        find = text.rfind if name in lenient else text.find
        stop = -1 if name in unclosed else find(closing, at)
        if stop < 0:
            unclosed.add(name)
            continue
        yield name, text[at:stop], opening.start(), stop + len(closing)
        at = stop + len(closing)


def _said(text: str) -> list[Piece]:
    return [Piece(text.strip())] if text.strip() else []


def _arguments(body: str) -> Object:
    found: Object = {}
    for name, value, _, _ in elements_in(body, _PARAMETER, _WHOLE):
        found[name] = value.removeprefix("\n").removesuffix("\n")
        if name == "args":
            found |= {"paths": paths} if (paths := _PATH.findall(value)) else {}
    return found
