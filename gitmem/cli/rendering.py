"""How sessions and their turns are shown: to people in a terminal, and to programs as JSON."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.output import Output, Style, Styled
from gitmem.cli.progress import size
from gitmem.cli.text import clean, fit, one_line
from gitmem.cli.trusting import mark
from gitmem.model.ids import MAIN_STREAM, SessionId, SessionKey
from gitmem.model.times import to_text

if TYPE_CHECKING:
    from gitmem.model.turns import Turn
    from gitmem.query.trusting import Trust
    from gitmem.verbs.summaries import Summary

_LEAST_NAME: Final = 8
_LONGEST_NAME: Final = 200
_ID_DIGITS: Final = 12
_PIPED_COLUMNS: Final = 200
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_ROLE_STYLES: Final[dict[str, Style]] = {
    "user": "good",
    "assistant": "strong",
    "system": "dim",
    "tool": "dim",
}
FOLDED_KINDS: Final = frozenset({"preamble", "thinking"})


def short_names(summaries: Sequence[Summary]) -> dict[SessionId, str]:
    """Return, for each session, the shortest name that gitmem takes for it and for no other of these.

    That is its key with the native id cut short, or the beginning of its id where that cannot be typed.
    """
    ordered = sorted(summaries, key=lambda summary: summary.key)
    ids = sorted(summary.session for summary in summaries)
    keys = Counter(summary.key for summary in summaries)
    names: dict[SessionId, str] = {}
    for n, summary in enumerate(ordered):
        native_id, needed = summary.native_id, _LEAST_NAME
        for other in ordered[max(0, n - 1) : n] + ordered[n + 1 : n + 2]:  # who shares most stands beside it
            if other.agent == summary.agent:
                needed = max(needed, _shared(native_id, other.native_id) + 1)
        if keys[summary.key] == 1 and _is_typed(summary.agent) and _is_typed(native_id):
            names[summary.session] = f"{summary.agent}/{native_id[:needed]}"
        else:
            at = bisect_left(ids, summary.session)
            beside = ids[max(0, at - 1) : at] + ids[at + 1 : at + 2]
            digits = max([_ID_DIGITS, *(_shared(summary.session, other) + 1 for other in beside)])
            names[summary.session] = summary.session[:digits]
    return names


def short_name(key: SessionKey) -> str:
    """Return a session's name as `short_names` would, were no other session's much like it."""
    if _is_typed(key.agent) and _is_typed(key.native_id):
        return f"{key.agent}/{key.native_id[:_LEAST_NAME]}"
    return one_line(str(key))


def ago(at_ms: int | None, now_ms: int) -> str:
    """Say when something was, as people do; a date where that is more than a week away."""
    if at_ms is None:
        return "-"
    past_ms = now_ms - at_ms
    if not 0 <= past_ms < 7 * _DAY_MS:
        return local_time(at_ms)[:10]
    for unit_ms, unit in ((_DAY_MS, "d"), (_HOUR_MS, "h"), (_MINUTE_MS, "min")):
        if past_ms >= unit_ms:
            return f"{past_ms // unit_ms} {unit} ago"
    return "just now"


def local_time(at_ms: int) -> str:
    """Return a moment in the user's own time zone, to the minute."""
    try:
        return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return iso(at_ms) or "?"  # the first and the last day that there is have no other time zone


def iso(at_ms: int | None) -> str | None:
    """Return a moment as JSON has it, to the second; None for one outside the years 1 to 9999."""
    if at_ms is None:
        return None
    try:
        return to_text(at_ms)[:19] + "Z"
    except ValueError:
        return None


def summary_as_json(summary: Summary, trust: Trust) -> dict[str, Any]:
    """Return what `sessions --json` says of a session."""
    from gitmem.verbs.reading import as_plain

    return {
        "session": str(summary.key),
        "id": summary.session,
        "title": summary.title,
        "agent": summary.agent,
        "agent_version": summary.agent_version,
        "author": summary.author.name,
        "author_email": summary.author.email,
        "trust": trust,
        "repo": summary.repo,
        "branch": summary.branch,
        "branches": summary.branches,
        "model": summary.model,
        "started_at": iso(summary.started_ms),
        "ended_at": iso(summary.ended_ms),
        "captured_at": iso(summary.captured_ms),
        "turns": summary.turns,
        "level": summary.level,
        "tags": summary.tags,
        "hidden": summary.hidden,
        "hidden_by": summary.hidden_by,
        "streams": summary.streams,
        "forks": summary.forks,
        "forked_from": None if summary.origin is None else str(summary.origin),
        "lines": summary.lines,
        "bytes": summary.bytes,
        "not_here": summary.absent,
        "unread": {kind: count for kind, count in as_plain(summary.tally).items() if kind != "lines"},
    }


def turn_as_json(turn: Turn) -> dict[str, Any]:
    """Return a turn in normal form; what is not known of it is left out, but for its id and time."""
    from gitmem.verbs.reading import as_plain

    values = as_plain(turn)
    values.pop("at_ms", None)
    first = {"ordinal": turn.ordinal, "stream": turn.stream, "id": turn.id, "at": iso(turn.at_ms)}
    return {**first, **values}


