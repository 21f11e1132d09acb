"""Removing notes at the command line: out of sight with a time of grace, or for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from gitmem.cli.auditing import log_of
from gitmem.cli.context import Context
from gitmem.model.errors.withholding import ForgetRefused

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.notes.listing import Listed
    from gitmem.notes.writing import Desk

_DAY_MS = 86_400_000


def hide_notes(context: Context, desk: Desk, notes: Sequence[Listed]) -> None:
    """Take notes out of everybody's sight, until the time of grace is over and they are erased."""
    from gitmem.notes.writing import forget

    _note(context, "forget", notes)
    until_ms = context.now_ms() + context.settings.grace_days * _DAY_MS
    forget(desk, [note.name for note in notes], until_ms)


def show_again(context: Context, desk: Desk, notes: Sequence[Listed]) -> None:
    """Take back that notes are removed."""
    from gitmem.notes.writing import forget

    _note(context, "unforget", notes)
    forget(desk, [note.name for note in notes], None)


def erase_notes(
    context: Context, memory: Memory, notes: Sequence[Listed], reason: str, *, yes: bool, as_json: bool
) -> None:
    """Erase notes for good, with all that they supersede, and let everything follow.

    Raises:
        ForgetRefused: Somebody was asked, and said no.
    """
    from gitmem.cli.forgetting import erase_for_good, follow
    from gitmem.cli.forgetting_text import say_erased
    from gitmem.cli.levels import opened_shelf
    from gitmem.cli.opening import redactor_of
    from gitmem.notes.writing import ancestry

    names = list(ancestry(memory, [note.name for note in notes]))
    if context.is_interactive and not yes:
        for note in notes:
            context.output.say(f"{note.short_address}  {note.title}")
        if not click.confirm(f"erase {len(names)} notes for good?", err=True):
            raise ForgetRefused(len(names), "notes")
    with opened_shelf(context) as shelf:
        why = redactor_of(context).text(reason) if reason else ""
        done = erase_for_good(context, shelf, (), why, notes={"team": names})
        followed = follow(context, shelf.storage)
        say_erased(context, (), {}, done, followed, as_json=as_json, notes={"team": names})


def _note(context: Context, action: str, notes: Sequence[Listed]) -> None:
    for note in notes:
        log_of(context).note(action, f"note:{note.name}", detail={"level": "team"})
