"""Reading transcripts: bytes to turns, for each agent's reader, over its fixture repeated with fresh ids."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gitmem.transcripts.read import iterate
from tests.benchmarks.table import Row
from tests.transcripts.fixture import Fixture, all_fixtures

_BYTES = 20_000_000
_CHUNK_BYTES = 256 << 10
_TIMES = 3
_LEAST_OF_LINES = 50.0

_ID_KEY = re.compile(r"(?i)(?:^|_)(?:uu)?id$|[a-z](?:Uui|UUI|I)[dD]$|^(?:parent|callID)$")
_OF_THE_SESSION = re.compile(r"(?i)session|thread|project|conversation|forked|account|trajectory")


def run(folder: Path) -> Iterator[Row]:
    """Read 20 MB of each fixture; lines of JSON have a budget, and json.loads of the same lines beside it."""
    for fixture in all_fixtures():
        data = material(fixture)
        chunks = [data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)]
        size_mb = len(data) / 1e6
        rate = size_mb / _cpu_s(lambda agent=fixture.agent, of=chunks: _count(agent, of))
        is_lines = fixture.files[0].suffix == ".jsonl"
        beside = ""
        if fixture.files[0].suffix != ".md":
            lines = data.splitlines() if is_lines else [data]
            beside = f"json.loads: {size_mb / _cpu_s(lambda of=lines: _decode(of)):.0f} MB/s"
        yield Row(
            f"read {fixture.name} ({fixture.files[0].suffix[1:]})",
            rate,
            "MB/s",
            _LEAST_OF_LINES if is_lines else None,
            True,
            beside,
        )


def material(fixture: Fixture, size_bytes: int = _BYTES) -> bytes:
    """Return a transcript of at least that size: a fixture's records again and again, under ids of their own."""
    data, suffix = fixture.main, fixture.files[0].suffix
    if suffix == ".json":
        document = json.loads(data)
        key = max(document, key=lambda name: len(document[name]) if isinstance(document[name], list) else -1)
        copies = _copies(json.dumps(document[key]).encode()[1:-1], document[key], size_bytes)
        messages = b",".join(copies)
        return json.dumps({**document, key: []}).encode().replace(b"[]", b"[" + messages + b"]", 1)
    if suffix == ".md":
        return data.rstrip() + b"\n\n" + (data.rstrip() + b"\n\n") * (size_bytes // len(data))
    records = [record for line in data.splitlines() if (record := _decoded(line)) is not None]
    return b"".join(_copies(data if data.endswith(b"\n") else data + b"\n", records, size_bytes))


def _copies(data: bytes, records: list[Any], size_bytes: int) -> Iterator[bytes]:
    ids = sorted({found for record in records for found in _ids(record, "")}, key=len, reverse=True)
    template = data
    if ids:
        quoted = b"|".join(re.escape(json.dumps(one).encode()[1:-1]) for one in ids)
        template = re.sub(b'"(' + quoted + b')"', b'"\\1\x00"', data)
    for number in range(size_bytes // len(data) + 1):
        yield template.replace(b"\x00", b"-%d" % number)


def _ids(value: object, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _ids(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _ids(item, key)
    elif isinstance(value, str) and value and _ID_KEY.search(key) and not _OF_THE_SESSION.search(key):
        yield value


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _decode(lines: list[bytes]) -> None:
    for line in lines:
        _decoded(line)


def _count(agent: str, chunks: list[bytes]) -> int:
    return sum(1 for _ in iterate(agent, [("", chunks)]))


def _cpu_s(work: Callable[[], object]) -> float:
    """Return the CPU time that a piece of work takes, the least of several."""
    times = []
    for _ in range(_TIMES):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)
