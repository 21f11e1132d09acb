"""`gitmem title`: what a session is called."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.naming import opened_naming


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
    """Give a session a title, take it back, or say the one that it was given.

    Secrets in it are replaced first. Whoever shares the memory sees the same title. Without TEXT, ends with
    1 if nobody has given it one.
    """
    from gitmem.verbs.naming import set_title, title_of

    if words and is_removed:
        raise click.UsageError("--delete takes no TEXT")
    context: Context = ctx.obj
    is_asked = not (words or is_removed)
    with opened_naming(context, session) as (naming, stored):
        title = title_of(stored) if is_asked else set_title(naming, stored.id, " ".join(words) or None)
    if as_json:
        context.output.json({"session": str(stored.key), "id": stored.id, "title": title})
    elif is_asked and title is not None:
        context.output.say(title)
    else:
        context.output.note(f"{stored.key}: {title or 'no title of its own'}")
    if is_asked and title is None:
        ctx.exit(1)
