"""`gitmem mcp`: the memory as a server that agents call, over the Model Context Protocol."""

from __future__ import annotations

import atexit
import os
import secrets
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from gitmem.cli.command import Command
from gitmem.cli.context import Context
from gitmem.model.errors.serving import ServerLibraryMissing

if TYPE_CHECKING:
    from pathlib import Path

    from mcp.server.lowlevel import Server

_TOKEN_BYTES: Final = 32
_TOKEN_WAIT_S: Final = 10.0
_ANY_PORT: Final = 0
_MOST_PORT: Final = 65_535
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_LAST_WRITES_S: Final = 10.0
_LIBRARIES: Final = ("mcp", "mcp_types", "anyio", "starlette", "uvicorn")


@click.command(
    "mcp",
    cls=Command,
    examples=[
        "gitmem mcp",
        "gitmem mcp --as claude-code",
        "gitmem mcp --http 8765",
        "claude mcp add gitmem -- gitmem mcp",
    ],
)
@click.option(
    "--http",
    "port",
    metavar="[PORT]",
    type=click.IntRange(0, _MOST_PORT),
    is_flag=False,
    flag_value=_ANY_PORT,
    help="Listen on 127.0.0.1 instead, for who has the token.",
)
@click.option(
    "--untrusted", is_flag=True, help="Let agents ask for what unknown authors captured; each answer says so."
)
@click.option("--private", is_flag=True, help="Tell agents of private sessions, too.")
@click.option("--as", "agent", metavar="AGENT", help="Which agent its notes are by, where that is not known.")
@click.pass_obj
def command(context: Context, port: int | None, untrusted: bool, private: bool, agent: str | None) -> None:
    """Serve this repository's memory to an agent, by the Model Context Protocol.

    The agent starts it and speaks with it over standard input and output; it ends when the agent hangs up.
    With --http it serves any number of clients of this machine; the file that holds the token is named as it
    starts.
    """
    try:
        from gitmem.serving.server import server_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _LIBRARIES:
            raise
        raise ServerLibraryMissing(error.name) from None
    from gitmem.cli.serving import Host, as_an_agent
    from gitmem.cli.serving_offer import offer_of
    from gitmem.serving.workers import Workers

    as_an_agent(context)
    workers = Workers()
    server = server_of(offer_of(Host(context, untrusted, private, agent)), workers)
    try:
        if port is None:
            _serve_pipes(context, server)
        else:
            _serve_http(context, server, port)
    finally:
        is_idle = workers.settle(_LAST_WRITES_S)
    if not is_idle:
        _leave()


def _leave() -> NoReturn:
    """End at once: threads that still read would not bear that what they use is taken apart."""
    atexit._run_exitfuncs()
    os._exit(0)


def _serve_pipes(context: Context, server: Server[Any]) -> None:
    """Serve whoever started this, with the wire put away where nothing else writes or reads by accident."""
    import anyio

    from gitmem.serving.stdio import serve

    context.output.flush()
    wire_in, wire_out = os.dup(_STDIN), os.dup(_STDOUT)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, _STDIN)
    os.dup2(_STDERR, _STDOUT)
    os.close(nowhere)
    anyio.run(serve, server, wire_in, wire_out)


def _serve_http(context: Context, server: Server[Any], port: int) -> None:
    import anyio

    from gitmem.serving.http import LOOPBACK, PATH, listen, serve

    path = context.repository.state_dir / "mcp-token"
    token = _token_at(path)
    endpoint = listen(port)
    address = f"http://{LOOPBACK}:{endpoint.getsockname()[1]}{PATH}"

    def ready() -> None:
        context.output.warn(f"serving at {address}, with the bearer token in {path}")

    anyio.run(serve, server, endpoint, token, ready)


def _token_at(path: Path) -> str:
    """Return the token that a file holds, made if there is none that only the user can read.

    Servers that start at once come to have the same.
    """
    from gitmem import disk

    with disk.locked(path.with_name(f"{path.name}.lock"), _TOKEN_WAIT_S):
        known = _known_token(path)
        if known is None:
            known = secrets.token_urlsafe(_TOKEN_BYTES)
            disk.replace_file(path, f"{known}\n".encode(), mode=0o600)
        return known


def _known_token(path: Path) -> str | None:
    try:
        is_private = not path.stat().st_mode & 0o077
        known = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return known if is_private and len(known) >= _TOKEN_BYTES else None
