"""`gitmem import`: transcripts from files and folders."""

from __future__ import annotations

from pathlib import Path

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.intake import describe, is_passed_over, report_as_json
from gitmem.cli.levels import take_sources
from gitmem.cli.opening import opened_storage
from gitmem.model.errors.base import UsageError


@click.command(
    "import",
    cls=Command,
    examples=[
        "gitmem import ~/.claude/projects/-home-ada-tides",
        "gitmem import --agent generic log.jsonl",
    ],
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--agent", help="Whose transcripts they are, where that cannot be told from the files.")
@click.option("--again", is_flag=True, help="Take in what was forgotten, too: as new sessions.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_context
def command(
    ctx: click.Context, paths: tuple[Path, ...], agent: str | None, again: bool, as_json: bool
) -> None:
    """Take transcripts into this repository's memory.

    Folders are searched for transcripts; the agent is recognised by the content. Stopping is harmless:
    the same command goes on where it was, and importing again stores only what is new.
    """
    from gitmem.transcripts.detect import AGENTS
    from gitmem.verbs.finding import named_sources

    context: Context = ctx.obj
    if agent is not None and agent not in AGENTS:
        raise UsageError(
            f"could not import as {agent!r}: there is no such agent",
            hint=f"gitmem import --agent NAME: knows {', '.join(AGENTS)}",
        )
    named = [context.start / path for path in paths]
    with opened_storage(context) as storage:
        sources = list(named_sources(named, agent))
        report = take_sources(
            context, storage, sources, whole=True, wait_s=3600, action="import", again=again
        )
    if as_json:
        context.output.json(report_as_json(report))
    else:
        describe(context, report, named)
    is_missed = any(not is_passed_over(refused, named) for refused in report.refused)
    if is_missed or (len(report.refused) == report.files and not report.diverted):
        ctx.exit(1)
