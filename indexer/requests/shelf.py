"""What a process keeps open: indexes, vectors, the model, and the answers that it gave while they stand.

A process that answers once and one that stays use it alike. One that stays keeps graphs of vectors in memory,
and leaves to others what would take long.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.searching import ModelDamaged, ModelMissing
from gitmem.model.errors.store import DiskRefused, NoMemory, StoreBusy, StoreError
from gitmem.sidecar.wire import Json, Place
from gitmem.verbs.tips import Tip, read_tip
from indexer.finding import synonyms
from indexer.finding.synonyms import Synonyms
from indexer.lexical import Damaged, LexicalIndex
from indexer.upkeep import state as states
from indexer.upkeep.state import Condition, State

if TYPE_CHECKING:
    from indexer.model.embedder import Embedder
    from indexer.teller import Teller
    from indexer.vectors.store import Vectors

_PATIENCE_S: Final = 3.0
"""How long to wait for another process that brings the index up, where there is one to answer from."""
LONG_PATIENCE_S: Final = 600.0
_MOST_ANSWERS: Final = 256
_MOST_HITS: Final = 2_000
_MOST_HITS_OF_ONE: Final = 100
"""Hits are what answers weigh: some 2 KB each."""

_WITH_PASSAGE: Final = 1
"""By so much a hit weighs more that has a passage of its text; one beside it has the same."""

_MOST_OPEN: Final = 256
"""As many as a large superproject has submodules: each one more holds some files mapped, and no memory."""
_MOST_CATCHING_UP: Final = 2
"""At once: each has a writer's memory, and a hundred submodules may be behind after one sync."""

_loading_numpy = threading.Lock()


@dataclass(slots=True)
class Opened:
    """An index that is open, what it was made of, and how many commits of the memory it does not know."""

    turns: LexicalIndex
    state: State
    behind: int
    vectors: Vectors | None = None
    looked_at: tuple[int, int] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class NotReady(GitmemError):
    """There is no index to answer from yet, and making one is nothing for a process that others wait for."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        super().__init__(f"could not answer at once: the search index is {condition}")


class Shelf:
    """Indexes and what belongs to them, opened when they are first asked for; used from several threads."""

    def __init__(self, *, stays: bool = False) -> None:
        self.stays = stays
        self._lock = threading.RLock()
        self._model_lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, str], Opened] = OrderedDict()
        self._answers: OrderedDict[object, Json] = OrderedDict()
        self._embedders: dict[str, Embedder] = {}
        self._synonyms: tuple[object, Synonyms] | None = None
        self._turns = threading.BoundedSemaphore(_MOST_CATCHING_UP)
        self._catching_up: dict[tuple[str, str], threading.Thread] = {}

    def open(self, place: Place, environ: Mapping[str, str], teller: Teller, *, catch_up_ms: int) -> Opened:
        """Open an index that is as far as its memory, or as far as can be had in time.

        Raises:
            NotReady: There is none to answer from, and this process stays.
        """
        root = states.root_of(Path(place.common_dir))
        loaded = states.load(root)
        condition = states.examine(loaded, place.ref, tip_of(place, environ).name)
        if isinstance(loaded, State) and condition in ("current", "behind"):
            with suppress(Damaged):  # or swept away by a process that has just made it anew
                if condition == "current":
                    return self._open_folder(place, loaded, 0)
                return self._open_behind(place, loaded, environ, teller, catch_up_ms)
            condition = "corrupt"
        if self.stays:
            raise NotReady(condition)
        state = bring_up(place, environ, teller, LONG_PATIENCE_S)
        return self._open_folder(place, state, 0)

    def reopen(self, place: Place, environ: Mapping[str, str], teller: Teller) -> Opened:
        """Make an index anew whose files turned out to be damaged while they were read.

        Raises:
            NotReady: This process stays.
        """
        self.forget(place.common_dir)
        if self.stays:
            raise NotReady("corrupt")
        teller.notice("made the search index anew: it was damaged")
        return self._open_folder(place, bring_up(place, environ, teller, LONG_PATIENCE_S, anew=True), 0)

    def vectors(self, place: Place, opened: Opened, model_id: str) -> Vectors:
        """Return the vectors that there are now for a repository's turns."""
        load_numpy()
        from indexer.upkeep.embedding import folder_of
        from indexer.vectors.store import Vectors

        folder = folder_of(Path(place.common_dir), model_id)
        looked_at = _stamp(folder / "state.json")
        with opened.lock:
            if opened.vectors is None or opened.vectors.folder != folder:
                opened.vectors = Vectors.open(folder, model_id, with_graphs=self.stays)
            elif opened.looked_at != looked_at:
                opened.vectors = opened.vectors.refreshed()
            opened.looked_at = looked_at
            return opened.vectors

    def embedder(self, model_dir: str) -> Embedder:
        """Return the open model.

        Raises:
            ModelMissing, ModelDamaged, SemanticLibraryMissing: There is none to use.
        """
        load_numpy()
        from indexer.model.embedder import Embedder

        with self._model_lock:
            if model_dir not in self._embedders:
                self._embedders[model_dir] = Embedder.open(Path(model_dir))
            return self._embedders[model_dir]

    def fetch_model(self, model_dir: str) -> None:
        """Begin to open a model, beside whatever is done until it is asked for."""

        def fetch() -> None:
            with suppress(ModelMissing, ModelDamaged):  # who asks for it meets the same
                self.embedder(model_dir)

        if model_dir not in self._embedders:
            load_numpy()
            threading.Thread(target=fetch, name="fetching the model", daemon=True).start()

    def synonyms(self, own: str | None) -> tuple[object, Synonyms]:
        """Return ours and the user's, read again when that file has changed, behind what tells them apart."""
        path = Path(own) if own else None
        stamp = (own, _stamp(path) if path else None)
        with self._lock:
            if self._synonyms is None or self._synonyms[0] != stamp:
                self._synonyms = (stamp, synonyms.load(path))
            return self._synonyms

    def known_answer(self, key: object) -> Json | None:
        """Return the answer that was given to the same question of the same indexes."""
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def keep_answer(self, key: object, answer: Json) -> None:
        """Keep an answer while its indexes stand, which are part of the key."""
        if _hits_in(answer) > _MOST_HITS_OF_ONE:
            return
        with self._lock:
            self._answers[key] = answer
            while (
                len(self._answers) > _MOST_ANSWERS or sum(map(_hits_in, self._answers.values())) > _MOST_HITS
            ):
                self._answers.popitem(last=False)

    def forget(self, common_dir: str) -> None:
        """Close what is open of a repository."""
        with self._lock:
            for at in [at for at in self._opened if at[0] == common_dir]:
                del self._opened[at]
            self._answers.clear()

    def close_older(self, common_dir: str, now: State) -> None:
        """Close what is open of a repository with text that the index at its state of now has not any more.

        Files that are open take their room, and can be read, though they are removed.
        """
        with self._lock:
            for at, opened in list(self._opened.items()):
                was = opened.state
                if at[0] == common_dir and (was.folder, was.worn.removals) != (now.folder, now.worn.removals):
                    del self._opened[at]
                    self._answers.clear()

    def close_models(self) -> None:
        """Let go of the model and of all answers; what is asked next opens it again."""
        with self._model_lock:
            self._embedders.clear()
        with self._lock:
            self._answers.clear()

    def wait(self) -> None:
        """Wait until what goes on behind an answer has ended."""
        for thread in list(self._catching_up.values()):
            thread.join()

    def _open_behind(
        self, place: Place, loaded: State, environ: Mapping[str, str], teller: Teller, catch_up_ms: int
    ) -> Opened:
        """Catch up with the memory if that takes no longer than it may; else go on behind the answer."""
        reached: list[State] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                with self._turns:
                    reached.append(bring_up(place, environ, teller, _PATIENCE_S))
            except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
                failed.append(error)

        at = (place.common_dir, place.ref)
        with self._lock:
            thread = self._catching_up.get(at)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=work, name="catching up")
                self._catching_up[at] = thread
                thread.start()
        thread.join(catch_up_ms / 1000)
        if reached:
            return self._open_folder(place, reached[0], 0)
        if failed:
            if not isinstance(failed[0], GitmemError):
                raise failed[0]
            if not isinstance(failed[0], StoreBusy | DiskRefused):
                teller.notice(f"searched what was indexed before: {failed[0]}")
        now = states.load(states.root_of(Path(place.common_dir)))
        if not isinstance(now, State):
            now = loaded
        try:
            behind = count_behind(place, environ, now)
        except StoreError:
            behind = 1  # or more; what cannot be read cannot be counted
        return self._open_folder(place, now, behind)

    def _open_folder(self, place: Place, state: State, behind: int) -> Opened:
        at = (place.common_dir, place.ref)
        with self._lock:
            known = self._opened.get(at)
            if known is not None and known.state == state:
                known.behind = behind
                self._opened.move_to_end(at)
                return known
            opened = Opened(
                LexicalIndex(states.root_of(Path(place.common_dir)) / state.folder), state, behind
            )
            if known is not None:
                opened.vectors, opened.looked_at = known.vectors, known.looked_at
            self._opened[at] = opened
            while len(self._opened) > _MOST_OPEN:
                self._opened.popitem(last=False)
            return opened


