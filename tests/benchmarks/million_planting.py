"""Ready entries put into the index of a real repository, in a process of its own: `-m … REPOSITORY ENTRIES`.

Prints what it took as one line of JSON. Reading the entries back from their file is no part of building.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.sidecar.wire import Place
from indexer.lexical import LexicalIndex
from indexer.upkeep import state as states
from indexer.upkeep.state import State
from tests.benchmarks import million_turns


def plant(repository: Path, entries: Path) -> dict[str, float]:
    """Add entries to the index that a repository has, which stays as current as it is.

    Returns:
        CPU and wall seconds of building, and the bytes that the index takes.
    """
    place = place_of(repository)
    root = states.root_of(Path(place.common_dir))
    state = states.load(root)
    assert isinstance(state, State), f"the index of {repository} is {state}"
    index = LexicalIndex(root / state.folder)
    reading_cpu_s = reading_wall_s = 0.0
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    writer = index.writer(state.round)
    chunks = million_turns.read(entries)
    session = ""
    while True:
        # Tantivy works on in its own threads meanwhile, so only this one's time is left out.
        begun_cpu_s, begun_wall_s = time.thread_time(), time.perf_counter()
        chunk = next(chunks, None)
        reading_cpu_s += time.thread_time() - begun_cpu_s
        reading_wall_s += time.perf_counter() - begun_wall_s
        if chunk is None:
            break
        for entry in chunk:
            if entry.session != session:
                session = entry.session
                writer.put_card(session, b'{"title":"a session","model":null}')
            writer.add(entry)
    writer.commit()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    size_bytes = sum(path.stat().st_size for path in (root / state.folder).iterdir())
    return {"cpu_s": cpu_s - reading_cpu_s, "wall_s": wall_s - reading_wall_s, "size_bytes": size_bytes}


def place_of(repository: Path) -> Place:
    """Return a repository as the indexer is told of it."""
    found = discover(repository, Git(dict(os.environ)))
    return Place(str(repository), str(found.common_dir), "refs/heads/gitmem", found.name, "team")


if __name__ == "__main__":
    print(json.dumps(plant(Path(sys.argv[1]), Path(sys.argv[2]))))
