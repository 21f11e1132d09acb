"""The indexer's process: requests on standard input, answers on standard output (docs/formats/wire.md).

`serve MINUTES SECONDS` makes it the sidecar of its user, which is met at a socket and ends after so many
minutes that nobody asks; if there is one already, it waits so many seconds for that to end. `watch SECONDS`
is the same in sight of a person, who ends it. `bound` ends when whoever holds the other end of its standard
input does; `beside` does so too, and gives way to everybody else.

Whatever it makes is for its user alone: indexes hold what is private too.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Mapping

from gitmem.sidecar.folders import state_folder
from gitmem.sidecar.known import remember
from gitmem.sidecar.wire import Json, ModelRequest, Request
from indexer.requests.answer import answer
from indexer.requests.replying import Relay, reply
from indexer.requests.shelf import Shelf


def main() -> int:
    """Do what the arguments say; a bug ends the process, with its traceback."""
    environ = dict(os.environ)
    umask = os.umask(0o077)
    try:
        match sys.argv[1:]:
            case ["serve", minutes, seconds]:
                from indexer.service.serving import serve

                idle_s, wait_s = 60 * float(minutes), float(seconds)
                return serve(environ, _answers, idle_s=idle_s, wait_s=wait_s, umask=umask)
            case ["watch", seconds]:
                from indexer.service.serving import watch

                return watch(environ, _answers, wait_s=float(seconds), umask=umask)
            case ["bound" | "beside" as how]:
                from indexer.service.children import end_with_parent, give_way

                if how == "beside":
                    give_way()
                end_with_parent(sys.stdin.fileno())
    except Exception:  # noqa: BLE001 (the last handler: what arrives here is a bug)
        traceback.print_exc()
        return 3
    return _answer_all(environ)


def _answer_all(environ: Mapping[str, str]) -> int:
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer

    def write(message: bytes) -> None:
        stdout.write(message)
        stdout.flush()

    def note(request: Request) -> None:
        for place in request.places:
            remember(state_folder(environ), place)

    try:
        for line in stdin:
            reply(line, write, environ, _answers, note)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # so that ending does not try again
        return 1
    except Exception:  # noqa: BLE001 (the last handler: what arrives here is a bug)
        traceback.print_exc()
        return 3
    return 0


def _answers(
    request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay, shelf: Shelf | None = None
) -> Iterator[Json]:
    if isinstance(request, ModelRequest):
        from indexer.model.requests import answer_model  # A search has no need of it.

        return answer_model(request, relay)
    return answer(request, environ, relay, shelf)


if __name__ == "__main__":
    sys.exit(main())
