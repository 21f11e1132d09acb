"""`gitmem title`: what a session is called."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.naming import is_note, opened_naming


@click.command(
    "title",
    cls=Command,
    examples=[
        "gitmem title claude-code/0f3a81c2 The tide table counts from one",
        "gitmem title claude-code/0f3a81c2",
        "gitmem title --delete claude-code/0f3a81c2",
    ],
)
@click.argument("session", metavar="SESSION")
@click.argument("words", metavar="[TEXT]…", nargs=-1)
@click.option(
    "-d", "--delete", "is_removed", is_flag=True, help="Take the title back: the session's own shows again."
)
@click.option("--json", "as_json", is_flag=True, help="Print the session's title as JSON.")
@click.pass_context
def command(
    ctx: click.Context, /, session: str, words: tuple[str, ...], is_removed: bool, as_json: bool
) -> None:
    """Give a session or a note a title, take it back, or say the one that it was given.

    SESSION may be a note, note/<id>; its title stands in the place of its first line.
    Secrets in it are replaced first. Whoever shares the memory sees the same title. Without TEXT, ends with
    1 if nobody has given it one.
    """
    from gitmem.verbs.naming import set_title, title_of

    if words and is_removed:
        raise click.UsageError("--delete takes no TEXT")
    context: Context = ctx.obj
    is_asked = not (words or is_removed)
    title: str | None
    if is_note(session):
        name, own_id, title = _title_note(context, session, " ".join(words), is_asked=is_asked)
    else:
        with opened_naming(context, session) as (naming, stored):
            title = title_of(stored) if is_asked else set_title(naming, stored.id, " ".join(words) or None)
        name, own_id = str(stored.key), str(stored.id)
    if as_json:
        context.output.json({"session": name, "id": own_id, "title": title})
    elif is_asked and title is not None:
        context.output.say(title)
    else:
        say = context.output.warn if is_asked else context.output.note
        say(f"{name}: {title or 'no title of its own'}")
    if is_asked and title is None:
        ctx.exit(1)


def _title_note(context: Context, name: str, words: str, *, is_asked: bool) -> tuple[str, str, str | None]:
    from gitmem.cli.noting import named_notes, opened_desk
    from gitmem.notes.writing import set_title

    with opened_desk(context) as (desk, memory):
        (note,) = named_notes(context, memory, [name])
        title = note.own_title if is_asked else set_title(desk, note.name, words or None)
    return note.address, note.name, title
