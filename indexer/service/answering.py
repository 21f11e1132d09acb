"""What the sidecar keeps between requests, and what it has others do: the shelf, and its children."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from gitmem.sidecar.client import Listener
from gitmem.sidecar.wire import Json, ModelRequest, Place, Request
from gitmem.verbs.tips import read_tip
from indexer.requests.replying import Relay
from indexer.requests.shelf import Shelf
from indexer.service.children import ask_child
from indexer.upkeep import state as states
from indexer.upkeep.follow import count_changed
from indexer.upkeep.state import Condition, State

_PATIENCE_MS: Final = 600_000
_FEW_SESSIONS: Final = 4
"""As many as are brought up here: more would take from those who ask meanwhile."""

_MODELS_KEPT_S: Final = 600.0
"""How long a model stays open that nobody asks with."""


class Answers(Protocol):
    """Answers requests out of a shelf, from several threads at once."""

    def __call__(
        self, request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay, shelf: Shelf
    ) -> Iterator[Json]:
        """Yield the answers to a request."""
        ...


class Answering:
    """Answers for a sidecar, and has indexes brought up by children; for several threads at once."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._shelf = Shelf(stays=True)
        self._lock = threading.Lock()
        self._asked_at: float | None = None

    def answer(
        self, request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay
    ) -> Iterator[Json]:
        """Yield the answers to a request."""
        with self._lock:
            self._asked_at = time.monotonic()
        return self._answers(request, environ, relay, self._shelf)

    def is_behind(self, place: Place, environ: Mapping[str, str]) -> bool:
        """Tell whether there is a memory, and its index is not where that is, or has what is gone.

        What is open of it here is closed if something was taken out meanwhile.
        """
        loaded, condition = _examine(place, environ)
        if isinstance(loaded, State):
            self._shelf.close_older(place.common_dir, loaded)
        if condition == "current":
            return isinstance(loaded, State) and loaded.worn.gone > 0
        return condition is not None

    def index(self, place: Place, environ: Mapping[str, str]) -> None:
        """Bring an index to where its memory is: here what is new of turns, all else by a child.

        So what came in a moment ago is found at once by its words.

        Raises:
            GitmemError: It could not.
        """
        loaded, condition = _examine(place, environ)
        if isinstance(loaded, State) and condition == "behind":
            changed = count_changed(place, environ, loaded)
            if changed is not None and changed <= _FEW_SESSIONS:
                self._shelf.open(place, environ, Relay(lambda line: None), catch_up_ms=_PATIENCE_MS)
        if self.is_behind(place, environ):
            _have_updated(Request("update", (place,)), environ)
            self.is_behind(place, environ)

    def lacks_vectors(self, place: Place, model_dir: str, environ: Mapping[str, str]) -> bool:
        """Tell whether there is a model, and an index that is where its memory is has texts to embed."""
        from indexer.model.installed import is_installed
        from indexer.model.pinned import model_id
        from indexer.upkeep.embedding import is_complete

        if not is_installed(Path(model_dir)):
            return False
        loaded, condition = _examine(place, environ)
        if not isinstance(loaded, State) or condition != "current":
            return False
        return not is_complete(place, loaded, model_id())

    def embed(self, place: Place, model_dir: str, environ: Mapping[str, str]) -> None:
        """Have a child embed what has no vector yet.

        Raises:
            GitmemError: It could not.
        """
        _have_updated(Request("update", (place,), model_dir=model_dir), environ)

    def forget(self, common_dir: str) -> None:
        """Let go of a repository that is gone."""
        self._shelf.forget(common_dir)

    def close_idle(self) -> None:
        """Let go of models that nobody has asked with for a while."""
        with self._lock:
            is_idle = self._asked_at is not None and time.monotonic() - self._asked_at > _MODELS_KEPT_S
            if is_idle:
                self._asked_at = None
        if is_idle:
            self._shelf.close_models()


def _examine(place: Place, environ: Mapping[str, str]) -> tuple[State | Condition, Condition | None]:
    """Return an index's state, and how it compares with its memory; None where there is no memory."""
    common_dir = Path(place.common_dir)
    tip = read_tip(common_dir, place.ref, environ)
    loaded = states.load(states.root_of(common_dir))
    return loaded, None if tip is None else states.examine(loaded, place.ref, tip.name)


def _have_updated(request: Request, environ: Mapping[str, str]) -> None:
    for _ in ask_child(request, environ, Listener()):
        pass
