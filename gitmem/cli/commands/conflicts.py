"""`gitmem conflicts`: sessions that went on in two places, and notes that two others took the place of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.rendering import iso
from gitmem.cli.text import one_line

if TYPE_CHECKING:
    from gitmem.notes.listing import Divided
    from gitmem.verbs.forking import Fork


@click.command("conflicts", cls=Command, examples=["gitmem conflicts", "gitmem conflicts --json"])
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """List the sessions that went on in two places: who went on with each, when, and for how long.

    Nothing has to be done about them. Both continuations are kept, searched and shown, each as a stream of
    its own. Notes that were replaced in two ways are listed too: both stand, until one takes the place of
    both. Ends with 1 where there is none of either.
    """
    from gitmem.notes.listing import find_divided
    from gitmem.verbs.forking import find_forks
    from gitmem.verbs.listing import Summaries

    context: Context = ctx.obj
    with opened_memory(context) as memory:
        listing = Summaries(memory, context.repository.state_dir, context.repository.name).all()
        forks = list(find_forks(memory, listing.summaries))
        divided = find_divided(memory, context.repository.state_dir)
    if as_json:
        notes = [_note_as_json(each) for each in divided]
        context.output.json({"conflicts": [_as_json(fork) for fork in forks], "notes": notes})
    elif forks or divided:
        with context.telling() as output:
            _say(output, forks, context.now_ms())
            _say_notes(output, divided, context.now_ms())
    else:
        context.output.warn("no session went on in two places, and no note was replaced in two ways")
    if not (forks or divided):
        ctx.exit(1)


def _say(output: Output, forks: list[Fork], now_ms: int) -> None:
    from gitmem.cli.rendering import ago
    from gitmem.cli.text import count
    from gitmem.model.times import to_ms

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


def _say_notes(output: Output, divided: Sequence[Divided], now_ms: int) -> None:
    from gitmem.cli.rendering import ago

    for each in divided:
        output.say(Styled(each.note.short_address, "name"), f"  {one_line(each.note.title)}")
        rows: list[list[Part]] = [
            [
                "",
                Styled(heir.short_address, "name"),
                Styled(ago(heir.at_ms, now_ms), "dim"),
                one_line(heir.author.name),
                one_line(heir.title),
            ]
            for heir in each.heirs
        ]
        output.table(rows, flexible=4)
        both = " ".join(f"--supersedes {heir.short_address}" for heir in each.heirs)
        output.say(Styled(f"  gitmem note add {both} TEXT: says what holds", "dim"))


def _note_as_json(divided: Divided) -> dict[str, Any]:
    return {
        "note": divided.note.address,
        "title": divided.note.title,
        "heirs": [
            {
                "note": heir.address,
                "title": heir.title,
                "author": heir.author.name,
                "email": heir.author.email,
                "at": iso(heir.at_ms),
            }
            for heir in divided.heirs
        ],
    }


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
