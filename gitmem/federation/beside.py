"""The same work in many repositories, several at once: one that fails keeps no other from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, Generic, NamedTuple, TypeVar

from gitmem.model.errors.base import GitmemError

T = TypeVar("T")
R = TypeVar("R")

WORKERS: Final = 8
"""At once: mostly they wait for git and for remotes; a host that is asked more often may turn us away."""


class Done(NamedTuple, Generic[T, R]):
    """What came of one of them; `error` where it failed as things do fail."""

    what: T
    result: R | None
    error: GitmemError | None


def each_beside(items: Sequence[T], work: Callable[[T], R], workers: int = WORKERS) -> Iterator[Done[T, R]]:
    """Do the work for each of the items, and yield what came of them as they end.

    A bug in one of them is raised when it comes to light; who is interrupted waits for those under way.
    """

    def do(item: T) -> Done[T, R]:
        try:
            return Done(item, work(item), None)
        except GitmemError as error:
            return Done(item, None, error)

    with ThreadPoolExecutor(max(1, min(workers, len(items))), "submodule") as pool:
        under_way = [pool.submit(do, item) for item in items]
        try:
            for future in as_completed(under_way):
                yield future.result()
        finally:
            for future in under_way:
                future.cancel()
