"""`gitmem capture`: what has grown since last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.folders import home_of
from gitmem.cli.intake import count, describe, report_as_json, total_bytes
from gitmem.cli.opening import opened_intake, opened_storage

if TYPE_CHECKING:
    from gitmem.verbs.intake import Report


@click.command("capture", cls=Command, examples=["gitmem capture", "gitmem capture --spool"])
@click.option("--spool", is_flag=True, help="Take what hooks have left behind, and make checkpoints of it.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(context: Context, spool: bool, as_json: bool) -> None:
    """Take in what has grown in the agents' own transcripts of this repository since last time.

    What hooks have left behind, and nobody has taken, becomes checkpoints as well. With --spool, as git's
    hooks run it, only that: it ends at once where another process drains already.
    """
    if spool:
        _drain(context, as_json)
        return
    report = _capture(context)
    made = _drained_late(context)
    if as_json:
        context.output.json({**report_as_json(report), "checkpoints": made})
        return
    describe(context, report)
    if made:
        context.output.say(f"{count(len(made), 'checkpoint')} of what hooks had left")


def _capture(context: Context) -> Report:
    from gitmem.git.worktrees import working_trees
    from gitmem.verbs.importing import import_sources
    from gitmem.verbs.scanning import scan

    state_dir, tops = context.repository.state_dir, working_trees(context.repository)
    with opened_storage(context) as storage:
        found = scan(
            state_dir,
            tops,
            home_of(context),
            context.environ,
            context.now_ms() * 1_000_000,
            anew=storage.read_ref(context.settings.memory_ref) is None,
        )
        total = total_bytes(found.grown)
        with opened_intake(context, storage, total, whole=False, wait_s=10) as intake:
            report = import_sources(intake, found.grown)
        found.settle([refused.path for refused in report.refused])
    return report


def _drained_late(context: Context) -> tuple[str, ...]:
    """Take what hooks have left behind and no drain of theirs has taken; return the checkpoints' names."""
    from gitmem.checkpoints import spool

    if not spool.state(context.repository.state_dir).waiting:
        return ()
    from gitmem.cli.checkpointing import drained

    return drained(context).checkpoints


def _drain(context: Context, as_json: bool) -> None:
    from gitmem.cli.checkpointing import drained, without_author

    context.environ = without_author(context.environ)
    done = drained(context)
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
