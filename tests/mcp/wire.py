"""A client of the plainest kind: it writes lines, and reads lines; and a server in this process for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import anyio

from gitmem.serving.offer import Offer
from gitmem.serving.workers import Workers

HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "plain", "version": "1"},
}


@dataclass
class Wire:
    """Both ends that a client holds; the server's own are not its business."""

    writes: int
    reads: int
    _said: bytes = b""

    def send(self, *messages: Any) -> None:
        """Send messages, or bytes as they are."""
        for message in messages:
            self.raw(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def raw(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self.writes, left) :]

    def receive(self) -> Any:
        """Return the next message; None where there are no more."""
        while b"\n" not in self._said:
            piece = os.read(self.reads, 1 << 16)
            if not piece:
                assert not self._said, self._said
                return None
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        return json.loads(line)

    def rest(self) -> list[Any]:
        """Hang up, and return all that is still said."""
        os.close(self.writes)
        return list(iter(self.receive, None))

    def greet(self) -> None:
        self.send(request(0, "initialize", HELLO))
        assert self.receive()["id"] == 0
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})


def request(number: int, method: str, params: Any = None) -> dict[str, Any]:
    said = {"jsonrpc": "2.0", "id": number, "method": method}
    return said if params is None else {**said, "params": params}


def call(number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    return request(number, "tools/call", {"name": tool, "arguments": arguments})


@contextmanager
def served(offer: Offer) -> Iterator[tuple[Wire, Thread]]:
    """Serve over two pipes, by the code that serves a process's own."""
    from gitmem.serving.server import server_of
    from gitmem.serving.stdio import serve

    server_reads, client_writes = os.pipe()
    client_reads, server_writes = os.pipe()

    def run() -> None:
        anyio.run(serve, server_of(offer, Workers()), server_reads, server_writes)
        os.close(server_writes)

    thread = Thread(target=run)
    thread.start()
    yield Wire(client_writes, client_reads), thread
    thread.join(60)
    assert not thread.is_alive()
    os.close(server_reads)
    os.close(client_reads)
