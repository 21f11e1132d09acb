"""A trajectory of an invented harbour in the interchange format, with a subagent's and one below that."""

from __future__ import annotations

from typing import Any

OWN: dict[str, Any] = {
    "title": "Lock gates",
    "cwd": "/home/ada/tideline",
    "branch": "main",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "started_at": "2026-05-08T09:00:00Z",
}


def step(number: int, source: str, message: object, **more: Any) -> dict[str, Any]:
    return {
        "step_id": number,
        "timestamp": f"2026-05-08T09:{number:02}:00Z",
        "source": source,
        "message": message,
        **more,
    }


def trajectory(session_id: str | None, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {"session_id": session_id} if session_id is not None else {}
    agent = {"name": "lockkeeper", "version": "3.1", "model_name": "gpt-x"}
    return {"schema_version": "ATIF-v1.7", **named, "agent": agent, "steps": list(steps), **more}


def call(call_id: str, name: str, **arguments: object) -> dict[str, Any]:
    return {"tool_call_id": call_id, "function_name": name, "arguments": arguments}


def result(call_id: str | None, content: object, **more: Any) -> dict[str, Any]:
    return {"source_call_id": call_id, "content": content, **more}


def lock_gates() -> dict[str, Any]:
    below = trajectory("sub-2", step(1, "user", "Look at gate 2."), step(2, "agent", "It leaks."))
    sub = trajectory(
        "sub-1",
        step(1, "user", "Find which gates leak."),
        step(2, "agent", "I ask for gate 2.", model_name="gpt-x-mini", metrics={"prompt_tokens": 9}),
        subagent_trajectories=[below],
    )
    ref = {"session_id": "sub-1", "trajectory_path": None}
    picture = {"type": "image", "source": {"media_type": "image/png", "path": "gate.png"}}
    return trajectory(
        "lock/../1",
        step(1, "system", "You keep the lock."),
        step(2, "user", "An earlier question.", is_copied_context=True),
        step(3, "user", [{"type": "text", "text": "Why does the lock take so long?"}, picture]),
        step(
            4,
            "agent",
            "I measure the gates.",
            reasoning_content="Perhaps a leak.",
            model_name="gpt-x-large",
            tool_calls=[
                call("t1", "shell", command="lockctl time --gate 1"),
                call("t2", "edit", path="lock.toml", old_string="gates = 1", new_string="gates = 2"),
                call("t3", "delegate", task="Find which gates leak."),
            ],
            observation={
                "results": [
                    result("t1", "14 min\n", extra={"gitmem": {"exit_status": 3}}),
                    result("t2", [{"type": "text", "text": "refused"}], extra={"gitmem": {"is_error": True}}),
                    result("t3", "Gate 2 leaks.", subagent_trajectory_ref=[ref]),
                ]
            },
            metrics={
                "prompt_tokens": 1200,
                "completion_tokens": 80,
                "cached_tokens": 900,
                "cost_usd": 0.01,
                "extra": {"reasoning_tokens": 30, "cache_creation_input_tokens": 100},
            },
        ),
        step(5, "system", "", observation={"results": [result(None, "The tide turned.")]}),
        step(
            6,
            "agent",
            "",
            tool_calls=[call("t4", "wait")],
            metrics={"prompt_tokens": 5, "completion_tokens": 1},
        ),
        step(7, "harbourmaster", "Ahoy."),
        step(
            8,
            "user",
            "Be brief.",
            extra={
                "gitmem": {
                    "kind": "preamble",
                    "id": "u8",
                    "parent": "u3",
                    "author": "Ada",
                    "cwd": "/home/ada",
                }
            },
        ),
        step(9, "agent", "Mend gate 2."),
        notes="Written by hand.",
        final_metrics={"total_steps": 9},
        extra={"gitmem": OWN},
        subagent_trajectories=[sub, sub, {"session_id": "no-steps"}],
    )
