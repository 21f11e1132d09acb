"""One client of the sidecar, from its greeting to its end: request after request, each within limits.

A client that sends nonsense, too much, too slowly or nothing costs one thread for a while and nobody else
anything. A bug ends the conversation that met it, with a word to the client.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gitmem.sidecar.wire import MAX_REQUEST_BYTES, RETIRE, Greeting, Request, encode, encode_greeting
from indexer.requests.replying import Answers, refused, reply
from indexer.service.log import Log

_REQUEST_TIMEOUT_S: Final = 30.0
"""How long a request may take to arrive, from the greeting or the end of the one before."""

_REPLY_TIMEOUT_S: Final = 60.0
"""How long a client may take nothing of its answer."""

_PIECE_BYTES: Final = 1 << 16


class Gone(Exception):
    """The client hung up, takes nothing, or sends too much or too slowly."""


class Conversation:
    """A client's connection."""

    def __init__(self, endpoint: socket.socket) -> None:
        self._endpoint = endpoint

    def run(
        self,
        greeting: Greeting,
        answers: Answers,
        environ: Mapping[str, str],
        *,
        on_answered: Callable[[Request], object],
        on_retire: Callable[[], object],
        log: Log,
    ) -> None:
        """Greet and answer until the client hangs up."""
        try:
            self._write(encode_greeting(greeting))
            for line in self._lines():
                if line == RETIRE:
                    on_retire()
                    return
                reply(line, self._write, environ, answers, on_answered)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 (a bug, which is this client's and no other's)
            log.failed("an answer", error)
            self._say_bug(error, log)
        finally:
            self._endpoint.close()

    def leave(self) -> None:
        """Take no more requests, from another thread; one that has come is answered."""
        try:
            self._endpoint.shutdown(socket.SHUT_RD)
        except OSError:
            return  # it has ended already

    def _say_bug(self, error: Exception, log: Log) -> None:
        text = f"{type(error).__name__}; {log.path} says where"
        try:
            self._write(encode(refused("Bug", text, "", 3)) + encode({"end": True}))
        except Gone:
            return

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines until the client hangs up.

        Raises:
            Gone: A line is too long, or too long on its way.
        """
        said = bytearray()
        looked = 0
        deadline = time.monotonic() + _REQUEST_TIMEOUT_S
        while True:
            end = said.find(b"\n", looked) + 1
            if end:
                line = bytes(said[:end])
                del said[:end]
                looked = 0
                yield line
                deadline = time.monotonic() + _REQUEST_TIMEOUT_S
                continue
            looked = len(said)
            if looked > MAX_REQUEST_BYTES:
                text = f"expected a request of at most {MAX_REQUEST_BYTES} bytes"
                self._write(encode(refused("NotUnderstood", text, "", 1)) + encode({"end": True}))
                raise Gone
            piece = self._read(deadline - time.monotonic())
            if not piece:
                return
            said += piece

    def _read(self, timeout_s: float) -> bytes:
        try:
            self._endpoint.settimeout(max(0.001, timeout_s))
            return self._endpoint.recv(_PIECE_BYTES)
        except OSError as error:
            raise Gone from error

    def _write(self, message: bytes) -> None:
        try:
            self._endpoint.settimeout(_REPLY_TIMEOUT_S)
            self._endpoint.sendall(message)
        except OSError as error:
            raise Gone from error
