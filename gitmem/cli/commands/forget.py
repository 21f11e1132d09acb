"""`gitmem forget`: sessions out of sight at once, and for good after a time of grace, or now."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.model.errors.base import UsageError
from gitmem.model.settings import Level

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.cli.selecting import Chosen

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
    """Forget sessions and notes: nobody sees them any more, and in time they are erased for good.

    SESSION may be a note, note/<id>; it goes with all that it took the place of. The time of grace is set by
    gitmem.grace (30 days), and --undo takes it back until then. With --now nothing can be taken back: a
    tombstone keeps what was erased from coming back, in every clone that meets it, and the memory's history
    begins anew without it. A push sends that, too.
    """
    from gitmem.cli.forgetting_text import say_listed, say_request
    from gitmem.cli.levels import opened_shelf
    from gitmem.cli.selecting import Choice, choose, confirm, only_forgotten, only_removed, waiting_rows

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
        chosen = choose(context, shelf, choice, due=due, with_checkpoints=now)
        if undo:
            chosen = chosen._replace(
                found=only_forgotten(context, shelf, choice, chosen.found),
                notes=only_removed(choice, chosen.notes),
            )
        if due and not (chosen.is_any or as_json):
            context.output.warn("nothing is due to be erased")
            return
        if dry_run or not chosen.is_any:
            word = "remembered again" if undo else "erased" if now or due else "forgotten"
            _say(context, chosen, f"would be {word}", as_json=as_json)
            if not (chosen.is_any or due):
                ctx.exit(1)
            return
        if undo:
            _undo(context, shelf, chosen, as_json)
            return
        confirm(context, choice, chosen, for_good=now or due, yes=yes)
        if now or due:
            _erase(context, shelf, chosen, reason, as_json)
        else:
            _hide(context, shelf, chosen, as_json)


def _say(context: Context, chosen: Chosen, word: str, until_ms: int | None = None, *, as_json: bool) -> None:
    from gitmem.cli.forgetting_text import say_done

    notes = _names(chosen)
    say_done(context, chosen.found, chosen.checkpoints, word, until_ms, as_json=as_json, notes=notes)


def _names(chosen: Chosen) -> dict[Level, list[str]]:
    return {"team": [note.name for note in chosen.notes]} if chosen.notes else {}


def _hide(context: Context, shelf: Shelf, chosen: Chosen, as_json: bool) -> None:
    from gitmem.cli.forgetting import hide
    from gitmem.cli.note_removing import hide_notes
    from gitmem.cli.noting import desk_of

    until_ms = context.now_ms() + context.settings.grace_days * 86_400_000
    for each in chosen.found:
        hide(context, shelf, each, until_ms)
    if chosen.notes:
        hide_notes(context, desk_of(context, shelf.storage), chosen.notes)
    _say(context, chosen, "forgotten", until_ms, as_json=as_json)


def _undo(context: Context, shelf: Shelf, chosen: Chosen, as_json: bool) -> None:
    from gitmem.cli import note_removing
    from gitmem.cli.forgetting import show_again
    from gitmem.cli.noting import desk_of

    for each in chosen.found:
        show_again(context, shelf, each)
    if chosen.notes:
        note_removing.show_again(context, desk_of(context, shelf.storage), chosen.notes)
    _say(context, chosen, "remembered again", as_json=as_json)


def _erase(context: Context, shelf: Shelf, chosen: Chosen, reason: str, as_json: bool) -> None:
    from gitmem.cli.forgetting import erase_for_good, follow
    from gitmem.cli.forgetting_text import say_erased

    found, checkpoints, notes = chosen.found, chosen.checkpoints, _names(chosen)
    done = erase_for_good(context, shelf, found, _redacted(context, reason), checkpoints, notes)
    shed = [each.ids["private"] for each in found if "private" in each.ids]
    followed = follow(context, shelf.storage, shed)
    say_erased(context, found, checkpoints, done, followed, as_json=as_json, notes=notes)


def _redacted(context: Context, reason: str) -> str:
    from gitmem.cli.opening import redactor_of

    return redactor_of(context).text(reason) if reason else ""
