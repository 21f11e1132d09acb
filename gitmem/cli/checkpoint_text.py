"""How checkpoints are shown: to people in a terminal, and to programs as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from gitmem.checkpoints.listing import SHOWN_DIGITS, Entry
from gitmem.cli.output import Output, Part, Styled
from gitmem.cli.rendering import local_time, short_name
from gitmem.cli.text import count, one_line
from gitmem.model.ids import SessionId, SessionKey
from gitmem.model.times import to_ms

_OID_DIGITS: Final = 9
_SHOWN_CHANGES: Final = 50
_SHOWN_SESSIONS: Final = 3
_SHOWN_REWRITES: Final = 20
_TREES: Final = {
    "commit": "of the commit",
    "index": "of what was staged",
    "found": "of what was found staged, after a commit that did not come about",
}


def as_json(entry: Entry) -> dict[str, Any]:
    """Return all that a checkpoint says."""
    made = entry.checkpoint
    return {
        **summary_as_json(entry),
        "changes": [
            {"path": change.path, "added": _lines(change.added), "removed": _lines(change.removed)}
            for change in made.changes
        ],
        "more_changes": made.more_changes,
        "positions": [
            {
                "session": _key(entry.sessions.get(one.session)),
                "id": one.session,
                "stream": one.stream,
                "lines": one.lines,
            }
            for one in made.positions
        ],
        "rewrites": [{"old": one.old, "new": one.new} for one in made.rewrites],
        "patches": list(made.patches),
    }


def summary_as_json(entry: Entry) -> dict[str, Any]:
    """Return what a checkpoint is, as a list of them tells it."""
    made = entry.checkpoint
    return {
        "checkpoint": entry.name,
        "at": made.at,
        "trigger": made.trigger,
        "author": made.author.name,
        "author_email": made.author.email,
        "head": made.head,
        "branch": made.branch,
        "tree": made.tree,
        "tree_from": made.tree_from,
        "message": made.message,
        "change_count": len(made.changes) + made.more_changes,
        "sessions": [{"session": _key(key), "id": session} for session, key in entry.sessions.items()],
    }


def say_line(output: Output, entry: Entry, subject: str, before: Entry | None) -> None:
    """Print a checkpoint in a line, and below it what its author said and which sessions were under way.

    `subject` is its commit's, or empty; it stands where its author said nothing. Sessions that have grown
    since the checkpoint `before` it come first.
    """
    made = entry.checkpoint
    where = f"{made.branch or 'no branch'} at {made.head[:_OID_DIGITS] if made.head else 'no commit'}"
    changed = len(made.changes) + made.more_changes
    output.say(
        Styled(entry.name[:SHOWN_DIGITS], "name"),
        " ",
        Styled(local_time(to_ms(made.at)), "dim"),
        f" {one_line(made.author.name)}: ",
        Styled(made.trigger, "strong"),
        f" {one_line(where)}",
        f", {count(changed, 'path')} changed" if changed else "",
    )
    if made.message or subject:
        output.say(f"    {one_line(made.message or subject)}")
    then, now = _lines_of_sessions(before), _lines_of_sessions(entry)
    sessions = sorted(entry.sessions, key=lambda session: now[session] <= then[session])
    keys = [(session, entry.sessions[session]) for session in sessions]
    names = [short_name(key) if key else session[:SHOWN_DIGITS] for session, key in keys]
    if names:
        more = f" and {len(names) - _SHOWN_SESSIONS} more" if len(names) > _SHOWN_SESSIONS else ""
        output.say(Styled(f"    {', '.join(names[:_SHOWN_SESSIONS])}{more}", "dim"))


def say_whole(output: Output, entry: Entry) -> None:
    """Print all that a checkpoint says, for people."""
    made = entry.checkpoint
    output.say(Styled(f"checkpoint {entry.name}", "name"))
    output.table(list(_facts(entry)))
    if made.message:
        output.say("")
        for line in made.message.splitlines():
            output.say(f"    {line}")
    if made.changes:
        output.say("")
        rows: list[list[Part]] = [
            [
                Styled(_signed(change.added, "+"), "good"),
                Styled(_signed(change.removed, "-"), "bad"),
                change.path,
            ]
            for change in made.changes[:_SHOWN_CHANGES]
        ]
        output.table(rows, right=(0, 1))
    _say_rest(output, len(made.changes[_SHOWN_CHANGES:]) + made.more_changes, "path")
    if made.positions:
        output.say("")
        output.table(
            [
                [
                    Styled(_name(one.session, entry.sessions.get(one.session)), "name"),
                    one.stream,
                    f"{one.lines:,} lines",
                ]
                for one in made.positions
            ],
            right=(2,),
        )
    if made.rewrites:
        output.say("")
        output.table(
            [
                [one.old[:_OID_DIGITS], "became", one.new[:_OID_DIGITS]]
                for one in made.rewrites[:_SHOWN_REWRITES]
            ]
        )
        _say_rest(output, len(made.rewrites[_SHOWN_REWRITES:]), "commit")


def _lines_of_sessions(entry: Entry | None) -> Counter[SessionId]:
    lines: Counter[SessionId] = Counter()
    for position in entry.checkpoint.positions if entry else ():
        lines[position.session] += position.lines
    return lines


def _facts(entry: Entry) -> Iterator[list[Part]]:
    made = entry.checkpoint
    yield ["when", local_time(to_ms(made.at))]
    yield ["by", made.author.name]
    yield ["trigger", made.trigger]
    yield ["branch", made.branch or "none"]
    yield ["commit", made.head or "none"]
    if made.tree:
        yield ["tree", f"{made.tree} {_TREES[made.tree_from]}"]


def _say_rest(output: Output, number: int, what: str) -> None:
    if number:
        output.say(Styled(f"and {count(number, f'more {what}')}", "dim"))


def _signed(lines: int, sign: str) -> str:
    return "?" if lines < 0 else f"{sign}{lines:,}"


def _lines(lines: int) -> int | None:
    return None if lines < 0 else lines


def _key(key: SessionKey | None) -> str | None:
    return str(key) if key else None


def _name(session: SessionId, key: SessionKey | None) -> str:
    return one_line(str(key)) if key else session[:SHOWN_DIGITS]
