"""The real program under real clients: the SDK's own, over pipes and HTTP, and the protocol's inspector."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from gitmem.cli.commands.mcp import _token_at
from gitmem.model.errors.serving import PortRefused
from gitmem.serving.http import listen
from tests.conftest import IMPORTED_FROM, CommandLine
from tests.mcp.conftest import Place, expect_quoted
from tests.mcp.wire import HELLO, Wire, call, request

COMMAND = ("-P", "-m", "gitmem", "mcp")


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(IMPORTED_FROM)}


def over_pipes(top: Path, ask: Callable[[ClientSession], Awaitable[None]], *args: str) -> None:
    """Have the SDK's client start the server, and ask it."""
    server = StdioServerParameters(command=sys.executable, args=[*COMMAND, *args], env=environ(), cwd=top)

    async def main() -> None:
        async with stdio_client(server) as (reads, writes), ClientSession(reads, writes) as session:
            await ask(session)

    anyio.run(main)


def test_sdks_client_finds_its_way_over_pipes(place: Place, run: CommandLine) -> None:
    async def ask(session: ClientSession) -> None:
        hello = await session.initialize()
        assert hello.server_info.name == "gitmem"
        assert "no instruction" in str(hello.instructions)
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert len(tools) == 7
        assert tools["search"].annotations is not None
        assert tools["search"].annotations.read_only_hint
        # The client checks each answer by the tool's own schema.
        found = await session.call_tool("search", {"query": "table", "limit": 1})
        expect_quoted(found.content[0].text)  # type: ignore[union-attr]
        first = found.structured_content["hits"][0]["id"]
        shown = await session.call_tool("show", {"id": first, "around": 1})
        assert len(shown.structured_content["turns"]) > 1
        assert (
            await session.call_tool("recall", {"question": "where is the tide table"})
        ).structured_content["turns"]
        assert (await session.call_tool("timeline", {})).structured_content["sessions"]
        assert (await session.call_tool("why", {"target": "a.txt"})).structured_content["unknown"] == 1
        written = await session.call_tool(
            "note_add", {"text": "One lock per repository.", "files": ["a.txt"]}
        )
        assert (await session.call_tool("notes", {"file": "a.txt"})).structured_content["notes"]
        refused = await session.call_tool("show", {"id": "codex/nonesuch"})
        assert refused.is_error
        assert "hint: timeline" in refused.content[0].text  # type: ignore[union-attr]
        # What another process does meanwhile is seen: it takes the note away.
        await anyio.to_thread.run_sync(
            lambda: run("note", "rm", "--now", "--yes", written.structured_content["id"], cwd=place.top)
        )
        assert not (await session.call_tool("notes", {})).structured_content.get("notes")
        listed = await session.list_resources()
        assert [each.uri for each in listed.resources] == ["gitmem://session/generic/tides"]
        read = await session.read_resource("gitmem://session/generic/tides#1")
        assert "tides.py" in read.contents[0].text  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="could not find"):
            await session.read_resource("gitmem://session/codex/nonesuch")
        assert len((await session.list_resource_templates()).resource_templates) == 3
        prompt = await session.get_prompt("recall", {"question": "where is the tide table"})
        assert "tides.py" in prompt.messages[0].content.text  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="needs the argument question"):
            await session.get_prompt("recall", {})
        assert [prompt.name for prompt in (await session.list_prompts()).prompts] == ["recall"]

    over_pipes(place.top, ask)


