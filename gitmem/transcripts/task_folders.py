"""The folders in which Cline and its forks keep a task, written out as lines.

What the model was sent and answered stands in `api_conversation_history.json`, without times; what was shown,
with times, usage and errors, in `ui_messages.json`. A rendition has both as they are, each as a line of its
own, in the order in which they came: what is shown says which message of the other file was the last by then.
A first and a last line have what the task's entry in the history says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from gitmem.model.errors.intake import UnknownTranscript
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts.agent import Identity
from gitmem.transcripts.fields import Object, children, integer, mapping, string
from gitmem.transcripts.text import content_text
from gitmem.transcripts.whole_files import WholeFiles, load

MESSAGES = "api_conversation_history.json"
API, UI = "api", "ui"

_STABLE = (
    "id",
    "rootTaskId",
    "parentTaskId",
    "number",
    "task",
    "workspace",
    "cwdOnTaskInitialization",
    "ulid",
)
_CWD_KEYS = ("workspace", "cwdOnTaskInitialization")
_CWD = re.compile(
    r"^# Current (?:Working|Workspace) Directory \((?P<cwd>[^\n]{1,4096})\) Files$", re.MULTILINE
)


def task_folders(
    agent: str, task_key: str, entry_of: Callable[[Path], Object], is_ours: Callable[[Path], bool]
) -> WholeFiles:
    """Return how an agent's task folders are read: `entry_of` returns what its history says of a task."""

    def is_task(path: Path, head: bytes) -> bool:
        return path.name == MESSAGES and head.lstrip().startswith(b"[") and is_ours(path.parent)

    def identify(path: Path) -> Identity:
        entry = entry_of(path.parent)
        return identity_of(agent, path.parent.name, entry, lambda: _messages(path))

    def records(path: Path) -> Iterator[Object]:
        entry = entry_of(path.parent)
        entry = entry | ({} if "id" in entry else {"id": path.parent.name})
        yield {task_key: {name: entry[name] for name in _STABLE if name in entry}}
        yield from _merged(_messages(path), _shown(path.parent))
        yield {task_key: {name: value for name, value in entry.items() if name not in _STABLE}}

    return WholeFiles(is_task, identify, records, lambda path: (path.parent / "ui_messages.json",))


def identity_of(agent: str, name: str, entry: Object, messages: Callable[[], list[Object]]) -> Identity:
    """Return a task's identity; a task that another one began is a subagent's stream.

    Where it began the entry says, or else what the host told the model first.
    """
    own = string(entry, "id") or name
    parent = string(entry, "parentTaskId")
    cwd = next((path for key in _CWD_KEYS if (path := string(entry, key))), None)
    return Identity(
        agent=agent,
        native_id=(string(entry, "rootTaskId") or parent or own) if parent else own,
        stream=f"agent-{own}" if parent else MAIN_STREAM,
        parent_id=parent,
        shape="document",
        cwd=cwd or told_cwd(messages()),
        forked_from=None,
    )


def told_cwd(messages: list[Object]) -> str | None:
    """Return the directory that the first message says the task is in."""
    told = _CWD.search(content_text(messages[0].get("content"))) if messages else None
    return told["cwd"] if told else None


def _messages(path: Path) -> list[Object]:
    messages = load(path)
    if not isinstance(messages, list):
        raise UnknownTranscript(str(path), "it is no list of messages")
    return [mapping(one) for one in messages]


def _shown(folder: Path) -> list[Object]:
    try:
        shown = load(folder / "ui_messages.json")
    except (OSError, UnknownTranscript):  # it is only the times that are missing then
        return []
    return children({"shown": shown}, "shown")


def _merged(messages: list[Object], shown: list[Object]) -> Iterator[Object]:
    """Put what was shown behind the message that was the last by then; where none says so, at the end."""
    told = any(integer(one, "conversationHistoryIndex") is not None for one in shown)
    last = -1 if told else len(messages)
    at = 0
    for one in shown:
        index = integer(one, "conversationHistoryIndex")
        last = last if index is None else max(last, index)
        while at < len(messages) and at <= last:
            yield {API: messages[at]}
            at += 1
        yield {UI: one}
    for message in messages[at:]:
        yield {API: message}
