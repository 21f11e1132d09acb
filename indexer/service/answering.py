"""What the sidecar keeps between requests, and what it has others do: the shelf, and its children."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from gitmem.sidecar.client import Listener
from gitmem.sidecar.wire import Json, ModelRequest, Place, Request
from indexer.requests.replying import Relay
from indexer.requests.shelf import Shelf
from indexer.service.children import ask_child
from indexer.upkeep import state
from indexer.upkeep.follow import count_changed
from indexer.upkeep.tips import read_tip

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
        self._done: dict[str, tuple[str, str | None]] = {}

    def answer(
        self, request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay
    ) -> Iterator[Json]:
        """Yield the answers to a request."""
        with self._lock:
            self._asked_at = time.monotonic()
        return self._answers(request, environ, relay, self._shelf)

    def usable(self, model_dir: str | None) -> str | None:
        """Return where the model is, None where none is installed."""
        if model_dir is None:
            return None
        from indexer.model.installed import is_installed

        return model_dir if is_installed(Path(model_dir)) else None

    def bring_up(self, place: Place, model_dir: str | None, environ: Mapping[str, str]) -> None:
        """Bring an index to where its memory is: here what is new of turns, the rest and vectors by a child.

        So what came in a moment ago is found at once by its words.

        Raises:
            GitmemError: It could not.
        """
        common_dir = Path(place.common_dir)
        tip = read_tip(common_dir, place.ref, environ)
        if tip is None or self._done.get(place.common_dir) == (tip, model_dir):
            return
        loaded = state.load(state.root_of(common_dir))
        if isinstance(loaded, state.State) and state.examine(loaded, place.ref, tip) == "behind":
            changed = count_changed(place, environ, loaded)
            if changed is not None and changed <= _FEW_SESSIONS:
                self._shelf.open(place, environ, Relay(lambda line: None), catch_up_ms=_PATIENCE_MS)
                loaded = state.load(state.root_of(common_dir))
        # Whether anything is without a vector is more than a look; a child finds out, once for each tip.
        if model_dir is not None or state.examine(loaded, place.ref, tip) != "current":
            for _ in ask_child(Request("update", (place,), model_dir=model_dir), environ, Listener()):
                pass
        self._done[place.common_dir] = (tip, model_dir)

    def forget(self, common_dir: str) -> None:
        """Let go of a repository that is gone."""
        self._shelf.forget(common_dir)
        self._done.pop(common_dir, None)

    def close_idle(self) -> None:
        """Let go of models that nobody has asked with for a while."""
        with self._lock:
            is_idle = self._asked_at is not None and time.monotonic() - self._asked_at > _MODELS_KEPT_S
            if is_idle:
                self._asked_at = None
        if is_idle:
            self._shelf.close_models()
