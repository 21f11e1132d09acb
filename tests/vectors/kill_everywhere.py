"""Kill a writer before every single effect that it has on the disk; run as a process of its own.

    python -m tests.vectors.kill_everywhere FOLDER

The process forks for each point and kills the child there. Then the store opens without a word, has every row
that it had and no file that is half written under a name that counts, and the same work, done again, completes
and leaves nothing behind. Prints the points.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from gitmem import disk
from indexer.vectors.state import load, names_of
from indexer.vectors.writing import append, build_graphs, keep_only
from tests.killing import chosen_points, in_child, wait_for_no_disk
from tests.vectors.clusters import MODEL, clustered, keys_for, opened

SEED = 7
COUNT = 240
BATCH = 60
KEYS, VECTORS = keys_for(SEED, COUNT), clustered(SEED, COUNT)
LIVE = frozenset(KEYS[::3].tolist())


def main(folder: Path) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    template = folder / "template"
    add(template)
    build_graphs(template, MODEL, crossover=0, shard_rows=100)
    works: dict[str, tuple[Callable[[Path], object], Path | None]] = {
        "append and merge": (add, None),
        "build": (build, None),
        "keep": (lambda here: keep_only(here, MODEL, LIVE), template),
    }
    told = [kill_in(folder, name, *work) for name, work in works.items()]
    print(f"killed before {sum(told)} effects; every time the work then completed")


def add(here: Path) -> None:
    """Append in batches, few enough rows that blocks are merged on the way."""
    for at in range(0, COUNT, BATCH):
        append(here, MODEL, KEYS[at : at + BATCH], VECTORS[at : at + BATCH])


def build(here: Path) -> None:
    """Append and build by turns, so that graphs are given up for greater ones."""
    for at in range(0, COUNT, BATCH):
        append(here, MODEL, KEYS[at : at + BATCH], VECTORS[at : at + BATCH])
        build_graphs(here, MODEL, crossover=70, shard_rows=100)


def kill_in(folder: Path, name: str, work: Callable[[Path], object], template: Path | None) -> int:
    """Kill some work before its effects; return before how many."""
    here = folder / "here"
    effects: list[tuple[disk.Effect, str]] = []
    prepare(here, template)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        work(here)
    wanted = rows(here)
    points = chosen_points(len(effects))
    for point in points:
        prepare(here, template)
        before = rows(here)
        status = in_child(lambda point=point: killed_at(point, here, work))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"{name}: point {point} {effects[point]}: {status}"
        check(here, f"{name}: point {point} {effects[point]}")
        assert rows(here) >= before or rows(here) == wanted, f"{name}: point {point} {effects[point]}"
        work(here)
        check(here, f"{name}: after point {point} {effects[point]}")
        assert rows(here) == wanted, f"{name}: point {point} {effects[point]}"
        left = {path.name for path in here.iterdir()} - named(here) - {"lock", "state.json"}
        assert not left, f"{name}: point {point} {effects[point]}: {left}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(e for e, _ in effects).items()))
    print(f"{name}: {kinds}", file=sys.stderr)
    assert len(effects) > 10, name
    return len(points)


def prepare(here: Path, template: Path | None) -> None:
    """Begin with the template, or with nothing."""
    shutil.rmtree(here, ignore_errors=True)
    if template:
        shutil.copytree(template, here)


def check(here: Path, where: str) -> None:
    """Open the store, and find that what it names holds and is found by searching."""
    store = opened(here)
    assert store.damaged == (), where
    for n in range(0, COUNT, 23):
        found = store.nearest(VECTORS[n], 1)[0].tolist()
        assert found == [KEYS[n]] or int(KEYS[n]) not in store, where


def rows(here: Path) -> set[int]:
    """Return the keys that a store has."""
    return set(KEYS.tolist()) - set(opened(here, with_graphs=False).missing(KEYS.tolist()))


def named(here: Path) -> set[str]:
    """Return the files that a store's state names."""
    state = load(here, MODEL)
    assert state is not None
    return {name for entry in state.blocks for name in names_of(entry)}


def killed_at(point: int, here: Path, work: Callable[[Path], object]) -> None:
    """Do the work, and die before the effect of that number."""
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        work(here)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
