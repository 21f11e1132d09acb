"""The tools about notes: `notes` lists them, `note_add` writes one down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.rendering import iso
from gitmem.cli.serving import (
    NOTICE,
    Host,
    agent_named,
    behind,
    called,
    cite,
    framed,
    going_on,
    heading,
    plain,
    short,
    who,
)
from gitmem.cli.serving_untold import nothing, untold
from gitmem.cli.text import count
from gitmem.cli.trusting import trusting_here
from gitmem.model.errors.serving import AuthorUntrusted
from gitmem.serving.cursors import FAR_MS, cursor, place_of, question_of
from gitmem.serving.forms import (
    NoteAddGiven,
    NoteAddTaken,
    NotesGiven,
    NotesTaken,
    NoteTold,
    ShowGiven,
    ShowTaken,
    Similar,
)
from gitmem.serving.offer import Answered

if TYPE_CHECKING:
    from gitmem.notes.listing import Listed
    from gitmem.query.trusting import Trust

_CUT: Final = 600
_WHOLE: Final = 8_000
_LONGEST_SIMILAR: Final = 160
_ID_DIGITS: Final = 12


def notes(host: Host, asked: NotesTaken, client: str) -> Answered:
    """List notes that stand, here and in submodules: the newest first; if due, the longest due."""
    from gitmem.cli.note_listing import Wanted, count_untold, find_notes
    from gitmem.cli.recursing import reach

    context = host.begin(untrusted=asked.untrusted)
    question = question_of("notes", asked)
    after = place_of(asked.cursor, question, int, str) if asked.cursor else None

    def place(note: Listed) -> tuple[int, str]:
        """Return where a note stands in the order that they are listed in."""
        due_ms = note.at_ms if note.due_ms is None else note.due_ms
        return FAR_MS + (due_ms if asked.due else -note.at_ms), note.name[:_ID_DIGITS]

    reached = reach(context, None)
    wanted = Wanted(
        types=() if asked.kind is None else (asked.kind,),
        files=() if asked.file is None else (asked.file,),
        tags=() if asked.tag is None else (asked.tag,),
        is_due=asked.due,
        closed=asked.closed,
        is_trusted=not asked.untrusted,
    )
    found = find_notes(context, reached, wanted)
    rest = [each for each in found if after is None or place(each.note) > after]
    page = rest[: asked.limit]
    with_repo = len(reached.contexts) > 1
    told = tuple(
        _told(each.document, each.note, each.trust, _CUT, repo=each.repo if with_repo else "")
        for each in page
    )
    left_out = 0 if asked.cursor or asked.untrusted else count_untold(context, reached, wanted)
    said = untold(host, left_out, count(left_out, "note"))
    further = cursor(question, *place(page[-1].note)) if len(page) < len(rest) else None
    if told:
        lines = [line for each in told for line in _lines(each)]
        text = framed([*said, *lines, *going_on(further)])
    else:
        text = "\n".join([nothing("no note is like that", asked, "closed=true", "search"), *said])
    return Answered(text, NotesGiven(notice=NOTICE, notes=told, untold=left_out, cursor=further))


def show_note(context: Context, asked: ShowTaken) -> Answered:
    """Show one note, whole.

    Raises:
        AuthorUntrusted: Nobody known wrote it.
    """
    from gitmem.cli.auditing import log_of
    from gitmem.cli.note_text import as_json
    from gitmem.cli.noting import named_notes

    with opened_memory(context) as memory:
        (note,) = named_notes(context, memory, [asked.id])
        known = trusting_here(context, [note.author.email])
        if known.of(note.author.email) != "known" and not asked.untrusted:
            raise AuthorUntrusted(asked.id)
        log_of(context).note("show", f"note:{note.name}")
        question = question_of("show", asked)
        begins = cast(int, place_of(asked.cursor, question, int)[0]) if asked.cursor else 0
        document = as_json(memory, note, known, note.at_ms, with_turns=True)
        told = _told(document, note, known.of(note.author.email), _WHOLE, begins)
    further = cursor(question, begins + _WHOLE) if told.cut else None
    given = ShowGiven(notice=NOTICE, id=told.id, by=told.by, note=told, trust=told.trust, cursor=further)
    return Answered(framed([*_lines(told), *going_on(further)]), given)


def note_add(host: Host, asked: NoteAddTaken, client: str) -> Answered:
    """Write a note down, and tell of those that say nearly the same."""
    from gitmem.cli.noting import check_level, draft_of, opened_desk, write
    from gitmem.notes.finding import resolve

    context = host.begin()
    check_level(context, None)
    with opened_desk(context) as (desk, memory):
        replaced = tuple(dict.fromkeys(resolve(memory, name) for name in asked.supersedes))
        draft = draft_of(
            context,
            memory,
            asked.text,
            kind=asked.kind,
            due=asked.due,
            files=asked.files,
            sessions=asked.sessions,
            tags=asked.tags,
            agent=agent_named(host, client),
        )
        written = write(context, desk, draft._replace(supersedes=replaced))
    known = trusting_here(context)
    similar = tuple(
        Similar(cite(note.address, ""), short(note.text, _LONGEST_SIMILAR))
        for note in written.similar
        if known.of(note.author.email) == "known"
    )
    name = cite(written.note.address, "")
    lines = [f"wrote {name}"]
    if similar:
        told = [
            line for each in similar for line in (heading(each.id, "says nearly the same"), behind(each.text))
        ]
        lines.append(framed(told))
    return Answered("\n".join(lines), NoteAddGiven(id=name, similar=similar))


def _told(
    document: dict[str, Any], note: Listed, trust: Trust, most: int, begins: int = 0, *, repo: str = ""
) -> NoteTold:
    """Return a note as agents are told of it; `document` is what programs are."""
    author = called(note.author.name)
    return NoteTold(
        id=cite(note.address, ""),
        kind=note.type,
        by=who(f"{called(note.agent)} for {author}" if note.agent else author, trust=trust),
        text=plain(note.text[begins : begins + most]),
        at=iso(note.at_ms) or "",
        due=iso(note.due_ms) or "",
        state=note.state,
        files=tuple(short(file, 200) for file in note.files),
        tags=tuple(short(tag, 60) for tag in note.tags),
        about=tuple(_about(each) for each in document["about"]),
        repo=short(repo, 80),
        trust=trust,
        cut=max(0, len(note.text) - begins - most),
    )


def _about(position: dict[str, Any]) -> str:
    """Return what cites a session or a turn of it that a note is about."""
    session = position["session"] or ""
    stream, _, ordinal = (position.get("turn") or "")[len(session) + 1 :].rpartition(":")
    return cite(session, position["id"], stream, int(ordinal) if ordinal else None)


def _lines(note: NoteTold) -> list[str]:
    facts = who(
        note.kind,
        note.at[:10],
        note.by,
        called(note.repo),
        f"due {note.due[:10]}" if note.due else None,
        note.state if note.state != "open" else None,
        *map(called, note.files[:3]),
        *(f"tag {called(tag)}" for tag in note.tags[:5]),
        *(f"about {each}" for each in note.about[:3]),
        f"{note.cut} more" if note.cut else None,
    )
    return [heading(note.id, facts), behind(note.text)]
