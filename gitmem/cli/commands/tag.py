"""`gitmem tag`: words that a session is found by."""

from __future__ import annotations

from typing import NamedTuple

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.naming import is_note, opened_naming


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
    """Add tags to a session or a note, take some away, or list those that it has.

    SESSION may be a note, note/<id>. Adding one that is there already changes nothing. Whoever shares the
    memory has the same tags.
    """
    name, own_id, present = (_tag_note if is_note(session) else _tag_session)(context, session, tags, removed)
    if as_json:
        context.output.json({"session": name, "id": own_id, "tags": present})
    elif not (tags or removed):
        for tag in present:
            context.output.say(tag)
    else:
        context.output.note(f"{name}: {', '.join(present) or 'no tags'}")


class _Tagged(NamedTuple):
    name: str
    id: str
    tags: tuple[str, ...]


def _tag_session(context: Context, session: str, tags: tuple[str, ...], removed: tuple[str, ...]) -> _Tagged:
    from gitmem.verbs.naming import set_tags, tags_of

    with opened_naming(context, session) as (naming, stored):
        present = set_tags(naming, stored.id, tags, removed) if tags or removed else tags_of(stored)
    return _Tagged(str(stored.key), stored.id, present)


def _tag_note(context: Context, name: str, tags: tuple[str, ...], removed: tuple[str, ...]) -> _Tagged:
    from gitmem.cli.noting import named_notes, opened_desk
    from gitmem.notes.writing import set_tags

    with opened_desk(context) as (desk, memory):
        (note,) = named_notes(context, memory, [name])
        present = set_tags(desk, note.name, tags, removed) if tags or removed else note.tags
    return _Tagged(note.address, note.name, present)
