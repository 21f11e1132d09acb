"""`gitmem capture`: what has grown since last time."""

from __future__ import annotations

import gc
from typing import Final

from gitmem.cli.context import Context
from gitmem.cli.declared import Declared, Option
from gitmem.model.errors.base import UsageError


def capture(context: Context, words: tuple[str, ...], /, *, spool: bool, as_json: bool) -> int:
    """Take in what has grown, or only what hooks have left."""
    if words:
        hint = "gitmem import PATH: takes files and folders that are named"
        raise UsageError(f"could not capture {words[0]!r}: it captures what it finds itself", hint=hint)
    gc.enable()
    if spool:
        _drain(context, as_json)
        return 0
    from gitmem.cli.capturing import take_in
    from gitmem.cli.intake import describe, report_as_json
    from gitmem.cli.text import count

    taken = take_in(context)
    if as_json:
        context.output.json({**report_as_json(taken.report), "checkpoints": taken.checkpoints})
        return 0
    if taken.report.files:
        describe(context, taken.report)
    elif not taken.checkpoints:
        context.output.say("nothing has grown since last time")
    if taken.checkpoints:
        context.output.say(f"{count(len(taken.checkpoints), 'checkpoint')} of what hooks had left")
    return 0


command: Final = Declared(
    name="capture",
    about="""\
Take in what has grown in the agents' own transcripts of this repository since last time.

What hooks have left behind, and nobody has taken, becomes checkpoints as well. With --spool, as git's hooks
run it, only that: it ends at once where another process drains already. Then the memory follows the code that
was pushed or pulled, to and from the remotes that were chosen.
""",
    words="",
    options=(
        Option(
            ("--spool",),
            "spool",
            "Take what hooks have left behind, and make checkpoints of it.",
            kind="flag",
        ),
        Option(("--json",), "as_json", "Print what came of it as JSON.", kind="flag"),
    ),
    examples=("gitmem capture", "gitmem capture --spool"),
    run=capture,
)


def _drain(context: Context, as_json: bool) -> None:
    from gitmem.cli.carrying import carry
    from gitmem.cli.checkpointing import drained, without_author
    from gitmem.cli.opening import opened_memory
    from gitmem.cli.text import count
    from gitmem.why.touched import keep_warm

    context.environ = without_author(context.environ)
    try:
        done = drained(context, carries=True)
        if done.checkpoints:
            with opened_memory(context) as memory:
                keep_warm(memory, context.repository.state_dir)
    finally:
        carry(context)
    if as_json:
        context.output.json(
            {
                "checkpoints": done.checkpoints,
                "without": done.without,
                "bad": done.bad,
                "left": done.left,
                "busy": done.is_busy,
            }
        )
        return
    told = [count(len(done.checkpoints), "checkpoint")]
    told += [f"{count(done.without, 'event')} that added nothing"] if done.without else []
    told += [f"{count(done.bad, 'file')} that held no event"] if done.bad else []
    told += [f"{count(done.left, 'event')} left for later"] if done.left else []
    context.output.say("another process drains the spool" if done.is_busy else ", ".join(told))
