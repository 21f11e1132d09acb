"""Codex's threads: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, each begun by a `session_meta`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gitmem.handing_over.steps import Called, Lost, Said, Step
from gitmem.handing_over.target import Copy, Target, at_text, tool_name
from gitmem.model.ids import MAIN_STREAM
from gitmem.transcripts import codex, folders
from gitmem.transcripts.fields import Object, child, children, string
from gitmem.transcripts.handed import MARK, copy_id, marked


def _place(home: Path, environ: Mapping[str, str], copy: Copy, stream: str) -> Path:
    thread = copy.native_id if stream == MAIN_STREAM else stream.removeprefix("agent-")
    at = at_text(copy.started_ms, 0)
    day, time = at[:10].replace("-", "/"), at[:19].replace(":", "-")
    return folders.codex(home, environ)[0] / day / f"rollout-{time}-{thread}.jsonl"


def _known(home: Path, environ: Mapping[str, str], native_id: str) -> Iterator[Path]:
    for root in folders.codex(home, environ):
        yield from sorted(root.rglob(f"rollout-*-{native_id}.jsonl"))


def _renamed(records: Iterable[Object], copy: Copy, stream: str, lost: Lost) -> Iterator[Object] | None:
    """A thread of a subagent has a name of its own that others know it by, and stays behind."""
    return _renamed_thread(records, copy, lost) if stream == MAIN_STREAM else None


_META: Final = frozenset(
    ("id", "session_id", "timestamp", "cwd", "originator", "cli_version", "source", "git", "forked_from_id")
)
"""What of a thread's first line comes along. Codex would take its instructions for those of the program,
though anybody may have written them, and refuses a provider of models that is not set here."""

_SETTINGS: Final = "settings of the place it began in"
_INSTRUCTIONS: Final = "instructions of the program"


def _renamed_thread(records: Iterable[Object], copy: Copy, lost: Lost) -> Iterator[Object]:
    is_first, at = True, at_text(None, copy.started_ms)
    for stored in records:
        record = {key: value for key, value in stored.items() if key != MARK}
        payload, kind = child(record, "payload"), string(record, "type")
        at = string(record, "timestamp") or at
        if kind == "session_meta" and is_first:
            is_first = False
            lost[_INSTRUCTIONS] += "base_instructions" in payload
            lost[_SETTINGS] += len(payload.keys() - _META - {"base_instructions"})
            own: Object = {key: value for key, value in payload.items() if key in _META}
            own |= {"id": copy.native_id, "forked_from_id": copy.origin.native_id, "cwd": str(copy.cwd)}
            if "session_id" in own:
                own["session_id"] = copy.native_id
            if copy.stream != MAIN_STREAM:
                own["source"] = "cli"  # it is nobody's subagent now
            yield {**record, "payload": own | marked(copy.origin)}
            # What comes before the first turn has no name to be known by as a copy.
            yield _event(at, _started(copy, 0))
        elif kind == "turn_context":
            lost[_SETTINGS] += 1
            if (turn_id := string(payload, "turn_id")) is not None:
                yield {**record, "type": "event_msg", "payload": _turn(turn_id)}
        elif kind in ("session_meta", "world_state") or string(payload, "type") == "thread_settings_applied":
            lost[_SETTINGS] += 1
        elif kind == "response_item" and _is_instruction(payload):
            lost[_INSTRUCTIONS] += 1
        elif kind == "compacted" and "replacement_history" in payload:
            items = children(payload, "replacement_history")
            kept = [item for item in items if not _is_instruction(item)]
            lost[_INSTRUCTIONS] += len(items) - len(kept)
            yield {**record, "payload": {**payload, "replacement_history": kept}}
        else:
            yield record
    if copy.title and not copy.has_title:
        yield _event(at, _named(copy))


def _is_instruction(item: Object) -> bool:
    """Tell what the program said to the model, which it says again where it resumes."""
    return string(item, "type") == "message" and string(item, "role") in ("developer", "system")


def _built(steps: Sequence[Step], copy: Copy, lost: Lost) -> Iterator[Object]:
    at = at_text(None, copy.started_ms)
    meta: Object = {
        "id": copy.native_id,
        "timestamp": at,
        "cwd": str(copy.cwd),
        "originator": "codex_cli_rs",
        "cli_version": "0.0.0",
        "source": "cli",
    }
    git = {"git": {"branch": copy.branch}} if copy.branch else {}
    yield {"timestamp": at, "type": "session_meta", "payload": meta | git | marked(copy.origin)}
    is_begun = False
    for step in steps:
        at = at_text(step.turn.at_ms, copy.started_ms) if step.turn.at_ms is not None else at
        if not is_begun or (isinstance(step, Said) and step.role == "user"):
            is_begun = True
            yield _event(at, _started(copy, step.turn.ordinal))
        if isinstance(step, Called):
            yield from _call(step, copy, at)
        elif step.kind == "thinking":
            yield _event(at, {"type": "agent_reasoning", "text": step.text})
        else:
            content = {"type": "output_text" if step.role == "assistant" else "input_text", "text": step.text}
            yield _item(at, {"type": "message", "role": step.role, "content": [content]})
            shown = "agent_message" if step.role == "assistant" else "user_message"
            told: Object = {"type": shown, "message": step.text}
            yield _event(at, told)
    if copy.title:
        yield _event(at, _named(copy))


def _named(copy: Copy) -> Object:
    return {"type": "thread_name_updated", "thread_id": copy.native_id, "thread_name": copy.title}


def _call(step: Called, copy: Copy, at: str) -> Iterator[Object]:
    assert step.turn.call is not None
    call_id = f"call_{copy_id(copy.origin, step.turn.stream, step.turn.ordinal).replace('-', '')[:24]}"
    arguments = msgspec.json.encode(step.arguments).decode()
    name = tool_name(step.turn.call.name)
    yield _item(at, {"type": "function_call", "name": name, "arguments": arguments, "call_id": call_id})
    yield _item(at, {"type": "function_call_output", "call_id": call_id, "output": step.output})


def _started(copy: Copy, ordinal: int) -> Object:
    return _turn(copy_id(copy.origin, copy.stream, ordinal))


def _turn(turn_id: str) -> Object:
    return {"type": "task_started", "turn_id": turn_id, "model_context_window": None}


def _event(at: str, payload: Object) -> Object:
    return {"timestamp": at, "type": "event_msg", "payload": payload}


def _item(at: str, payload: Object) -> Object:
    return {"timestamp": at, "type": "response_item", "payload": payload}


def _finds(placed: Path, standing: Path) -> bool:
    """Codex looks below all days; on which day a thread began depends on where on earth that is asked."""
    return standing.is_relative_to(placed.parents[3])


CODEX = Target(
    codex.NAME,
    _place,
    _known,
    _renamed,
    _built,
    lambda native_id: ("codex", "resume", native_id),
    finds=_finds,
)
