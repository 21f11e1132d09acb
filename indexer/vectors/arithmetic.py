"""What is computed with rows: eight-bit rows from vectors, and scores from rows.

A row is stored as `codes`, 384 whole numbers from -127 to 127, and `scale`, the inverse of their length, so
that every stored row has length 1. The score of a row is computed in one way wherever it is asked for, and
does not depend on the rows beside it: equal rows have equal scores, to the last bit.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Scores = NDArray[np.float32]

_LARGEST_CODE: Final = 127
# Rows that become float32 together: 1.5 MB, which stays in a core's cache.
_CHUNK_ROWS: Final = 1024


class Rows(NamedTuple):
    """Vectors with their keys, in ascending order of keys, none twice.

    keys: uint64 (n,); scales: float32 (n,); codes: int8 (n, dimensions).
    """

    keys: Keys
    scales: NDArray[np.float32]
    codes: NDArray[np.int8]


def quantise(keys: Keys, vectors: NDArray[np.float32]) -> Rows:
    """Turn vectors into rows; of a key that comes twice, the first counts. A vector of zeros scores 0."""
    keys, first = np.unique(keys, return_index=True)
    vectors = vectors[first]
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    largest[largest == 0] = 1
    codes = np.rint(vectors * (_LARGEST_CODE / largest)).astype(np.int8)
    lengths = np.sqrt(np.einsum("ij,ij->i", codes, codes, dtype=np.float64))
    scales = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return Rows(keys, scales.astype(np.float32), codes)


def select(rows: Rows, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Rows:
    """Return some of the rows; `which` keeps their order."""
    return Rows(rows.keys[which], rows.scales[which], rows.codes[which])


def join(parts: list[Rows]) -> Rows:
    """Put rows together; of a key that comes twice, the first counts."""
    keys, first = np.unique(np.concatenate([part.keys for part in parts]), return_index=True)
    scales = np.concatenate([part.scales for part in parts])[first]
    return Rows(keys, scales, np.concatenate([part.codes for part in parts])[first])


def score_all(rows: Rows, query: NDArray[np.float32]) -> Scores:
    """Return every row's score for a unit vector, in the rows' order; float32 (n,)."""
    count, dimensions = rows.codes.shape
    scores = np.empty(count, np.float32)
    chunk = np.empty((min(count, _CHUNK_ROWS), dimensions), np.float32)
    for at in range(0, count, _CHUNK_ROWS):
        codes = rows.codes[at : at + _CHUNK_ROWS]
        floats = chunk[: len(codes)]
        np.copyto(floats, codes)
        # Not BLAS: it adds up in another order for the last rows of a matrix, and starts threads whose
        # waiting for each other costs more than the work.
        np.einsum("ij,j->i", floats, query, out=scores[at : at + _CHUNK_ROWS])
    scores *= rows.scales
    return scores


def score_some(rows: Rows, which: NDArray[np.int64], query: NDArray[np.float32]) -> Scores:
    """Return the scores of the rows with these numbers, in the order given."""
    return score_all(select(rows, which), query)


def best(keys: Keys, scores: Scores, limit: int) -> tuple[Keys, Scores]:
    """Return the highest scores and their keys, highest first, equal ones by key."""
    if 0 < limit < len(scores):
        among = np.flatnonzero(scores >= least_of_best(scores, limit))
        keys, scores = keys[among], scores[among]
    order = np.lexsort((keys, -scores))[: max(limit, 0)]
    return keys[order], scores[order]


def least_of_best(scores: Scores, limit: int) -> float:
    """Return the lowest of the `limit` highest scores, or what all are above."""
    if not 0 < limit < len(scores):
        return -math.inf
    place = len(scores) - limit
    return float(np.partition(scores, place)[place])
