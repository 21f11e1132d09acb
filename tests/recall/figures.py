"""The reviewed figures: a table in a file that a person reads, and what differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.recall.scoring import Score

FILE = Path(__file__).with_name("figures.md")
TOLERANCE = 0.005
OURS = "gitmem, "
"""What a row of gitmem's own begins with."""

_HEADING = ("set", "what", "n", "R@1", "R@5", "R@10", "MRR@10", "nDCG@10")
_TABLE = "| set "


class Row(NamedTuple):
    """Who was measured, and on which set."""

    measured_on: str
    what: str


Figures = Mapping[Row, Score]


def read(path: Path = FILE) -> dict[Row, Score]:
    """Read the reviewed figures; none where nothing was written yet."""
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 8 and cells[2].isdigit():
            on, what, n, *rest = cells
            found[Row(on, what)] = Score(int(n), *map(float, rest))
    return found


def write(figures: Figures, path: Path = FILE) -> None:
    """Put figures in the place of those of the same rows; the text before the table stays."""
    introduction = path.read_text().partition(_TABLE)[0]
    every = {**read(path), **figures}
    order = sorted(every, key=lambda row: (row.measured_on, not row.what.startswith(OURS), row.what))
    path.write_text(introduction + table({row: every[row] for row in order}))


def table(figures: Figures) -> str:
    """Return figures as a table; a reader of plain text finds its columns aligned."""
    lines = [_HEADING]
    lines += [(*row, str(score.n), *(f"{x:.4f}" for x in score[1:])) for row, score in figures.items()]
    widths = [max(len(line[at]) for line in lines) for at in range(8)]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]]) + "\n"


def differences(reviewed: Figures, measured: Figures) -> list[str]:
    """Say by how much nDCG@10 of each row is no longer what was reviewed."""
    said = []
    for row, score in measured.items():
        if row not in reviewed:
            said.append(f"{row.measured_on}: {row.what}: {score.ndcg_10:.4f}, not reviewed yet")
        elif abs(change := score.ndcg_10 - reviewed[row].ndcg_10) >= 0.00005:
            said.append(f"{row.measured_on}: {row.what}: {score.ndcg_10:.4f}, {change:+.4f}")
    return said


def fallen(reviewed: Figures, measured: Figures) -> list[Row]:
    """Return gitmem's own rows that found less than was reviewed."""
    return [
        row
        for row, score in measured.items()
        if row.what.startswith(OURS) and row in reviewed and score.ndcg_10 < reviewed[row].ndcg_10 - TOLERANCE
    ]


def unmeasured(reviewed: Figures, measured: Iterable[Row], sets: Iterable[str]) -> list[Row]:
    """Return reviewed rows of the sets at hand that this run did not measure."""
    return [row for row in reviewed if row.measured_on in set(sets) and row not in set(measured)]
