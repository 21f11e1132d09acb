"""What a memory takes on the disk, beside the same raw text in plain git after `git gc --aggressive`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_POINTS = 20


def run(folder: Path) -> Iterator[Row]:
    """Measure a corpus imported once, and one session captured at twenty points of its growth."""
    transcripts, name = material.corpus(folder)
    plain = material.make_repository(folder / "plain")
    shutil.copytree(transcripts, plain / "t")
    material.git("add", "-A", cwd=plain)
    material.git("commit", "-q", "-m", "all", cwd=plain)
    raw = _after_gc(plain)
    memory = material.make_repository(folder / "memory")
    gitmem("init", "--no-import", cwd=memory)
    gitmem("import", transcripts, cwd=memory)
    yield from _rows(f"branch of {name}", memory, raw)

    session = material.largest(transcripts).read_bytes()
    growing = folder / "growing.jsonl"
    plain = material.make_repository(folder / "plain-growing")
    memory = material.make_repository(folder / "memory-growing")
    gitmem("init", "--no-import", cwd=memory)
    for n in range(1, _POINTS + 1):
        end = session.rfind(b"\n", 0, len(session) * n // _POINTS) + 1
        growing.write_bytes(session[:end])
        shutil.copy(growing, plain / "session.jsonl")
        material.git("add", "-A", cwd=plain)
        material.git("commit", "-q", "--allow-empty", "-m", f"{n}", cwd=plain)
        gitmem("import", growing, cwd=memory)
    yield from _rows(
        f"a session of {len(session) / 1e6:.1f} MB captured at {_POINTS} points", memory, _after_gc(plain)
    )


def _rows(what: str, memory: Path, raw: int) -> Iterator[Row]:
    size = material.pack_bytes(memory)
    beside = f"raw text after gc --aggressive: {raw / 1e6:.3f} MB; gitmem: {size / 1e6:.3f} MB"
    yield Row(f"{what}, before gc", size / raw, "of raw", 0.8, False, beside)
    material.git("gc", "-q", "--prune=now", cwd=memory)
    size = material.pack_bytes(memory)
    yield Row("  after gc", size / raw, "of raw", 0.8, False, f"gitmem: {size / 1e6:.3f} MB")


def _after_gc(repository: Path) -> int:
    material.git("gc", "-q", "--aggressive", "--prune=now", cwd=repository)
    return material.pack_bytes(repository)
