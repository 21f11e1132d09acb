"""A store of vectors as it is read: a snapshot, without a lock, of the blocks and graphs that hold.

What is damaged is left out and named: its rows count as missing, so that whoever embeds makes them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import arithmetic, block, state
from indexer.vectors.arithmetic import Keys, Rows, Scores

if TYPE_CHECKING:
    from indexer.vectors.graph import Graph

_FIRST_PAGE_ROWS: Final = 1000
_PAGE_GROWTH: Final = 4
# A graph yields candidates in fewer dimensions: so many more than asked for that the wanted are among them.
_FETCH_AT_LEAST: Final = 400
_FETCH_TIMES: Final = 4
_TRIES: Final = 5


class Block(NamedTuple):
    """A block of the snapshot, with its graph where that is there and was asked for."""

    entry: state.BlockEntry
    rows: Rows
    graph: Graph | None


@dataclass(frozen=True, eq=False)
class Vectors:
    """What a store had at one moment. Files that are removed later stay readable through it.

    `damaged` names the files that are left out.
    """

    folder: Path
    model_id: str
    with_graphs: bool
    blocks: tuple[Block, ...]
    damaged: tuple[str, ...] = ()

    @classmethod
    def open(cls, folder: Path, model_id: str, *, with_graphs: bool) -> Vectors:
        """Take a snapshot of the store in a folder; there may be none, or another model's, which is empty.

        Never fails for what is found there. With graphs it costs a tenth of a second for 50,000 rows, more
        than a search without them: they are for a process that stays.
        """
        return _open(folder, model_id, with_graphs, {})

    def refreshed(self) -> Vectors:
        """Take a new snapshot, which loads only what this one has not."""
        return _open(self.folder, self.model_id, self.with_graphs, {at.entry.name: at for at in self.blocks})

    @property
    def names(self) -> tuple[str, ...]:
        """What tells this snapshot from others of the same store."""
        return tuple(at.entry.name for at in self.blocks)

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return sum(len(at.rows.keys) for at in self.blocks)

    @property
    def without_graph(self) -> int:
        """How many of them are in no graph that this snapshot has."""
        return sum(len(at.rows.keys) for at in self.blocks if at.graph is None)

    @property
    def size_bytes(self) -> int:
        """What the files of this snapshot take on the disk."""
        return sum(_size(self.folder / name) for at in self.blocks for name in state.names_of(at.entry))

    def __contains__(self, key: int) -> bool:
        return not self.missing([key])

    def missing(self, keys: Iterable[int]) -> list[int]:
        """Return the keys that have no vector, each once, in the order given."""
        wanted = list(dict.fromkeys(keys))
        found = np.zeros(len(wanted), bool)
        for _, at, _ in self._places(np.array(wanted, np.uint64)):
            found[at] = True
        return [wanted[n] for n in np.flatnonzero(~found)]

    def scores(self, query: NDArray[np.float32], keys: Sequence[int] | Keys) -> Scores:
        """Return each key's score for a unit vector, in the order given; NaN where it has no vector."""
        scores = np.full(len(keys), np.nan, np.float32)
        for rows, at, which in self._places(np.asarray(keys, np.uint64)):
            scores[at] = arithmetic.score_some(rows, which, query)
        return scores

    def nearest(self, query: NDArray[np.float32], limit: int) -> tuple[Keys, Scores]:
        """Return the nearest to a unit vector, best first, equal ones by key.

        Exact but for blocks with a graph, where one or two of a hundred may be missed; scores always are.
        """
        found = [self._nearest_in(at, query, limit) for at in self.blocks]
        return arithmetic.best(*_together(found), limit)

    def ordered(self, query: NDArray[np.float32]) -> Iterator[tuple[Keys, Scores]]:
        """Yield all rows by descending score, equal ones by key, exactly, in pages that grow.

        A page is longer than its turn where scores are equal at its end. The first costs what a scan does,
        and each page a little more, so that whoever filters may stop early.
        """
        keys, scores = _together([(at.rows.keys, arithmetic.score_all(at.rows, query)) for at in self.blocks])
        page = _FIRST_PAGE_ROWS
        while len(keys):
            taken = scores >= arithmetic.least_of_best(scores, page)
            yield arithmetic.best(keys[taken], scores[taken], int(taken.sum()))
            keys, scores = keys[~taken], scores[~taken]
            page *= _PAGE_GROWTH

    def _nearest_in(self, at: Block, query: NDArray[np.float32], limit: int) -> tuple[Keys, Scores]:
        rows = at.rows
        which = None
        if at.graph is not None:
            which = at.graph.candidates(query, _FETCH_AT_LEAST + _FETCH_TIMES * limit)
        if which is None:
            return arithmetic.best(rows.keys, arithmetic.score_all(rows, query), limit)
        return arithmetic.best(rows.keys[which], arithmetic.score_some(rows, which, query), limit)

    def _places(self, keys: Keys) -> Iterator[tuple[Rows, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield for each block its rows, which of the keys it has, and at which rows."""
        order = np.argsort(keys)
        ascending = keys[order]
        for at in self.blocks:
            there = at.rows.keys
            if not len(there) or not len(keys):
                continue
            which = np.minimum(np.searchsorted(there, ascending), len(there) - 1)
            found = np.flatnonzero(there[which] == ascending)
            if len(found):
                yield at.rows, order[found], which[found]


def _open(folder: Path, model_id: str, with_graphs: bool, known: dict[str, Block]) -> Vectors:
    """Open what the state names; once more if the state has changed before all of it was open."""
    for _ in range(_TRIES):
        found = state.load(folder, model_id)
        if found is None:
            return Vectors(folder, model_id, with_graphs, (), (state.NAME,))
        blocks, damaged = [], []
        for entry in found.blocks:
            opened, wrong = _open_block(folder, found, entry, with_graphs, known.get(entry.name))
            damaged += wrong
            if opened:
                blocks.append(opened)
        if not damaged or state.load(folder, model_id) == found:
            break
    return Vectors(folder, model_id, with_graphs, tuple(blocks), tuple(damaged))


def _open_block(
    folder: Path, of: state.State, entry: state.BlockEntry, with_graphs: bool, known: Block | None
) -> tuple[Block | None, list[str]]:
    """Return a block, and the names of what is damaged of it."""
    rows = known.rows if known else block.read(folder / entry.name, of.model, of.dimensions, entry.rows)
    if rows is None:
        return None, [entry.name]
    if entry.graph is None or not with_graphs:
        return Block(entry, rows, None), []
    if known and known.graph and known.entry == entry:
        return known, []
    from indexer.vectors import graph

    loaded = graph.load(folder, entry.graph, rows)
    return Block(entry, rows, loaded), [] if loaded else [entry.graph.index.name]


def _together(found: list[tuple[Keys, Scores]]) -> tuple[Keys, Scores]:
    keys = [np.empty(0, np.uint64), *(keys for keys, _ in found)]
    return np.concatenate(keys), np.concatenate([np.empty(0, np.float32), *(scores for _, scores in found)])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
