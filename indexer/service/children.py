"""Indexers that the sidecar starts for heavy work, so that it stays small and quick itself.

They are the same process that answers where there is no sidecar, with the least of priorities. They end when
the sidecar does, however that ends: it holds the other end of their standard input.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator, Mapping
from typing import Final

from gitmem.sidecar.client import Listener, ask_process
from gitmem.sidecar.wire import Json, Request

_NICENESS: Final = 10


def ask_child(request: Request, environ: Mapping[str, str], listener: Listener) -> Iterator[Json]:
    """Have a request answered by a child, as `gitmem.sidecar.client.ask_process` does."""
    return ask_process(request, environ, listener, "beside")


def give_way() -> None:
    """Let everybody else go first; before there are other threads, which have a priority of their own."""
    os.nice(_NICENESS)


def end_with_parent(descriptor: int) -> None:
    """Let this process end as soon as nobody holds the other end of a pipe any more."""
    threading.Thread(target=_end_when_alone, args=(descriptor,), name="end with parent", daemon=True).start()


def _end_when_alone(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLHUP is told of unasked, also while there is something to read
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        pass
    os._exit(1)  # as if killed, which everything that it may be at outlives
