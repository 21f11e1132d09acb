"""Memory stays bounded, however large a session or a line is."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEGABYTE = 1024 * 1024

READING = """
import json, resource, sys
from pathlib import Path
from gitmem.transcripts.read import iterate

def lines():
    for number in range(40_000):
        yield json.dumps({"type": "user", "sessionId": "s", "uuid": f"5e1f0c1e-0000-4000-8000-{number:012d}",
                          "message": {"role": "user", "content": "low water " * 250}}).encode() + b"\\n"

def one_line():
    yield b'{"type": "user", "sessionId": "s", "uuid": "u", "message": {"content": "'
    for _ in range(400):
        yield b"low water " * 25_000
    yield b'"}}\\n'

def document():
    yield b'{"info": {"id": "ses_1"}, "messages": ['
    for number in range(10_000):
        yield b"," if number else b""
        yield json.dumps({"info": {"id": f"msg_{number}", "role": "user"},
                          "parts": [{"type": "text", "text": "low water " * 250}]}).encode()
    yield b"]}"

agent, chunks = {"lines": ("claude-code", lines), "one line": ("claude-code", one_line),
                 "document": ("opencode", document)}[sys.argv[1]]
count = sum(1 for _ in iterate(agent, [("", chunks())]))
status = Path("/proc/self/status")
if status.exists():  # on Linux ru_maxrss is at least that of the process which started this one
    peak_kb = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]
    print(count, int(peak_kb) * 1024)
else:
    print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(("what", "turns"), [("lines", 40_000), ("one line", 1), ("document", 10_000)])
def test_hundred_megabytes_are_read_in_eighty(what: str, turns: int) -> None:
    run = subprocess.run([sys.executable, "-c", READING, what], capture_output=True, text=True, check=True)
    count, peak_bytes = map(int, run.stdout.split())
    assert count == turns
    assert peak_bytes < 80 * MEGABYTE
