"""The indexer's process: requests on standard input, answers on standard output (docs/formats/wire.md)."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from typing import IO

from gitmem.model.errors import GitmemError
from gitmem.sidecar.wire import Json, ModelRequest, NotUnderstood, Request, decode_request, encode
from indexer.answer import answer


class _Relay:
    """Hands on what goes on while a request is answered."""

    def __init__(self, stdout: IO[bytes]) -> None:
        self._stdout = stdout
        self.has_progress = False

    def notice(self, text: str) -> None:
        """Hand on a sentence for whoever waits."""
        self._stdout.write(encode({"notice": text}))
        self._stdout.flush()

    def progress(self, done: int, total: int) -> None:
        """Hand on how far it is."""
        if self.has_progress:
            self._stdout.write(encode({"progress": [done, total]}))
            self._stdout.flush()


def main() -> int:
    """Answer every request on standard input; a bug ends the process, with its traceback."""
    stdin, stdout, environ = sys.stdin.buffer, sys.stdout.buffer, dict(os.environ)
    relay = _Relay(stdout)
    try:
        for line in stdin:
            _serve(line, stdout, environ, relay)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # so that ending does not try again
        return 1
    except Exception:  # noqa: BLE001 (the last handler: what arrives here is a bug)
        traceback.print_exc()
        return 3
    return 0


def _serve(line: bytes, stdout: IO[bytes], environ: dict[str, str], relay: _Relay) -> None:
    try:
        request = decode_request(line)
        relay.has_progress = request.has_progress
        for found in _answers(request, environ, relay):
            stdout.write(encode({"answer": found}))
    except (GitmemError, NotUnderstood) as error:
        hint, status = (error.hint, error.exit_code) if isinstance(error, GitmemError) else ("", 1)
        refused = {"kind": type(error).__name__, "message": str(error), "hint": hint, "exit_code": status}
        stdout.write(encode({"refused": refused}))
    stdout.write(encode({"end": True}))
    stdout.flush()


def _answers(request: Request | ModelRequest, environ: dict[str, str], relay: _Relay) -> Iterator[Json]:
    if isinstance(request, ModelRequest):
        from indexer.model.requests import answer_model  # A search has no need of it.

        return answer_model(request, relay)
    return answer(request, environ, relay)


if __name__ == "__main__":
    sys.exit(main())
