"""The Agent Trajectory Interchange Format: what its reader and whoever writes it have to agree on.

A trajectory is `{schema_version, session_id, trajectory_id?, agent, steps, notes?, final_metrics?, extra?,
subagent_trajectories?, continued_trajectory_ref?}`, a step `{step_id, timestamp?, source, model_name?,
message, reasoning_content?, tool_calls?, observation?, metrics?, is_copied_context?, extra?}`; steps are
numbered from 1. `message` and an observation's `content` are text, or a list of `{type: text|image, …}`.
Agents alone have models, reasoning, tool calls and metrics. Source: Harbor's RFC 0001, versions 1.0 to 1.7.
"""

from __future__ import annotations

from typing import Final, Literal

from gitmem.model.turns import Tokens
from gitmem.transcripts.fields import Object, child, count

VERSION: Final = "ATIF-v1.7"
"""What is written; all of 1.x are read, for later ones only add fields."""

READ_VERSIONS: Final = "ATIF-v1."
SUFFIX: Final = ".trajectory.json"

Source = Literal["system", "user", "agent"]

OWN_EXTRA: Final = "gitmem"
"""The member of any `extra` below which gitmem puts what the format has no place for.

Of a trajectory: `title`, `cwd`, `branch`, `commit`, `forked_from`, `started_at`. Of a step: `id`, `parent`,
`author`, `cwd`, `branch`, and `kind`, where the source does not tell it (`preamble`). Of a call:
`has_no_id`, and `is_wrapped` where its arguments are no object and stand at `input` of one. Of a result:
`is_error`, `exit_status`. Names and meanings are those of the normal form.
"""


def own_extra(parent: Object) -> Object:
    """Return what gitmem put beside the format's own fields of a trajectory, a step or a result."""
    return child(child(parent, "extra"), OWN_EXTRA)


def tokens_of(metrics: Object) -> Tokens:
    """Read a step's metrics; the format's prompt includes what came from the cache, ours does not."""
    prompt, cached = count(metrics, "prompt_tokens"), count(metrics, "cached_tokens")
    extra = child(metrics, "extra")
    written = count(extra, "cache_creation_input_tokens")
    return Tokens(
        input=max(0, prompt - cached - written),
        output=count(metrics, "completion_tokens"),
        cache_read=cached,
        cache_write=written,
        reasoning=count(extra, "reasoning_tokens"),
    )


def metrics_of(tokens: Tokens) -> Object:
    """Return tokens as a step's metrics; `tokens_of` gives them back."""
    metrics: Object = {
        "prompt_tokens": tokens.input + tokens.cache_read + tokens.cache_write,
        "completion_tokens": tokens.output,
        "cached_tokens": tokens.cache_read,
    }
    extra: Object = {}
    if tokens.cache_write:
        extra["cache_creation_input_tokens"] = tokens.cache_write
    if tokens.reasoning:
        extra["reasoning_tokens"] = tokens.reasoning
    return metrics | {"extra": extra} if extra else metrics
