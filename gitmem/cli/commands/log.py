"""`gitmem log`: how the memory came to be."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Output, Styled
from gitmem.cli.rendering import iso, local_time
from gitmem.cli.text import one_line
from gitmem.cli.trusting import mark, trusting_here

if TYPE_CHECKING:
    from gitmem.checkpoints.listing import Entry
    from gitmem.format.memory import Memory
    from gitmem.model.ids import Oid
    from gitmem.query.trusting import Trusting
    from gitmem.verbs.reporting import LogEntry, SessionChange

_SHOWN_SESSIONS = 10
_OID_DIGITS = 9
_WRITTEN = {
    "title": "titled",
    "tags": "tagged",
    "hidden": "hidden or shown",
    "level": "moved to another level",
}
_EMPTIED = {"forgotten": "remembered again"}
_OTHERS = {"register": "note change"}
"""Kinds of records that are not called by their own name; those of sessions are told with these."""


@click.command(
    "log", cls=Command, examples=["gitmem log", "gitmem log --limit 20 --json", "gitmem log --checkpoints"]
)
@click.option("--checkpoints", is_flag=True, help="The checkpoints of the code, not the memory's commits.")
@click.option("-n", "--limit", metavar="N", type=click.IntRange(min=1), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def command(ctx: click.Context, /, checkpoints: bool, limit: int | None, as_json: bool) -> None:
    """Show the commits of the memory, the newest first, and what each of them brought.

    With --checkpoints, where the code stood at each checkpoint, and which sessions were under way; ends with
    1 if there is none.
    """
    context: Context = ctx.obj
    if checkpoints:
        ctx.exit(0 if _show_checkpoints(context, limit, as_json) else 1)
    from gitmem.verbs.reporting import log

    with opened_memory(context) as memory:
        entries = log(memory, limit)
        known = trusting_here(context)
        if as_json:
            context.output.json({"commits": [_as_json(entry, known) for entry in entries]})
            return
        with context.telling() as output:
            for entry in entries:
                _say(output, entry, known)


def _show_checkpoints(context: Context, limit: int | None, as_json: bool) -> bool:
    """Show the checkpoints, and tell whether there are any."""
    from gitmem.checkpoints.listing import newest
    from gitmem.cli.checkpoint_text import say_line, summary_as_json

    with opened_memory(context) as memory:
        # One more than is shown, to tell what has grown since.
        found = newest(memory, context.repository.state_dir, None if limit is None else limit + 1)
        first = next(found, None)
        if as_json:
            entries = () if first is None else islice(chain([first], found), limit)
            context.output.json({"checkpoints": [summary_as_json(entry) for entry in entries]})
        elif first is None:
            context.output.note("there are no checkpoints yet")
        else:
            subject_of = cache(lambda oid: _subject(memory, oid))
            with context.telling() as output:
                entry: Entry | None = first
                shown = 0
                while entry is not None and shown != limit:
                    before = next(found, None)
                    say_line(output, entry, subject_of(entry.checkpoint.head), before)
                    entry, shown = before, shown + 1
        return first is not None


def _subject(memory: Memory, oid: Oid | None) -> str:
    """Return a commit's first line; nothing where the commit is not here."""
    from gitmem.model.errors.store import ObjectDamaged, ObjectMissing
    from gitmem.objects.history import read_commit

    if oid is None:
        return ""
    try:
        return read_commit(memory.storage, oid).message.partition("\n")[0]
    except (ObjectMissing, ObjectDamaged):
        return ""


def _say(output: Output, entry: LogEntry, known: Trusting) -> None:
    output.say(
        Styled(entry.commit[:_OID_DIGITS], "name"),
        " ",
        Styled(local_time(entry.at_s * 1000), "dim"),
        f" {one_line(entry.author)}: ",
        Styled(_describe(entry), "strong"),
        *([] if entry.begins_anew else mark(known.of(entry.email))),
    )
    if entry.begins_anew:
        return
    for change in entry.sessions[:_SHOWN_SESSIONS]:
        output.say(f"    {_describe_change(change)}")
    if len(entry.sessions) > _SHOWN_SESSIONS:
        output.say(Styled(f"    and {len(entry.sessions) - _SHOWN_SESSIONS:,} sessions more", "dim"))


def _describe(entry: LogEntry) -> str:
    from gitmem.cli.text import count

    if entry.begins_anew:
        held = [count(len(entry.sessions), "session")]
        held += [count(number, _OTHERS.get(kind, kind)) for kind, number in sorted(entry.others.items())]
        return f"{entry.subject.removesuffix(' [skip ci]')}: {', '.join(held)}"
    changes = [change.change for change in entry.sessions]
    parts = [count(changes.count("new"), "new session")] if "new" in changes else []
    parts += [f"{changes.count(kind)} {kind}" for kind in ("grown", "gone") if kind in changes]
    written = Counter(told for change in entry.sessions for told in _written(change))
    parts += [f"{number} {told}" for told, number in sorted(written.items())]
    lines = sum(change.lines for change in entry.sessions)
    parts += [count(lines, "line")] if lines else []
    parts += [count(number, _OTHERS.get(kind, kind)) for kind, number in sorted(entry.others.items())]
    return ", ".join(parts) or entry.subject.removesuffix(" [skip ci]")


def _written(change: SessionChange) -> list[str]:
    """Say what each register that was written comes to."""
    return [
        _EMPTIED.get(name, _WRITTEN.get(name, name)) if name in change.emptied else _WRITTEN.get(name, name)
        for name in change.registers
    ]


def _describe_change(change: SessionChange) -> str:
    name = str(change.key) if change.key else change.session[:12]
    lines = f" +{change.lines:,}" if change.captures else ""
    done = ", ".join(_written(change))
    return f"{done if change.change == 'named' else change.change:6} {one_line(name)}{lines}"


def _as_json(entry: LogEntry, known: Trusting) -> dict[str, Any]:
    return {
        "commit": entry.commit,
        "parents": entry.parents,
        "at": iso(entry.at_s * 1000),
        "author": entry.author,
        "author_email": entry.email,
        "trust": known.of(entry.email),
        "message": entry.subject,
        "begins_anew": entry.begins_anew,
        "sessions": [
            {
                "session": str(change.key) if change.key else None,
                "id": change.session,
                "change": change.change,
                "lines": change.lines,
                "registers": change.registers,
                "emptied": change.emptied,
            }
            for change in entry.sessions
        ],
        "others": entry.others,
    }
