"""`gitmem log`: how the memory came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.cli.opening import opened_memory
from gitmem.cli.output import Output, Styled
from gitmem.cli.rendering import iso, local_time

if TYPE_CHECKING:
    from gitmem.verbs.reporting import LogEntry, SessionChange

_SHOWN_SESSIONS = 10
_OID_DIGITS = 9


@click.command("log", cls=Command, examples=["gitmem log", "gitmem log --limit 20 --json"])
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most so many commits.")
@click.option("--json", "as_json", is_flag=True, help="Print the commits as JSON.")
@click.pass_obj
def command(context: Context, limit: int | None, as_json: bool) -> None:
    """Show the commits of the memory, the newest first, and what each of them brought."""
    from gitmem.verbs.reporting import log

    with opened_memory(context) as memory:
        entries = log(memory, limit)
        if as_json:
            context.output.json({"commits": [_as_json(entry) for entry in entries]})
            return
        with context.paged() as output:
            for entry in entries:
                _say(output, entry)


def _say(output: Output, entry: LogEntry) -> None:
    output.say(
        Styled(entry.commit[:_OID_DIGITS], "name"),
        " ",
        Styled(local_time(entry.at_s * 1000), "dim"),
        f" {entry.author}: ",
        Styled(_describe(entry), "strong"),
    )
    for change in entry.sessions[:_SHOWN_SESSIONS]:
        output.say(f"    {_describe_change(change)}")
    if len(entry.sessions) > _SHOWN_SESSIONS:
        output.say(Styled(f"    and {len(entry.sessions) - _SHOWN_SESSIONS:,} sessions more", "dim"))


def _describe(entry: LogEntry) -> str:
    from gitmem.cli.intake import count

    changes = [change.change for change in entry.sessions]
    parts = [count(changes.count("new"), "new session")] if "new" in changes else []
    parts += [f"{changes.count(kind)} {kind}" for kind in ("grown", "named", "gone") if kind in changes]
    lines = sum(change.lines for change in entry.sessions)
    parts += [count(lines, "line")] if lines else []
    parts += [count(number, kind) for kind, number in sorted(entry.others.items())]
    return ", ".join(parts) or entry.subject.removesuffix(" [skip ci]")


def _describe_change(change: SessionChange) -> str:
    name = str(change.key) if change.key else change.session[:12]
    lines = f" +{change.lines:,}" if change.captures else ""
    return f"{change.change:5} {name}{lines}".replace("\n", " ")


def _as_json(entry: LogEntry) -> dict[str, Any]:
    return {
        "commit": entry.commit,
        "parents": entry.parents,
        "at": iso(entry.at_s * 1000),
        "author": entry.author,
        "author_email": entry.email,
        "message": entry.subject,
        "sessions": [
            {
                "session": str(change.key) if change.key else None,
                "id": change.session,
                "change": change.change,
                "lines": change.lines,
            }
            for change in entry.sessions
        ],
        "others": entry.others,
    }