def test_process_ends_with_its_client_and_leaves_nothing_behind(place: Place, run: CommandLine) -> None:
    process = subprocess.Popen(
        [sys.executable, *COMMAND],
        cwd=place.top,
        env=environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    wire = Wire(process.stdin.fileno(), process.stdout.fileno())
    wire.send(request(0, "initialize", HELLO), {"jsonrpc": "2.0", "method": "notifications/initialized"})
    wire.send(*(call(n, "note_add", text=f"Note {n} is as good as any.") for n in range(1, 9)))
    assert wire.receive()["id"] == 0
    wire.receive()
    process.stdin.close()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert run("verify", cwd=place.top).status == 0


@contextmanager
def listening(top: Path, *args: str) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """Start the server for HTTP; hand over its address and the file of its token."""
    process = subprocess.Popen(
        [sys.executable, *COMMAND, "--http", *args], cwd=top, env=environ(), stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    words = process.stderr.readline().decode().split()
    try:
        yield process, words[2].rstrip(","), Path(words[-1])
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()


def test_http_answers_only_who_has_the_token_and_is_no_page(place: Place) -> None:
    with listening(place.top) as (process, address, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = path.read_text().strip()
        port = urlsplit(address).port
        assert port is not None
        good = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }

        def status(body: bytes = b"", /, **headers: str | None) -> int:
            said = {**good, **{name.title(): value for name, value in headers.items()}}
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            hello = json.dumps(request(0, "initialize", HELLO)).encode()
            try:
                connection.request(
                    "POST",
                    "/mcp",
                    body or hello,
                    {name: value for name, value in said.items() if value is not None},
                )
                return connection.getresponse().status
            finally:
                connection.close()

        assert status() == 200
        assert status(authorization=None) == 401
        for wrong in (
            "",
            "Bearer",
            "Bearer x",
            f"Basic {token}",
            f"Bearer {token}x",
            f"Bearer {token[:-1]}",
            "Bearer ä",
        ):
            assert status(authorization=wrong) == 401
        for wrong in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", ""):
            assert status(host=wrong) == 421
        assert status(host=f"localhost:{port}") == 200
        for wrong in (
            "http://evil.example",
            "null",
            "",
            f"https://127.0.0.1:{port}",
            f"http://127.0.0.1:{port}.evil.example",
        ):
            assert status(origin=wrong) == 403
        assert status(origin=f"http://127.0.0.1:{port}") == 200
        assert status(b"[" * (5 << 20)) == 413
        assert status(b"nonsense") == 400
        with pytest.raises(PortRefused):
            listen(port)

        async def ask() -> None:
            async with (
                httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http,
                streamable_http_client(address, http_client=http) as streams,
                ClientSession(streams[0], streams[1]) as session,
            ):
                await session.initialize()
                found = await session.call_tool("search", {"query": "table"})
                expect_quoted(found.content[0].text)  # type: ignore[union-attr]

        anyio.run(ask)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)
    assert _token_at(path) == token, "who was told the token is not told another one"
    path.chmod(0o644)
    assert _token_at(path) != token, "others may have read it"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_servers_that_start_at_once_have_one_token(tmp_path: Path) -> None:
    path = tmp_path / "mcp-token"
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(_token_at, [path] * 32))) == 1


@pytest.fixture
def inspector() -> list[str]:
    """Return the command of the protocol's inspector, which comes by npm."""
    named = os.environ.get("GITMEM_TEST_NPM")
    package = Path(named or "", "node_modules", "@modelcontextprotocol", "inspector")
    found = package / "clients" / "launcher" / "build" / "index.js"
    node = shutil.which("node")
    if not named or node is None or not found.is_file():
        pytest.skip("GITMEM_TEST_NPM names no folder in which npm has installed the inspector")
    return [node, str(found), "--cli"]


def test_inspector_calls_and_lists(place: Place, inspector: list[str]) -> None:
    # It hands little of its own environment on to a server.
    variables = [word for name, value in environ().items() for word in ("-e", f"{name}={value}")]

    def inspect(*args: str) -> dict[str, Any]:
        finished = subprocess.run(
            [*inspector, *variables, sys.executable, *COMMAND, *args],
            cwd=place.top,
            env=environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode()
        told: dict[str, Any] = json.loads(finished.stdout)
        return told

    found = inspect("--method", "tools/call", "--tool-name", "search", "--tool-arg", "query=table")
    assert found["structuredContent"]["hits"]
    assert inspect("--method", "resources/list")["resources"]
