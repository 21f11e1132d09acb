"""What a tool call wrote: the lines that it put into files, whichever agent's tool it was.

Tools go by the names of their arguments rather than by their own, which every agent and every extension
makes up anew. Nothing here says that a call succeeded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from gitmem.model.turns import ToolCall
from gitmem.transcripts.patches import Piece, is_patch, literals, pieces_of_patch, pieces_of_shell


class Edit(NamedTuple):
    """Lines that a call put into one file, and that it took out, without the blanks around them.

    A line that stood there before counts as neither, wherever it moved to; empty lines are left out. `path`
    is as written, or None where the call does not say. `is_shell`: a command's text, which may do anything.
    `parts` are those of the added lines that may be parts of lines in the file: where a piece of text took
    another's place, its first and its last line.
    """

    path: str | None
    added: tuple[str, ...]
    removed: tuple[str, ...]
    is_shell: bool = False
    parts: tuple[str, ...] = ()


_PATHS = (
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "absolute_path",
    "target_file",
    "filename",
    "file",
    "relative_path",
    "uri",
    "filepath",
    "TargetFile",
)
_OLD = ("old_string", "oldString", "old_str", "old_text", "oldText", "search", "old_source", "TargetContent")
_NEW = (
    "new_string",
    "newString",
    "new_str",
    "new_text",
    "newText",
    "replace",
    "replacement",
    "new_source",
    "insert_text",
    "ReplacementContent",
)
_WHOLE = (
    "content",
    "contents",
    "file_text",
    "file_content",
    "new_content",
    "newContent",
    "code_edit",
    "CodeContent",
)
_COMMANDS = ("command", "cmd", "script", "chars", "CommandLine")
_DEEPEST = 6
_MOST_EDITS = 10_000

_DECODE = msgspec.json.Decoder().decode


def edits_of(call: ToolCall) -> list[Edit]:
    """Return what a call wrote, in order; nothing for one that is not known to write."""
    try:
        arguments: object = _DECODE(call.input)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []
    found: list[Edit] = []
    for edit in _edits(arguments, None, 0):
        if edit.added or edit.removed:
            found.append(edit)
        if len(found) == _MOST_EDITS:
            break
    return found


def _edits(value: object, path: str | None, depth: int) -> Iterator[Edit]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        for edit in _of_pieces(pieces_of_patch(value), is_shell=False):
            yield edit._replace(path=edit.path or path)
        if depth == 0:  # a script is all that there is, and starts commands by its own means
            for literal in literals(value):
                yield from _of_pieces(pieces_of_shell(literal), is_shell=True)
    elif isinstance(value, list):
        for item in value:
            yield from _edits(item, path, depth + 1)
    elif isinstance(value, dict):
        yield from _edits_of_mapping(value, path, depth)


def _edits_of_mapping(value: dict[str, object], path: str | None, depth: int) -> Iterator[Edit]:
    path = _text(value, _PATHS) or path
    old, new, whole = _text(value, _OLD), _text(value, _NEW), _text(value, _WHOLE)
    taken: set[object] = set()
    if new is not None or (old is not None and path is not None):
        yield _edit(path, new or "", old or "")
        taken |= {old, new}
    elif whole is not None and path is not None and not is_patch(whole):
        yield _edit(path, whole, "")
        taken.add(whole)
    for key, item in value.items():
        if key in _COMMANDS:
            command = _command(item)
            if command is not None:
                yield from _of_pieces(pieces_of_patch(command), is_shell=False)
                yield from _of_pieces(pieces_of_shell(command), is_shell=True)
        elif not (isinstance(item, str) and item in taken):
            yield from _edits(item, path, depth + 1)


def _text(value: dict[str, object], keys: Iterable[str]) -> str | None:
    return next((item for key in keys if isinstance(item := value.get(key), str)), None)


def _command(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):  # `["bash", "-lc", "…"]`
        return "\n".join(item for item in value if isinstance(item, str))
    return None


def _of_pieces(pieces: Iterable[Piece], *, is_shell: bool) -> Iterator[Edit]:
    for path, added, removed in pieces:
        edit = _edit(path, "\n".join(added), "\n".join(removed), is_shell=is_shell)
        yield edit._replace(parts=())  # of whole lines


def _edit(path: str | None, new: str, old: str, *, is_shell: bool = False) -> Edit:
    before, after = _lines(old), _lines(new)
    added = _beyond(after, before)
    ends = dict.fromkeys((new.partition("\n")[0].strip(), new.rpartition("\n")[2].strip())) if before else ()
    parts = tuple(end for end in ends if end in added)
    return Edit(path, added, _beyond(before, after), is_shell, parts)


def _lines(text: str) -> list[str]:
    return [line for raw in text.split("\n") if (line := raw.strip())]


def _beyond(lines: list[str], others: list[str]) -> tuple[str, ...]:
    """Return the lines that the others do not have, each as often as it is more, whatever its white space."""
    if not others:
        return tuple(lines)
    left = Counter("".join(line.split()) for line in others)
    found = []
    for line in lines:
        squeezed = "".join(line.split())
        if left[squeezed] > 0:
            left[squeezed] -= 1
        else:
            found.append(line)
    return tuple(found)
