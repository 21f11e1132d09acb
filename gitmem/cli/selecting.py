"""What `forget` is about: sessions that are named, or chosen by who, what and when; and asking first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from gitmem.cli.context import Context
from gitmem.cli.expiring import due_in, due_notes, listing_of, waiting_in
from gitmem.cli.forgetting import Found, find_everywhere
from gitmem.cli.naming import is_note
from gitmem.cli.text import one_line
from gitmem.model.errors.base import UsageError
from gitmem.model.errors.withholding import ForgetRefused, NotForgotten, RedactionFailed
from gitmem.model.ids import SessionId

if TYPE_CHECKING:
    from gitmem.cli.levels import Shelf
    from gitmem.format.memory import Memory
    from gitmem.model.settings import Level
    from gitmem.notes.listing import Listed
    from gitmem.query.trusting import Trust

_SHOWN: Final = 20


class Choice(NamedTuple):
    """How somebody says which sessions they mean; what is None or empty chooses nothing."""

    names: tuple[str, ...]
    author: str | None
    matching: str | None
    older_than: str | None
    agent: str | None
    levels: tuple[Level, ...] | None

    @property
    def is_any(self) -> bool:
        """Whether it says anything at all."""
        return bool(self.names) or self.is_search or self.agent is not None

    @property
    def is_search(self) -> bool:
        """Whether it may mean more than somebody has seen the names of."""
        return any(each is not None for each in (self.author, self.matching, self.older_than, self.agent))


class Row(NamedTuple):
    """A forgotten session or note by its name and title, from when on it may be erased, and by whose word."""

    name: str
    title: str
    level: Level
    until_ms: int
    by: str
    trust: Trust = "known"


class Chosen(NamedTuple):
    """What is to be forgotten: sessions, the checkpoints that go with them by level, and notes."""

    found: list[Found]
    checkpoints: dict[Level, list[str]]
    notes: list[Listed]

    @property
    def is_any(self) -> bool:
        """Whether there is anything."""
        return bool(self.found or self.checkpoints or self.notes)


def choose(context: Context, shelf: Shelf, choice: Choice, *, due: bool, with_checkpoints: bool) -> Chosen:
    """Return the sessions that are meant, by level, the checkpoints of an author that go with theirs, and the
    notes.

    Raises:
        SessionUnknown, SessionAmbiguous, NoteUnknown, NoteAmbiguous: A name means none, or several.
        UsageError: The expression or the date cannot be read.
    """
    from gitmem.verbs.reading import resolve

    whole = shelf.memory()
    ids = dict.fromkeys(resolve(whole, name).session for name in choice.names if not is_note(name))
    if choice.is_search:
        ids |= dict.fromkeys(_searched(context, whole, choice))
    found = {each: find_everywhere(context, shelf, each, choice.levels) for each in ids}
    if due:
        for level, session in due_in(context, shelf.memories):
            if choice.levels is None or level in choice.levels:
                found.setdefault(session, find_everywhere(context, shelf, session, (level,)))
    checkpoints: dict[Level, list[str]] = {}
    if with_checkpoints and choice.author is not None:
        checkpoints = _checkpoints_by(shelf, choice.author, choice.levels)
    notes = _notes(context, shelf, choice, due=due)
    return Chosen([each for each in found.values() if each.ids], checkpoints, notes)


def _notes(context: Context, shelf: Shelf, choice: Choice, *, due: bool) -> list[Listed]:
    """Return the notes that are meant, each with all that it supersedes."""
    from gitmem.cli.noting import named_notes
    from gitmem.notes.listing import list_notes
    from gitmem.notes.writing import ancestry

    memory = shelf.memories.get("team")
    named = [name for name in choice.names if is_note(name)]
    if memory is None or (choice.levels is not None and "team" not in choice.levels):
        return []
    wanted = [note.name for note in named_notes(context, memory, named)] if named else []
    if not (wanted or choice.is_search or due):
        return []
    everything = list_notes(memory, context.repository.state_dir, closed=True)
    wanted = list(ancestry(memory, wanted))
    if choice.is_search:
        wanted += [note.name for note in everything if _fits(context, note, choice)]
    if due:
        wanted += due_notes(context, shelf.memories)
    return [note for note in everything if note.name in wanted]


def _fits(context: Context, note: Listed, choice: Choice) -> bool:
    from gitmem.forgetting.forget import fits_note, is_by
    from gitmem.query.moments import parse_since

    return (
        (choice.author is None or is_by(note.author, choice.author))
        and (choice.agent is None or note.agent == choice.agent)
        and (choice.older_than is None or note.at_ms < parse_since(choice.older_than, context.now_ms()))
        and (choice.matching is None or fits_note(note, _compiled(choice.matching)))
    )


def only_removed(choice: Choice, notes: Sequence[Listed]) -> list[Listed]:
    """Return those of the notes that are removed and not erased yet; as `only_forgotten`."""
    removed = [note for note in notes if note.forgotten_ms is not None]
    if len(removed) < len(notes) and not choice.is_search:
        raise NotForgotten(next(note.short_address for note in notes if note not in removed))
    return removed


def only_forgotten(context: Context, shelf: Shelf, choice: Choice, found: Sequence[Found]) -> list[Found]:
    """Return those of the sessions that wait to be erased, or that somebody has hidden who is not known; the
    others can only be meant by a search.

    Raises:
        NotForgotten: One that was named is not forgotten.
    """
    waits = {session for memory in shelf.memories.values() for session in waiting_in(context, memory)}
    found = [each._replace(lowered=_lowered(context, shelf, each)) for each in found]
    forgotten = [each for each in found if each.lowered or not waits.isdisjoint(each.ids.values())]
    if len(forgotten) < len(found) and not choice.is_search:
        raise NotForgotten(str(next(each.key for each in found if each not in forgotten)))
    return forgotten


def _lowered(context: Context, shelf: Shelf, found: Found) -> bool:
    """Tell whether the team's copy was hidden as one with a lower level is, by somebody who is not known.

    What one of the team lowered does not come back so.
    """
    from gitmem.cli.trusting import trusting_here
    from gitmem.format import registers

    memory = shelf.memories.get("team")
    folder = memory.find(found.ids["team"]) if memory is not None and "team" in found.ids else None
    if memory is None or folder is None:
        return False
    hidden = registers.last(memory.load(folder).registers, "hidden")
    if hidden is None or hidden.value is not True:
        return False
    return trusting_here(context, (hidden.author.email,)).of(hidden.author.email) != "known"


def confirm(
    context: Context,
    choice: Choice,
    chosen: Chosen,
    *,
    for_good: bool,
    yes: bool,
) -> None:
    """Ask before more goes than was named, or something for good.

    Raises:
        ForgetRefused: There is nobody to ask, or they said no.
    """
    if yes or not (choice.is_search or (for_good and context.is_interactive and choice.names)):
        return
    found, checkpoints, notes = chosen
    number = len(found) + sum(map(len, checkpoints.values())) + len(notes)
    kinds = (("sessions", found), ("checkpoints", checkpoints), ("notes", notes))
    what = " and ".join(name for name, some in kinds if some) or "sessions"
    if not context.is_interactive:
        raise ForgetRefused(number, what)
    for each in found[:_SHOWN]:
        context.output.say(one_line(f"{each.key}  {each.title}"))
    for note in notes[:_SHOWN]:
        context.output.say(one_line(f"{note.short_address}  {note.title}"))
    question = f"erase {number} {what} for good?" if for_good else f"forget {number} {what}?"
    if not click.confirm(question, err=True):
        raise ForgetRefused(number, what)


def waiting_rows(context: Context, shelf: Shelf) -> list[Row]:
    """Return the forgotten sessions and the removed notes, those that go first coming first."""
    from gitmem.cli.hidden import hiders
    from gitmem.notes.listing import list_notes

    rows: list[Row] = []
    for level, memory in shelf.memories.items():
        for session, row in waiting_in(context, memory).items():
            found = find_everywhere(context, shelf, session, (level,))
            rows.append(Row(str(found.key), found.title, level, row.until_ms, row.by))
    if "team" in shelf.memories:
        notes = list_notes(shelf.memories["team"], context.repository.state_dir, closed=True)
        gone = [note for note in notes if note.forgotten_ms is not None]
        rows += [
            Row(note.short_address, note.title, "team", note.forgotten_ms or 0, ", ".join(note.hidden_by))
            for note in gone
        ]
    trust = hiders(context, (row.by for row in rows if row.level == "team"))
    rows = [row._replace(trust=trust.get(row.by, row.trust)) for row in rows]
    return sorted(rows, key=lambda row: (row.until_ms, row.name))


def _searched(context: Context, memory: Memory, choice: Choice) -> Iterator[SessionId]:
    """Yield the sessions that everything fits which the choice says."""
    from gitmem.forgetting.forget import fits, has_part_of
    from gitmem.query.moments import parse_since

    since_ms = None if choice.older_than is None else parse_since(choice.older_than, context.now_ms())
    last = {}
    if since_ms is not None:
        last = {
            row.session: max(row.last_ms, row.captured_ms or 0)
            for row in listing_of(context, memory).summaries
        }
    expression = _compiled(choice.matching) if choice.matching is not None else None
    for folder in memory.folders():
        if since_ms is not None and not 0 < last.get(folder.session, 0) < since_ms:
            continue
        if choice.agent is None and choice.author is None and expression is None:
            yield folder.session
            continue
        stored = memory.load(folder)
        if choice.agent is not None and stored.record.agent != choice.agent:
            continue
        if choice.author is not None and not has_part_of(stored, choice.author):
            continue
        if expression is None or fits(memory, folder, stored, expression):
            yield folder.session


def _compiled(pattern: str) -> Callable[[bytes], bool]:
    from gitmem.redaction.expressions import compiled

    try:
        expression = compiled(pattern)
    except RedactionFailed as error:
        hint = "gitmem forget --matching REGEX: takes what RE2 does, as (?i)acme"
        raise UsageError(f"could not read {pattern!r} as an expression", hint=hint) from error
    return lambda text: expression.search(text) is not None


def _checkpoints_by(shelf: Shelf, author: str, levels: tuple[Level, ...] | None) -> dict[Level, list[str]]:
    from gitmem.forgetting.forget import checkpoints_by

    found: dict[Level, list[str]] = {}
    for level in ("team", "public"):
        if level in shelf.memories and (levels is None or level in levels):
            names = list(checkpoints_by(shelf.memories[level], author))
            if names:
                found[level] = names
    return found
