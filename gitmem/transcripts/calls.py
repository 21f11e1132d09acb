"""Tool calls: their arguments as JSON, as text that can be searched, and as the files they name."""

from __future__ import annotations

import re

import msgspec

from gitmem.model.turns import ToolCall
from gitmem.transcripts.text import clean

_BARE_KEYS = frozenset(
    (
        "absolute_path",
        "action",
        "chars",
        "cmd",
        "code",
        "command",
        "content",
        "description",
        "dir_path",
        "file",
        "file_path",
        "filePath",
        "filename",
        "input",
        "message",
        "new_source",
        "notebook_path",
        "path",
        "pattern",
        "plan",
        "prompt",
        "queries",
        "query",
        "script",
        "skill",
        "subject",
        "text",
        "title",
        "url",
    )
)
"""Arguments whose name says nothing beside the value."""

_MARKS = dict.fromkeys(("old_string", "oldString", "old_str"), "-")
_MARKS |= dict.fromkeys(("new_string", "newString", "new_str"), "+")
"""What an edit takes out, and what it puts in."""

_PATH_KEYS = (
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "absolute_path",
    "dir_path",
    "target_file",
    "filename",
    "file",
    "paths",
    "files",
    "file_paths",
)
_LONGEST_PATH = 4096
_MOST_FILES = 1000
_DEEPEST = 4

_PATCHED_FILE = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\s*$", re.MULTILINE)
_PATCH_MARK = "*** Begin Patch"

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Call(msgspec.Struct, frozen=True):
    """A call in the normal form, and its text."""

    call: ToolCall
    text: str


def describe(call_id: str | None, name: str, arguments: object, more_paths: tuple[str, ...] = ()) -> Call:
    """Describe a call whose arguments came as JSON; those named in `more_paths` are paths, too."""
    lines: list[str] = []
    _add_lines(lines, arguments, 0)
    text = clean("\n".join(lines))
    encoded = _encoded(arguments) if arguments is not None else "{}"
    return Call(ToolCall(call_id, name, encoded, files_of(arguments, more_paths)), text or encoded)


def describe_text(call_id: str | None, name: str, arguments: str, more_paths: tuple[str, ...] = ()) -> Call:
    """Describe a call whose arguments came as text: JSON where it decodes, else a script or a patch."""
    try:
        decoded: object = _DECODE(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decoded = arguments
    return describe(call_id, name, decoded if isinstance(decoded, dict | list) else arguments, more_paths)


def files_of(arguments: object, more_paths: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the paths that a call names, each once, in order; a patch names the files that it changes."""
    found: dict[str, None] = {}
    if isinstance(arguments, str):
        _add_patched(found, arguments)
    elif isinstance(arguments, dict):
        for key in _PATH_KEYS + more_paths:
            if key not in arguments:
                continue
            value = arguments[key]
            for path in value if isinstance(value, list) else (value,):
                if isinstance(path, str) and 0 < len(path) <= _LONGEST_PATH and "\n" not in path:
                    found[path] = None
        for value in arguments.values():
            if isinstance(value, str) and _PATCH_MARK in value:
                _add_patched(found, value)
    return tuple(found)[:_MOST_FILES]


def _encoded(value: object) -> str:
    try:
        return _ENCODE(value).decode()
    except RecursionError:  # decoded from nearer the bottom of the stack than we are
        return "null"


def _add_patched(found: dict[str, None], text: str) -> None:
    if _PATCH_MARK in text:
        found.update(dict.fromkeys(_PATCHED_FILE.findall(text)))


def _add_lines(lines: list[str], value: object, depth: int) -> None:
    if isinstance(value, str):
        if value:
            lines.append(value)
    elif depth == _DEEPEST:
        lines.append(_encoded(value))
    elif isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            for item in value:
                _add_lines(lines, item, depth + 1)
        elif value:
            lines.append(" ".join(value))
    elif isinstance(value, dict):  # numbers and flags say little; they are in the call's input
        for key, item in value.items():
            if not isinstance(item, str):
                _add_lines(lines, item, depth + 1)
            elif key in _MARKS:
                lines.append(_marked(_MARKS[key], item))
            elif key in _BARE_KEYS or "\n" in item:
                _add_lines(lines, item, depth + 1)
            elif item:
                lines.append(f"{key}: {item}")


def _marked(mark: str, text: str) -> str:
    return mark + text.replace("\n", "\n" + mark) if text else ""
