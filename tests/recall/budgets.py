"""What `gitmem recall` quotes within a budget of tokens, measured, and compared with what was reviewed.

A query counts as answered where a turn, or the session, that it should find is among what is quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, TypeAlias

from gitmem.cli.context import Context
from gitmem.cli.indexing import places_of
from gitmem.cli.recalling import Recalled, recall_each
from gitmem.query.filters import Filters
from gitmem.recall.tokens import estimate
from gitmem.sidecar.wire import Mode
from tests.recall import asking
from tests.recall.asking import Searched
from tests.recall.sets import Group, RecallSet

FILE = Path(__file__).with_name("budgets.md")
TOKENS = 2_000
TOLERANCE = 0.005
_TABLE = "| set "
_HEADING = (
    "set",
    "mode",
    "tokens",
    "n",
    "answered",
    "of what it should find",
    "turns",
    "sessions",
    "most tokens",
)


class Row(NamedTuple):
    """Which set was asked, how, and with how many tokens to spend."""

    measured_on: str
    mode: str
    tokens: int


class Answered(NamedTuple):
    """Over `n` queries: the share that was answered, and of what they should find the share that was quoted.

    Then how many turns of how many sessions were quoted, on average, and the most tokens of any answer.
    """

    n: int
    answered: float
    quoted: float
    turns: float
    sessions: float
    most_tokens: int


Budgets: TypeAlias = dict[Row, Answered]


def measure(measured: RecallSet, folder: Path, has_model: bool) -> Budgets:
    """Measure recall on a set, by words and by both, with the queries as they are."""
    found: Budgets = {}
    for mode in ("hybrid", "lexical") if has_model else ("lexical",):
        found[Row(measured.name, mode, TOKENS)] = recall(measured, asking.prepared(measured, folder), mode)
    return found


def recall(
    measured: RecallSet, repositories: Sequence[Searched], mode: Mode, tokens: int = TOKENS
) -> Answered:
    """Ask all queries of a set, and look for what each should find."""
    rows: list[tuple[bool, float, int, int, int]] = []
    for searched in repositories:
        context = context_at(searched.repository)
        queries = tuple(query.text for query in searched.part.queries)
        answers = recall_each(context, places_of(context), queries, Filters(), budget=tokens, mode=mode)
        for query, answer in zip(searched.part.queries, answers, strict=True):
            if answer.answer["mode"] != mode:
                raise asking.Refused("it answered by words alone")
            rows.append(_row(answer, measured.group, set(query.gold)))
    n = len(rows)
    means = [sum(column) / n for column in zip(*rows, strict=True)]
    return Answered(n, means[0], means[1], means[2], means[3], max(row[4] for row in rows))


def context_at(repository: Path) -> Context:
    """Return what a command is given that is run in a repository, with nobody to read what it prints."""
    streams = (BytesIO(), BytesIO(), BytesIO())
    context = Context(
        environ=asking.surroundings(),
        stdin=streams[0],
        stdout=streams[1],
        stderr=streams[2],
        now_ms=lambda: 1_800_000_000_000,
    )
    context.move(repository)
    return context


def _row(answer: Recalled, group: Group, gold: set[str]) -> tuple[bool, float, int, int, int]:
    told = [one.told for one in answer.quotations]
    if group == "turn":
        names = {one.turn or "" for one in told}
    else:
        names = {one.session.partition("/")[2] for one in told}
    found = names & gold
    sessions = len({one.id for one in told})
    return bool(found), len(found) / len(gold), len(told), sessions, estimate(answer.text)


def read(path: Path = FILE) -> Budgets:
    """Read the reviewed figures."""
    found: Budgets = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(_HEADING) and cells[2].isdigit():
            on, mode, tokens, n, *rest = cells
            shares = [float(cell) for cell in rest[:4]]
            found[Row(on, mode, int(tokens))] = Answered(int(n), *shares, int(rest[4]))
    return found


def write(measured: Budgets, path: Path = FILE) -> None:
    """Put figures in the place of those of the same rows; the text before the table stays."""
    introduction = path.read_text().partition(_TABLE)[0]
    every = {**read(path), **measured}
    path.write_text(introduction + table({row: every[row] for row in sorted(every)}))


def table(measured: Budgets) -> str:
    """Return figures as a table."""
    lines: list[Sequence[str]] = [_HEADING]
    for row, one in measured.items():
        shares = (f"{one.answered:.4f}", f"{one.quoted:.4f}", f"{one.turns:.1f}", f"{one.sessions:.1f}")
        lines.append((row.measured_on, row.mode, str(row.tokens), str(one.n), *shares, str(one.most_tokens)))
    shown = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([shown[0], "|---" * len(_HEADING) + "|", *shown[1:]]) + "\n"


def fallen(measured: Budgets, reviewed: Budgets | None = None) -> Iterable[str]:
    """Yield what answers fewer queries than was reviewed, or takes more tokens than it may."""
    reviewed = read() if reviewed is None else reviewed
    for row, one in measured.items():
        if one.most_tokens > row.tokens:
            yield f"{row.measured_on}, {row.mode}: {one.most_tokens} tokens of {row.tokens}"
        if row in reviewed and one.answered < reviewed[row].answered - TOLERANCE:
            yield f"{row.measured_on}, {row.mode}: {one.answered:.4f} answered"
