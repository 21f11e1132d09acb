"""Redaction in process: how fast it is, how much of what is planted it lets by, and that it is linear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from gitmem.disk import OwnedFolder
from gitmem.redaction.placeholders import same_line
from gitmem.redaction.redactor import Redactor
from tests.benchmarks import material
from tests.benchmarks.table import Row
from tests.redaction.planting import PLACES, is_leaked, is_promised
from tests.redaction.shapes import SHAPES
from tests.redaction.test_linear import STARTS, UNITS

_KEY = bytes(range(32))
_TEN_MB = 10_000_000
_APPENDED = 100_000
_SEEDS = 2
_HOSTILE_BYTES = 250_000
_WORTH_TIMING_S = 0.02


def run(folder: Path) -> Iterator[Row]:
    """Measure both scanners, plant secrets, and double hostile input; times are of this process's CPU."""
    transcripts, name = material.corpus(folder)
    text = _ten_megabytes(transcripts)
    yield from _first_use()
    plain = Redactor(_KEY)
    fast = Redactor(_KEY, databases=OwnedFolder(folder / "scanners"))
    for redactor, budget_s in ((plain, 1.0), (fast, 0.35)):
        scanner = redactor.scanner
        spent = _seconds(lambda redactor=redactor: _streamed(redactor, text))  # type: ignore[misc]
        yield Row(f"redact 10 MB of {name}, {scanner}", spent * _TEN_MB / len(text), "s", budget_s)
        spent = _seconds(lambda redactor=redactor: redactor.line(_appended(text)), 9)  # type: ignore[misc]
        yield Row(f"redact 100 KB of one line, {scanner}", 1e3 * spent, "ms", 25)
    once = _streamed(plain, text)
    assert _streamed(fast, text) == once, "the scanners differ"
    yield Row("bytes that a second pass changes", float(_streamed(plain, once) != once), "", 0)
    yield from _planted(plain)
    yield from _hostile(plain)
    yield _compared(plain)


def _first_use() -> Iterator[Row]:
    """Time what a process pays once."""
    start = time.process_time()
    redactor = Redactor(_KEY)
    redactor.line(b"nothing here\n")
    clean = time.process_time()
    redactor.line(b" ".join(shape.secret(Random(1)).encode() for shape in SHAPES[:3]))
    hit = time.process_time()
    yield Row("first line, nothing in it", 1e3 * (clean - start), "ms", 60)
    yield Row("first line with three secrets", 1e3 * (hit - clean), "ms", 150)


def _planted(redactor: Redactor) -> Iterator[Row]:
    """Plant each form in each place; the worst place is named beside."""
    total, changed = 0, 0
    leaked = dict.fromkeys(PLACES, 0)
    for place, plant in PLACES.items():
        for number, shape in enumerate(SHAPES):
            for seed in range(_SEEDS):
                rng = Random(f"{place}/{number}/{seed}")
                planted = plant(shape, shape.secret(rng), rng)
                redacted = redactor.line(planted.raw)
                total += 1
                leaked[place] += is_promised(place, shape) and is_leaked(planted, redacted)
                changed += redactor.line(redacted) != redacted
    worst = max(leaked, key=lambda place: leaked[place])
    beside = f"{sum(leaked.values())} of {total}; most of them: {worst}, {leaked[worst]}"
    yield Row("planted secrets that leak", 100 * sum(leaked.values()) / total, "%", 0.3, baseline=beside)
    yield Row("planted lines that a second pass changes", changed, "", 0)


def _hostile(redactor: Redactor) -> Iterator[Row]:
    """Double every hostile line."""
    worst, slowest, named = 0.0, 0.0, ""
    for start in STARTS:
        for unit in UNITS:
            one, two = (
                _seconds(lambda line=line: redactor.line(line))  # type: ignore[misc]
                for line in (_repeated(start, unit, size) for size in (_HOSTILE_BYTES, 2 * _HOSTILE_BYTES))
            )
            slowest = max(slowest, two)
            if two > _WORTH_TIMING_S and two / one > worst:
                worst, named = two / one, repr(unit)[:24]
    yield Row("time for twice the hostile text", worst, "x", 2.6, baseline=f"at worst, {named}")
    yield Row("0.5 MB of hostile text, at worst", slowest, "s")


def _repeated(start: str, unit: str, size: int) -> bytes:
    return (start + unit * (size // len(unit))).encode()


def _compared(redactor: Redactor) -> Row:
    line = " ".join(shape.before + shape.secret(Random(1)) + shape.behind for shape in SHAPES).encode() * 200
    ours = redactor.line(line)
    spent = _seconds(lambda: same_line(ours, line))
    return Row(f"compare {len(line) / 1e6:.1f} MB with its redacted copy", 1e3 * spent, "ms")


def _ten_megabytes(folder: Path) -> bytes:
    parts: list[bytes] = []
    size = 0
    for path in sorted(material.files(folder), key=lambda path: path.name):
        if size < _TEN_MB:
            parts.append(path.read_bytes()[: _TEN_MB - size])
            size += len(parts[-1])
    return b"".join(parts)


def _appended(text: bytes) -> bytes:
    longest = max(text.splitlines(), key=len)[: _APPENDED - 100]
    return longest + f" {SHAPES[0].secret(Random(1))}".encode()


def _streamed(redactor: Redactor, text: bytes) -> bytes:
    return b"".join(redactor.stream([text]))


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    """Return the least CPU time of several runs: others share the machine."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)
