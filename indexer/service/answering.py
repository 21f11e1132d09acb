"""What the sidecar needs of the one who knows indexes, and nothing else of indexes is known here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from gitmem.sidecar.client import Listener
from gitmem.sidecar.wire import Json, ModelRequest, Place, Request
from indexer import state
from indexer.replying import Answers, Relay
from indexer.service.children import ask_child
from indexer.tips import read_tip


class Answering(Protocol):
    """Answers requests, from several threads at once, and keeps indexes open between them."""

    def answer(
        self, request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay
    ) -> Iterator[Json]:
        """Yield the answers to a request."""
        ...

    def bring_up(self, place: Place, environ: Mapping[str, str]) -> None:
        """Bring the index of a memory that may have gone on to where it is; one call at a time for each."""
        ...

    def forget(self, common_dir: str) -> None:
        """Let go of the index of a repository that is gone."""
        ...

    def close_idle(self) -> None:
        """Let go of what nobody has asked about for a while; called every minute or so."""
        ...


class Unshelved:
    """Answers as a process of its own would, opening what it needs each time."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def answer(
        self, request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay
    ) -> Iterator[Json]:
        """Yield the answers to a request."""
        return self._answers(request, environ, relay)

    def bring_up(self, place: Place, environ: Mapping[str, str]) -> None:
        """Have a child bring up the index, if it is not where the memory is."""
        common_dir = Path(place.common_dir)
        tip = read_tip(common_dir, place.ref, environ)
        loaded = state.load(state.root_of(common_dir))
        if tip is not None and state.examine(loaded, place.ref, tip) != "current":
            for _ in ask_child(Request("update", (place,)), environ, Listener()):
                pass

    def forget(self, common_dir: str) -> None:
        """Nothing is kept."""

    def close_idle(self) -> None:
        """Nothing is kept."""
