"""How fast the redactor is: `python -m tests.redaction.benchmark`.

GITMEM_CORPUS names a folder of real transcripts; without it that part is skipped, and said to be.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from gitmem.redaction.placeholders import same_line
from gitmem.redaction.redactor import Redactor
from tests.redaction.shapes import SHAPES
from tests.redaction.test_linear import STARTS, UNITS

KEY = bytes(range(32))
WORST_RATIO = 2.6


def seconds(run: Callable[[], object], times: int = 3) -> float:
    """Return the least CPU time of several runs: others share the machine."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def first_use() -> None:
    """Time what a process pays once: construction, and compiling on the first line that is suspect."""
    start = time.process_time()
    redactor = Redactor(KEY)
    made = time.process_time()
    redactor.line(b"nothing here\n")
    clean = time.process_time()
    redactor.line(" ".join(shape.before + shape.secret(Random(1)) for shape in SHAPES).encode())
    every = time.process_time()
    print(f"construction {1e3 * (made - start):.2f} ms, first line {1e3 * (clean - made):.2f} ms, ", end="")
    print(f"every rule compiled and used {1e3 * (every - clean):.1f} ms")


def corpus() -> None:
    """Time real transcripts, as streams and line by line; a second pass must find and change nothing."""
    folder = os.environ.get("GITMEM_CORPUS")
    if not folder:
        print("GITMEM_CORPUS is not set: real transcripts were skipped")
        return
    files = [path.read_bytes() for path in sorted(Path(folder).rglob("*.json*"))]
    total = sum(map(len, files))
    if not total:
        sys.exit(f"no transcripts in {folder}")
    redactor = Redactor(KEY)
    streamed = seconds(lambda: [list(redactor.stream([file])) for file in files])
    by_line = seconds(
        lambda: [redactor.line(line) for file in files for line in file.splitlines(keepends=True)]
    )
    print(f"{total / 1e6:.1f} MB of transcripts: {total / streamed / 1e6:.0f} MB/s as streams, ", end="")
    print(f"{total / by_line / 1e6:.0f} MB/s line by line")
    again = Redactor(KEY)
    once = [b"".join(redactor.stream([file])) for file in files]
    if [b"".join(again.stream([text])) for text in once] != once or again.counts:
        sys.exit(f"a second pass changed the text: {again.counts}")
    longest = max((line for file in files for line in file.splitlines(keepends=True)), key=len)[:100_000]
    for name, line in (
        ("", longest),
        (" with a secret", longest + f" {SHAPES[0].secret(Random(1))}".encode()),
    ):
        spent = seconds(lambda line=line: redactor.line(line), 9)  # type: ignore[misc]
        print(f"100 KB of one line{name}: {1e3 * spent:.2f} ms")


def hostile() -> None:
    """Double every hostile line; more than 2.6 times the time fails."""
    redactor = Redactor(KEY)
    worst, slowest = 0.0, 0.0
    for start in STARTS:
        for unit in UNITS:
            lines = [(start + unit * (size // len(unit))).encode() for size in (500_000, 1_000_000)]
            one, two = (seconds(lambda line=line: redactor.line(line), 5) for line in lines)  # type: ignore[misc]
            slowest = max(slowest, two)
            if two > 0.05:
                worst = max(worst, two / one)
    print(
        f"1 MB of hostile text: {slowest:.2f} s at worst; twice the text, {worst:.2f} times the time at worst"
    )
    if worst > WORST_RATIO:
        sys.exit(f"not linear: {worst:.2f} times the time for twice the text")
    line = " ".join(shape.before + shape.secret(Random(1)) + shape.behind for shape in SHAPES).encode() * 200
    ours = redactor.line(line)
    print(f"comparing {len(line) / 1e6:.1f} MB with its redacted copy: ", end="")
    print(f"{1e3 * seconds(lambda: same_line(ours, line)):.1f} ms")


if __name__ == "__main__":
    first_use()
    corpus()
    hostile()
