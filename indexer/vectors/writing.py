"""Everything that changes a store: rows come, rows go, blocks are merged, graphs are built.

Each change is published by one rename of the state, so that a process killed anywhere has changed all or
nothing, and leaves files that the next change removes. What is damaged is dropped by whatever changes the
store next.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gitmem import disk
from indexer.vectors import arithmetic, block, graph, state
from indexer.vectors.arithmetic import Keys, Rows
from indexer.vectors.state import BlockEntry, State
from indexer.vectors.store import Block, Vectors

CROSSOVER_ROWS: Final = 20_000
"""How many rows may be in no graph: they are scanned in 1.5 ms."""

SHARD_ROWS: Final = 65_536
"""How many rows a block has at most: what one erased text makes gitmem write and link anew."""

# Blocks are merged when so many have about as many rows, up to this factor.
_FAN_IN: Final = 4


def append(folder: Path, model_id: str, keys: Keys, vectors: NDArray[np.float32]) -> int:
    """Add unit vectors, float32 (n, dimensions), under their keys; return how many were new.

    A key that has a vector keeps it. Small blocks are merged now and then.

    Raises:
        StoreBusy: Another process has been writing for long.
        DiskRefused: The disk does not let it; the store is as it was.
    """
    with state.locked(folder):
        store, dimensions = _open(folder, model_id), vectors.shape[1]
        if any(at.rows.codes.shape[1] != dimensions for at in store.blocks):
            store = replace(store, blocks=())
        rows = arithmetic.quantise(np.asarray(keys, np.uint64), vectors)
        new = np.isin(rows.keys, np.array(store.missing(rows.keys.tolist()), np.uint64))
        blocks = list(store.blocks)
        if new.any():
            blocks += _written(folder, model_id, arithmetic.select(rows, new))
        while several := _worth_merging(blocks):
            blocks = _merged(folder, model_id, blocks, several)
        _publish(folder, model_id, blocks)
    return int(new.sum())


def build_graphs(
    folder: Path,
    model_id: str,
    *,
    crossover: int = CROSSOVER_ROWS,
    shard_rows: int = SHARD_ROWS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Build graphs until no more than `crossover` rows are in none; return how many were built.

    The lock is free while a graph is made: rows may come and go meanwhile. `progress` hears of rows done and
    rows to do, and may raise to end it: what is complete stays.

    Raises:
        StoreBusy: Another process has been writing for long.
        DiskRefused: The disk does not let it; the store is as it was, or has some of the graphs.
    """
    if not folder.is_dir():
        return 0
    with state.locked(folder):
        waiting = _prepare(folder, model_id, crossover, shard_rows)
    done, built, total = 0, 0, _rows_of(waiting)
    for at in waiting:
        made = graph.build(at.rows, _counting_on(progress, done, total))
        built += _take_in(folder, model_id, at.entry.name, made)
        done += at.entry.rows
        del made  # before the next one takes as much memory
    return built


def keep_only(folder: Path, model_id: str, live: Container[int] | Callable[[int], bool]) -> int:
    """Drop the rows whose keys are not live; return how many went.

    Nothing of them stays in the folder: their blocks are written anew, without their graphs, which
    `build_graphs` makes again. So do leftovers and damaged files go, whose content nobody knows.

    Raises:
        StoreBusy: Another process has been writing for long.
        DiskRefused: The disk does not let it; the rows may be there still.
    """
    is_live = live if callable(live) else live.__contains__
    if not folder.is_dir():
        return 0
    gone = 0
    with state.locked(folder):
        blocks: list[Block] = []
        for at in _open(folder, model_id).blocks:
            kept = np.fromiter(map(is_live, at.rows.keys.tolist()), bool, len(at.rows.keys))
            gone += len(kept) - int(kept.sum())
            if kept.all():
                blocks.append(at)
            elif kept.any():
                blocks += _written(folder, model_id, arithmetic.select(at.rows, kept))
        _publish(folder, model_id, blocks)
    return gone


def remove_others(root: Path, model_id: str) -> int:
    """Remove the stores beside this model's, of models that are no longer used; return how many."""
    others = [path for path in root.glob("*") if path.is_dir() and path.name != model_id]
    for path in others:
        disk.announce("remove", path)
        shutil.rmtree(path, ignore_errors=True)  # what is left is removed the next time
    return len(others)


def _open(folder: Path, model_id: str) -> Vectors:
    """Return what holds, its graphs not loaded; under the lock."""
    return Vectors.open(folder, model_id, with_graphs=False)


def _publish(folder: Path, model_id: str, blocks: list[Block]) -> None:
    """Make blocks the ones that count, unless they are."""
    dimensions = blocks[0].rows.codes.shape[1] if blocks else 0
    new = State(model_id, dimensions, tuple(at.entry for at in blocks))
    if (folder / state.NAME).exists() and state.load(folder, model_id) == new:
        state.sweep(folder, new)
    else:
        state.publish(folder, new)


