"""Replying to one request: its answers or what stands in their way, as lines (docs/formats/wire.md)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from gitmem.model.errors.base import GitmemError
from gitmem.sidecar.wire import Json, ModelRequest, NotUnderstood, Request, decode_request, encode

Write: TypeAlias = Callable[[bytes], object]
"""Sends bytes on their way, at once."""


class Relay:
    """Sends what is said of one request, whole messages one after the other, until its end has been said.

    What goes on behind an answer may still speak then, from another thread, and is not heard.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._is_over = False
        self.has_progress = False

    def send(self, message: Json) -> None:
        """Send a message; raises what writing raises."""
        with self._lock:
            if not self._is_over:
                self._write(encode(message))

    def notice(self, text: str) -> None:
        """Hand on a sentence for whoever waits."""
        self.send({"notice": text})

    def progress(self, done: int, total: int) -> None:
        """Hand on how far it is."""
        if self.has_progress:
            self.send({"progress": [done, total]})

    def end(self) -> None:
        """Let nothing more be heard."""
        with self._lock:
            self._is_over = True


Answers: TypeAlias = Callable[[Request | ModelRequest, Mapping[str, str], Relay], Iterator[Json]]


def reply(
    line: bytes,
    write: Write,
    environ: Mapping[str, str],
    answers: Answers,
    on_answered: Callable[[Request], object],
) -> None:
    """Answer a request; one of repositories that could be answered is told of before its end is said.

    After the end whoever asked may end us.

    Raises:
        OSError: Nobody takes the answer.
        Exception: A bug; nothing has been said of it.
    """
    relay = Relay(write)
    try:
        try:
            request = decode_request(line)
            relay.has_progress = request.has_progress
            for found in answers(request, environ, relay):
                relay.send({"answer": found})
            if isinstance(request, Request):
                on_answered(request)
        except (GitmemError, NotUnderstood) as error:
            hint, status = (error.hint, error.exit_code) if isinstance(error, GitmemError) else ("", 1)
            relay.send(refused(type(error).__name__, str(error), hint, status))
        relay.send({"end": True})
    finally:
        relay.end()


def refused(kind: str, message: str, hint: str, exit_code: int) -> Json:
    """Return the message that an expected failure is told by."""
    return {"refused": {"kind": kind, "message": message, "hint": hint, "exit_code": exit_code}}
