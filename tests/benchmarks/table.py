"""The table that the benchmarks print."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `budget` is what it should be: at most, or at least where `more_is_better`."""

    what: str
    measured: float
    unit: str
    budget: float | None = None
    more_is_better: bool = False
    baseline: str = ""

    @property
    def verdict(self) -> str:
        """Whether the budget is kept."""
        if self.budget is None:
            return ""
        kept = self.measured >= self.budget if self.more_is_better else self.measured <= self.budget
        return "kept" if kept else "MISSED"


def show(rows: list[Row]) -> None:
    """Print all figures, aligned."""
    lines = [("what", "measured", "budget", "", "beside it, in the same run")]
    for row in rows:
        sign = "≥" if row.more_is_better else "≤"
        budget = f"{sign} {row.budget:g} {row.unit}" if row.budget is not None else ""
        lines.append((row.what, f"{row.measured:.4g} {row.unit}", budget, row.verdict, row.baseline))
    widths = [max(len(line[n]) for line in lines) for n in range(5)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
