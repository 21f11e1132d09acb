"""`gitmem index`: the state of the search index, and bringing it up."""

from __future__ import annotations

import os
from typing import Final, cast

import click

from gitmem.cli.command import Group
from gitmem.cli.context import Context
from gitmem.cli.indexing import ask_indexer, meeting_of
from gitmem.cli.progress import size
from gitmem.cli.text import count
from gitmem.sidecar.wire import Json, Verb

_PATIENCE_S: Final = 10
"""How long a sidecar may take to finish what it is at."""


@click.group(
    "index",
    cls=Group,
    examples=["gitmem index status", "gitmem index update", "gitmem index rebuild", "gitmem index watch"],
)
def command() -> None:
    """The search index: made from the memory, and of no value beyond it.

    A search brings it up by itself; it may be deleted at any time.
    """


@command.command("status", examples=["gitmem index status --json"])
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _status(context: Context, as_json: bool) -> None:
    """Say what state the index is in, and change nothing."""
    _tell(context, "status", as_json)


@command.command("update", examples=["gitmem index update"])
@click.option("--json", "as_json", is_flag=True, help="Print the state afterwards as JSON.")
@click.pass_obj
def _update(context: Context, as_json: bool) -> None:
    """Bring the index to where the memory is, and return when it is there.

    What is derived of sessions that were erased goes, if it has not gone with them.
    """
    from gitmem.cli.derived import finish_forgetting

    finish_forgetting(context)
    _tell(context, "update", as_json)


@command.command("rebuild", examples=["gitmem index rebuild", "gitmem index watch"])
@click.option("--json", "as_json", is_flag=True, help="Print the state afterwards as JSON.")
@click.pass_obj
def _rebuild(context: Context, as_json: bool) -> None:
    """Make the index anew, whatever state it is in."""
    _tell(context, "rebuild", as_json)


@command.command("watch", examples=["gitmem index watch"])
@click.pass_obj
def _watch(context: Context) -> None:
    """Be the sidecar in this terminal until Ctrl-C: keep indexes up to date, and answer searches."""
    from gitmem.sidecar.meeting import retire
    from gitmem.sidecar.starting import command as indexer

    retire(meeting_of(context.environ))
    context.output.flush()
    program = indexer("watch", str(_PATIENCE_S))
    # In our place, so that signals and the terminal are its own.
    os.execve(program[0], program, {**context.environ})  # noqa: S606 (there is no shell to need)


@command.command("stop", examples=["gitmem index stop"])
@click.pass_context
def _stop(ctx: click.Context) -> None:
    """End the sidecar that runs in the background; the next search starts another one.

    Ends with 1 if there was none.
    """
    from gitmem.sidecar.meeting import retire

    context: Context = ctx.obj
    if not retire(meeting_of(context.environ)):
        context.output.warn("no sidecar runs")
        ctx.exit(1)


def _tell(context: Context, verb: Verb, as_json: bool) -> None:
    (answer,) = ask_indexer(context, verb)
    if as_json:
        context.output.json(answer)
        return
    behind = f", by {count(cast(int, answer['behind']), 'commit')}" if answer["behind"] else ""
    context.output.say(f"{answer['state']}{behind}")
    if answer["commit"]:
        turns, sessions = cast(int, answer["turns"]), cast(int, answer["sessions"])
        on_disk = size(cast(int, answer["size_bytes"]))
        context.output.say(f"{count(turns, 'turn')} of {count(sessions, 'session')}, {on_disk}")
        vectors, missing = cast(int, answer["vectors"]), cast(int, answer["unembedded"])
        if vectors or missing:
            waiting = f", {missing:,} texts have none yet" if missing else ""
            context.output.say(f"{vectors:,} vectors{waiting}")
    for row in cast(list[Json], answer["unreadable"]):
        context.output.warn(f"left out: {row['session']}: {row['why']}")
