"""`gitmem forget`: sessions out of sight at once, and for good after a time of grace, or now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.model.errors import UsageError
from gitmem.model.settings import Level

if TYPE_CHECKING:
    from gitmem.cli.forgetting import Found
    from gitmem.cli.levels import Shelf

_KEPT = get_args(Level)[:3]
_HINT = "gitmem forget SESSION…: forgets sessions; --author, --matching and --older-than choose some"


@click.command(
    "forget",
    cls=Command,
    examples=[
        "gitmem forget claude-code/0f3a81c2",
        "gitmem forget --undo claude-code/0f3a81c2",
        "gitmem forget --now claude-code/0f3a81c2 --reason 'a customer asked'",
        "gitmem forget --author ada@example.org --dry-run",
        "gitmem forget --older-than 2y --yes",
        "gitmem forget --request origin",
    ],
)
@click.argument("sessions", metavar="[SESSION]…", nargs=-1)
@click.option("--author", metavar="WHO", help="Those that somebody captured a part of: an address or a name.")
@click.option("--matching", metavar="REGEX", help="Those whose text, title or tags an expression fits (RE2).")
@click.option("--older-than", metavar="WHEN", help="Those that nothing was added to since 90d, 2y, a date …")
@click.option("--agent", metavar="NAME", help="Only sessions with this agent.")
@click.option(
    "--level", "levels", multiple=True, type=click.Choice(_KEPT), help="Only the copy that has this level."
)
@click.option("--now", is_flag=True, help="Erase them for good, at once.")
@click.option("--undo", is_flag=True, help="Take back that they are forgotten; what was erased stays so.")
@click.option("--due", is_flag=True, help="Erase what has been forgotten long enough, and what is too old.")
@click.option("--list", "listed", is_flag=True, help="List those that wait to be erased.")
@click.option("--request", metavar="REMOTE", help="Print what to ask the host of a remote for.")
@click.option("--reason", metavar="TEXT", default="", help="Why; whoever shares the memory can read it.")
@click.option("-n", "--dry-run", is_flag=True, help="List what would be done to which, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do it without being asked.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    sessions: tuple[str, ...],
    author: str | None,
    matching: str | None,
    older_than: str | None,
    agent: str | None,
    levels: tuple[Level, ...],
    now: bool,
    undo: bool,
    due: bool,
    listed: bool,
    request: str | None,
    reason: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Forget sessions: nobody sees them any more, and after a time of grace they are erased for good.

    The time is set by gitmem.grace (30 days), and --undo takes it back until then. With --now nothing can be
    taken back: a tombstone keeps what was erased from coming back, in every clone that meets it, and the
    memory's history begins anew without it. A push sends that, too.
    """
    from gitmem.cli.forgetting_text import say_done, say_listed, say_request
    from gitmem.cli.levels import opened_shelf
    from gitmem.cli.selecting import Choice, choose, confirm, only_forgotten, waiting_rows

    context: Context = ctx.obj
    if request is not None:
        say_request(context, request, as_json=as_json)
        return
    choice = Choice(sessions, author, matching, older_than, agent, levels or None)
    if not (choice.is_any or due or listed):
        raise UsageError("could not forget anything: expected a SESSION, or what chooses some", hint=_HINT)
    if sessions and choice.is_search:
        raise UsageError("could not forget SESSION and others at once: expected one or the other", hint=_HINT)
    if (now or due) and undo:
        raise UsageError("could not erase and take back at once: expected --now or --undo", hint=_HINT)
    with opened_shelf(context) as shelf:
        if listed:
            rows = waiting_rows(context, shelf)
            say_listed(context, rows, as_json=as_json)
            if not rows:
                ctx.exit(1)
            return
        found, checkpoints = choose(context, shelf, choice, due=due, with_checkpoints=now)
        if undo:
            found = only_forgotten(context, shelf, choice, found)
        if due and not (found or checkpoints or as_json):
            context.output.note("nothing is due to be erased")
            return
        if dry_run or not (found or checkpoints):
            word = "remembered again" if undo else "erased" if now or due else "forgotten"
            say_done(context, found, checkpoints, f"would be {word}", None, as_json=as_json)
            if not (found or checkpoints or due):
                ctx.exit(1)
            return
        if undo:
            _undo(context, shelf, found, as_json)
            return
        confirm(context, choice, found, checkpoints, for_good=now or due, yes=yes)
        if now or due:
            _erase(context, shelf, found, checkpoints, reason, as_json)
        else:
            _hide(context, shelf, found, as_json)


def _hide(context: Context, shelf: Shelf, found: Sequence[Found], as_json: bool) -> None:
    from gitmem.cli.forgetting import hide
    from gitmem.cli.forgetting_text import say_done

    until_ms = context.now_ms() + context.settings.grace_days * 86_400_000
    for each in found:
        hide(context, shelf, each, until_ms)
    say_done(context, found, {}, "forgotten", until_ms, as_json=as_json)


def _undo(context: Context, shelf: Shelf, found: Sequence[Found], as_json: bool) -> None:
    from gitmem.cli.forgetting import show_again
    from gitmem.cli.forgetting_text import say_done

    for each in found:
        show_again(context, shelf, each)
    say_done(context, found, {}, "remembered again", None, as_json=as_json)


def _erase(
    context: Context,
    shelf: Shelf,
    found: Sequence[Found],
    checkpoints: Mapping[Level, Sequence[str]],
    reason: str,
    as_json: bool,
) -> None:
    from gitmem.cli.forgetting import erase_for_good, follow
    from gitmem.cli.forgetting_text import say_erased

    done = erase_for_good(context, shelf, found, _redacted(context, reason), checkpoints)
    shed = [each.ids["private"] for each in found if "private" in each.ids]
    followed = follow(context, shelf.storage, shed)
    say_erased(context, found, checkpoints, done, followed, as_json=as_json)


def _redacted(context: Context, reason: str) -> str:
    from gitmem.cli.opening import redactor_of

    return redactor_of(context).text(reason) if reason else ""
