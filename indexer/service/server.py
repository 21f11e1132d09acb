"""The sidecar's server: takes clients, a thread each and not too many, and knows when it is time to end.

It ends when nobody has asked for long, when its socket is not where it is looked for any more, and when told
to; whoever is being answered then is still answered, within reason.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gitmem.sidecar.meeting import peer_uid
from gitmem.sidecar.wire import Greeting, Request
from indexer.requests.replying import Answers
from indexer.service.conversation import Conversation
from indexer.service.log import Log
from indexer.service.post import Post

_MOST_CLIENTS: Final = 64
"""More are turned away at once, and answer for themselves."""

_LOOKED_EVERY_S: Final = 3.0
_GRACE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """What a server is made of; `on_look` is called every few seconds, `on_answered` after each request."""

    post: Post
    greeting: Greeting
    answers: Answers
    environ: Mapping[str, str]
    idle_s: float
    log: Log
    on_answered: Callable[[Request], object] = lambda request: None
    on_look: Callable[[], object] = lambda: None


class Server:
    """A running server. `end` may be called from other threads and from handlers of signals."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_writer, False)
        self._why: str | None = None
        self._clients: dict[threading.Thread, Conversation] = {}
        self._lock = threading.Lock()
        self._asked_at = time.monotonic()

    def end(self, why: str) -> None:
        """Ask it to end."""
        self._why = self._why or why
        try:
            os.write(self._wake_writer, b"x")
        except OSError:
            return  # full, so it wakes anyway

    def run(self) -> str:
        """Serve until it is time to end, and return why it was."""
        listener = self._service.post.listener
        listener.setblocking(False)
        looked_at = time.monotonic()
        while self._why is None:
            readable, _, _ = select.select([listener.fileno(), self._wake_reader], [], [], _LOOKED_EVERY_S)
            if listener.fileno() in readable:
                self._take(listener)
            if time.monotonic() - looked_at >= _LOOKED_EVERY_S:
                looked_at = time.monotonic()
                self._look()
        listener.close()
        self._see_out()
        os.close(self._wake_reader)
        return self._why

    def _look(self) -> None:
        with self._lock:
            idle_s = 0.0 if self._clients else time.monotonic() - self._asked_at
        if not self._service.post.stands():
            self.end("its socket is gone")
        elif idle_s >= self._service.idle_s:
            self.end("nobody asks")
        else:
            self._service.on_look()

    def _take(self, listener: socket.socket) -> None:
        try:
            endpoint, _ = listener.accept()
        except OSError:  # it has hung up already, or there are too many files
            time.sleep(0.01)
            return
        with self._lock:
            is_full = len(self._clients) >= _MOST_CLIENTS
        if is_full or not _is_own(endpoint):
            endpoint.close()
            return
        conversation = Conversation(endpoint)
        thread = threading.Thread(target=self._talk, args=(conversation,), name="client", daemon=True)
        with self._lock:
            self._clients[thread] = conversation
        thread.start()

    def _talk(self, conversation: Conversation) -> None:
        service = self._service
        try:
            conversation.run(
                service.greeting,
                service.answers,
                service.environ,
                on_answered=self._note,
                on_retire=lambda: self.end("asked to retire"),
                log=service.log,
            )
        finally:
            with self._lock:
                del self._clients[threading.current_thread()]
                self._asked_at = time.monotonic()

    def _note(self, request: Request) -> None:
        with self._lock:
            self._asked_at = time.monotonic()
        self._service.on_answered(request)

    def _see_out(self) -> None:
        """Wait for those who are being answered, and hang up on the others."""
        deadline = time.monotonic() + _GRACE_S
        with self._lock:
            clients = dict(self._clients)
        for conversation in clients.values():
            conversation.leave()
        for thread in clients:
            thread.join(max(0.0, deadline - time.monotonic()))


def _is_own(endpoint: socket.socket) -> bool:
    try:
        return peer_uid(endpoint) in (None, os.geteuid())
    except OSError:
        return False
