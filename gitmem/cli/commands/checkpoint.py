"""`gitmem checkpoint`: one now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context

if TYPE_CHECKING:
    from gitmem.checkpoints.means import Occasion


@click.command(
    "checkpoint",
    cls=Command,
    examples=["gitmem checkpoint", 'gitmem checkpoint -m "before the parser is split"'],
)
@click.option("-m", "--message", metavar="TEXT", default="", help="What to remember it by.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def command(context: Context, message: str, as_json: bool) -> None:
    """Record a checkpoint now: where the code stands, what is staged, how far the sessions have come.

    Prints its name, which `gitmem show` and `gitmem rewind` take.
    """
    from gitmem.checkpoints.recording import MAX_MESSAGE, record
    from gitmem.cli.checkpointing import drained, opened_means
    from gitmem.model.errors.arguments import BadMessage
    from gitmem.model.errors.base import GitmemError

    text = os.fsencode(message.strip()).decode("utf-8", "backslashreplace")
    if len(text) > MAX_MESSAGE:
        raise BadMessage(message, f"at most {MAX_MESSAGE:,} characters")
    occasion = _occasion(context, text)
    try:
        drained(context)
    except GitmemError as error:  # of another working tree, say; what concerns this one is met again
        context.output.warn("what waited could not all be taken in: ", str(error))
    with opened_means(context) as means:
        name = record(means, occasion)
        if not as_json:
            context.output.say(name)
            return
        from gitmem.checkpoints.listing import read
        from gitmem.cli.checkpoint_text import as_json as described
        from gitmem.format.memory import open_memory

        context.output.json(described(read(open_memory(means.storage, means.ref), name)))


def _occasion(context: Context, message: str) -> Occasion:
    from gitmem.checkpoints.events import Event
    from gitmem.checkpoints.means import Occasion
    from gitmem.checkpoints.worktrees import Worktree

    repository = context.repository
    event = Event(
        stem="",
        at_ns=context.now_ms() * 1_000_000,
        hook="manual",
        pid=os.getpid(),
        cwd=context.start,
        git_dir=repository.git_dir,
    )
    return Occasion(Worktree(repository), event, message)
