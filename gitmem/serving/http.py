"""Serving by HTTP: those clients of this machine that have the token, at the loopback address.

Three things keep out what a browser on this machine may be made to send: the token, which no page knows; the
Host, for a page's own name may come to lead here (DNS rebinding); and the Origin, for no page has any
business here. All three are looked at before anything of a request is read.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gitmem.model.errors.serving import PortRefused
from gitmem.serving.sessions import Sessions

LOOPBACK: Final = "127.0.0.1"
PATH: Final = "/mcp"
MOST_BYTES: Final = 4 << 20

_CONNECTIONS: Final = 64
_SESSIONS: Final = 64
_IDLE_S: Final = 600.0
_ENDING_S: Final = 2
_BACKLOG: Final = 64
_HEAD_S: Final = 5.0
"""So long a connection may take to say what it asks for; the token comes with that."""


def listen(port: int) -> socket.socket:
    """Begin to listen at a port of the loopback address; 0 is any that is free.

    Raises:
        PortRefused: It is taken, or nobody may have it.
    """
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        endpoint.bind((LOOPBACK, port))
        endpoint.listen(_BACKLOG)
    except OSError as error:
        endpoint.close()
        raise PortRefused(port, error.strerror or str(error)) from error
    return endpoint


async def serve(server: Server[Any], endpoint: socket.socket, token: str, ready: Callable[[], None]) -> None:
    """Serve until interrupted or told to end; `ready` is called once somebody would be answered."""
    port: int = endpoint.getsockname()[1]
    hosts = [f"{name}:{port}" for name in (LOOPBACK, "localhost")]
    origins = [f"http://{host}" for host in hosts]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MOST_BYTES,
        session_idle_timeout=_IDLE_S,
        max_sessions=_SESSIONS + _CONNECTIONS,  # as many as may be opened before one that is over is ended
        transport_security=TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins),
    )
    config = uvicorn.Config(
        _guarded(Sessions(app, _SESSIONS), token, frozenset(hosts), frozenset(origins)),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        http=_Prompt,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_ENDING_S,
        ws="none",
    )
    ready()  # connections wait in the backlog until it runs
    await uvicorn.Server(config).serve(sockets=[endpoint])


class _Prompt(H11Protocol):
    """A connection that is closed where it does not say in time what it asks for: there are only so many."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(_HEAD_S, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None:  # no request yet; of any that is refused nothing more is read
            self.transport.close()


def _guarded(app: ASGIApp, token: str, hosts: frozenset[str], origins: frozenset[str]) -> ASGIApp:
    """Return an application that answers only who may ask."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refused = _refused(scope["headers"], token, hosts, origins)
            if refused is not None:
                await _refuse(send, refused)
                return
        await app(scope, receive, send)

    return guarded


def _refused(
    headers: Iterable[tuple[bytes, bytes]], token: str, hosts: frozenset[str], origins: frozenset[str]
) -> HTTPStatus | None:
    """Return why a request is refused, by its headers; each of them may be there once."""
    said: dict[bytes, list[str]] = {}
    for name, value in headers:
        said.setdefault(name.lower(), []).append(value.decode("latin-1"))
    if not _is_one_of(said.get(b"host", []), hosts):
        return HTTPStatus.MISDIRECTED_REQUEST
    if b"origin" in said and not _is_one_of(said[b"origin"], origins):
        return HTTPStatus.FORBIDDEN
    match said.get(b"authorization"):
        case [given_by]:
            scheme, _, given = given_by.partition(" ")
            is_it = hmac.compare_digest(given.strip().encode("utf-8"), token.encode())
            if scheme.lower() == "bearer" and is_it:
                return None
    return HTTPStatus.UNAUTHORIZED


def _is_one_of(values: list[str], allowed: frozenset[str]) -> bool:
    return len(values) == 1 and values[0].lower() in allowed


async def _refuse(send: Send, status: HTTPStatus) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": f"{status.phrase}\n".encode()})
