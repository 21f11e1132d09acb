"""Importing: speed and memory on a corpus and on one long session; plain git beside it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_LONG_BYTES = 1 << 30


def run(folder: Path) -> Iterator[Row]:
    """Import a corpus, import it again, and import a session of one gigabyte."""
    transcripts, name = material.corpus(folder)
    size = sum(path.stat().st_size for path in material.files(transcripts))
    plain_s = _plain_git(folder / "plain", transcripts)
    repository = material.make_repository(folder / "corpus")
    gitmem("init", "--no-import", cwd=repository)
    first = gitmem("import", transcripts, cwd=repository)
    beside = f"git add and commit of the files: {size / plain_s / 1e6:.1f} MB/s"
    yield Row(f"import {size / 1e6:.0f} MB of {name}", size / first.wall_s / 1e6, "MB/s", 20, True, beside)
    yield Row("  CPU it took", size / first.cpu_s / 1e6, "MB per CPU second")
    yield Row("  memory held at most", first.peak_bytes / 1e6, "MB", 300)
    again = gitmem("import", transcripts, cwd=repository)
    yield Row("  importing it again", again.wall_s * 1e3, "ms")
    long = folder / "long.jsonl"
    material.make_large(material.largest(transcripts), long, _LONG_BYTES)
    size = long.stat().st_size
    whole = gitmem("import", long, cwd=repository)
    yield Row("import one session of 1 GB", size / whole.wall_s / 1e6, "MB/s", 20, True)
    yield Row("  memory held at most", whole.peak_bytes / 1e6, "MB", 300)
    long.unlink()


def _plain_git(path: Path, transcripts: Path) -> float:
    repository = material.make_repository(path)
    shutil.copytree(transcripts, repository / "t")
    started = time.perf_counter()
    material.git("add", "-A", cwd=repository)
    material.git("commit", "-q", "-m", "all", cwd=repository)
    return time.perf_counter() - started
