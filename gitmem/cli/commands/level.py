"""`gitmem level`: who may see a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.model.settings import LEVELS, Level, is_lower

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.format.memory import Folder, Memory
    from gitmem.verbs.moving import Review
    from gitmem.verbs.relevel import Relevelled, Standing


@click.command(
    "level",
    cls=Command,
    examples=[
        "gitmem level claude-code/0f3a81c2",
        "gitmem level claude-code/0f3a81c2 private",
        "gitmem level claude-code/0f3a81c2 public --preview | less",
        "gitmem level claude-code/0f3a81c2 public --yes",
    ],
)
@click.argument("session", metavar="SESSION")
@click.argument("level", metavar="[LEVEL]", required=False, type=click.Choice(get_args(Level)))
@click.option("--preview", is_flag=True, help="Print what others would see, as Markdown, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Raise it without being asked: it has been looked through.")
@click.option("--json", "as_json", is_flag=True, help="Print the session's level as JSON.")
@click.pass_obj
def command(
    context: Context, session: str, level: Level | None, preview: bool, yes: bool, as_json: bool
) -> None:
    """Say who may see a session, or change it: public, team, private or ephemeral.

    A lower level holds at once. For a higher one the session is redacted again, by that level's rules, and
    you are shown what goes and asked; at level public what has been added since goes in by the same command.
    """
    from gitmem.cli.levels import opened_shelf

    with opened_shelf(context) as shelf:
        memory = shelf.memory()
        folder, name = _find(memory, session)
        if level is None:
            _say_level(context, name, folder, _level_of(shelf, memory, folder, name), as_json)
            return
        at = _standing(shelf, folder, name, level)
        if preview:
            _preview(context, shelf, at, level)
        else:
            _change(context, shelf, at, name, level, yes=yes, as_json=as_json)


def _find(memory: Memory, session: str) -> tuple[Folder, str]:
    from gitmem.verbs.reading import resolve

    folder = resolve(memory, session)
    return folder, str(memory.load(folder).key)


def _standing(shelf: Shelf, folder: Folder, name: str, level: Level) -> Standing:
    from gitmem.verbs.relevel import standing

    return standing(shelf.memories, folder.session, name, level)


def _level_of(shelf: Shelf, memory: Memory, folder: Folder, name: str) -> Level:
    from gitmem.model.errors.withholding import LevelRefused
    from gitmem.verbs.levels import registered

    try:
        return _standing(shelf, folder, name, "team").level
    except LevelRefused:  # it is hidden, and what hid it said why
        return registered(memory, folder, "team")


def _say_level(context: Context, name: str, folder: Folder, level: Level, as_json: bool) -> None:
    if as_json:
        context.output.json({"session": name, "id": folder.session, "level": level})
    else:
        context.output.say(level)


def _change(
    context: Context, shelf: Shelf, at: Standing, name: str, level: Level, *, yes: bool, as_json: bool
) -> None:
    from gitmem.cli.auditing import log_of
    from gitmem.model.ids import SessionKey
    from gitmem.verbs.moving import review
    from gitmem.verbs.relevel import relevel

    is_raised = is_lower(at.level, level)
    looked = None
    if is_raised or level == "public":
        looked = review(at.memory, at.folder, shelf.target_of(level).redactor)
        if not as_json:
            _say_review(context, name, level, looked)
        if not yes:
            _ask(context, name, level)
    log = log_of(context)
    widest = min(at.level, level, key=LEVELS.index)
    detail = {"from": at.level, "to": level}
    log.note("level", lambda: log.session(at.folder.session, widest), detail=detail)
    shelf.levels.give(SessionKey.parse(name), level)
    done = relevel(shelf.memories, at, level, shelf.target_of)
    if as_json:
        context.output.json(
            {
                "session": name,
                "id": at.folder.session,
                "level": level,
                "before": done.before,
                "replaced": dict(sorted(looked.replaced.items())) if looked else {},
                "still_in_history_of": list(done.withdrawn_from),
            }
        )
    else:
        _say_done(context, name, level, done)


def _ask(context: Context, name: str, level: Level) -> None:
    """Ask whether others may see a session.

    Raises:
        LevelRefused: There is nobody to ask, or they said no.
    """
    from gitmem.model.errors.withholding import LevelRefused

    hint = f"gitmem level {name} {level} --preview: prints what they would see; --yes: does it"
    if not context.is_interactive:
        raise LevelRefused(
            name, level, "it has to be looked through first, and nobody can be asked here", hint
        )
    if not click.confirm(f"let {'everybody' if level == 'public' else 'the team'} see it?", err=True):
        raise LevelRefused(name, level, "it stays as it is", hint)


def _say_review(context: Context, name: str, level: Level, looked: Review) -> None:
    from gitmem.cli.progress import size
    from gitmem.cli.text import count

    output = context.output
    output.say(f"{name}: {count(looked.lines, 'line')}, {size(looked.bytes_before)}")
    if looked.replaced:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(looked.replaced.items()))
        output.say(f"for level {level} goes: {kinds}")
    output.say(
        Styled(
            "what people said stays, and so do the names in it: --preview prints what others would see", "dim"
        )
    )


def _say_done(context: Context, name: str, level: Level, done: Relevelled) -> None:
    output = context.output
    output.say(f"{name}: {done.before} → {level}" if done.before != level else f"{name}: {level}")
    for ref in done.withdrawn_from if is_lower(level, done.before) else ():
        output.warn(
            f"it is out of sight, and what was shared stays in {ref}, here and wherever that is or will be"
            " pushed, until it is erased"
        )


def _preview(context: Context, shelf: Shelf, at: Standing, level: Level) -> None:
    """Print a session as it would be at a level, made in this process alone."""
    from gitmem.cli.markdown import document
    from gitmem.format.memory import open_memory
    from gitmem.objects.inprocess import InProcessStorage
    from gitmem.verbs import reading
    from gitmem.verbs.moving import publish_anew
    from gitmem.verbs.starting import start
    from gitmem.verbs.summaries import summarise

    target = shelf.target_of(level)._replace(storage=InProcessStorage(), ref="refs/gitmem/preview")
    start(target.storage, target.ref, target.writer)
    session = publish_anew(at.memory, at.folder, target)
    memory = open_memory(target.storage, target.ref)
    folder = memory.find(session)
    assert folder is not None, "what was just written is there"
    for piece in document(summarise(memory, folder), reading.turns(memory, folder), full=True):
        context.output.raw(piece.encode("utf-8", "replace"))
