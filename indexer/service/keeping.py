"""Keeping indexes where their memories are, before anybody asks: of all repositories that were asked about.

Events of the file system only hint, and so does the clock; what counts is whether the files that hold refs
are other than when they were last looked at. Then whoever knows indexes compares and does what is needed, in
a thread beside. Words and vectors are two things: while texts are embedded, which may take hours, the index
goes on following its memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from gitmem.git.settings import without_repository
from gitmem.model.errors.arguments import BadSetting
from gitmem.model.errors.store import DiskRefused
from gitmem.model.refs import KEYS_NAMESPACE, PRIVATE_NAMESPACE, PUBLIC_REF, SEALED_NAMESPACE, sealed_name
from gitmem.sidecar import known
from gitmem.sidecar.folders import models_folder
from gitmem.sidecar.wire import Place, Request
from indexer.service.answering import Answering
from indexer.service.events import hints
from indexer.service.log import Log
from indexer.service.upkeep import Upkeep, Work
from indexer.upkeep import state as states

_TIMEOUT_S: Final = 5.0
_QUIET_MS: Final = 100
_MOST_MS: Final = 400
_INDEXED_AT_ONCE: Final = 2
_EMBEDDED_AT_ONCE: Final = 1
"""It takes all the cores that it is given, and a gigabyte of memory."""

_SETTLED_NS: Final = 100_000_000
"""Longer than the clock of a file system stands still: until then a folder may change unseen."""

_NAMESPACES: Final = (PRIVATE_NAMESPACE, SEALED_NAMESPACE, KEYS_NAMESPACE)

Mark: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""Modification time, inode and size of files; None for one that is not there."""


class Keeper:
    """Watches the known repositories, and has their indexes brought up."""

    def __init__(
        self, answering: Answering, environ: Mapping[str, str], state_folder: Path, log: Log
    ) -> None:
        self._answering, self._environ, self._state_folder, self._log = answering, environ, state_folder, log
        self._places: dict[str, Place] = {}
        self._model_dirs: dict[str, str] = {}
        self._model_dir = _model_dir(environ)
        self._lock = threading.Lock()
        self._others = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._indexing = Upkeep(
            Work(
                "bringing an index up",
                _INDEXED_AT_ONCE,
                mark=_refs,
                is_due=lambda place: answering.is_behind(place, environ),
                do=lambda place: answering.index(place, environ),
            ),
            self._end,
            log,
        )
        self._embedding = Upkeep(
            Work(
                "embedding",
                _EMBEDDED_AT_ONCE,
                mark=lambda place: (_refs(place), _vectors(place, self._model_dir_of(place))),
                is_due=lambda place: answering.lacks_vectors(place, self._model_dir_of(place), environ),
                do=lambda place: answering.embed(place, self._model_dir_of(place), environ),
            ),
            self._end,
            log,
        )

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
        for place in request.places:
            with self._lock:
                is_new = self._places.get(place.common_dir) != place
                self._places[place.common_dir] = place
                if request.model_dir is not None:
                    self._model_dirs[place.common_dir] = request.model_dir
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
        if name in ("packed-refs", "tables.list") or name in refs:
            return True
        own = path.rfind(f"/{PRIVATE_NAMESPACE}") + 1
        return own > 0 and (path[own:] == PUBLIC_REF or sealed_name(path[own:]) is not None)

    def _compare(self) -> None:
        """Have done what is due of what is new."""
        for place in self.places():
            if not Path(place.common_dir).is_dir():
                self._forget(place.common_dir)
                continue
            self._indexing.look(place)
            self._embedding.look(place)

    def _model_dir_of(self, place: Place) -> str:
        with self._lock:
            return self._model_dirs.get(place.common_dir, self._model_dir)

    def _forget(self, common_dir: str) -> None:
        with self._lock:
            self._places.pop(common_dir, None)
        with suppress(DiskRefused):  # it is left out wherever it is read
            known.forget(self._state_folder, common_dir)
        self._indexing.forget(common_dir)
        self._embedding.forget(common_dir)
        self._answering.forget(common_dir)
        self._others.set()


def _watched(place: Place) -> list[Path]:
    """Return the folders in which git writes when a ref of a memory moves."""
    common_dir = Path(place.common_dir)
    return [
        common_dir,
        (common_dir / place.ref).parent,
        common_dir / "reftable",
        *(common_dir / name for name in _NAMESPACES),
    ]


def _refs(place: Place) -> Mark:
    """Return the mark of the files that can hold the memories' refs; of sealed ones, of their folders."""
    common_dir = Path(place.common_dir)
    files = tuple(
        _written(common_dir / name) for name in (place.ref, PUBLIC_REF, "packed-refs", "reftable/tables.list")
    )
    return files + tuple(_settled(common_dir / name) for name in _NAMESPACES)


def _vectors(place: Place, model_dir: str) -> tuple[Mark, int | None]:
    """Return the mark of the index and the model, and which folder the vectors are in.

    Not what is in that: whoever fails at embedding may have written there before.
    """
    from indexer.model.installed import folder_of as installed_in
    from indexer.model.pinned import model_id
    from indexer.upkeep.embedding import folder_of as vectors_of

    common_dir = Path(place.common_dir)
    vectors = _written(vectors_of(common_dir, model_id()))
    state_file = states.root_of(common_dir) / "state.json"
    return (_written(state_file), _written(installed_in(Path(model_dir)))), vectors[1] if vectors else None


def _model_dir(environ: Mapping[str, str]) -> str:
    """Return where models are for repositories that nobody has asked about yet."""
    with suppress(BadSetting):  # whoever asks is told
        return str(without_repository(environ).model_dir or models_folder(environ))
    return str(models_folder(environ))


def _settled(folder: Path) -> tuple[int, int, int] | None:
    """Return the mark of a folder, which is another one each time while it may still be changing."""
    mark = _written(folder)
    now_ns = time.time_ns()
    if mark is None or not 0 <= now_ns - mark[0] < _SETTLED_NS:
        return mark
    return mark[0], mark[1], now_ns


def _written(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
