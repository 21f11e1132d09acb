"""`gitmem tag`: words that a session is found by."""

from __future__ import annotations

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.naming import opened_naming


@click.command(
    "tag",
    cls=Command,
    examples=[
        "gitmem tag claude-code/0f3a81c2 release tides",
        "gitmem tag claude-code/0f3a81c2 --delete release",
        "gitmem tag claude-code/0f3a81c2",
    ],
)
@click.argument("session", metavar="SESSION")
@click.argument("tags", metavar="[TAG]…", nargs=-1)
@click.option("-d", "--delete", "removed", metavar="TAG", multiple=True, help="Take a tag away.")
@click.option("--json", "as_json", is_flag=True, help="Print the session's tags as JSON.")
@click.pass_obj
def command(
    context: Context, session: str, tags: tuple[str, ...], removed: tuple[str, ...], as_json: bool
) -> None:
    """Add tags to a session, take some away, or list those that it has.

    Adding one that is there already changes nothing. Whoever shares the memory has the same tags.
    """
    from gitmem.verbs.naming import set_tags, tags_of

    with opened_naming(context, session) as (naming, stored):
        present = set_tags(naming, stored.id, tags, removed) if tags or removed else tags_of(stored)
    if as_json:
        context.output.json({"session": str(stored.key), "id": stored.id, "tags": present})
    elif not (tags or removed):
        for tag in present:
            context.output.say(tag)
    else:
        context.output.note(f"{stored.key}: {', '.join(present) or 'no tags'}")