def say_summary(output: Output, summary: Summary, trust: Trust) -> None:
    """Print what a session is, above its turns."""
    output.say(Styled(one_line(summary.title) or "(no title)", "strong"))
    times = " to ".join(
        dict.fromkeys(local_time(ms) for ms in (summary.started_ms, summary.ended_ms) if ms is not None)
    )
    facts = [
        one_line(summary.author.name),
        times,
        f"on {one_line(summary.branch)}" if summary.branch else "",
        one_line(summary.model or ""),
        f"{summary.turns:,} {'turn' if summary.turns == 1 else 'turns'}",
        size(summary.bytes),
        one_line(summary.level),
        *(f"#{one_line(tag)}" for tag in summary.tags),
    ]
    output.say(Styled(one_line(str(summary.key)), "name"), *(f", {fact}" for fact in facts if fact))
    if summary.origin is not None:
        output.say(f"it went on from {one_line(str(summary.origin))}")
    if trust != "known":
        output.say(*mark(trust, ""))
    if summary.hidden:
        whose = one_line(", ".join(summary.hidden_by))
        says = f"hidden by {whose}: it was forgotten (gitmem forget --list), or given a lower level"
        output.say(Styled(says, "bad"))
    if summary.forks:
        output.say(
            Styled(
                f"it went on in {summary.forks + 1} places at once; all are shown, one below the other", "bad"
            )
        )


class People:
    """Prints turns for people, one after the other.

    Tool calls and notices take a line, results their first line; preambles and thinking are left out. With
    `full` everything is printed as it is; turns in `whole` are, in any case.
    """

    def __init__(self, output: Output, *, full: bool = False, whole: frozenset[int] = frozenset()) -> None:
        self.folded = 0
        self._output, self._full, self._whole = output, full, whole
        self._stream = MAIN_STREAM
        self._day = ""
        self._columns = output.columns if output.is_terminal else _PIPED_COLUMNS

    def show(self, turns: Iterable[Turn]) -> None:
        """Print turns in order."""
        for turn in turns:
            is_whole = self._full or turn.ordinal in self._whole
            if turn.kind in FOLDED_KINDS and not is_whole:
                self.folded += 1
                continue
            if turn.kind == "message" and not (turn.text.strip() or is_whole):
                continue
            if turn.stream != self._stream:
                self._stream, self._day = turn.stream, ""
                self._output.say("")
                self._output.say(Styled(f"── {one_line(_describe_stream(turn.stream))} ──", "strong"))
            if turn.kind == "message" or is_whole:
                self._show_whole(turn)
            else:
                self._show_line(turn)

    def say_what_was_folded(self) -> None:
        """Say how to see what was left out, if anything was."""
        if self.folded:
            self._output.say("")
            kinds = "preamble or thought" if self.folded == 1 else "preambles and thoughts"
            self._output.say(Styled(f"{self.folded:,} {kinds} left out; --full shows all", "dim"))

    def _show_whole(self, turn: Turn) -> None:
        who = one_line(turn.author or turn.role)
        kind = "" if turn.kind == "message" else f" {turn.kind.replace('_', ' ')}"
        named = f" {one_line(turn.call.name)}" if turn.call else ""
        details = ", ".join(filter(None, (self._time(turn), one_line(turn.model or ""))))
        self._output.say("")
        self._output.say(
            Styled(_label(turn), "name"),
            " ",
            Styled(who + kind + named, _ROLE_STYLES[turn.role]),
            Styled(f"  {details}" if details else "", "dim"),
            Styled(_failure(turn), "bad"),
        )
        for line in clean(turn.text).rstrip().split("\n"):
            self._output.say(f"  {line}" if line else "")
        if turn.shortened:
            self._output.say(Styled("  (shortened; --raw has all of it)", "dim"))

    def _show_line(self, turn: Turn) -> None:
        label = _label(turn)
        lines = [line for line in clean(turn.text[: 64 * self._columns]).split("\n") if line.strip()]
        first = one_line(lines[0]) if lines else ""
        if turn.call:
            mark, text = f"→ {one_line(turn.call.name)}", first
        elif turn.result:
            count = turn.text.rstrip().count("\n") + 1
            mark, text = "←", first + (f"  (+{count - 1:,} lines)" if count > 1 else "")
        else:
            mark, text = "·", first
        failure = _failure(turn)
        room = self._columns - len(label) - len(mark) - len(failure) - 4
        self._output.say(
            Styled(label, "name"),
            " ",
            Styled(mark, "dim"),
            Styled(failure, "bad"),
            " ",
            fit(text, max(20, room)),
        )

    def _time(self, turn: Turn) -> str:
        if turn.at_ms is None:
            return ""
        text = local_time(turn.at_ms)
        day, _, clock = text.partition(" ")
        if day != self._day:
            self._day = day
            return text
        return clock


def _label(turn: Turn) -> str:
    """Return what `show SESSION#…` takes for a turn."""
    return f"#{turn.ordinal}" if turn.stream == MAIN_STREAM else f"#{one_line(turn.stream)}:{turn.ordinal}"


def _failure(turn: Turn) -> str:
    if turn.result is None or not (turn.result.is_error or turn.result.exit_status):
        return ""
    status = turn.result.exit_status
    return " failed" if status is None else f" failed with {status}"


def _describe_stream(stream: str) -> str:
    name, at, capture = stream.rpartition("@")
    return f"{name or 'the session itself'}, as it went on elsewhere ({capture})" if at else stream


def _shared(a: str, b: str) -> int:
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _is_typed(text: str) -> bool:
    """Whether people can type a name in any shell as it stands."""
    return (
        text.isprintable() and len(text) <= _LONGEST_NAME and not set(text) & set(" #'\"\\$`*?[]{}()<>|&;!~")
    )
