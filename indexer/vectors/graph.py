"""A graph over the rows of one block: hnswlib's, in fewer dimensions, built once and never changed.

hnswlib holds float32 in memory and knows nothing else. So its rows are projected on the axes along which the
block's own rows are longest, a quarter of the dimensions. What it finds are candidates, to be scored by the
stored rows. A file that was cut off takes the process down when hnswlib loads it: none is loaded before its
size and digest hold.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gitmem.disk import NewFile, announce
from gitmem.model.errors.store import DiskRefused
from indexer.vectors.arithmetic import Rows
from indexer.vectors.state import AXES_PREFIX, GRAPH_PREFIX, File, GraphFiles

if TYPE_CHECKING:
    import hnswlib

DIMENSIONS: Final = 96

# By measurement, see docs/decisions/vectors.md.
_LINKS: Final = 12
_EF_CONSTRUCTION: Final = 60
_SEED: Final = 1
_SAMPLED_ROWS: Final = 16_384
_PROJECTED_ROWS: Final = 4096
_ADDED_ROWS: Final = 1024
_READ_BYTES: Final = 1 << 20


class Graph:
    """A graph in memory; `axes` are float32 (dimensions, DIMENSIONS)."""

    def __init__(self, index: hnswlib.Index, axes: NDArray[np.float32]) -> None:
        self._index, self._axes = index, axes

    def candidates(self, query: NDArray[np.float32], fetch: int) -> NDArray[np.int64] | None:
        """Return the numbers of about the nearest rows, ascending; None where too few can be reached."""
        fetch = min(fetch, self._index.get_current_count())
        projected = np.einsum("i,ij->j", query, self._axes)  # not BLAS, as in arithmetic.score_all
        try:
            found, _ = self._index.knn_query(projected, fetch, num_threads=1)
        except RuntimeError:  # "Cannot return the results in a contiguous 2D array": too few were reached
            return None
        return np.sort(found[0].astype(np.int64))

    def save(self, folder: Path) -> GraphFiles:
        """Publish the graph's two files, without waiting for the disk: they can be made again.

        Raises:
            DiskRefused: The disk does not let it; what was published is named by nothing.
        """
        name = secrets.token_hex(8)
        axes = np.ascontiguousarray(self._axes, "<f4").tobytes()
        with NewFile(folder) as new:
            new.write(axes)
            new.publish(folder / f"{AXES_PREFIX}{name}", durable=False, mode=0o400)
        axes_file = File(f"{AXES_PREFIX}{name}", len(axes), hashlib.sha256(axes).hexdigest())
        with NewFile(folder) as new:
            announce("write", new.path)
            self._index.save_index(str(new.path))
            size, digest = _measure(new)
            if size != self._index.index_file_size():  # hnswlib does not look whether its writes succeed
                raise DiskRefused("write", str(new.path), "the disk took only a part of it")
            new.publish(folder / f"{GRAPH_PREFIX}{name}", durable=False, mode=0o400)
        return GraphFiles(File(f"{GRAPH_PREFIX}{name}", size, digest), axes_file)


def build(rows: Rows, progress: Callable[[int], None] = lambda done: None) -> Graph:
    """Build the graph of a block's rows: the same from the same rows. `progress` hears how many are in it.

    About 0.05 ms of one core a row.
    """
    import hnswlib

    axes = principal_axes(rows)
    count = len(rows.keys)
    index = hnswlib.Index("ip", axes.shape[1])
    index.init_index(count, M=_LINKS, ef_construction=_EF_CONSTRUCTION, random_seed=_SEED)
    # All of them first: BLAS keeps its threads waiting busily for a while after each product.
    projected = np.empty((count, axes.shape[1]), np.float32)
    for at in range(0, count, _PROJECTED_ROWS):
        which = slice(at, at + _PROJECTED_ROWS)
        np.matmul(_vectors(rows, which), axes, out=projected[which])
    for at in range(0, count, _ADDED_ROWS):
        until = min(at + _ADDED_ROWS, count)
        # On one thread, since with more the order of links is another one each time.
        index.add_items(projected[at:until], np.arange(at, until), num_threads=1)
        progress(until)
    return Graph(index, axes)


def holds(folder: Path, files: GraphFiles) -> bool:
    """Tell whether a graph's files are what was written, byte for byte."""
    return _is_whole(folder, files.axes) and _is_whole(folder, files.index)


def load(folder: Path, files: GraphFiles, rows: Rows) -> Graph | None:
    """Return a block's graph, or None where its files are not what was written for it."""
    import hnswlib

    if not holds(folder, files):
        return None
    dimensions = rows.codes.shape[1]
    try:
        axes = np.fromfile(folder / files.axes.name, "<f4").reshape(dimensions, -1)
        index = hnswlib.Index("ip", axes.shape[1])
        index.load_index(str(folder / files.index.name))
    except (FileNotFoundError, RuntimeError):
        return None  # whole a moment ago, and swept away since by who replaced it; hnswlib has but one error
    return Graph(index, axes) if index.get_current_count() == len(rows.keys) else None


def principal_axes(rows: Rows) -> NDArray[np.float32]:
    """Return the axes along which rows are longest; float32 (dimensions, at most DIMENSIONS).

    Taken from rows that are spread over the block. Scores are inner products, so the mean is not taken away.
    """
    step = max(1, len(rows.keys) // _SAMPLED_ROWS)
    dimensions = rows.codes.shape[1]
    moments = np.zeros((dimensions, dimensions))
    for at in range(0, len(rows.keys), step * _PROJECTED_ROWS):
        sample = _vectors(rows, slice(at, at + step * _PROJECTED_ROWS, step))
        moments += sample.T @ sample
    _, axes = np.linalg.eigh(moments)
    return np.ascontiguousarray(axes[:, ::-1][:, :DIMENSIONS], dtype=np.float32)


def _vectors(rows: Rows, which: slice) -> NDArray[np.float32]:
    return rows.codes[which].astype(np.float32) * rows.scales[which, None]


def _measure(new: NewFile) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for piece in new.content():
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()


def _is_whole(folder: Path, file: File) -> bool:
    digest = hashlib.sha256()
    try:
        with (folder / file.name).open("rb") as opened:
            if os.fstat(opened.fileno()).st_size != file.size_bytes:
                return False
            while piece := opened.read(_READ_BYTES):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == file.sha256
