"""Progress: one line on a terminal's standard error that is rewritten, and nothing anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Final, Literal, Self

from gitmem.cli.text import fit, one_line

Unit = Literal["bytes", "items"]

_REDRAWN_EVERY_S: Final = 0.1
_GUESSED_AFTER_S: Final = 1.0


class Progress:
    """How far something has come; a context manager, which wipes its line when it ends.

    `advance` costs a comparison between two drawings, so it may be called in an inner loop.
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        unit: Unit = "items",
        stream: IO[bytes] | None,
        columns: int = 80,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`total` may be unknown; `stream` is None where there is no terminal."""
        self.label, self.total, self.unit = one_line(label), total, unit
        self.done = 0
        self._stream, self._columns, self._clock = stream, columns, clock
        self._started = clock()
        self._next_drawing = self._started + _REDRAWN_EVERY_S

    def advance(self, amount: int = 1, label: str | None = None) -> None:
        """Say that `amount` more is done, and what is being worked on now."""
        self.done += amount
        if label is not None:
            self.label = one_line(label)
        if self._stream is not None and (now := self._clock()) >= self._next_drawing:
            self._next_drawing = now + _REDRAWN_EVERY_S
            self._draw(now - self._started)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.write(b"\r\x1b[K")
            self._stream.flush()

    def _draw(self, elapsed_s: float) -> None:
        assert self._stream is not None
        # One column is left free: a terminal wraps a line that fills it.
        text = fit(f"{self.label} {describe(self.done, self.total, self.unit, elapsed_s)}", self._columns - 1)
        self._stream.write(b"\r\x1b[K" + text.encode("utf-8", "replace"))
        self._stream.flush()


def describe(done: int, total: int | None, unit: Unit, elapsed_s: float) -> str:
    """Say how much is done, how fast it goes and how long it will take: `45 %, 9 of 20, 3.0/s, 0:04 left`."""
    amount = size if unit == "bytes" else _count
    parts = [amount(done)]
    if total:
        parts = [f"{min(100, done * 100 // total)} %", f"{amount(done)} of {amount(total)}"]
    if elapsed_s >= _GUESSED_AFTER_S and done:
        rate = done / elapsed_s
        parts.append(f"{size(int(rate))}/s" if unit == "bytes" else f"{rate:,.1f}/s")
        if total and total > done:
            left_s = round((total - done) / rate)
            parts.append(f"{left_s // 60}:{left_s % 60:02d} left")
    return ", ".join(parts)


def size(size_bytes: int) -> str:
    """Say a number of bytes as people do, in powers of 1000."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def _count(number: int) -> str:
    return f"{number:,}"
