"""Redaction: how fast it is, how much of what is planted it lets by, and that it is linear.

A process's first pass is timed in a process of its own, since whatever is compiled stays compiled. Planted
secrets are counted twice: all of them, and without those that nobody promises to find, values known by their
name alone that a line end parts.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from gitmem.disk import OwnedFolder
from gitmem.format import codec
from gitmem.redaction.placeholders import same_line
from gitmem.redaction.policy import Policy, rule_set
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
_HOSTILE_BYTES = 125_000
_TIMES_THE_TEXT = 4
"""Over two doublings, the step at which a text no longer fits a cache weighs less."""
_WORTH_TIMING_S = 0.02
_SUSPECT = 2.2
_BUDGETS_S = {"re2": 1.0, "hyperscan": 0.35}

_FIRST_PASS = """
import json, sys, time
from pathlib import Path

def spent(work):
    start = time.process_time()
    work()
    return time.process_time() - start

def imported():
    global OwnedFolder, Policy, rule_set, Redactor
    from gitmem.disk import OwnedFolder
    from gitmem.redaction.policy import Policy, rule_set
    from gitmem.redaction.redactor import Redactor

text, kept = Path(sys.argv[1]).read_bytes(), sys.argv[2]
importing = spent(imported)
databases = OwnedFolder(Path(kept)) if kept else None
redactor = Redactor(bytes(32), rule_set("team", Policy()), databases=databases)
passes = [spent(lambda: [*redactor.stream([text])]) for _ in range(2)]
print(json.dumps([importing, *passes, sum(redactor.counts.values())]))
"""


def run(folder: Path) -> Iterator[Row]:
    """Measure both scanners, plant secrets, and double hostile input; times are of one process's CPU."""
    transcripts, name = material.corpus(folder)
    text = _ten_megabytes(transcripts)
    yield from _passes(folder, text, name)
    plain = Redactor(_KEY, rule_set("team", Policy()))
    fast = Redactor(_KEY, rule_set("team", Policy()), databases=OwnedFolder(folder / "scanners"))
    for redactor in (plain, fast):
        scanner = redactor.scanner
        _streamed(redactor, text)
        spent = _seconds(lambda redactor=redactor: _streamed(redactor, text[-_APPENDED:]), 9)  # type: ignore[misc]
        yield Row(f"redact 100 KB appended, {scanner}", 1e3 * spent, "ms", 25)
        spent = _seconds(lambda redactor=redactor: redactor.line(_long_line(text)), 9)  # type: ignore[misc]
        yield Row(f"redact 100 KB of one line with a secret, {scanner}", 1e3 * spent, "ms", 25)
    once = _streamed(plain, text)
    assert _streamed(fast, text) == once, "the scanners differ"
    yield Row("bytes that a second pass changes", float(_streamed(plain, once) != once), "", 0)
    yield from _planted(plain)
    yield from _hostile(Redactor(_KEY, rule_set("public", Policy())))
    yield _compared(plain)


def _passes(folder: Path, text: bytes, name: str) -> Iterator[Row]:
    """Time what a process pays once, and what it pays again."""
    whole, part, hit = folder / "whole", folder / "part", folder / "hit"
    whole.write_bytes(text)
    part.write_bytes(text[: 2 * _APPENDED])
    planted = [json.dumps(f"{shape.before}{shape.secret(Random(1))}{shape.behind}") for shape in SHAPES[::60]]
    hit.write_bytes(text[: 2 * _APPENDED] + "\n".join(["", *planted]).encode())
    compressed = _seconds(lambda: codec.compress(text), 1)
    beside = f"zstd, as segments are stored: {compressed:.2f} s"
    for scanner, kept in (("re2", ""), ("hyperscan", str(folder / "scanners"))):
        if kept:
            _, built, _, _ = _in_a_process(part, kept, 1)
            yield Row("build hyperscan's database, once", built, "s")
        _, first, again, _ = _in_a_process(whole, kept)
        scaled = _TEN_MB / len(text)
        budget_s = _BUDGETS_S[scanner]
        yield Row(
            f"redact 10 MB of {name}, {scanner}, first pass", first * scaled, "s", budget_s, False, beside
        )
        yield Row(
            f"redact 10 MB of {name}, {scanner}, second pass", again * scaled, "s", budget_s, False, beside
        )
        importing, first, again, found = _in_a_process(part, kept)
        yield Row(f"import of the redactor, {scanner}", 1e3 * importing, "ms")
        beside_part = f"second pass: {1e3 * again:.0f} ms; {found:.0f} found in both"
        yield Row(f"first 200 KB of a process, {scanner}", 1e3 * first, "ms", 40, False, beside_part)
        _, first, again, found = _in_a_process(hit, kept)
        beside_part = f"second pass: {1e3 * again:.0f} ms; {found:.0f} found in both"
        what = f"first 200 KB of a process, and {len(planted)} secrets, {scanner}"
        yield Row(what, 1e3 * first, "ms", 120, False, beside_part)


