"""A session in the neutral form: a line that describes it, and one for each turn; imported again, it says the
same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gitmem.handing_over.about import About
from gitmem.handing_over.steps import Lost
from gitmem.handing_over.target import at_text
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Turn
from gitmem.transcripts.fields import Object


def neutral(about: About, turns: Iterable[Turn], lost: Lost) -> Iterator[bytes]:
    """Yield the lines; there is no room in them for the streams of subagents."""
    yield _line({"session": about.fields | {"id": about.key.native_id, "agent": about.key.agent}})
    for turn in turns:
        if turn.stream == MAIN_STREAM:
            yield _line(_unknown(turn, about) | _message(turn))
        else:
            lost["turns of subagents and forks"] += 1


def _unknown(turn: Turn, about: About) -> Object:
    """Return what is known of the session and not of a turn, which else would take it for its own."""
    header = about.header
    known = {"model": header.model, "cwd": header.cwd, "branch": header.branch}
    if turn.role != "assistant":
        del known["model"]
    return {key: None for key, value in known.items() if value is not None}


def _message(turn: Turn) -> Object:
    message: Object = {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "kind": turn.kind,
        "author": turn.author,
        "at": None if turn.at_ms is None else at_text(turn.at_ms, 0),
        "text": "" if turn.call else turn.text,
        "model": turn.model,
        "cwd": turn.cwd,
        "branch": turn.branch,
    }
    if turn.call is not None:
        message["tool_calls"] = [
            {"id": turn.call.id, "name": turn.call.name, "input": msgspec.Raw(turn.call.input.encode())}
        ]
    if turn.result is not None:
        message |= {"call_id": turn.result.call_id, "is_error": turn.result.is_error}
        message["exit_status"] = turn.result.exit_status
    if turn.tokens is not None:
        message["tokens"] = msgspec.to_builtins(turn.tokens)
    return {key: value for key, value in message.items() if value is not None}


def _line(value: Object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
