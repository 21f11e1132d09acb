"""The inbox of `gitmem status`: notes that somebody is to be reminded of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem.cli.context import Context
from gitmem.cli.note_text import as_json, describe_due
from gitmem.cli.output import Output, Styled
from gitmem.cli.trusting import mark, trusting_here
from gitmem.notes.listing import list_notes

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.notes.listing import Listed
    from gitmem.query.trusting import Trusting

_SHOWN: Final = 5


class Inbox(NamedTuple):
    """How many notes stand, those that are due, the longest due first, and whom the user knows."""

    open: int
    due: tuple[Listed, ...]
    known: Trusting


def read_inbox(context: Context, memory: Memory) -> Inbox:
    """Return what somebody is to be reminded of in the repository at hand."""
    state_dir = context.repository.state_dir
    due = list_notes(memory, state_dir, due_at_ms=context.now_ms())
    known = trusting_here(context, {note.author.email for note in due})
    return Inbox(len(list_notes(memory, state_dir)), due, known)


def inbox_as_json(inbox: Inbox, memory: Memory, now_ms: int) -> dict[str, Any]:
    """Return the inbox for programs."""
    return {"open": inbox.open, "due": [as_json(memory, note, inbox.known, now_ms) for note in inbox.due]}


def say_inbox(output: Output, inbox: Inbox, now_ms: int) -> None:
    """Print what is due; nothing where nothing is."""
    if not inbox.due:
        return
    output.say(Styled(f"due ({len(inbox.due):,}):", "strong"))
    for note in inbox.due[:_SHOWN]:
        output.say(f"  {describe_due(note, now_ms)}", *mark(inbox.known.of(note.author.email)))
    if len(inbox.due) > _SHOWN:
        output.say(Styled("  gitmem note list --due: lists them all", "dim"))