def _in_a_process(path: Path, kept: str, times: int = 3) -> list[float]:
    """Return the least seconds of some processes, importing, for a first and a second pass; and the finds."""
    runs = []
    for _ in range(times):
        done = subprocess.run(
            [sys.executable, "-c", _FIRST_PASS, str(path), kept],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        runs.append(json.loads(done.stdout))
    return [min(figures) for figures in zip(*runs, strict=True)]


def _planted(redactor: Redactor) -> Iterator[Row]:
    """Plant each form in each place; what leaks most is named beside."""
    totals: Counter[str] = Counter()
    leaked: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {place: Counter() for place in PLACES}
    promised = promised_leaked = changed = 0
    for place, plant in PLACES.items():
        for number, shape in enumerate(SHAPES):
            for seed in range(_SEEDS):
                rng = Random(f"{place}/{number}/{seed}")
                planted = plant(shape, shape.secret(rng), rng)
                redacted = redactor.line(planted.raw)
                changed += redactor.line(redacted) != redacted
                is_gone = not is_leaked(planted, redacted)
                totals[place] += 1
                leaked[place] += not is_gone
                kinds[place][shape.kind] += not is_gone
                if is_promised(place, shape):
                    promised += 1
                    promised_leaked += not is_gone
    count = f"{leaked.total()} of {totals.total()}"
    yield Row(
        "planted secrets that leak, all", 100 * leaked.total() / totals.total(), "%", None, False, count
    )
    for place in PLACES:
        worst = ", ".join(f"{kind} {count}" for kind, count in (+kinds[place]).most_common(3))
        yield Row(f"  {place}", 100 * leaked[place] / totals[place], "%", None, False, worst)
    count = f"{promised_leaked} of {promised}"
    yield Row("  those of known form", 100 * promised_leaked / promised, "%", 0.3, False, count)
    yield Row("planted lines that a second pass changes", changed, "", 0)


def _hostile(redactor: Redactor) -> Iterator[Row]:
    """Double every hostile line twice; what seems to take more is timed again, since others share it."""
    worst, slowest, named, slow = 0.0, 0.0, "", ""
    for start in STARTS:
        for unit in UNITS:
            lines = [_repeated(start, unit, times * _HOSTILE_BYTES) for times in (1, _TIMES_THE_TEXT)]
            spent = [_seconds(lambda line=line: redactor.line(line), 1) for line in lines]  # type: ignore[misc]
            for _ in range(4):
                if spent[1] <= _WORTH_TIMING_S or _per_doubling(*spent) <= _SUSPECT:
                    break
                for at, line in enumerate(lines):
                    again = _seconds(lambda line=line: redactor.line(line), 1)  # type: ignore[misc]
                    spent[at] = min(spent[at], again)
            if spent[1] > slowest:
                slowest, slow = spent[1], repr(unit)[:24]
            if spent[1] > _WORTH_TIMING_S and _per_doubling(*spent) > worst:
                worst, named = _per_doubling(*spent), repr(unit)[:24]
    yield Row("time for twice the hostile text", worst, "x", 2.6, baseline=f"at worst, {named}")
    yield Row("0.5 MB of hostile text, at worst", slowest, "s", baseline=slow)


def _per_doubling(small_s: float, large_s: float) -> float:
    return (large_s / small_s) ** (1 / math.log2(_TIMES_THE_TEXT))


def _repeated(start: str, unit: str, size: int) -> bytes:
    return (start + unit * (size // len(unit))).encode()


def _compared(redactor: Redactor) -> Row:
    line = " ".join(shape.before + shape.secret(Random(1)) + shape.behind for shape in SHAPES).encode() * 20
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


def _long_line(text: bytes) -> bytes:
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
