"""`gitmem note`: decisions, patterns and reminders that people and agents write down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Group, recurse_option
from gitmem.cli.context import Context
from gitmem.model.errors.base import UsageError
from gitmem.model.settings import LEVELS

if TYPE_CHECKING:
    from gitmem.cli.noting import Written
    from gitmem.format.memory import Memory
    from gitmem.notes.listing import Listed

_TYPES = ("decision", "pattern", "reminder")
"""As gitmem.model.records has them, which would load a library that help has no use for."""


@click.group(
    "note",
    cls=Group,
    examples=[
        "gitmem note add 'One lock per repository, since pushes race.'",
        "gitmem note add --kind reminder --due 2026-07-01 'Drop the old reader.'",
        "gitmem note list --due",
        "gitmem note done note/1f2e3d4c",
    ],
)
def command() -> None:
    """What is to be remembered beside the sessions: decisions, patterns, and reminders.

    Notes are synced and merged as sessions are, and found by a search with the rest. NOTE is note/<id>, or
    the beginning of it.
    """


def _describing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what a note is about."""
    options = [
        click.option(
            "--kind", type=click.Choice(_TYPES), help="What it is; without, a decision, or a reminder."
        ),
        click.option("--due", metavar="DATE", help="When to be reminded: a date, or in 7d, 2w, …"),
        click.option(
            "--file", "files", metavar="PATH", multiple=True, help="A file or folder that it is about."
        ),
        click.option(
            "--session", "sessions", metavar="SESSION[#TURN]", multiple=True, help="Where it comes from."
        ),
        click.option("--tag", "tags", metavar="TAG", multiple=True, help="A word that it is found by."),
        click.option(
            "--as", "agent", metavar="AGENT", help="Which agent writes it, where that is not known."
        ),
        click.option("--level", type=click.Choice(LEVELS), help="Who may see it: team, for now."),
        click.option("--json", "as_json", is_flag=True, help="Print it as JSON."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@command.command(
    "add",
    examples=[
        "gitmem note add 'Times are UTC everywhere.' --file src/tides.py --tag time",
        "gitmem note add --due 2w 'Ask the port for new tables.'",
        "git log -1 --format=%b | gitmem note add --kind pattern -",
    ],
)
@click.argument("words", metavar="[TEXT]…|-", nargs=-1)
@_describing
@click.option("--supersedes", metavar="NOTE", multiple=True, help="A note that it takes the place of.")
@click.pass_obj
def _add(
    context: Context, /, words: tuple[str, ...], supersedes: tuple[str, ...], as_json: bool, **said: Any
) -> None:
    """Write a note down; - takes it from standard input, and a terminal without TEXT opens git's editor.

    Secrets in it are replaced first. Prints its name. What says nearly the same already is pointed out.
    """
    from gitmem.cli.noting import check_level, opened_desk, text_of, write
    from gitmem.notes.finding import resolve

    check_level(context, said.pop("level"))
    text = text_of(context, words)
    with opened_desk(context) as (desk, memory):
        replaced = tuple(dict.fromkeys(resolve(memory, name) for name in supersedes))
        draft = _draft(context, memory, text, said)
        written = write(context, desk, draft._replace(supersedes=replaced))
        _say_written(context, memory, written, as_json=as_json)


@command.command(
    "edit",
    examples=[
        "gitmem note edit note/1f2e3d4c 'Times are UTC everywhere, logs too.'",
        "gitmem note edit note/1f2e3d4c",
    ],
)
@click.argument("name", metavar="NOTE")
@click.argument("words", metavar="[TEXT]…|-", nargs=-1)
@_describing
@click.pass_obj
def _edit(context: Context, /, name: str, words: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Write a note that takes the place of another one, and is as that was where nothing else is said.

    The old one is kept, and shown by --all. Two that take the place of one, in two clones, are both shown.
    """
    from gitmem.cli.noting import check_level, check_stands, named_notes, opened_desk, text_of, write

    check_level(context, said.pop("level"))
    with opened_desk(context) as (desk, memory):
        (before,) = named_notes(context, memory, [name])
        check_stands([before], "edit")
        is_only_about = not words and any(said.values())
        text = before.text if is_only_about else text_of(context, words, before.text)
        written = write(context, desk, _draft(context, memory, text, said, before))
        _say_written(context, memory, written, as_json=as_json)


@command.command(
    "list",
    examples=[
        "gitmem note list",
        "gitmem note list --kind decision --file src",
        "gitmem note list --due --json",
    ],
)
@click.option("--kind", "types", type=click.Choice(_TYPES), multiple=True, help="Only those of this kind.")
@click.option(
    "--file", "files", metavar="PATH", multiple=True, help="Only those about a file, or within a folder."
)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only those with this tag.")
@click.option("--since", metavar="WHEN", help="Only those written after a date, or within 7d, 12h, …")
@click.option("--due", "is_due", is_flag=True, help="Only those that somebody is to be reminded of now.")
@click.option("--all", "closed", is_flag=True, help="Those that are done, superseded or removed, too.")
@click.option(
    "--trusted", "is_trusted", is_flag=True, help="Leave out those by unknown or untrusted authors."
)
@click.option("-n", "--limit", metavar="N", type=click.IntRange(min=1), help="At most so many.")
@click.option(
    "--repo", "repos", metavar="NAME", multiple=True, help="Only those of this repository, by name or path."
)
@recurse_option
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def _list(
    ctx: click.Context,
    /,
    since: str | None,
    repos: tuple[str, ...],
    recurse: bool | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """List the notes that stand, in a superproject those of all of its submodules.

    The newest stand first; with --due, the longest due. Ends with 1 if there is none.
    """
    from gitmem.cli.note_listing import Wanted, find_notes
    from gitmem.cli.note_text import say_list
    from gitmem.cli.recursing import reach
    from gitmem.query.moments import parse_since

    context: Context = ctx.obj
    now_ms = context.now_ms()
    since_ms = None if since is None else parse_since(since, now_ms)
    reached = reach(context, recurse, repos)
    found = find_notes(context, reached, Wanted(since_ms=since_ms, **wanted))
    if as_json:
        context.output.json({"notes": [told.document for told in found]})
    elif found:
        with context.telling() as output:
            say_list(output, found, now_ms, with_repo=len(reached.contexts) > 1)
    else:
        context.output.warn("nothing is due" if wanted["is_due"] else "no note is like that")
    if not found:
        ctx.exit(1)


@command.command("show", examples=["gitmem note show note/1f2e3d4c", "gitmem note show note/1f2e3d4c --json"])
@click.argument("name", metavar="NOTE")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def _show(context: Context, name: str, as_json: bool) -> None:
    """Show a note: what it says, what it is about, and what has become of it."""
    from gitmem.cli.noting import show
    from gitmem.cli.opening import opened_memory

    with opened_memory(context) as memory:
        show(context, memory, name, as_json=as_json)


@command.command("done", examples=["gitmem note done note/1f2e3d4c", "gitmem note done --undo note/1f2e3d4c"])
@click.argument("names", metavar="NOTE…", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Open them again.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def _done(context: Context, names: tuple[str, ...], undo: bool, as_json: bool) -> None:
    """Mark notes as done: nobody is reminded of them any more, and a search does not find them.

    A decision that holds no more is done, too, where no other takes its place.
    """
    from gitmem.cli.noting import check_stands, named_notes, opened_desk
    from gitmem.notes.writing import set_done

    with opened_desk(context) as (desk, memory):
        found = named_notes(context, memory, names)
        check_stands(found, "done")
        set_done(desk, [note.name for note in found], is_done=not undo)
    _say_changed(context, found, "open again" if undo else "done", as_json=as_json)


@command.command(
    "rm",
    examples=[
        "gitmem note rm note/1f2e3d4c",
        "gitmem note rm --undo note/1f2e3d4c",
        "gitmem note rm --now note/1f2e3d4c --reason 'it names a customer'",
    ],
)
@click.argument("names", metavar="NOTE…", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Take it back; what was erased stays so.")
@click.option("--now", is_flag=True, help="Erase them for good, at once.")
@click.option(
    "--reason", metavar="TEXT", default="", help="With --now: why; whoever shares the memory can read it."
)
@click.option("-y", "--yes", is_flag=True, help="Do it without being asked.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
@click.pass_obj
def _remove(
    context: Context, names: tuple[str, ...], undo: bool, now: bool, reason: str, yes: bool, as_json: bool
) -> None:
    """Remove notes, each with all that it took the place of: nobody sees them any more.

    After a time of grace, set by gitmem.grace (30 days), they are erased for good as forgotten sessions are;
    --undo takes it back until then. With --now nothing can be taken back.
    """
    from gitmem.cli.note_removing import erase_notes, hide_notes, show_again
    from gitmem.cli.noting import named_notes, opened_desk

    if now and undo:
        hint = "gitmem note rm -h: shows how it is used"
        raise UsageError("could not erase and take back at once: expected --now or --undo", hint=hint)
    with opened_desk(context) as (desk, memory):
        found = named_notes(context, memory, names)
        if now:
            erase_notes(context, memory, found, reason, yes=yes, as_json=as_json)
            return
        if undo:
            show_again(context, desk, found)
        else:
            hide_notes(context, desk, found)
    _say_changed(context, found, "remembered again" if undo else "removed", as_json=as_json)


def _draft(
    context: Context, memory: Memory, text: str, said: dict[str, Any], before: Listed | None = None
) -> Any:
    from gitmem.cli.noting import draft_of

    return draft_of(context, memory, text, before, **said)


def _say_written(context: Context, memory: Memory, written: Written, *, as_json: bool) -> None:
    from gitmem.cli.note_text import as_json as described
    from gitmem.cli.note_text import say_similar, similar_as_json
    from gitmem.cli.trusting import trusting_here

    if as_json:
        known = trusting_here(context, [written.note.author.email])
        told = described(memory, written.note, known, context.now_ms())
        context.output.json({**told, "similar": similar_as_json(written.similar)})
        return
    context.output.say(written.note.address)
    say_similar(context.output, written.similar)


def _say_changed(context: Context, notes: list[Listed], word: str, *, as_json: bool) -> None:
    from gitmem.cli.text import one_line

    if as_json:
        context.output.json({"done": word, "notes": [note.address for note in notes]})
        return
    for note in notes:
        context.output.note(f"{word}: {note.short_address}  {one_line(note.title)}")
