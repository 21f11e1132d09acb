"""`gitmem export`: sessions as documents that others can read."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.exporting import Form, export


@click.command(
    "export",
    cls=Command,
    examples=[
        "gitmem export claude-code/0f3a81c2 > session.md",
        "gitmem export --format html -o session.html claude-code/0f3a81c2",
        "gitmem export --format atif -o trajectories/ claude-code/0f3a81c2 codex/01992b7e",
        "gitmem export --format agent-trace claude-code/0f3a81c2",
    ],
)
@click.argument("sessions", metavar="SESSION…", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "html", "jsonl", "atif", "agent-trace"]),
    default="markdown",
    help="What to write; Markdown by default.",
)
@click.option(
    "-o",
    "--output",
    "to",
    metavar="FILE|DIR/",
    type=click.Path(path_type=str),
    help="Where to, in place of what is there; a folder takes a file for each session.",
)
@click.pass_obj
def command(context: Context, sessions: tuple[str, ...], form: Form, to: str | None) -> None:
    """Write sessions as documents: to read (markdown, html), to import again (jsonl, atif), or saying which
    lines at HEAD they wrote (agent-trace).

    What was redacted stays so. Documents are the user's alone to read until they say otherwise.
    """
    export(context, sessions, form, to)
