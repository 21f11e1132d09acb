"""A server under clients that behave badly, over pipes in this process: nonsense, floods, and hanging up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from random import Random
from threading import Event, Lock
from typing import Any

import httpx2
import msgspec
import pytest

from gitmem.cli.context import context_of_process
from gitmem.cli.main import run
from gitmem.model.errors.naming import SessionUnknown
from gitmem.model.errors.serving import CursorRefused
from gitmem.serving import http, stdio
from gitmem.serving.offer import Answered, Listed, Offer, Tool
from gitmem.serving.server import server_of
from gitmem.serving.workers import AT_ONCE, Workers
from tests.mcp.wire import HELLO, Wire, call, request, served

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602


class Taken(msgspec.Struct):
    """What the tool takes."""

    n: int = 0
    how: str = "well"


class Given(msgspec.Struct):
    """What it gives."""

    n: int


class Played:
    """A tool that does as it is told, and counts how many do at once."""

    def __init__(self) -> None:
        self.lock, self.go = Lock(), Event()
        self.now = self.most = self.done = 0

    def run(self, asked: Taken, client: str) -> Answered:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            if asked.how == "refused":
                raise CursorRefused
            if asked.how == "broken":
                raise ZeroDivisionError("a secret of the code")
            if asked.how == "unsendable":
                return Answered("\ud800", Given(0))
            if asked.how == "hostile":
                raise SessionUnknown("<system>\ud800\x1b[2J")
            if asked.how == "held":
                assert self.go.wait(30)
            return Answered("x" * asked.n if asked.how == "long" else client, Given(asked.n))
        finally:
            with self.lock:
                self.now -= 1
                self.done += 1

    def offer(self) -> Offer:
        def refuse(uri: str) -> str:
            raise CursorRefused

        tool = Tool("play", "Play", "Plays.", Taken, Given, self.run)
        return Offer(
            "played",
            "1",
            "",
            [tool],
            [],
            [],
            lambda at: Listed([], None),
            refuse,
            lambda error: "a bug was met",
        )


@pytest.fixture
def played() -> Played:
    return Played()


def errors(answers: list[Any]) -> list[tuple[object, int]]:
    return [(answer.get("id"), answer["error"]["code"]) for answer in answers]


def test_nonsense_is_refused_and_what_comes_next_is_answered(played: Played) -> None:
    with served(played.offer()) as (wire, _):
        wire.send(
            b"hello\n", b"\xff\xfe\n", b"\n", b"[" * 100_000 + b"\n", b"[]\n", b"null\n", b'{"id": 3}\n'
        )
        wire.send({"jsonrpc": "2.0", "id": 4, "method": 7}, {"jsonrpc": "1.0", "id": True, "method": "ping"})
        wire.raw(b'{"x": "' + b"y" * (stdio.MOST_BYTES + 10) + b'"}\n')
        found = [wire.receive() for _ in range(9)]
        assert errors(found) == [
            (None, PARSE_ERROR),
            (None, PARSE_ERROR),
            (None, PARSE_ERROR),
            (None, INVALID_REQUEST),
            (None, INVALID_REQUEST),
            (3, INVALID_REQUEST),
            (4, INVALID_REQUEST),
            (None, INVALID_REQUEST),
            (None, INVALID_REQUEST),
        ]
        wire.send(call(5, "play"), request(6, "initialize", {"protocolVersion": 7}))
        assert {answer["id"]: "error" in answer for answer in (wire.receive(), wire.receive())} == {
            5: True,
            6: True,
        }
        wire.send(request(7, "initialize", {**HELLO, "protocolVersion": "1999-01-01"}))
        assert wire.receive()["result"]["protocolVersion"].startswith("20")
        wire.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        wire.send(
            {"jsonrpc": "2.0", "method": "notifications/nonesuch"}, {"jsonrpc": "2.0", "id": 9, "result": {}}
        )
        wire.send(request(10, "nonesuch/method"), request(11, "tools/call"), call(12, "nonesuch"))
        wire.send(request(13, "tools/call", {"name": "play", "arguments": []}), call(14, "play", n="x"))
        wire.send(
            request(15, "resources/read", {"uri": "gitmem://x"}), request(16, "prompts/get", {"name": "x"})
        )
        wire.send(call(17, "play", how="refused"), call(18, "play", how="broken"), call(19, "play", n=3))
        found = sorted(wire.rest(), key=lambda answer: int(answer["id"]))
        assert errors(found[:3]) == [(10, NO_METHOD), (11, INVALID_PARAMS), (12, INVALID_PARAMS)]
        assert errors([found[3]]) == [(13, INVALID_PARAMS)]
        assert errors(found[5:7]) == [(15, INVALID_PARAMS), (16, INVALID_PARAMS)]
        told = [
            (one["result"]["isError"], one["result"]["content"][0]["text"]) for one in (found[4], *found[7:9])
        ]
        assert [is_error for is_error, _ in told] == [True] * 3
        assert told[0][1].startswith("could not call play: Expected `int`, got `str`")
        assert "\nhint: leave the cursor out" in told[1][1]
        assert told[2][1] == "a bug was met"
        assert found[9]["result"]["structuredContent"] == {"n": 3}
        assert found[9]["result"]["content"][0]["text"] == "plain"


def test_answer_that_is_no_text_harms_nobody(played: Played) -> None:
    with served(played.offer()) as (wire, _):
        wire.greet()
        wire.send(call(1, "play", how="unsendable"))
        assert errors([wire.receive()]) == [(1, -32603)]
        wire.send(call(2, "play", how="hostile"))
        said = wire.receive()["result"]["content"][0]["text"]
        assert "‹system>? [2J" in said
        assert wire.rest() == []


def test_forms_that_are_filled_in_and_texts_that_were_cut_are_understood(played: Played) -> None:
    with served(played.offer()) as (wire, _):
        wire.greet()
        wire.send(
            call(1, "play", n=None, how=""),
            call(2, "play", n="2"),
            call(3, "play", n=3.0),
            b'{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"play\\ud83d","arguments":{}}}\n',
            call(5, "play", n=5.5),
        )
        answers = {answer["id"]: answer for answer in (wire.receive() for _ in range(5))}
        told = [answers[n]["result"]["structuredContent"]["n"] for n in (1, 2, 3)]
        assert told == [0, 2, 3]
        assert "'play?'" in answers[4]["error"]["message"]
        assert answers[5]["result"]["isError"]
        assert wire.rest() == []


MUTATIONS = b'{}[]",:0123456789\\udnull-.eE '


def test_mutated_messages_never_end_the_server(played: Played, seed: int) -> None:
    random = Random(seed)
    sources = [json.dumps(call(5, "play", n=3)).encode(), json.dumps(request(6, "tools/list")).encode()]
    deep = b'{"a":' * 150 + b"1" + b"}" * 150
    odd = [
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}\n',
        b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"method":"ping"}\n',
        b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}\n',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{"x":[]}}}\n',
        b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"play","arguments":'
        + deep
        + b"}}\n",
    ]
    with served(played.offer()) as (wire, _):
        wire.greet()
        for n in range(1_000, 1_030):
            wire.send(*odd[n % 30 : n % 30 + 1])
            for _ in range(20):
                line = bytearray(random.choice(sources))
                for _ in range(random.randrange(1, 4)):
                    line[random.randrange(len(line))] = random.choice(MUTATIONS)
                wire.send(bytes(line) + b"\n")
            wire.send(request(n, "ping"))
            answers = iter(wire.receive, None)
            assert any(answer.get("id") == n for answer in answers), "it has ended"
        wire.rest()


def test_flood_is_answered_each_once_and_few_at_a_time(played: Played) -> None:
    with served(played.offer()) as (wire, _):
        wire.greet()
        count = 400
        for n in range(1, count + 1):
            wire.send(call(n, "play", n=n, how="refused" if n % 7 == 0 else "well"))
        answers = [wire.receive() for _ in range(count)]
        assert Counter(answer["id"] for answer in answers) == Counter(range(1, count + 1))
        for answer in answers:
            assert answer["result"].get("structuredContent", {}).get("n", answer["id"]) == answer["id"]
        assert played.most <= AT_ONCE
        assert wire.rest() == []


def test_no_more_is_taken_in_than_may_wait(played: Played) -> None:
    with served(played.offer()) as (wire, _):
        wire.greet()
        wire.send(*(call(n, "play", how="held") for n in range(1, stdio.WAITING + 100)))
        # Whoever waits no longer makes room, and what has not begun is not done.
        wire.send(*(cancelled(n) for n in range(10, 20)))
        played.go.set()
        answers = {answer["id"] for answer in wire.rest()}
        assert answers >= set(range(20, stdio.WAITING + 100))
        assert played.most <= AT_ONCE


def cancelled(number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}}


def test_client_that_hangs_up_in_the_middle_is_not_waited_for(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "_LAST_ANSWERS_S", 0.05)
    with served(played.offer()) as (wire, thread):
        wire.greet()
        wire.send(*(call(n, "play", how="held") for n in range(1, 9)), b'{"jsonrpc": "2.0", "id": 99, "me')
        answers = wire.rest()
        assert all("error" in answer for answer in answers)
        thread.join(60)
        assert not thread.is_alive()
        played.go.set()


@pytest.mark.parametrize("count", [20, 300])
def test_client_that_never_reads_is_left_when_it_hangs_up(
    played: Played, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(stdio, "_LAST_ANSWERS_S", 0.05)
    with served(played.offer()) as (wire, thread):
        wire.greet()
        wire.send(*(call(n, "play", n=50_000, how="long") for n in range(1, count + 1)))
        os.close(wire.writes)
        thread.join(60)
        assert not thread.is_alive()


def test_client_that_is_gone_ends_the_server_at_the_next_answer(played: Played) -> None:
    with served(played.offer()) as (wire, thread):
        wire.greet()
        unread = Wire(wire.writes, os.dup(wire.reads))
        os.dup2(os.open(os.devnull, os.O_RDONLY), wire.reads)
        os.close(unread.reads)
        wire.send(call(1, "play"))
        thread.join(60)
        assert not thread.is_alive()
        os.close(wire.writes)


def test_connection_that_does_not_say_what_it_asks_for_is_closed(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_HEAD_S", 0.05)
    endpoint = http.listen(0)
    port = endpoint.getsockname()[1]

    async def main() -> None:
        server = server_of(played.offer(), Workers())
        serving = asyncio.create_task(http.serve(server, endpoint, "token", lambda: None))
        for said in (b"", b"POST /mcp HTTP/1.1\r\nHost: 127"):
            reads, writes = await asyncio.open_connection(http.LOOPBACK, port)
            writes.write(said)
            assert await asyncio.wait_for(reads.read(), 60) == b""
            writes.close()
        serving.cancel()
        await asyncio.wait([serving])

    asyncio.run(main())
    endpoint.close()


def test_of_too_many_sessions_the_longest_idle_is_ended(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_SESSIONS", 3)
    endpoint = http.listen(0)
    address = f"http://{http.LOOPBACK}:{endpoint.getsockname()[1]}{http.PATH}"
    headers = {"Authorization": "Bearer token", "Accept": "application/json, text/event-stream"}

    async def main() -> None:
        server = server_of(played.offer(), Workers())
        serving = asyncio.create_task(http.serve(server, endpoint, "token", lambda: None))
        async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=60) as client:

            async def open_one() -> str:
                answer = await client.post(address, json=request(0, "initialize", HELLO))
                assert answer.status_code == 200
                return str(answer.headers["mcp-session-id"])

            async def status(name: str) -> int:
                named = {"mcp-session-id": name}
                return (await client.post(address, json=call(1, "play"), headers=named)).status_code

            first, second, third = [await open_one() for _ in range(3)]
            assert await status(first) == 200
            fourth = await open_one()
            assert [await status(name) for name in (second, first, third, fourth)] == [404, 200, 200, 200]
            named = {"mcp-session-id": first}
            assert (await client.delete(address, headers=named)).status_code == 200
            fifth = await open_one()
            assert [await status(name) for name in (first, third, fourth, fifth)] == [404, 200, 200, 200]
            many = [await open_one() for _ in range(http._CONNECTIONS + 9)]
            assert await status(many[-3]) == 200
            assert await status(many[0]) == 404
        serving.cancel()
        await asyncio.wait([serving])

    asyncio.run(main())
    endpoint.close()


def test_without_its_library_the_command_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in list(sys.modules):
        if name.startswith("gitmem.serving.s"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    assert run(["mcp"], context_of_process()) == 1
    said = capfdbinary.readouterr().err.decode()
    assert "the library mcp_types is not installed" in said
    assert "pip install '.[mcp]'" in said
