"""Reading transcripts: bytes to turns, for each agent's reader, over its fixture repeated with fresh ids.

A fixture's records are as short as they may be: 100 to 800 bytes a turn, where real transcripts have some 3,000 to
6,000, and so a reader's work for each turn weighs the more. Real ones are read, too, where GITMEM_CORPUS is set.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gitmem.transcripts.read import iterate
from gitmem.transcripts.registry import REGISTRY
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
        suffix = fixture.files[0].suffix
        yield _row(f"read {fixture.name} ({suffix[1:]})", fixture.agent, [material(fixture)], suffix)
    for agent, texts in _real():
        yield _row(f"read real transcripts of {agent}", agent, texts, ".jsonl")


def _row(what: str, agent: str, texts: list[bytes], suffix: str) -> Row:
    streams = [[data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES)] for data in texts]
    size = sum(map(len, texts))
    turns = sum(_count(agent, chunks) for chunks in streams)
    seconds = _cpu_s(lambda: [_count(agent, chunks) for chunks in streams])
    beside = f"{size / turns:.0f} bytes and {seconds / turns * 1e6:.1f} µs a turn"
    if suffix != ".md":
        lines = [line for data in texts for line in (data.splitlines() if suffix == ".jsonl" else [data])]
        beside = f"json.loads: {size / 1e6 / _cpu_s(lambda: _decode(lines)):.0f} MB/s; {beside}"
    budget = _LEAST_OF_LINES if suffix == ".jsonl" else None
    return Row(what, size / 1e6 / seconds, "MB/s", budget, True, beside)


def _real() -> Iterator[tuple[str, list[bytes]]]:
    """Yield real transcripts of lines, by agent, where there are any."""
    corpus = os.environ.get("GITMEM_CORPUS")
    for folder in sorted(Path(corpus).iterdir()) if corpus else ():
        if folder.name not in REGISTRY:
            continue
        texts, size = [], 0
        for path in sorted(folder.rglob("*.jsonl")):
            if size < _BYTES:
                texts.append(path.read_bytes())
                size += len(texts[-1])
        if texts:
            yield folder.name, texts


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
