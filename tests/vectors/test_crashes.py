"""A writer may be killed at any moment, and two may come at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import CHECKOUT, IMPORTED_FROM
from tests.killing import kills
from tests.vectors.clusters import MODEL, keys_for, opened

_APPEND = """
import sys
from pathlib import Path
from indexer.vectors.writing import append, build_graphs
from tests.vectors.clusters import MODEL, clustered, keys_for
folder, first, step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
keys, vectors = keys_for(3, 400), clustered(3, 400)
for at in range(first * 20, 400, step * 20):
    append(folder, MODEL, keys[at : at + 20], vectors[at : at + 20])
    build_graphs(folder, MODEL, crossover=100)
"""


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{IMPORTED_FROM}{os.pathsep}{CHECKOUT}", "OPENBLAS_NUM_THREADS": "1"}


def test_a_kill_before_any_effect_loses_nothing(tmp_path: Path) -> None:
    told = kills("vectors.kill_everywhere", str(tmp_path))
    found = re.search(r"killed before (\d+) effects", told)
    assert found
    assert int(found[1]) > 33


def test_writers_that_come_at_once_take_turns(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    writers = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", _APPEND, str(folder), str(n), "3"], cwd=CHECKOUT, env=environ()
        )
        for n in range(3)
    ]
    while any(writer.poll() is None for writer in writers):
        assert opened(folder).damaged == ()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = opened(folder)
    assert (store.count, store.damaged, store.missing(keys_for(3, 400).tolist())) == (400, (), [])
    assert store.without_graph <= 100
    assert store.model_id == MODEL
