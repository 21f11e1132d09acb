"""Gemini CLI's sessions: `tmp/<project>/chats/session-<time>-<id's beginning>.jsonl`.

The project is a name that its `projects.json` gives to a directory, or else the directory's hash.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gitmem.handing_over.steps import Called, Lost, Step
from gitmem.handing_over.target import Copy, Target, at_text, tool_name
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts import folders, gemini_cli
from gitmem.transcripts.fields import Object, child, mapping, string
from gitmem.transcripts.handed import MARK, copy_id, marked

_ID_DIGITS: Final = 8
_HEAD_BYTES: Final = 64 << 10


def _place(home: Path, environ: Mapping[str, str], copy: Copy, stream: str) -> Path:
    root = folders.gemini_cli(home, environ)[0]
    chats = root / (_slug(root, copy.cwd) or _hash(copy.cwd)) / "chats"
    if stream != MAIN_STREAM:
        return chats / copy.native_id / f"{stream.removeprefix('agent-')}.jsonl"
    time = at_text(copy.started_ms, 0)[:16].replace(":", "-")
    return chats / f"session-{time}-{copy.native_id[:_ID_DIGITS]}.jsonl"


def _slug(root: Path, cwd: Path) -> str | None:
    """Return the name that Gemini CLI has given to a directory, if it has ever been started there."""
    try:
        known = mapping(msgspec.json.decode((root.parent / "projects.json").read_bytes()))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    slug = string(child(known, "projects"), str(cwd))
    return slug if slug and slug not in (".", "..") and "/" not in slug and "\0" not in slug else None


def _hash(cwd: Path) -> str:
    return hashlib.sha256(os.fsencode(cwd)).hexdigest()


def _known(home: Path, environ: Mapping[str, str], native_id: str) -> Iterator[Path]:
    root = folders.gemini_cli(home, environ)[0]
    for path in sorted(root.glob(f"*/chats/session-*-{native_id[:_ID_DIGITS]}.json*")):
        with path.open("rb") as file:
            if f'"{native_id}"'.encode() in file.read(_HEAD_BYTES):
                yield path


def _renamed(records: Iterable[Object], copy: Copy, stream: str, lost: Lost) -> Iterator[Object] | None:
    return _renamed_records(records, copy, stream)


def _renamed_records(records: Iterable[Object], copy: Copy, stream: str) -> Iterator[Object]:
    for record in records:
        yield _renamed_record({key: value for key, value in record.items() if key != MARK}, copy, stream)
    if stream == MAIN_STREAM and copy.title and not copy.has_title:
        yield {"$set": {"summary": copy.title}}


def _renamed_record(record: Object, copy: Copy, stream: str) -> Object:
    if "$set" in record:
        # Directories that a session may work in are set by it, and not by whoever wrote it.
        placed: Object = {"projectHash": _hash(copy.cwd), "directories": [str(copy.cwd)]}
        if stream == MAIN_STREAM:
            placed["sessionId"] = copy.native_id
        change = child(record, "$set")
        return {**record, "$set": change | {key: placed[key] for key in placed.keys() & change.keys()}}
    if "sessionId" not in record or not {"projectHash", "startTime"} & record.keys():
        return record
    changed = {**record, "projectHash": _hash(copy.cwd)}
    if "directories" in changed:
        changed["directories"] = [str(copy.cwd)]
    if stream == MAIN_STREAM:
        changed["sessionId"] = copy.native_id
        if copy.stream != MAIN_STREAM and "kind" in changed:
            changed["kind"] = "main"  # it is nobody's subagent now
    return changed | marked(copy.origin)


def _built(steps: Sequence[Step], copy: Copy, lost: Lost) -> Iterator[Object]:
    at_ms = copy.started_ms
    last = max((step.turn.at_ms or 0 for step in steps), default=0)
    head: Object = {
        "sessionId": copy.native_id,
        "projectHash": _hash(copy.cwd),
        "startTime": at_text(None, copy.started_ms),
        "lastUpdated": at_text(last or None, copy.started_ms),
        "kind": "main",
    }
    summary = {"summary": copy.title} if copy.title else {}
    yield head | summary | marked(copy.origin)
    for step in steps:
        at_ms = at_ms if step.turn.at_ms is None else step.turn.at_ms
        at = at_text(None, at_ms)
        own: Object = {"id": copy_id(copy.origin, step.turn.stream, step.turn.ordinal), "timestamp": at}
        by_model = {"type": "gemini", **({"model": step.turn.model} if step.turn.model else {})}
        if isinstance(step, Called):
            yield own | by_model | {"content": "", "toolCalls": [_call(step, own, at)]}
        elif step.kind == "thinking":
            subject, _, description = step.text.partition("\n")
            thought = {"subject": subject, "description": description, "timestamp": at}
            yield own | by_model | {"content": "", "thoughts": [thought]}
        elif step.role == "assistant":
            yield own | by_model | {"content": step.text}
        else:
            yield own | {"type": "user", "content": [{"text": step.text}]}


def _call(step: Called, own: Object, at: str) -> Object:
    assert step.turn.call is not None
    name, call_id = tool_name(step.turn.call.name), f"{string(own, 'id')}"
    response = {"error" if step.has_failed else "output": step.output}
    return {
        "id": call_id,
        "name": name,
        "args": step.arguments,
        "result": [{"functionResponse": {"id": call_id, "name": name, "response": response}}],
        "status": "error" if step.has_failed else "success",
        "timestamp": at,
        "resultDisplay": step.output,
        "displayName": name,
        "description": "",
    }


def _closing(at: str) -> Object:
    """Say that a session was touched: Gemini CLI removes those to which nothing was added for 30 days."""
    return {"$set": {"lastUpdated": at}, **marked(None, is_last=True)}


GEMINI_CLI = Target(
    gemini_cli.NAME,
    _place,
    _known,
    _renamed,
    _built,
    lambda native_id: ("gemini", "--resume", native_id),
    closing=_closing,
)
