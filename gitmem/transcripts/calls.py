"""Tool calls: their arguments as JSON, as text that can be searched, and as the files they name."""

from __future__ import annotations

import re
from typing import NamedTuple

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

_REMOVED_KEYS = frozenset(("old_string", "oldString", "old_str"))
_ADDED_KEYS = frozenset(("new_string", "newString", "new_str"))

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


class Call(NamedTuple):
    """A call in the normal form, and its text."""

    call: ToolCall
    text: str


def describe(call_id: str | None, name: str, arguments: object, more_paths: tuple[str, ...] = ()) -> Call:
    """Describe a call whose arguments came as JSON; those named in `more_paths` are paths, too."""
    text = clean("\n".join(_lines(arguments, 0)))
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
        for key in (*_PATH_KEYS, *more_paths) if more_paths else _PATH_KEYS:
            value = arguments.get(key)
            if value is None:
                continue
            for path in value if isinstance(value, list) else (value,):
                if isinstance(path, str) and 0 < len(path) <= _LONGEST_PATH and "\n" not in path:
                    found[path] = None
        for value in arguments.values():
            if isinstance(value, str):
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


def _lines(value: object, depth: int) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if depth == _DEEPEST:
        return [_encoded(value)]
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return [" ".join(value)] if value else []
        return [line for item in value for line in _lines(item, depth + 1)]
    if not isinstance(value, dict):
        return []  # numbers and flags say little; they are in the call's input
    found: list[str] = []
    for key, item in value.items():
        if key in _REMOVED_KEYS and isinstance(item, str):
            found.append(_marked("-", item))
        elif key in _ADDED_KEYS and isinstance(item, str):
            found.append(_marked("+", item))
        elif isinstance(item, str) and item and key not in _BARE_KEYS and "\n" not in item:
            found.append(f"{key}: {item}")
        else:
            found += _lines(item, depth + 1)
    return found


def _marked(mark: str, text: str) -> str:
    return mark + text.replace("\n", "\n" + mark) if text else ""