def _written(folder: Path, model_id: str, rows: Rows) -> Iterator[Block]:
    """Publish rows as a block, or as several where they are too many for one."""
    for at in range(0, len(rows.keys), SHARD_ROWS):
        part = arithmetic.select(rows, slice(at, at + SHARD_ROWS))
        count, dimensions = part.codes.shape
        name = block.write(folder, model_id, part)
        # Mapped from the file, so that a million rows are not held while graphs are built over them.
        mapped = block.read(folder / name, model_id, dimensions, count)
        yield Block(BlockEntry(name, count), mapped or part, None)


def _worth_merging(blocks: list[Block]) -> list[Block]:
    """Return blocks without graphs that have about as many rows, if there are enough of them."""
    tiers: dict[int, list[Block]] = {}
    for at in blocks:
        if at.entry.graph is None:
            tiers.setdefault((at.entry.rows.bit_length() - 1) // 2, []).append(at)
    for several in tiers.values():
        if len(several) >= _FAN_IN and _rows_of(several) <= SHARD_ROWS:
            return several
    return []


def _merged(
    folder: Path, model_id: str, blocks: list[Block], several: list[Block], pieces: int = 1
) -> list[Block]:
    """Write several blocks as one, or as pieces of equal length, in the place of the first of them.

    Rows that came together stay together, so that erasing a session touches few blocks.
    """
    count, names = _rows_of(several), {at.entry.name for at in several}
    bounds = [count * n // pieces for n in range(pieces + 1)]
    new = [
        made
        for first, last in pairwise(bounds)
        for made in _written(folder, model_id, arithmetic.join(list(_cut(several, first, last))))
    ]
    place = next(n for n, at in enumerate(blocks) if at.entry.name in names)
    rest = [[at for at in part if at.entry.name not in names] for part in (blocks[:place], blocks[place:])]
    return [*rest[0], *new, *rest[1]]


def _cut(several: list[Block], first: int, last: int) -> Iterator[Rows]:
    """Yield the rows from number `first` to before `last`, counted through several blocks."""
    at = 0
    for one in several:
        count = len(one.rows.keys)
        if at < last and first < at + count:
            yield arithmetic.select(one.rows, slice(max(first - at, 0), last - at))
        at += count


def _prepare(folder: Path, model_id: str, crossover: int, shard_rows: int) -> list[Block]:
    """Bring the rows that need a graph into blocks that are worth one, and return these.

    Graphs over fewer rows than now wait for one are made again together with them: so there are few, and a
    row goes through this two or three times at most.
    """
    store = _open(folder, model_id)
    blocks = [_with_sound_graph(folder, at) for at in store.blocks]
    lost = {new.entry.name for new, old in zip(blocks, store.blocks, strict=True) if new.entry != old.entry}
    count = _rows_of([at for at in blocks if at.entry.graph is None])
    if count > crossover:
        loose = [at for at in blocks if _is_loose(at, count, shard_rows)]
        pieces = -(-_rows_of(loose) // shard_rows)
        if pieces < len(loose) or any(at.entry.rows > shard_rows for at in loose):
            blocks = _merged(folder, model_id, blocks, loose, pieces)
    _publish(folder, model_id, blocks)
    return [at for at in blocks if at.entry.graph is None and (count > crossover or at.entry.name in lost)]


def _is_loose(at: Block, waiting_rows: int, shard_rows: int) -> bool:
    """Tell whether a block is to be cut anew: it has no graph, or one that is soon made again."""
    if at.entry.graph is None:
        return at.entry.rows != shard_rows
    return at.entry.rows < min(waiting_rows, shard_rows)


def _take_in(folder: Path, model_id: str, name: str, made: graph.Graph) -> bool:
    """Publish the graph of a block, unless that has gone meanwhile: what the graph shows may be erased."""
    with state.locked(folder):
        blocks = list(_open(folder, model_id).blocks)
        place = next((n for n, at in enumerate(blocks) if at.entry.name == name), None)
        if place is not None:
            at = blocks[place]
            blocks[place] = Block(replace(at.entry, graph=made.save(folder)), at.rows, None)
        _publish(folder, model_id, blocks)
    return place is not None


def _with_sound_graph(folder: Path, at: Block) -> Block:
    """Return a block without its graph where that is damaged."""
    if at.entry.graph is None or graph.holds(folder, at.entry.graph):
        return at
    return Block(replace(at.entry, graph=None), at.rows, None)


def _rows_of(blocks: list[Block]) -> int:
    return sum(at.entry.rows for at in blocks)


def _counting_on(progress: Callable[[int, int], None], before: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(before + done, total)
