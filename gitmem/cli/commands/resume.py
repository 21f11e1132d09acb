"""`gitmem resume`: a session is written back into an agent's own place, and goes on there."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.resuming import as_json_of, hand_over, say


@click.command(
    "resume",
    cls=Command,
    examples=[
        "gitmem resume claude-code/0f3a81c2",
        "gitmem resume claude-code/0f3a81c2 --agent codex",
        "gitmem resume --dry-run --json codex/01992b7e",
    ],
)
@click.argument("session", metavar="SESSION")
@click.option("--agent", metavar="NAME", help="Hand it to this agent; without, to its own.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Write another copy, though one stands there.")
@click.option("-n", "--dry-run", "is_dry", is_flag=True, help="Only say what would be written and lost.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def command(
    context: Context, session: str, agent: str | None, is_fresh: bool, is_dry: bool, as_json: bool
) -> None:
    """Write a session into an agent's own place and form, and print the command that resumes it there.

    NAME is claude-code, codex, gemini-cli or opencode. To its own agent a session goes as it is stored; to
    another one its messages, thoughts, tool calls and results do, and what is lost is said. What stands there
    is never written over. What is captured of it later goes on with the session, or is a fork of it.
    """
    handed = hand_over(context, session, agent, is_fresh=is_fresh, is_dry=is_dry)
    if as_json:
        context.output.json(as_json_of(handed))
    say(context, handed, with_command=not as_json)
