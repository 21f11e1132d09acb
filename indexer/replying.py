"""Replying to one request: its answers or what stands in their way, as lines (docs/formats/wire.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from gitmem.model.errors import GitmemError
from gitmem.sidecar.wire import Json, ModelRequest, NotUnderstood, Request, decode_request, encode

Write: TypeAlias = Callable[[bytes], object]
"""Sends bytes on their way, at once."""


class Relay:
    """Hands on what goes on while a request is answered."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.has_progress = False

    def notice(self, text: str) -> None:
        """Hand on a sentence for whoever waits."""
        self._write(encode({"notice": text}))

    def progress(self, done: int, total: int) -> None:
        """Hand on how far it is."""
        if self.has_progress:
            self._write(encode({"progress": [done, total]}))


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
    try:
        request = decode_request(line)
        relay = Relay(write)
        relay.has_progress = request.has_progress
        for found in answers(request, environ, relay):
            write(encode({"answer": found}))
        if isinstance(request, Request):
            on_answered(request)
    except (GitmemError, NotUnderstood) as error:
        hint, status = (error.hint, error.exit_code) if isinstance(error, GitmemError) else ("", 1)
        write(encode(refused(type(error).__name__, str(error), hint, status)))
    write(encode({"end": True}))


def refused(kind: str, message: str, hint: str, exit_code: int) -> Json:
    """Return the message that an expected failure is told by."""
    return {"refused": {"kind": kind, "message": message, "hint": hint, "exit_code": exit_code}}
