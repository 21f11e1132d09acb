"""VS Code's chat sessions as files: a JSON document, or a log of operations that make one; and as lines.

A log begins with a document, `{"kind": 0, "v"}`. Each line behind it sets what stands at a path
(`{"kind": 1, "k", "v"}`), appends to a list there, which it may cut off at `i` before
(`{"kind": 2, "k", "v"?, "i"?}`), or takes something out (`{"kind": 3, "k"}`); now and then VS Code begins the
log anew.

A rendition is what stands at the end of the log: a line that says which session it is, with the workspace
that VS Code keeps beside it, a line for each request, and a last one with all that may still change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.editors import path_of
from gitmem.transcripts.fields import Object, child, integer
from gitmem.transcripts.head import read_head
from gitmem.transcripts.whole_files import WholeFiles, decode, load, load_beside, read_whole

NAME = "vscode-copilot"
SESSION, REQUEST = "chatSession", "chatRequest"
"""The members that lines of a rendition have."""

_FIRST = (
    "version",
    "sessionId",
    "creationDate",
    "initialLocation",
    "requesterUsername",
    "responderUsername",
)
_DRAFT = "inputState"
"""What has been typed and not sent is no part of the session."""

_LOG = re.compile(rb'\s*\{\s*"kind"\s*:\s*0\s*,')
_INITIAL, _SET, _PUSH, _DELETE = range(4)
_DEEPEST_PATH = 64


def is_session(path: Path, head: bytes) -> bool:
    """Tell a chat session, or a log of one, by its first members."""
    is_log = _LOG.match(head) is not None
    if not is_log and (path.suffix == ".jsonl" or b'"requests"' not in head):
        return False  # without decoding what others wrote
    records = read_head(head, path).records
    first = records[0] if records else {}
    if is_log:
        first = child(first, "v")
        return "version" in first and bool({"sessionId", "requests"} & first.keys())
    names = {"requesterUsername", "responderUsername", "initialLocation", "sessionId"}
    return isinstance(first.get("requests"), list) and bool(names & first.keys())


def identify(path: Path) -> Identity:
    """Return which session a file is: VS Code names it by the session's id."""
    return Identity(
        agent=NAME,
        native_id=path.stem,
        stream=MAIN_STREAM,
        parent_id=None,
        shape="document",
        cwd=began_in(_workspace(path)),
        forked_from=None,
    )


def began_in(workspace: Object) -> str | None:
    """Return the folder of a workspace; of one with several folders, the one that its file is in."""
    folder = path_of(workspace.get("folder"))
    if folder is not None:
        return folder
    several = path_of(workspace.get("workspace") or workspace.get("configuration"))
    return several.rpartition("/")[0] or None if several else None


def records(path: Path) -> Iterator[Object]:
    """Yield what a rendition has as lines.

    Raises:
        OSError: It cannot be read.
        UnknownTranscript: It is no chat session, or its first line is not whole.
    """
    session = replay(read_whole(path).split(b"\n")) if path.suffix == ".jsonl" else load(path)
    if not isinstance(session, dict):
        raise UnknownTranscript(str(path), "it is no chat session")
    requests = session.get("requests")
    first = {name: session[name] for name in _FIRST if name in session}
    yield {SESSION: first, "workspace": _workspace(path)}
    for request in requests if isinstance(requests, list) else ():
        yield {REQUEST: request}
    left_out = {*_FIRST, _DRAFT, "requests"}
    yield {SESSION: {name: value for name, value in session.items() if name not in left_out}}


def _workspace_file(path: Path) -> tuple[Path, ...]:
    return (path.parent.parent / "workspace.json",)


def _workspace(path: Path) -> Object:
    return load_beside(_workspace_file(path)[0])


def replay(lines: Iterable[bytes]) -> object:
    """Return what a log's operations come to; None where it does not begin.

    A line that is no JSON, or leads nowhere, is passed over: what does not depend on it is right all the
    same.
    """
    state: object = None
    for line in lines:
        operation = decode(line) if line.strip() else None
        if not isinstance(operation, dict):
            continue
        kind, keys = integer(operation, "kind"), operation.get("k")
        if kind == _INITIAL:
            state = operation.get("v")
        elif isinstance(keys, list) and 0 < len(keys) <= _DEEPEST_PATH:
            holder: object = state
            for key in keys[:-1]:
                holder = _member(holder, key)
            _apply(kind, holder, keys[-1], operation)
    return state


def _member(holder: object, key: object) -> object:
    if isinstance(holder, dict):
        return holder.get(key) if isinstance(key, str) else None
    if isinstance(holder, list) and type(key) is int and 0 <= key < len(holder):
        return holder[key]
    return None


def _apply(kind: int | None, holder: object, key: object, operation: Object) -> None:
    if kind == _SET:
        _put(holder, key, operation.get("v"))
    elif kind == _PUSH:
        found, more, keep = _member(holder, key), operation.get("v"), integer(operation, "i")
        grown = found if isinstance(found, list) else []
        if keep is not None:
            del grown[max(0, keep) :]
        grown += more if isinstance(more, list) else []
        _put(holder, key, grown)
    elif kind == _DELETE and isinstance(holder, dict):
        holder.pop(key, None)
    elif kind == _DELETE:
        _put(holder, key, None)


def _put(holder: object, key: object, value: object) -> None:
    if isinstance(holder, dict) and isinstance(key, str):
        holder[key] = value
    elif isinstance(holder, list) and type(key) is int and 0 <= key <= len(holder):
        holder[key : key + 1] = [value]


VSCODE_SESSIONS = WholeFiles(is_session, identify, records, _workspace_file)
