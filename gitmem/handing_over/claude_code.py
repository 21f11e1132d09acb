"""Claude Code's sessions: `projects/<directory>/<id>.jsonl`, and a folder beside it for subagents."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gitmem.handing_over.records import NO_RECORDS, left_behind
from gitmem.handing_over.steps import Called, Lost, Said, Step
from gitmem.handing_over.target import Copy, Target, at_text, tool_name
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts import claude_code, folders
from gitmem.transcripts.fields import Object, string
from gitmem.transcripts.handed import MARK, copy_id, marked

_NO_MODEL: Final = "unknown"
_LONGEST_FOLDER: Final = 200


def _root(home: Path, environ: Mapping[str, str]) -> Path:
    return folders.claude_code(home, environ)[0]


def _place(home: Path, environ: Mapping[str, str], copy: Copy, stream: str) -> Path:
    folder = _root(home, environ) / folder_name(str(copy.cwd))
    if stream == MAIN_STREAM:
        return folder / f"{copy.native_id}.jsonl"
    return folder / copy.native_id / "subagents" / f"{stream}.jsonl"


def folder_name(cwd: str) -> str:
    """Return what Claude Code calls a directory: UTF-16 counts, and a long name ends in a hash."""
    units = [unit for (unit,) in struct.iter_unpack("<H", cwd.encode("utf-16-le", "surrogatepass"))]
    name = "".join(chr(unit) if unit < 128 and chr(unit).isalnum() else "-" for unit in units)
    if len(name) <= _LONGEST_FOLDER:
        return name
    hashed = 0
    for unit in units:
        hashed = (hashed * 31 + unit) & 0xFFFFFFFF
    left, digits = min(hashed, (1 << 32) - hashed), ""
    while left or not digits:
        left, digit = divmod(left, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"{name[:_LONGEST_FOLDER]}-{digits}"


def _known(home: Path, environ: Mapping[str, str], native_id: str) -> Iterator[Path]:
    root = _root(home, environ)
    if root.is_dir():
        for folder in sorted(root.iterdir()):
            path = folder / f"{native_id}.jsonl"
            if path.exists():
                yield path


_CARRIED: Final = frozenset(
    (
        *("user", "assistant", "system", "attachment", "progress"),
        *("summary", "custom-title", "ai-title", "agent-name", "last-prompt"),
    )
)
"""What was said, and what it is called. Other lines are of the place that a session began in, or tell Claude
Code what to do when it resumes: to go into a worktree by its path, be another agent, restore files, take up
a queue. They are not for others to say."""


def _renamed(records: Iterable[Object], copy: Copy, stream: str, lost: Lost) -> Iterator[Object] | None:
    return _renamed_records(records, copy, stream, lost)


def _renamed_records(records: Iterable[Object], copy: Copy, stream: str, lost: Lost) -> Iterator[Object]:
    """Yield records; where one between them does not come along, the next hangs on the one before."""
    seen: set[str] = set()
    gone: dict[str, str | None] = {}
    last: str | None = None
    for record in records:
        uuid, parent = string(record, "uuid"), string(record, "parentUuid")
        if parent is not None and parent not in seen:
            parent = gone[parent] if parent in gone else last if lost[NO_RECORDS] else parent
        if string(record, "type") not in _CARRIED:
            lost[left_behind(record)] += 1
            if uuid is not None:
                gone[uuid] = parent
            continue
        changed = _renamed_record(record, copy, stream)
        if "parentUuid" in record:
            changed["parentUuid"] = parent
        yield changed
        if uuid is not None:
            seen.add(uuid)
            last = uuid
    if stream == MAIN_STREAM and copy.title and not copy.has_title:
        yield _titled(copy)


def _renamed_record(record: Object, copy: Copy, stream: str) -> Object:
    changed = {key: value for key, value in record.items() if key != MARK}
    if stream == MAIN_STREAM and copy.stream != MAIN_STREAM and changed.get("isSidechain") is True:
        changed["isSidechain"] = False  # it is the session now
        changed.pop("agentId", None)
    if "sessionId" in changed:
        changed["sessionId"] = copy.native_id
    if "cwd" in changed:
        changed["cwd"] = str(copy.cwd)
    uuid = string(record, "uuid")
    if uuid is not None:
        changed["forkedFrom"] = {"sessionId": copy.origin.native_id, "messageUuid": uuid}
    return changed


def _built(steps: Sequence[Step], copy: Copy, lost: Lost) -> Iterator[Object]:
    parent: str | None = None
    at_ms = copy.started_ms
    for step in steps:
        if isinstance(step, Said) and step.kind == "thinking":
            lost["thinking"] += 1  # a thought that no model has signed is refused
            continue
        at_ms = at_ms if step.turn.at_ms is None else step.turn.at_ms
        for n, message in enumerate(_messages(step, copy)):
            turn = step.turn if n == 0 or not isinstance(step, Called) else step.result or step.turn
            own = copy_id(copy.origin, turn.stream, turn.ordinal)
            if isinstance(step, Called) and n and step.result is None:
                own = copy_id(copy.origin, turn.stream, -1 - turn.ordinal)
            mark = marked(copy.origin) if parent is None else {}
            yield {
                "parentUuid": parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": str(copy.cwd),
                "sessionId": copy.native_id,
                "version": "2.0.0",
                "gitBranch": copy.branch or "",
                "type": message["role"],
                "message": message,
                "uuid": own,
                "timestamp": at_text(turn.at_ms, at_ms),
                **mark,
            }
            parent = own
    if copy.title:
        yield _titled(copy)


def _titled(copy: Copy) -> Object:
    return {"type": "custom-title", "customTitle": copy.title, "sessionId": copy.native_id}


def _messages(step: Step, copy: Copy) -> Iterator[Object]:
    if isinstance(step, Called):
        assert step.turn.call is not None
        call_id = f"toolu_{copy_id(copy.origin, step.turn.stream, step.turn.ordinal).replace('-', '')[:24]}"
        use = {"type": "tool_use", "id": call_id, "name": tool_name(step.turn.call.name)}
        yield _of_assistant(step, {**use, "input": step.arguments}, "tool_use")
        result = {"type": "tool_result", "tool_use_id": call_id, "content": step.output}
        yield {"role": "user", "content": [{**result, "is_error": step.has_failed}]}
    elif step.role == "assistant":
        yield _of_assistant(step, {"type": "text", "text": step.text}, "end_turn")
    else:
        yield {"role": "user", "content": step.text}


def _of_assistant(step: Step, block: Object, reason: str) -> Object:
    return {
        "id": f"msg_gitmem{step.turn.ordinal:018}",
        "type": "message",
        "role": "assistant",
        "model": step.turn.model or _NO_MODEL,
        "content": [block],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


CLAUDE_CODE = Target(
    claude_code.NAME, _place, _known, _renamed, _built, lambda native_id: ("claude", "--resume", native_id)
)
