"""A server for agents over pipes: how long its tools take, how long its answers are, and how soon it answers.

Beside it, in the same run, a server of the same code whose one tool does nothing.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import msgspec
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from gitmem.cli.serving_search import encoded
from gitmem.recall.tokens import estimate
from gitmem.serving.forms import SearchGiven
from gitmem.sidecar import starting
from gitmem.sidecar.folders import SOCKET_NAME, meeting_folder
from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

_ROUNDS = 12
_QUERIES = (
    "connection refused after timeout",
    "test",
    "where is the parser of the configuration",
    "fix path",
)
_OURS = ["-P", "-m", "gitmem", "mcp"]
_EMPTY = """
import sys, anyio, msgspec
from gitmem.serving.offer import Answered, Listed, Offer, Tool
from gitmem.serving.server import server_of
from gitmem.serving.stdio import serve
from gitmem.serving.workers import Workers
class Nothing(msgspec.Struct): pass
tool = Tool("empty", "", "", Nothing, Nothing, lambda asked, client: Answered("", Nothing()))
offer = Offer("empty", "1", "", [tool], [], [], lambda at: Listed([], None), str, str)
anyio.run(serve, server_of(offer, Workers()), 0, 1)
"""


def run(folder: Path) -> Iterator[Row]:
    """Serve a memory of moderate size."""
    transcripts, _ = material.corpus(folder)
    repository = material.make_repository(folder / "repository")
    gitmem("init", "--no-import", cwd=repository)
    gitmem("import", transcripts, cwd=repository)
    gitmem("index", "update", cwd=repository)
    (folder / "run").mkdir(mode=0o700)
    apart = {"XDG_RUNTIME_DIR": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state")}
    environ = {**os.environ, **apart, "GITMEM_SIDECAR_IDLE": "10"}
    empty = _serve(["-P", "-c", _EMPTY], repository, environ, {"empty": [("empty", {})]})
    searches = [("search", {"query": query}) for query in _QUERIES]
    alone = _serve(_OURS, repository, {**environ, "GITMEM_SIDECAR": "false"}, {"search": searches})
    process = subprocess.Popen(starting.command("serve", "10", "0"), env=environ)
    try:
        socket = meeting_folder(environ, os.geteuid()) / SOCKET_NAME
        while not socket.exists():
            time.sleep(0.05)
        found = _serve(
            _OURS,
            repository,
            environ,
            {
                "search": searches,
                "recall": [("recall", {"question": query}) for query in _QUERIES],
                "timeline": [("timeline", {})],
                "notes": [("notes", {})],
            },
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    baseline = f"an empty tool: {empty['empty']:.2f} ms"
    yield Row(
        "MCP: search by words, warm, over pipes, with the sidecar", found["search"], "ms", 50, False, baseline
    )
    yield Row("  the slowest of 48", found["search, slowest"], "ms", None, False, baseline)
    yield Row("  without it", alone["search"], "ms", None, False, baseline)
    for name in ("recall", "timeline", "notes"):
        yield Row(f"  {name}", found[name], "ms", None, False, baseline)
    yield Row("  tokens of ten hits, the most", found["text"], "tokens", 900)
    yield Row("  the same as JSON", found["value"], "tokens", 900)
    yield Row("  tokens of what all tools say of themselves", found["tools"], "tokens")
    baseline = f"one with an empty tool: {empty['start']:.0f} ms"
    yield Row("  until it has answered the first request", found["start"], "ms", None, False, baseline)


def _serve(
    arguments: list[str],
    cwd: Path,
    environ: Mapping[str, str],
    asked: Mapping[str, list[tuple[str, dict[str, Any]]]],
) -> dict[str, float]:
    """Start a server, call tools by turns, and return what each took, in milliseconds."""
    server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(environ), cwd=cwd)
    found: dict[str, float] = {"text": 0, "value": 0}

    async def main() -> None:
        started = time.perf_counter()
        async with stdio_client(server) as (reads, writes), ClientSession(reads, writes) as session:
            await session.initialize()
            found["start"] = (time.perf_counter() - started) * 1e3
            tools = (await session.list_tools()).tools
            told = [(tool.name, tool.description, tool.input_schema) for tool in tools]
            found["tools"] = estimate(json.dumps(told))
            for name, calls in asked.items():
                times = []
                for n in range(_ROUNDS + 1):
                    for tool, given in calls:
                        began = time.perf_counter()
                        answer = await session.call_tool(tool, given)
                        if n:  # the first round loads what is needed
                            times.append((time.perf_counter() - began) * 1e3)
                        assert not answer.is_error, answer
                        if name == "search":
                            _measure(answer, found)
                found[name], found[f"{name}, slowest"] = statistics.median(times), max(times)

    anyio.run(main)
    return found


def _measure(answer: Any, found: dict[str, float]) -> None:
    value = msgspec.convert(answer.structured_content, SearchGiven)
    if len(value.hits) == 10:
        found["text"] = max(found["text"], estimate(answer.content[0].text))
        found["value"] = max(found["value"], estimate(encoded(value)))