def tip_of(place: Place, environ: Mapping[str, str]) -> Tip:
    """Return where a repository's memories stand.

    Raises:
        NoMemory: There is none.
    """
    tip = read_tip(Path(place.common_dir), place.ref, environ)
    if tip is None:
        raise NoMemory(place.ref)
    return tip


def bring_up(
    place: Place,
    environ: Mapping[str, str],
    teller: Teller,
    wait_s: float,
    *,
    anew: bool = False,
    is_thorough: bool = False,
) -> State:
    """Bring an index to where its memory is; as `indexer.upkeep.follow.bring_up`."""
    from indexer.upkeep import follow  # reads the memory, which an answer from a current index need not

    return follow.bring_up(place, environ, teller, wait_s=wait_s, anew=anew, is_thorough=is_thorough)


def count_behind(place: Place, environ: Mapping[str, str], state: State) -> int:
    """Count the commits of the memory that an index does not know; as `follow.count_behind`."""
    from indexer.upkeep import follow

    return follow.count_behind(place, environ, state)


def load_numpy() -> None:
    """Load numpy, one thread at a time: one that asks for a part of it while another loads it, fails.

    Raises:
        SemanticLibraryMissing: It is not installed.
    """
    from indexer.model.embedder import require_libraries

    require_libraries(("numpy",))
    with _loading_numpy:
        import numpy  # noqa: F401


def _hits_in(answer: Json) -> int:
    hits = answer["hits"]
    if not isinstance(hits, list):
        return 0
    return sum(1 + _WITH_PASSAGE * ("passage" in hit) + len(hit.get("beside", ())) for hit in hits)


def milliseconds_since(started: float) -> float:
    """Return how long it is since a moment of `time.perf_counter`."""
    return round(1000 * (time.perf_counter() - started), 2)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes whenever a file is replaced by a rename, as a store of vectors' state is."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
