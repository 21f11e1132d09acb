"""What is said of a request is whole, and over when it is over, whoever speaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping

import pytest

from gitmem.model.errors.store import NoMemory
from gitmem.sidecar.wire import Json, ModelRequest, Place, Request, encode_request
from indexer.requests.replying import Relay, reply

REQUEST = Request("search", (Place("/", "/", "refs/heads/gitmem", "x", "team"),), has_progress=True)


def test_messages_of_several_threads_are_whole() -> None:
    written: list[bytes] = []

    def write(message: bytes) -> None:
        for start in range(0, len(message), 7):
            written.append(message[start : start + 7])  # as a socket may take it, piece by piece

    def answers(request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay) -> Iterator[Json]:
        threads = [
            threading.Thread(target=lambda: [relay.progress(n, 1000) for n in range(300)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for n in range(300):
            yield {"hits": ["x" * n]}
        for thread in threads:
            thread.join()

    reply(encode_request(REQUEST), write, {}, answers, lambda request: None)
    messages = [json.loads(line) for line in b"".join(written).splitlines()]
    assert len(messages) == 300 + 4 * 300 + 1
    assert messages[-1] == {"end": True}


@pytest.mark.parametrize("fails", [None, NoMemory("x"), ZeroDivisionError()])
def test_what_goes_on_behind_an_answer_is_not_heard(fails: Exception | None) -> None:
    written: list[bytes] = []
    relays: list[Relay] = []

    def answers(request: Request | ModelRequest, environ: Mapping[str, str], relay: Relay) -> Iterator[Json]:
        relays.append(relay)
        yield {"hits": []}
        if fails:
            raise fails

    def ask() -> None:
        reply(encode_request(REQUEST), written.append, {}, answers, lambda request: None)

    if isinstance(fails, ZeroDivisionError):
        with pytest.raises(ZeroDivisionError):
            ask()
    else:
        ask()
    before = list(written)
    relays[0].notice("late")
    relays[0].progress(1, 2)
    assert written == before
    kinds = [next(iter(json.loads(line))) for line in written]
    assert (
        kinds
        == {
            "NoneType": ["answer", "end"],
            "NoMemory": ["answer", "refused", "end"],
            "ZeroDivisionError": ["answer"],
        }[type(fails).__name__]
    )
