"""A session as a trajectory of the interchange format, its subagents inside of it.

What the model thought, said and called in one message is one step, as far as all of it has one id and one
time; a result stands in the step that called for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec

from gitmem.handing_over.about import About
from gitmem.handing_over.steps import Lost
from gitmem.handing_over.target import at_text
from gitmem.model.ids import MAIN_STREAM
from gitmem.model.turns import Tokens, ToolCall, Turn
from gitmem.transcripts.fields import Object, child, string
from gitmem.transcripts.trajectory import OWN_EXTRA, VERSION, metrics_of

_SOURCES = {"user": "user", "assistant": "agent", "system": "system"}


def trajectory(about: About, turns: Iterable[Turn], lost: Lost) -> Object:
    """Return the document."""
    streams: dict[str, _Steps] = {MAIN_STREAM: _Steps(lost)}
    for turn in turns:
        streams.setdefault(turn.stream, _Steps(lost)).take(turn)
    main = streams.pop(MAIN_STREAM)
    agent = {"name": about.key.agent, "version": about.header.agent_version or "unknown"}
    document: Object = {
        "schema_version": VERSION,
        "session_id": about.key.native_id,
        "agent": agent | ({"model_name": about.header.model} if about.header.model else {}),
        "steps": main.finished(),
        "final_metrics": _totals(main, streams.values()),
        "extra": {OWN_EXTRA: {key: value for key, value in about.fields.items() if key != "model"}},
    }
    if streams:
        document["subagent_trajectories"] = [
            {
                "schema_version": VERSION,
                "session_id": about.key.native_id,
                "trajectory_id": name.removeprefix("agent-"),
                "agent": agent,
                "steps": steps.finished(),
            }
            for name, steps in streams.items()
        ]
    return document


class _Steps:
    """The steps of one stream, as turns come in."""

    def __init__(self, lost: Lost) -> None:
        self.tokens = Tokens()
        self._lost = lost
        self._steps: list[Object] = []
        self._of_call: dict[str, Object] = {}

    def take(self, turn: Turn) -> None:
        """Put a turn into the step that it belongs to."""
        self.tokens = _sum(self.tokens, turn.tokens)
        if turn.result is not None:
            self._take_result(turn)
            return
        step = self._open_for(turn)
        if turn.call is not None:
            cast("list[Object]", step.setdefault("tool_calls", [])).append(_call(turn, turn.call))
            if turn.call.id is not None:
                self._of_call[turn.call.id] = step
        elif turn.kind == "thinking":
            step["reasoning_content"] = turn.text
        else:
            step["message"] = turn.text

    def finished(self) -> list[Object]:
        """Return the steps, numbered; there has to be one, which may say nothing."""
        steps = self._steps or [{"source": "system", "message": ""}]
        return [{"step_id": n, **step} for n, step in enumerate(steps, 1)]

    def _open_for(self, turn: Turn) -> Object:
        fresh = _step(turn)
        if self._steps and turn.role == "assistant" and turn.tokens is None:
            last = self._steps[-1]
            if _is_same(last, fresh) and _has_room(last, turn):
                return last
        if turn.tokens is not None:
            fresh["metrics"] = metrics_of(turn.tokens)
        self._steps.append(fresh)
        return fresh

    def _take_result(self, turn: Turn) -> None:
        assert turn.result is not None
        step = self._of_call.get(turn.result.call_id or "")
        if step is None:
            self._lost["results whose call is not known"] += 1
            step = _step(turn)
            self._steps.append(step)
        result: Object = {"content": turn.text}
        if step["source"] == "agent" and turn.result.call_id in self._of_call:
            result["source_call_id"] = turn.result.call_id
        own = {"is_error": turn.result.is_error or None, "exit_status": turn.result.exit_status}
        told = {key: value for key, value in own.items() if value is not None}
        if told:
            result["extra"] = {OWN_EXTRA: told}
        observation = cast("dict[str, list[Object]]", step.setdefault("observation", {"results": []}))
        observation["results"].append(result)


def _call(turn: Turn, call: ToolCall) -> Object:
    """Return a call with an id and an object of arguments, which the format asks for; `extra` tells."""
    is_object = call.input.lstrip().startswith("{")
    own = {"has_no_id": call.id is None or None, "is_wrapped": not is_object or None}
    told = {key: value for key, value in own.items() if value is not None}
    given = msgspec.Raw(call.input.encode())
    called: Object = {
        "tool_call_id": f"call-{turn.ordinal}" if call.id is None else call.id,
        "function_name": call.name,
        "arguments": given if is_object else {"input": given},
    }
    return called | ({"extra": {OWN_EXTRA: told}} if told else {})


def _step(turn: Turn) -> Object:
    step: Object = {"source": _SOURCES.get(turn.role, "agent"), "message": ""}
    if turn.at_ms is not None:
        step["timestamp"] = at_text(turn.at_ms, 0)
    if turn.model and turn.role == "assistant":
        step["model_name"] = turn.model
    own = {
        "id": turn.id,
        "parent": turn.parent,
        "author": turn.author,
        "cwd": turn.cwd,
        "branch": turn.branch,
        "kind": "preamble" if turn.kind == "preamble" else None,
    }
    told = {key: value for key, value in own.items() if value is not None}
    return step | ({"extra": {OWN_EXTRA: told}} if told else {})


def _is_same(step: Object, fresh: Object) -> bool:
    """Whether a turn is of the same message as a step, by what both say of it."""
    keys = ("source", "timestamp", "model_name")
    is_alike = all(step.get(key) == fresh.get(key) for key in keys)
    return is_alike and step.get("extra") == fresh.get("extra") and string(_own(step), "id") is not None


def _own(step: Object) -> Object:
    return child(child(step, "extra"), OWN_EXTRA)


def _has_room(step: Object, turn: Turn) -> bool:
    if "observation" in step:
        return False
    if turn.call is not None:
        return True
    if "tool_calls" in step or step["message"]:
        return False
    return turn.kind == "message"


def _totals(main: _Steps, streams: Iterable[_Steps]) -> Object:
    """Return what all used; steps are those of the trajectory that says it."""
    every = main.tokens
    for steps in streams:
        every = _sum(every, steps.tokens)
    return {
        "total_prompt_tokens": every.input + every.cache_read + every.cache_write,
        "total_completion_tokens": every.output,
        "total_cached_tokens": every.cache_read,
        "total_steps": len(main.finished()),
    }


def _sum(one: Tokens, other: Tokens | None) -> Tokens:
    if other is None:
        return one
    pairs = zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    return Tokens(*(a + b for a, b in pairs))
