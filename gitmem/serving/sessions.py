"""The sessions of clients over HTTP: of more than there may be, the one that is idle longest is ended.

A client that goes away need not end its session, and one that comes back opens another: if those that nobody
uses were kept until they expire, nobody could come any more.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NAME: Final = b"mcp-session-id"


class Sessions:
    """An application that keeps `most` sessions of another one, which has to let in more than that."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most
        self._busy: dict[bytes, int] = {}
        """How many requests each is at; the one whose last request ended first stands first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and end what is too many behind it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _named(scope["headers"])
        if name is not None:
            await self._answer(name, scope, receive, send)
            return
        opened: bytes | None = None

        async def watch(message: Message) -> None:
            nonlocal opened
            if message["type"] == "http.response.start" and message["status"] < HTTPStatus.BAD_REQUEST:
                opened = _named(message["headers"])
            await send(message)

        await self._app(scope, receive, watch)
        if opened is not None:
            self._busy[opened] = 0
            await self._make_room(scope)

    async def _answer(self, name: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        is_over = scope["method"] == "DELETE"

        async def watch(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.start":
                is_over = is_over or message["status"] == HTTPStatus.NOT_FOUND
            await send(message)

        if name in self._busy:
            self._busy[name] += 1
        try:
            await self._app(scope, receive, watch)
        finally:
            left = self._busy.pop(name, None)
            if left is not None and not is_over:
                self._busy[name] = left - 1

    async def _make_room(self, scope: Scope) -> None:
        idle = [name for name, requests in self._busy.items() if not requests]
        for name in idle[: max(0, len(self._busy) - self._most)]:
            self._busy.pop(name, None)
            headers = [each for each in scope["headers"] if each[0].lower() == b"host"]
            ending = {**scope, "method": "DELETE", "headers": [*headers, (_NAME, name)]}
            await self._app(ending, _nothing_more, _unread)


def _named(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    return next((value for name, value in headers if name.lower() == _NAME), None)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unread(message: Message) -> None:
    """Take what a session is told that was ended, which has nobody to read it."""
