"""Explained lines, summed up: which came from which turn, or from which session, and what was said there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from gitmem.format.memory import Memory
from gitmem.git.blame import Line
from gitmem.model.errors.naming import TurnUnknown
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, RecordRefused
from gitmem.model.ids import MAIN_STREAM, Oid, SessionKey
from gitmem.model.turns import Turn
from gitmem.transcripts.edits import edits_of
from gitmem.verbs import picking
from gitmem.why.explainer import Explained, Written
from gitmem.why.lines import squeezed

_EXCERPT_AROUND = 2
_SHOWN_ID_DIGITS = 16


class Account(NamedTuple):
    """Lines of one file and one commit that are from the same place; `written` is of the first of them.

    `turns` are all the turns that wrote them, by stream and ordinal; none where nobody is known.
    """

    path: str
    commit: Oid | None
    written: Written | None
    lines: tuple[Line, ...]
    turns: tuple[tuple[str, int], ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The runs of numbers of its lines, each from its first to its last."""
        found: list[tuple[int, int]] = []
        for number in sorted(line.number for line in self.lines):
            if found and found[-1][1] == number - 1:
                found[-1] = found[-1][0], number
            else:
                found.append((number, number))
        return found


class Told(NamedTuple):
    """A turn as it can be shown: what it was asked for by, and its text around a line."""

    turn: Turn
    prompt: Turn | None
    excerpt: tuple[str, ...]


def account(path: str, explained: Iterable[Explained], *, by_turn: bool) -> list[Account]:
    """Sum up the lines of a file by commit, and by turn or by session, in the order of their first lines."""
    groups: dict[tuple[object, ...], list[Explained]] = {}
    for each in explained:
        written = each.written
        place: tuple[object, ...] = ()
        if written is not None:
            match = written.match
            place = (match.session.session, written.evidence)
            if by_turn:
                place += (match.stream, match.edit.ordinal)
        groups.setdefault((each.line.commit, *place), []).append(each)
    return [_account(path, group) for group in groups.values()]


def newest_first(accounts: Iterable[Account], moment: Callable[[Oid], int]) -> list[Account]:
    """Order accounts by their commits' moments; what is in no commit comes first."""
    return sorted(
        accounts,
        key=lambda each: (-moment(each.commit) if each.commit else float("-inf"), each.path, each.spans[:1]),
    )


def count_known(accounts: Iterable[Account]) -> Counter[bool]:
    """Count lines that are known to be from a session (True), and lines that are not."""
    found: Counter[bool] = Counter()
    for each in accounts:
        found[each.written is not None] += len(each.lines)
    return found


def session_name(memory: Memory, key: SessionKey, session: str) -> str:
    """Return what `gitmem show` takes for a session and for no other."""
    return str(key) if len(memory.find_key(key)) == 1 else session[:_SHOWN_ID_DIGITS]


def turn_name(stream: str, ordinal: int) -> str:
    """Return what `gitmem show` takes behind `#`."""
    return str(ordinal) if stream == MAIN_STREAM else f"{stream}:{ordinal}"


def tell(memory: Memory, state_dir: Path | None, written: Written, text: str) -> Told | None:
    """Read the turn that wrote a line, and the user's message before it; None where that fails."""
    match = written.match
    turn = _pick(memory, state_dir, written, match.edit.ordinal)
    if turn is None:
        return None
    prompt = _pick(memory, state_dir, written, match.edit.prompt) if match.edit.prompt >= 0 else None
    return Told(turn, prompt, _excerpt(turn, match.part or text))


def _account(path: str, group: Sequence[Explained]) -> Account:
    turns: Counter[tuple[str, int]] = Counter()
    sure: Counter[bool] = Counter()
    for each in group:
        if each.written is not None:
            turns[each.written.match.stream, each.written.match.edit.ordinal] += 1
            sure[each.written.is_sure] += 1
    # The turn that wrote most of it stands for all, by a line that is surely its own.
    most = turns.most_common(1)[0][0] if turns else None
    of_most = [
        each.written
        for each in group
        if each.written and (each.written.match.stream, each.written.match.edit.ordinal) == most
    ]
    written = next((each for each in of_most if each.is_sure), of_most[0] if of_most else None)
    return Account(
        path, group[0].line.commit, written, tuple(each.line for each in group), tuple(sorted(turns))
    )


def _pick(memory: Memory, state_dir: Path | None, written: Written, ordinal: int) -> Turn | None:
    match = written.match
    try:
        picked = picking.pick(
            memory, match.session.folder, turn_name(match.stream, ordinal), state_dir=state_dir
        )
    except (TurnUnknown, RecordRefused, ObjectMissing, ObjectDamaged):
        return None  # it was found a moment ago; what is damaged meanwhile is no reason to tell nothing
    return next((turn for turn in picked.turns if turn.ordinal in picked.asked_for), None)


def _excerpt(turn: Turn, text: str) -> tuple[str, ...]:
    """Return a turn's text around a line, with the marks of a patch, and without empty lines at its ends."""
    lines = turn.text.split("\n")
    wanted = squeezed(text)
    at = next((n for n, line in enumerate(lines) if wanted in squeezed(line)), None)
    if at is None and turn.call is not None:  # the turn's text is shown otherwise than it was written
        for edit in edits_of(turn.call):
            found = next((n for n, line in enumerate(edit.added) if wanted in squeezed(line)), None)
            if found is not None:
                lines, at = list(edit.added), found
                break
    first = max(0, (at or 0) - _EXCERPT_AROUND)
    if first == 0 < (at or 0) and turn.call is not None and lines[0] in turn.call.files:
        first = 1  # the file's name is told already
    around = lines[first : (at or 0) + _EXCERPT_AROUND + 1]
    while around and not around[-1].strip():
        around.pop()
    while around and not around[0].strip():
        around.pop(0)
    return tuple(around)
