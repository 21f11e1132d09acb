"""Reading a session of 4 MB back, in process: the whole, and one turn in its middle."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.transcripts.read import read
from gitmem.verbs.reading import transcript
from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

REF = "refs/heads/gitmem"
_BYTES = 4_000_000


def run(folder: Path) -> Iterator[Row]:
    """Import a session of 4 MB and read it."""
    transcripts, _ = material.corpus(folder)
    path = folder / "four.jsonl"
    material.make_large(material.largest(transcripts), path, _BYTES)
    repository = material.make_repository(folder / "repository")
    gitmem("init", "--no-import", cwd=repository)
    gitmem("import", path, cwd=repository)
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        memory = open_memory(storage, REF)
        [stored] = memory.folders()
        head = memory.load(stored).heads()[""][0]
        text = _median(lambda: b"".join(memory.text(stored, head)))
        whole = _median(lambda: transcript(memory, stored))
        middle = transcript(memory, stored).turns[len(transcript(memory, stored).turns) // 2]
        line = _median(
            lambda: read(
                "claude-code",
                [
                    (
                        "",
                        [
                            memory.lines(
                                stored, memory.load(stored).heads()[""][0], middle.line, middle.line + 1
                            )
                        ],
                    )
                ],
            )
        )
    material.git("add", "-f", "--", path.name, cwd=_copy(path, repository))
    material.git("commit", "-q", "-m", "raw", cwd=repository)
    raw = _median(lambda: material.git("cat-file", "blob", "HEAD:four.jsonl", cwd=repository))
    yield Row(
        "read a session of 4 MB: its text",
        text,
        "ms",
        None,
        False,
        f"git cat-file of the raw file: {raw:.1f} ms",
    )
    yield Row("  in normal form", whole, "ms", 40)
    yield Row("  one turn in its middle", line, "ms", 6)


def _copy(path: Path, repository: Path) -> Path:
    (repository / path.name).write_bytes(path.read_bytes())
    return repository


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(9):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)
