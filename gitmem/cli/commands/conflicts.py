"""`gitmem conflicts`: sessions that went on in two places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Part, Styled
from gitmem.cli.text import one_line

if TYPE_CHECKING:
    from gitmem.verbs.forking import Fork


@click.command("conflicts", cls=Command, examples=["gitmem conflicts", "gitmem conflicts --json"])
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """List the sessions that went on in two places: who went on with each, when, and for how long.

    Nothing has to be done about them. Both continuations are kept, searched and shown, each as a stream of
    its own. Ends with 1 where there is none.
    """
    from gitmem.verbs.forking import find_forks
    from gitmem.verbs.listing import Summaries

    context: Context = ctx.obj
    with opened_memory(context) as memory:
        listing = Summaries(memory, context.repository.state_dir, context.repository.name).all()
        forks = list(find_forks(memory, listing.summaries))
    if as_json:
        context.output.json({"conflicts": [_as_json(fork) for fork in forks]})
    elif forks:
        _say(context, forks)
    else:
        context.output.warn("no session went on in two places")
    if not forks:
        ctx.exit(1)


def _say(context: Context, forks: list[Fork]) -> None:
    from gitmem.cli.rendering import ago
    from gitmem.cli.text import count
    from gitmem.model.times import to_ms

    now_ms = context.now_ms()
    with context.telling() as output:
        for fork in forks:
            title = one_line(fork.summary.title or "(no title)")
            output.say(Styled(str(fork.summary.key), "name"), f"  {title}")
            rows: list[list[Part]] = [
                [
                    "",
                    one_line(each.stream or "main"),
                    Styled(ago(to_ms(each.at), now_ms), "dim"),
                    one_line(each.author.name),
                    f"{count(each.own_lines, 'line')} of its own, after {fork.shared_lines:,}",
                ]
                for each in fork.continuations
            ]
            output.table(rows, flexible=4)


def _as_json(fork: Fork) -> dict[str, Any]:
    return {
        "session": str(fork.summary.key),
        "id": fork.summary.session,
        "title": fork.summary.title,
        "stream": fork.stream,
        "shared_lines": fork.shared_lines,
        "continuations": [
            {
                "stream": each.stream,
                "author": each.author.name,
                "email": each.author.email,
                "at": each.at,
                "lines": each.own_lines,
            }
            for each in fork.continuations
        ],
    }
