"""`gitmem show`: one session, some of its turns, or a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import click

from gitmem.cli.auditing import log_of, note_session
from gitmem.cli.command import Command, recurse_option
from gitmem.cli.context import Context
from gitmem.cli.naming import is_note
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Output
from gitmem.cli.trusting import mark, trust_of, trusting_here
from gitmem.model.errors.naming import CheckpointUnknown, NoteUnknown, SessionUnknown
from gitmem.model.errors.store import NoMemory

if TYPE_CHECKING:
    from gitmem.format.memory import Folder, Memory
    from gitmem.model.ids import RecordId
    from gitmem.model.turns import Turn
    from gitmem.query.trusting import Trust
    from gitmem.verbs.picking import Picked
    from gitmem.verbs.reading import Address
    from gitmem.verbs.summaries import Summary

Form = Literal["people", "markdown", "raw", "json"]


@click.command(
    "show",
    cls=Command,
    examples=[
        "gitmem show claude-code/0f3a81c2",
        "gitmem show claude-code/0f3a81c2#41 --context 2",
        "gitmem show --markdown claude-code/0f3a81c2 > session.md",
        "gitmem show 1f2e3d4c5b6a",
        "gitmem show --raw --stream agent-7b claude-code/0f3a81c2",
    ],
)
@click.argument("session", metavar="SESSION[#TURN]|CHECKPOINT|NOTE")
@click.option("--markdown", "form", flag_value="markdown", help="Print a Markdown document.")
@click.option("--raw", "form", flag_value="raw", help="Print the agent's own lines, as they are stored.")
@click.option("--json", "form", flag_value="json", help="Print the turns in normal form, as JSON.")
@click.option("--full", is_flag=True, help="Fold nothing: preambles, thinking, results, all of it.")
@click.option("--stream", metavar="NAME", help="Only this stream: a subagent's, or another end of a fork.")
@click.option(
    "--context",
    "around",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    help="With #TURN: N turns around it.",
)
@recurse_option
@click.pass_obj
def command(
    context: Context,
    session: str,
    form: Form | None,
    full: bool,
    stream: str | None,
    around: int,
    recurse: bool | None,
) -> None:
    """Show a session, one turn of it, a checkpoint, or a note.

    SESSION is <agent>/<native id> or the beginning of one. TURN is a turn's number, <stream>:<number>, or the
    agent's own id of a message. CHECKPOINT is a name that `gitmem log --checkpoints` gives, or its beginning.
    NOTE is note/<id>. What this repository does not have is looked for in its superproject and submodules.
    """
    from gitmem.cli.recursing import first_that

    def attempt(one: Context) -> None:
        _show(one, session, form, full, stream, around)

    first_that(context, recurse, attempt, SessionUnknown, CheckpointUnknown, NoteUnknown, NoMemory)


def _show(
    context: Context, session: str, form: Form | None, full: bool, stream: str | None, around: int
) -> None:
    from gitmem.verbs import picking

    if is_note(session):
        _show_note(context, session, form or "people")
        return
    with opened_memory(context, fetches=True) as memory:
        found = _address(context, memory, session)
        if isinstance(found, str):
            log_of(context).note("show", f"checkpoint:{found}")
            _show_checkpoint(context, memory, found, form or "people")
            return
        folder, turn = found
        if turn is None and around:
            raise click.UsageError("--context needs a turn: SESSION#TURN")
        note_session(context, "show", memory, folder)
        memory.absent.require(folder.session)
        if turn is None:
            _show_session(context, memory, folder, form or "people", full, stream)
            return
        if stream is not None:
            turn = f"{stream}:{turn}"
        picked = picking.pick(memory, folder, turn, context=around, state_dir=context.repository.state_dir)
        if form == "raw":
            context.output.raw(picking.raw_lines(memory, folder, picked))
        else:
            _show_turns(context, memory, folder, form or "people", full, picked)


def _show_note(context: Context, name: str, form: Form) -> None:
    from gitmem.cli.noting import show

    if form not in ("people", "json"):
        raise click.UsageError(f"a note has no form --{form}")
    with opened_memory(context) as memory:
        show(context, memory, name, as_json=form == "json")


def _address(context: Context, memory: Memory, text: str) -> Address | RecordId:
    """Find what a text names: a session or a turn, or else a checkpoint."""
    from gitmem.checkpoints import listing
    from gitmem.format import checkpoints
    from gitmem.verbs import reading

    if not listing.may_name(text):
        return reading.address(memory, text)
    found = checkpoints.find_prefix(memory, text)
    if len(found) == 1 and len(text) >= listing.SHOWN_DIGITS:
        return found[0]  # no session begins like that too, and to know for sure takes a look at all of them
    try:
        return reading.address(memory, text)
    except SessionUnknown:
        return listing.resolve(memory, text, context.repository.state_dir)


def _show_checkpoint(context: Context, memory: Memory, name: RecordId, form: Form) -> None:
    from gitmem.checkpoints.listing import read
    from gitmem.cli.checkpoint_text import as_json, say_whole

    entry = read(memory, name)
    if form == "json":
        context.output.json(as_json(entry))
    elif form == "people":
        with context.telling() as output:
            say_whole(output, entry)
    else:
        raise click.UsageError(f"a checkpoint has no form --{form}")


def _show_turns(
    context: Context, memory: Memory, folder: Folder, form: Form, full: bool, picked: Picked
) -> None:
    from gitmem.cli.markdown import sections
    from gitmem.cli.rendering import People, turn_as_json
    from gitmem.model.ids import SessionKey
    from gitmem.verbs.reading import session_record

    trust = trust_of(trusting_here(context), memory.load(folder))
    if form == "json":
        record = session_record(memory, folder)
        context.output.json(
            {
                "session": str(SessionKey(record.agent, record.native_id)),
                "id": folder.session,
                "trust": trust,
                "stream": picked.stream,
                "asked_for": sorted(picked.asked_for),
                "turn_count": picked.total,
                "turns": [turn_as_json(turn) for turn in picked.turns],
            }
        )
        return
    with context.telling() as output:
        if form == "markdown":
            document = "".join(sections(picked.turns, full=True)).strip("\n")
            output.raw(f"{document}\n".encode("utf-8", "replace"))
        else:
            if trust != "known":
                output.say(*mark(trust, ""))
            people = People(output, full=full, whole=picked.asked_for)
            people.show(picked.turns)
            people.say_what_was_folded()


def _show_session(
    context: Context, memory: Memory, folder: Folder, form: Form, full: bool, stream: str | None
) -> None:
    from gitmem.verbs import reading

    if form == "raw":
        for piece in reading.text(memory, folder, stream or ""):
            context.output.raw(piece)
        return
    summary, turns = _read(context, memory, folder, stream)
    trust = trusting_here(context, summary.captured_by).of_all(summary.captured_by)
    if form == "json":
        _print_json(context.output, summary, turns, trust)
        return
    with context.telling() as output:
        if form == "markdown":
            _print_markdown(output, summary, turns, full)
        else:
            _print_people(output, summary, turns, full, trust)


def _read(
    context: Context, memory: Memory, folder: Folder, stream: str | None
) -> tuple[Summary, Iterator[Turn]]:
    """Return what a session comes to, and its turns or those of one stream."""
    from gitmem.verbs import picking, reading
    from gitmem.verbs.listing import Summaries
    from gitmem.verbs.summaries import sum_up

    stored = memory.load(folder)
    state_dir, repo = context.repository.state_dir, context.repository.name
    if stream is not None:
        reading.head_of(stored, stream)  # raises where there is none
    turns: Iterable[Turn]
    if picking.may_be_held(stored):
        whole = reading.transcript(memory, folder, stored)
        picking.remember(memory, folder, stored, whole, state_dir)
        summary = sum_up(stored, whole.turns, lambda: (whole.header, whole.tally), repo)
        turns = whole.turns
    else:
        summary = Summaries(memory, state_dir, repo).one(folder)
        turns = reading.turns(memory, folder, stored)
    return summary, (turn for turn in turns if stream is None or turn.stream == stream)


def _print_people(output: Output, summary: Summary, turns: Iterable[Turn], full: bool, trust: Trust) -> None:
    from gitmem.cli.rendering import People, say_summary

    say_summary(output, summary, trust)
    people = People(output, full=full)
    people.show(turns)
    people.say_what_was_folded()


def _print_markdown(output: Output, summary: Summary, turns: Iterable[Turn], full: bool) -> None:
    from gitmem.cli.markdown import document

    for piece in document(summary, turns, full=full):
        output.raw(piece.encode("utf-8", "replace"))


def _print_json(output: Output, summary: Summary, turns: Iterable[Turn], trust: Trust) -> None:
    """Print one document turn by turn: a session may be larger than the memory that it may take."""
    from gitmem.cli.rendering import summary_as_json, turn_as_json

    about = summary_as_json(summary, trust)
    about["turn_count"] = about.pop("turns")
    output.raw(_encoded(output, about)[:-1] + b',"turns":[')
    for n, turn in enumerate(turns):
        output.raw((b"," if n else b"") + _encoded(output, turn_as_json(turn)))
    output.raw(b"]}\n")


def _encoded(output: Output, value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=output.is_terminal, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace")
