"""Serving one client at the other end of two pipes: a message a line, in each direction.

No line is held that is longer than a message may be, and no more is read while many requests wait for an
answer: whoever sends faster than they are answered waits, as with any full pipe.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Semaphore, Thread
from typing import Any, Final

import anyio
import mcp_types as types
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from gitmem.serving.workers import Workers

MOST_BYTES: Final = 4 << 20
"""Of a message; the SDK's own limit where it serves HTTP."""

WAITING: Final = 64
"""Requests that may wait for an answer at once."""

_PIECE_BYTES: Final = 1 << 16
_LAST_ANSWERS_S: Final = 2.0
"""So long a client that has hung up may still read what it asked for."""

_INBOX: Final = 8

_Incoming = MemoryObjectSendStream[SessionMessage | Exception]
_Outgoing = MemoryObjectReceiveStream[SessionMessage]
_Replies = MemoryObjectSendStream[SessionMessage]


class Lines:
    """Cuts what comes in pieces into lines; one that is too long comes as None, once."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept = bytearray()
        self._is_skipping = False

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """Yield the lines that end in a piece, without their ends; blank ones are left out."""
        *ended, rest = piece.split(b"\n")
        for part in ended:
            if self._fits(part):
                line = bytes(self._kept) + part
                if line.strip():
                    yield line
            elif not self._is_skipping:
                yield None
            self._kept.clear()
            self._is_skipping = False
        if self._fits(rest):
            self._kept += rest
        elif not self._is_skipping:
            self._is_skipping = True
            self._kept.clear()
            yield None

    def _fits(self, part: bytes) -> bool:
        return not self._is_skipping and len(self._kept) + len(part) <= self._most


class _Waiting:
    """The requests that wait for an answer, by their ids."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: set[object] = set()
        self._changed = asyncio.Event()

    async def add(self, request: object) -> None:
        """Wait for room, and take it."""
        await self._until(lambda: len(self._ids) < self._most)
        self._ids.add(request)

    def drop(self, request: object) -> None:
        """Give the room back: it is answered, or nobody waits for it any more."""
        self._ids.discard(request)
        self._changed.set()

    async def none(self) -> None:
        """Wait until all are answered."""
        await self._until(lambda: not self._ids)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()


async def serve(server: Server[Any], wire_in: int, wire_out: int) -> None:
    """Serve until the client closes its end or reads no more; both descriptors stay open."""
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)
    waiting = _Waiting(WAITING)
    replies = to_client.clone()
    async with anyio.create_task_group() as group:

        async def write() -> None:
            await _write(from_server, wire_out, waiting)
            group.cancel_scope.cancel()  # everything is said, or nobody listens

        async def read() -> None:
            async with to_server, replies:
                await _read(wire_in, to_server, replies, waiting, group.cancel_scope.cancel)
                with anyio.move_on_after(_LAST_ANSWERS_S):
                    await waiting.none()

        group.start_soon(write)
        group.start_soon(read)
        await server.run(from_client, to_client, server.create_initialization_options())
        await anyio.sleep(_LAST_ANSWERS_S)  # what is written last ends this sooner
        group.cancel_scope.cancel()


async def _read(
    wire: int, server: _Incoming, client: _Replies, waiting: _Waiting, stop: Callable[[], None]
) -> None:
    """Hand on what the client says, until it has no more to say; nonsense is answered here."""
    inbox = _Inbox(asyncio.get_running_loop(), stop)
    Thread(target=inbox.fill, args=(wire,), name="gitmem listener", daemon=True).start()
    while not isinstance(line := await inbox.get(), EOFError):
        if line is None:
            await client.send(_refusal(types.INVALID_REQUEST, f"no message may have over {MOST_BYTES} bytes"))
            continue
        try:
            message = _understood(line)
        except ValueError:
            await client.send(_not_understood(line))
            continue
        if isinstance(message, types.JSONRPCRequest):
            await waiting.add(_key(message.id))
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            waiting.drop(_key((message.params or {}).get("requestId")))  # it gets no answer
        await server.send(SessionMessage(message))


class _Inbox:
    """A few lines that were read and not handed on yet; a thread fills it, and waits where it is full.

    Where nothing more is taken out for a while, and the client has hung up, nobody reads the answers either,
    and `stop` is called.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
        self._loop, self._stop = loop, stop
        self._lines: asyncio.Queue[bytes | EOFError | None] = asyncio.Queue()
        self._room = Semaphore(_INBOX)

    async def get(self) -> bytes | EOFError | None:
        """Return the next line; None for one that was too long, EOFError where there are no more."""
        line = await self._lines.get()
        self._room.release()
        return line

    def fill(self, wire: int) -> None:
        """Read until there is no more to read, or nobody to read it for."""
        lines = Lines()
        with suppress(RuntimeError):  # the loop is closed
            while True:
                try:
                    piece = os.read(wire, _PIECE_BYTES)
                except OSError:
                    piece = b""
                for line in lines.feed(piece) if piece else (EOFError(),):
                    if not self._wait(wire):
                        self._loop.call_soon_threadsafe(self._stop)
                        return
                    self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
                if not piece:
                    return

    def _wait(self, wire: int) -> bool:
        """Wait for room; tell whether there is any, and anybody at the other end."""
        while not self._room.acquire(timeout=_LAST_ANSWERS_S):
            if self._loop.is_closed() or _has_hung_up(wire):
                return False
        return True


def _has_hung_up(wire: int) -> bool:
    poll = select.poll()
    poll.register(wire, 0)
    return bool(poll.poll(0))  # nothing was asked about, so that it has hung up is all that can be told


async def _write(server: _Outgoing, wire: int, waiting: _Waiting) -> None:
    """Send what the server says, until it has no more to say or nobody reads it."""
    # One thread, so that what is said first is sent first; a client that does not read holds up no more.
    writer = Workers(at_once=1)
    async with server:
        async for said in server:
            message = said.message
            try:
                line = _encoded(message)
            except ValueError:  # a text in it is none; whoever waits for it is to be told
                request = message.id if isinstance(message, types.JSONRPCResponse) else None
                line = _encoded(_refusal(types.INTERNAL_ERROR, "the answer cannot be sent", request).message)
            try:
                await writer.do(partial(_send, wire, line))
            except OSError:
                return
            if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
                waiting.drop(_key(message.id))


def _understood(line: bytes) -> types.JSONRPCMessage:
    r"""Return the message in a line.

    A text that was cut in the middle of a character, which JavaScript sends as `\ud83d`, is one all the same.

    Raises:
        ValueError: There is none.
    """
    try:
        return types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        if b"\\ud" not in line.lower():
            raise
    try:
        mended = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
    except RecursionError:
        raise ValueError from None
    return types.jsonrpc_message_adapter.validate_json(mended, by_name=False)


def _encoded(message: types.JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


def _send(wire: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(wire, left) :]


def _not_understood(line: bytes) -> SessionMessage:
    """Answer what is no message: by the id that it has, if it has one."""
    try:
        said = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _refusal(types.PARSE_ERROR, "not understood: expected one JSON object a line")
    request = said.get("id") if isinstance(said, dict) else None
    is_id = isinstance(request, int | str) and not isinstance(request, bool)
    return _refusal(
        types.INVALID_REQUEST, "not understood: no JSON-RPC 2.0 message", request if is_id else None
    )


def _refusal(code: int, message: str, request: int | str | None = None) -> SessionMessage:
    error = types.ErrorData(code=code, message=message)
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=request, error=error))


def _key(request: object) -> object:
    """Return an id as the SDK compares them, to whom 7 and "7" are the same."""
    return str(request)
