"""Keeping indexes where their memories are, before anybody asks: of all repositories that were asked about.

Events of the file system only hint, and so does the clock; what counts is whether the files that hold refs
are other than when they were last looked at. Then whoever knows indexes compares and does what is needed, in
a thread beside, one at a time for each repository.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from gitmem.model.errors import DiskRefused, GitmemError
from gitmem.sidecar import known
from gitmem.sidecar.wire import Place, Request
from indexer.service.answering import Answering
from indexer.service.events import hints
from indexer.service.log import Log

_TIMEOUT_S: Final = 5.0
_QUIET_MS: Final = 100
_MOST_MS: Final = 400
_AT_ONCE: Final = 2

Mark: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""Modification time, inode and size of each file that can hold a ref; None for one that is not there."""


class Keeper:
    """Watches the known repositories, and has their indexes brought up."""

    def __init__(
        self, answering: Answering, environ: Mapping[str, str], state_folder: Path, log: Log
    ) -> None:
        self._answering, self._environ, self._state_folder, self._log = answering, environ, state_folder, log
        self._places: dict[str, Place] = {}
        self._model_dirs: dict[str, str | None] = {}
        self._marks: dict[str, Mark] = {}
        self._at_work: set[str] = set()
        self._lock = threading.Lock()
        self._has_room = threading.Semaphore(_AT_ONCE)
        self._others = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def end(self) -> None:
        """Watch no more; what is being brought up ends when the process does."""
        self._end.set()
        self._others.set()
        self._thread.join()

    def places(self) -> list[Place]:
        """Return the repositories that are known."""
        with self._lock:
            return list(self._places.values())

    def remember(self, request: Request) -> None:
        """Know the repositories that somebody asked about from now on, and the model they are to have."""
        model_dir = self._answering.usable(request.model_dir)
        for place in request.places:
            with self._lock:
                is_new = self._places.get(place.common_dir) != place
                self._places[place.common_dir] = place
                if self._model_dirs.get(place.common_dir) != model_dir:
                    self._model_dirs[place.common_dir] = model_dir
                    self._marks.pop(place.common_dir, None)  # for there may be no vectors by that model
            if is_new:
                known.remember(self._state_folder, place)
                self._others.set()

    def _keep(self) -> None:
        with suppress(DiskRefused):  # they are left out wherever they are read
            known.prune(self._state_folder)
        while not self._end.is_set():
            self._others.clear()
            self._take_in()
            self._compare()
            for _ in hints(
                [path for place in self.places() for path in _watched(place)],
                is_wanted=self._is_wanted,
                stop=self._others,
                timeout_s=_TIMEOUT_S,
                quiet_ms=_QUIET_MS,
                most_ms=_MOST_MS,
                recursive=False,
            ):
                self._take_in()
                self._compare()

    def _take_in(self) -> None:
        """Learn of repositories that others were asked about."""
        for place in known.known(self._state_folder):
            with self._lock:
                if place.common_dir not in self._places:
                    self._places[place.common_dir] = place
                    self._others.set()

    def _is_wanted(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        with self._lock:
            refs = {place.ref.rpartition("/")[2] for place in self._places.values()}
        return name in ("packed-refs", "tables.list") or name in refs

    def _compare(self) -> None:
        """Have those brought up whose refs were written since they were last looked at."""
        for place in self.places():
            if not Path(place.common_dir).is_dir():
                self._forget(place.common_dir)
                continue
            mark = _mark(place)
            with self._lock:
                if self._marks.get(place.common_dir) == mark or place.common_dir in self._at_work:
                    continue
                self._marks[place.common_dir] = mark
                self._at_work.add(place.common_dir)
            threading.Thread(target=self._bring_up, args=(place,), name="bring up", daemon=True).start()

    def _bring_up(self, place: Place) -> None:
        try:
            with self._has_room:
                if not self._end.is_set():
                    model_dir = self._model_dirs.get(place.common_dir)
                    self._answering.bring_up(place, model_dir, self._environ)
        except GitmemError as error:
            # Whoever searches next is told, or finds that it is over.
            self._log.note(f"could not bring an index up: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 (a bug, at which the sidecar does not end)
            self._log.failed("bringing an index up", error)
        finally:
            with self._lock:
                self._at_work.discard(place.common_dir)

    def _forget(self, common_dir: str) -> None:
        with self._lock:
            self._places.pop(common_dir, None)
            self._marks.pop(common_dir, None)
        with suppress(DiskRefused):  # it is left out wherever it is read
            known.forget(self._state_folder, common_dir)
        self._answering.forget(common_dir)
        self._others.set()


def _watched(place: Place) -> list[Path]:
    """Return the folders in which git writes when the memory's ref moves."""
    common_dir = Path(place.common_dir)
    return [common_dir, (common_dir / place.ref).parent, common_dir / "reftable"]


def _mark(place: Place) -> Mark:
    common_dir = Path(place.common_dir)
    return tuple(
        _written(path)
        for path in (common_dir / place.ref, common_dir / "packed-refs", common_dir / "reftable/tables.list")
    )


def _written(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
