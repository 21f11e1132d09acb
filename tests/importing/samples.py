"""Transcripts for the tests of importing: short, of an invented project, as an agent would write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "5b2f8c1e-0d2f-4c39-9a61-3f1f0d7f1a10"
OTHER = "c41d9a77-5b0e-4f5a-8f3c-9d6c1b2e7a55"


def line(n: int, name: str = NAME, **fields: Any) -> bytes:
    """Return one line of a Claude Code transcript; fields replace the usual ones."""
    role = "user" if n % 2 == 0 else "assistant"
    text = f"step {n}: the tide table for gauge {n * 7 % 13} is off by an hour"
    entry: dict[str, Any] = {
        "parentUuid": f"u-{n - 1}" if n else None,
        "isSidechain": False,
        "userType": "external",
        "cwd": "/home/ada/tides",
        "sessionId": name,
        "version": "2.0.1",
        "gitBranch": "main",
        "type": role,
        "message": {"role": role, "content": text if role == "user" else [{"type": "text", "text": text}]},
        "uuid": f"u-{n}",
        "timestamp": f"2026-03-01T10:{n // 60 % 60:02}:{n % 60:02}.000Z",
    }
    return json.dumps({**entry, **fields}).encode() + b"\n"


def now() -> str:
    """Return this moment as a transcript has it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def lines(start: int, stop: int, name: str = NAME) -> bytes:
    """Return a run of lines."""
    return b"".join(line(n, name) for n in range(start, stop))


def write(path: Path, content: bytes) -> Path:
    """Write a transcript, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def codex(count: int, name: str = OTHER) -> bytes:
    """Return a Codex transcript."""
    meta = {
        "id": name,
        "timestamp": "2026-03-01T10:00:00Z",
        "cwd": "/home/ada/tides",
        "originator": "codex_cli_rs",
        "cli_version": "0.50.0",
    }
    rows: list[dict[str, Any]] = [
        {"timestamp": "2026-03-01T10:00:00Z", "type": "session_meta", "payload": meta}
    ]
    for n in range(count):
        if n % 2 == 0:
            context = {"turn_id": f"turn-{n}", "cwd": "/home/ada/tides", "model": "model-1"}
            rows.append({"timestamp": "2026-03-01T10:00:00Z", "type": "turn_context", "payload": context})
        role, kind = (("user", "input_text"), ("assistant", "output_text"))[n % 2]
        content = [{"type": kind, "text": f"gauge {n}: why is the datum wrong?"}]
        payload = {"type": "message", "role": role, "content": content}
        rows.append(
            {"timestamp": f"2026-03-01T10:00:{n % 60:02}Z", "type": "response_item", "payload": payload}
        )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def gemini(count: int, updated: str) -> bytes:
    """Return a Gemini CLI document, which is rewritten whole as it grows."""
    messages = [
        {
            "id": f"m{n}",
            "timestamp": f"2026-03-01T10:00:{n % 60:02}Z",
            "type": ("user", "gemini")[n % 2],
            "content": f"gauge {n}: {'low tide ' * 40}{n * 7919}",
        }
        for n in range(count)
    ]
    document = {
        "sessionId": "8d0c6f1e-77aa-4b0e-9f4d-2d3b9f0c1e22",
        "projectHash": "0" * 64,
        "startTime": "2026-03-01T10:00:00Z",
        "lastUpdated": updated,
        "messages": messages,
    }
    return json.dumps(document, indent=2).encode()
