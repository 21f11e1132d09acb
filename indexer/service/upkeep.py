"""One kind of work on repositories: once at a time for each, for few at once, and again later if it failed.

A mark says whether there is anything new to look at. One that work failed at counts for a pause, which grows
from failure to failure; after it, or with another mark, it is tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from gitmem.model.errors.base import GitmemError
from gitmem.sidecar.client import Relayed
from gitmem.sidecar.wire import Place
from indexer.service.log import Log

_FIRST_PAUSE_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is done, and when: `mark` is quickly told, `is_due` less so; `do` may take hours.

    `doing` names it in the log. It is done for `at_once` repositories at a time; others wait.
    """

    doing: str
    at_once: int
    mark: Callable[[Place], object]
    is_due: Callable[[Place], bool]
    do: Callable[[Place], object]


class _Tried(NamedTuple):
    mark: object
    again_at_s: float = float("inf")
    pause_s: float = 0.0


class Upkeep:
    """Does one kind of work, in threads of its own."""

    def __init__(self, work: Work, end: threading.Event, log: Log) -> None:
        self._work, self._end, self._log = work, end, log
        self._tried: dict[str, _Tried] = {}
        self._at_work: set[str] = set()
        self._lock = threading.Lock()
        self._has_room = threading.Semaphore(work.at_once)

    def look(self, place: Place) -> None:
        """Begin what is due for a repository, unless it is being done or there is nothing new."""
        mark = self._work.mark(place)
        with self._lock:
            tried = self._tried.get(place.common_dir)
            is_known = tried is not None and tried.mark == mark and time.monotonic() < tried.again_at_s
            if is_known or place.common_dir in self._at_work:
                return
            self._at_work.add(place.common_dir)
        threading.Thread(target=self._try, args=(place, mark), name=self._work.doing, daemon=True).start()

    def forget(self, common_dir: str) -> None:
        """Let go of what is known of a repository that is gone."""
        with self._lock:
            self._tried.pop(common_dir, None)

    def _try(self, place: Place, mark: object) -> None:
        has_failed = True
        try:
            self._do(place)
            has_failed = False
        except GitmemError as error:
            # Whoever searches next is told, or finds that it is over.
            kind = error.kind if isinstance(error, Relayed) else type(error).__name__
            self._log.note(f"failed at {self._work.doing}: {kind}")
        except Exception as error:  # noqa: BLE001 (a bug, at which the sidecar does not end)
            self._log.failed(self._work.doing, error)
        finally:
            with self._lock:
                self._at_work.discard(place.common_dir)
                self._tried[place.common_dir] = self._after(place, mark, has_failed=has_failed)

    def _do(self, place: Place) -> None:
        if not self._work.is_due(place):
            return  # which nobody who does something else has to be waited for to know
        with self._has_room:
            if not self._end.is_set() and self._work.is_due(place):
                self._work.do(place)

    def _after(self, place: Place, mark: object, *, has_failed: bool) -> _Tried:
        if not has_failed:
            return _Tried(mark)
        before = self._tried.get(place.common_dir)
        pause_s = min(max(2 * before.pause_s if before else 0.0, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        return _Tried(mark, time.monotonic() + pause_s, pause_s)
