"""How notes are shown: to people in a terminal, and to programs as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.rendering import ago, iso, local_time, short_name
from gitmem.cli.text import clean, one_line
from gitmem.cli.trusting import mark
from gitmem.model.errors.intake import ReaderMissing
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import RecordId, SessionKey
from gitmem.notes.listing import PREFIX, SHOWN_DIGITS, Listed

if TYPE_CHECKING:
    from gitmem.format.memory import Memory
    from gitmem.model.records import Position
    from gitmem.query.trusting import Trust, Trusting


class Told(NamedTuple):
    """A note, what people call the repository that has it, how far it is trusted, and what programs get."""

    note: Listed
    repo: str
    trust: Trust
    document: dict[str, Any]


def as_json(
    memory: Memory, note: Listed, known: Trusting, now_ms: int, *, with_turns: bool = False
) -> dict[str, Any]:
    """Return all that a note says, and what has become of it.

    For its turns' numbers the sessions that it names have to be read, which `with_turns` asks for.
    """
    return {
        "note": note.address,
        "id": note.name,
        "kind": note.type,
        "title": note.title,
        "text": note.text,
        "state": note.state,
        "at": iso(note.at_ms),
        "due": iso(note.due_ms),
        "is_due": note.is_due(now_ms),
        "author": note.author.name,
        "author_email": note.author.email,
        "agent": note.agent,
        "trust": known.of(note.author.email),
        "files": list(note.files),
        "about": [_position_as_json(memory, each, with_turn=with_turns) for each in note.about],
        "tags": list(note.tags),
        "supersedes": [f"{PREFIX}{name}" for name in note.supersedes],
        "superseded_by": [f"{PREFIX}{name}" for name in note.superseded_by],
    }


def similar_as_json(notes: Sequence[Listed]) -> list[dict[str, Any]]:
    """Return the notes that say nearly the same."""
    return [{"note": note.address, "title": note.title} for note in notes]


def say_list(output: Output, found: Sequence[Told], now_ms: int, *, with_repo: bool) -> None:
    """Print notes, one a line."""
    notes = [told.note for told in found]
    is_shared = len({(note.author, note.agent) for note in notes}) > 1
    has_states = any(note.state != "open" for note in notes)
    has_due = any(note.due_ms is not None or note.type == "reminder" for note in notes)
    is_marked = any(told.trust != "known" for told in found)
    rows: list[list[Part]] = [
        [
            Styled(ago(note.at_ms, now_ms), "dim"),
            Styled(note.short_address, "name"),
            *([Styled(told.repo, "dim")] if with_repo else []),
            note.type,
            " ".join([one_line(note.title), *(f"#{tag}" for tag in note.tags)]),
            *([_due(note, now_ms)] if has_due else []),
            *([note.state if note.state != "open" else ""] if has_states else []),
            *([Styled(_who(note), "dim")] if is_shared else []),
            *(mark(told.trust, "") or [""] if is_marked else []),
        ]
        for note, told in zip(notes, found, strict=True)
    ]
    header = ["written", "note", *(["repo"] if with_repo else []), "kind", "title"]
    further = (("due", has_due), ("state", has_states), ("author", is_shared), ("trust", is_marked))
    header += [name for name, is_told in further if is_told]
    output.table(rows, header=header, flexible=header.index("title"))


def say_whole(output: Output, memory: Memory, note: Listed, known: Trusting, now_ms: int) -> None:
    """Print a note with all that is known of it."""
    about = f"{note.type}, {local_time(note.at_ms)}, {one_line(_who(note))}"
    output.say(Styled(note.address, "name"), *mark(known.of(note.author.email)))
    output.say(Styled(about, "dim"))
    told: list[tuple[str, str]] = []
    if note.state != "open":
        told.append(("state", note.state))
    if note.due_ms is not None:
        told.append(("due", local_time(note.due_ms) + (", which is past" if note.is_due(now_ms) else "")))
    told += [("tags", ", ".join(note.tags))] if note.tags else []
    told += [("file", file) for file in note.files]
    told += [("about", _session(memory, each)) for each in note.about]
    told += [("supersedes", short(name)) for name in note.supersedes]
    told += [("superseded by", short(name)) for name in note.superseded_by]
    for name, value in told:
        output.say(f"{name}: ", one_line(value))
    output.say()
    output.say(clean(note.text))


def say_similar(output: Output, notes: Sequence[Listed]) -> None:
    """Tell of the notes that say nearly the same."""
    for note in notes:
        output.warn(f'similar to {note.short_address}: "{one_line(note.title)}"')


def short(name: RecordId) -> str:
    """Return what people call a note, as far as it tells it from others."""
    return f"{PREFIX}{name[:SHOWN_DIGITS]}"


def describe_due(note: Listed, now_ms: int) -> str:
    """Say in a line what somebody is to be reminded of."""
    since = "" if note.due_ms is None else f" (due {ago(note.due_ms, now_ms)})"
    return f"{note.short_address}  {one_line(note.title)}{since}"


def _due(note: Listed, now_ms: int) -> Part:
    if note.due_ms is None:
        return Styled("due", "bad") if note.is_due(now_ms) else ""
    day = (iso(note.due_ms) or "?")[:10]
    return Styled(f"due {day}", "bad") if note.is_due(now_ms) else Styled(day, "dim")


def _who(note: Listed) -> str:
    return f"{note.agent} for {note.author.name}" if note.agent else note.author.name


def _session(memory: Memory, position: Position) -> str:
    key = _key(memory, position)
    name = short_name(key) if key else f"a session of another memory, {position.session[:12]}"
    turn = _turn(memory, position)
    return f"{name}#{turn}" if turn else name


def _position_as_json(memory: Memory, position: Position, *, with_turn: bool) -> dict[str, Any]:
    key = _key(memory, position)
    told: dict[str, Any] = {
        "session": None if key is None else str(key),
        "id": position.session,
        "stream": position.stream,
        "lines": position.lines,
    }
    if with_turn:
        turn = _turn(memory, position)
        told["turn"] = f"{key}#{turn}" if turn and key else None
    return told


def _turn(memory: Memory, position: Position) -> str | None:
    """Return how a turn is cited behind its session's name; None where a session is meant as a whole, or
    where the turn cannot be read any more."""
    from gitmem.verbs.reading import turns

    folder = memory.find(position.session)
    if folder is None or not position.lines or position.session in memory.absent:
        return None
    try:
        found = [
            turn.ordinal
            for turn in turns(memory, folder)
            if turn.stream == position.stream and turn.line == position.lines - 1
        ]
    except (ReaderMissing, RecordRefused, ObjectDamaged, ObjectMissing):
        return None
    if not found:
        return None
    return f"{position.stream}:{found[-1]}" if position.stream else str(found[-1])


def _key(memory: Memory, position: Position) -> SessionKey | None:
    folder = memory.find(position.session)
    if folder is None:
        return None
    try:
        record = memory.record(folder)
    except (RecordRefused, ObjectDamaged, ObjectMissing):
        return None
    return SessionKey(record.agent, record.native_id)
