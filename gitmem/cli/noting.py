"""Notes at the command line: what writes one down, and what changes one, begins with this."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from gitmem.cli.acting import acting
from gitmem.cli.catching_up import catch_up
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage, redactor_of, unite, writer_of
from gitmem.model.errors.arguments import BadNote
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.naming import NoteNotDue, NoteNotKept, NoteNotWritten, NoteSuperseded
from gitmem.model.ids import RecordId
from gitmem.model.records import Position

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.model.records import NoteType
    from gitmem.model.settings import Level
    from gitmem.notes.listing import Listed
    from gitmem.notes.writing import Desk, Draft
    from gitmem.objects.storage import Storage
    from gitmem.redaction.redactor import Redactor
    from gitmem.sidecar.wire import Json

_PERSON: Final = "person"
_OF_AN_AGENT: Final = "agent:"
_NO_WORD: Final = re.compile(r"[^\w\s]+")
_MOST_MEANT: Final = 2_000
LEAST_COSINE: Final = 0.65
"""From there on two notes mean nearly the same. Of seven pairs of sentences that do, the model says .67 to
.82; of seven that are only about the same things, .42 to .56 of six, and .75 of one that says the reverse."""


class Written(NamedTuple):
    """A note that was written down, and those that say nearly the same."""

    note: Listed
    similar: tuple[Listed, ...]


@contextmanager
def opened_desk(context: Context) -> Iterator[tuple[Desk, Memory]]:
    """Open the team's memory, which has the notes, for writing; with it, as it stands now.

    Raises:
        NoMemory: There is none yet.
    """
    from gitmem.format.memory import open_memory

    catch_up(context, unite)
    with opened_storage(context) as storage:
        memory = open_memory(storage, context.settings.memory_ref)
        yield desk_of(context, storage), memory


def desk_of(context: Context, storage: Storage) -> Desk:
    """Return what notes are written through, where the repository is open."""
    from gitmem.notes.writing import Desk

    @cache
    def redactor() -> Redactor:
        return redactor_of(context)  # its rules take time to compile

    ref = context.settings.memory_ref
    return Desk(storage, ref, writer_of(context), lambda text: redactor().text(text))


def write(context: Context, desk: Desk, draft: Draft) -> Written:
    """Write a note down, and find those that say nearly the same; nothing is asked.

    Raises:
        BadNote, NoteUnknown, NoMemory: As `gitmem.notes.writing.add`.
    """
    from gitmem.format.memory import open_memory
    from gitmem.notes.likeness import alike
    from gitmem.notes.listing import list_notes
    from gitmem.notes.writing import add

    state_dir = context.repository.state_dir
    name = add(desk, draft)
    memory = open_memory(desk.storage, desk.ref)
    everything = list_notes(memory, state_dir, closed=True)
    note = next(each for each in everything if each.name == name)
    others = {each.name: each for each in everything if each.state == "open" and each.name != name}
    similar = dict.fromkeys((*alike(note.text, others.values()), *_meaning_alike(context, note.text, others)))
    return Written(note, tuple(similar))


def _meaning_alike(context: Context, text: str, others: Mapping[RecordId, Listed]) -> Iterator[Listed]:
    """Yield the notes that mean nearly the same, where there is an index with vectors to tell that by."""
    from gitmem.cli.indexing import ask_indexer
    from gitmem.query.filters import Filters

    if not others or not (context.repository.state_dir / "index" / "vectors").is_dir():
        return
    query = _NO_WORD.sub(" ", text[:_MOST_MEANT])  # nothing in it is meant as a phrase, a field or a filter
    filters = Filters(kinds=("note",))
    try:
        (answer,) = ask_indexer(
            context, "search", queries=(query,), filters=filters, mode="semantic", limit=4
        )
    except GitmemError as error:  # no model any more, say; the note is written down, whatever is like it
        context.output.note(f"not looked for notes that mean the same: {error}")
        return
    for hit in cast("list[Json]", answer["hits"]):
        found = others.get(RecordId(str(hit["id"])))
        if found is not None and cast("float", hit["score"]) >= LEAST_COSINE:
            yield found


def draft_of(
    context: Context,
    memory: Memory,
    text: str,
    before: Listed | None = None,
    *,
    kind: NoteType | None = None,
    due: str | None = None,
    files: Sequence[str] = (),
    sessions: Sequence[str] = (),
    tags: Sequence[str] = (),
    agent: str | None = None,
) -> Draft:
    """Return a note to be written, from what was said of it; what was not is as in the note `before` it.

    Raises:
        BadMoment, BadTag, BadNote: What was said cannot be read.
        SessionUnknown, SessionAmbiguous, BadSessionName, TurnUnknown: A session's name means none, or more.
        NoteNotDue: It is to be due, and is no reminder.
    """
    from gitmem.notes.table import DONE
    from gitmem.notes.writing import Draft
    from gitmem.query.moments import parse_ahead
    from gitmem.verbs.naming import as_tag

    named = kind or (before.type if before else None)
    if due is not None and named not in (None, "reminder"):
        raise NoteNotDue(str(named))
    due_ms = None if due is None else parse_ahead(due, context.now_ms())
    kept_ms = before.due_ms if before and kind in (None, "reminder") else None
    draft = Draft(
        type=kind or ("decision" if due is None else "reminder"),
        text=text,
        agent=writer_agent(context, agent),
        due_ms=due_ms,
        about=turns_of(context, memory, sessions),
        files=files_of(context, files),
        tags=tuple(map(as_tag, tags)),
    )
    if before is None:
        return draft
    return draft._replace(
        type=kind or before.type,
        due_ms=kept_ms if due is None else due_ms,
        supersedes=(before.name,),
        about=draft.about or before.about,
        files=draft.files or before.files,
        tags=draft.tags or before.tags,
        values={"state": DONE} if before.state == "done" else {},
    )


def show(context: Context, memory: Memory, name: str, *, as_json: bool) -> None:
    """Print a note; raises as `named_notes`."""
    from gitmem.cli.auditing import log_of
    from gitmem.cli.note_text import as_json as described
    from gitmem.cli.note_text import say_whole
    from gitmem.cli.trusting import trusting_here

    (note,) = named_notes(context, memory, [name])
    log_of(context).note("show", f"note:{note.name}")
    known = trusting_here(context, [note.author.email])
    if as_json:
        context.output.json(described(memory, note, known, context.now_ms(), with_turns=True))
        return
    with context.telling() as output:
        say_whole(output, memory, note, known, context.now_ms())


def check_level(context: Context, level: Level | None) -> None:
    """See that a note may be the team's: where sessions are private, only on purpose.

    Raises:
        NoteNotKept: It may not.
    """
    wanted = level or context.settings.level
    if wanted not in ("team", "public") or level == "public":
        raise NoteNotKept(wanted)


def writer_agent(context: Context, named: str | None) -> str | None:
    """Return the agent that writes: one that is named, or whose environment this is; None for a person.

    Where the environment does not say which agent's it is, it is called `agent`.
    """
    if named is not None:
        return named or None
    by = acting(context.environ)
    return None if by == _PERSON else by.removeprefix(_OF_AN_AGENT)


def files_of(context: Context, paths: Iterable[str], *, start: Path | None = None) -> tuple[str, ...]:
    """Return paths as git has them, from the top of the working tree; they need not be there.

    A relative one counts from `start`, or from the directory at hand.

    Raises:
        BadNote: One is not below it.
    """
    top = context.repository.top
    start = start or context.start
    return tuple(dict.fromkeys(_from_top(start, top, path) if top else path for path in paths))


def _from_top(start: Path, top: Path, path: str) -> str:
    root = os.path.realpath(top)
    whole = os.path.normpath(os.path.join(os.path.realpath(start), path))  # noqa: PTH118 (lexically)
    relative = os.path.relpath(whole, root)
    if relative.split(os.sep, 1)[0] == os.pardir:
        raise BadNote(path, f"a path in {top}")
    return os.fsencode(relative).decode("utf-8", "backslashreplace")


def turns_of(context: Context, memory: Memory, names: Iterable[str]) -> tuple[Position, ...]:
    """Return where the sessions and turns stand that a note is about.

    Raises:
        SessionUnknown, SessionAmbiguous, BadSessionName, TurnUnknown: A name means none, or several.
    """
    from gitmem.verbs import picking, reading

    found = []
    for name in names:
        folder, turn = reading.address(memory, name)
        if turn is None:
            found.append(Position(folder.session, "", 0))
            continue
        picked = picking.pick(memory, folder, turn, state_dir=context.repository.state_dir)
        last = max(each.line for each in picked.turns if each.ordinal in picked.asked_for)
        found.append(Position(folder.session, picked.head.record.stream, last + 1))
    return tuple(dict.fromkeys(found))


def named_notes(context: Context, memory: Memory, names: Sequence[str]) -> list[Listed]:
    """Return the notes that are named, in that order, each once.

    Raises:
        BadNoteName, NoteUnknown, NoteAmbiguous: A name means none, or several.
    """
    from gitmem.notes.finding import resolve
    from gitmem.notes.listing import list_notes

    ids = dict.fromkeys(resolve(memory, name) for name in names)
    known = {note.name: note for note in list_notes(memory, context.repository.state_dir, closed=True)}
    return [known[name] if name in known else _damaged(memory, name) for name in ids]


def _damaged(memory: Memory, name: RecordId) -> Listed:
    """Raise what is wrong with a note that the list left out."""
    from gitmem.format import notes
    from gitmem.notes.listing import listed
    from gitmem.notes.table import row_of

    stored = notes.find(memory, name)
    assert stored is not None, "it was found by its name"
    return next(listed([row_of(stored)]))


def check_stands(notes: Iterable[Listed], verb: str) -> None:
    """See that no other note took the place of one that is to be changed.

    Raises:
        NoteSuperseded: One did.
    """
    from gitmem.notes.listing import PREFIX, SHOWN_DIGITS

    for note in notes:
        if note.state == "superseded":
            heads = tuple(f"{PREFIX}{name[:SHOWN_DIGITS]}" for name in note.superseded_by)
            raise NoteSuperseded(note.short_address, verb, heads)


def text_of(context: Context, words: Sequence[str], before: str = "") -> str:
    """Return what a note is to say: the words, standard input for `-`, or what is written in git's editor.

    The editor begins with `before`; it is opened only at a terminal.

    Raises:
        NoteNotWritten: There are no words, and no terminal.
    """
    if list(words) == ["-"]:
        return context.stdin.read().decode("utf-8", "backslashreplace")
    if words:
        return os.fsencode(" ".join(words)).decode("utf-8", "backslashreplace")
    if not context.is_interactive:
        raise NoteNotWritten
    return _edited(context, before)


_SCISSORS = "# ------------------------ >8 ------------------------"


def _edited(context: Context, before: str, edit: Callable[..., str | None] | None = None) -> str:
    import click

    answer = context.git.run(["var", "GIT_EDITOR"], doing="find the editor", cwd=context.start)
    begins = f"{before}\n\n{_SCISSORS}\n# What stands above this line is written down; nothing is not.\n"
    written = (edit or click.edit)(begins, editor=answer.text, extension=".md", require_save=False)
    return (written or "").partition(_SCISSORS)[0]
