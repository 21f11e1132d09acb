"""What the benchmarks work on: real transcripts where there are some, made ones elsewhere."""

from __future__ import annotations

import json
import os
import random
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

SEED = 7
WORDS = [
    "tide",
    "harbour",
    "chart",
    "buoy",
    "depth",
    "current",
    "moon",
    "gauge",
    "station",
    "datum",
    "parse",
    "fetch",
    "cache",
    "render",
    "table",
    "column",
    "height",
    "offset",
    "zone",
    "margin",
    "retry",
    "timeout",
    "schema",
    "index",
    "branch",
    "commit",
    "review",
    "rename",
    "assert",
    "fixture",
]


def corpus(folder: Path) -> tuple[Path, str]:
    """Return a folder of transcripts and what to call it in the table."""
    given = os.environ.get("GITMEM_CORPUS")
    if given:
        path = Path(given)
        return (path / "transcripts" if (path / "transcripts").is_dir() else path), "real transcripts"
    made = folder / "made"
    for n in range(24):
        write_session(made / "claude-code" / f"{session_name(n)}.jsonl", session_name(n), 1_300_000, SEED + n)
    return made, "made transcripts"


def files(folder: Path) -> list[Path]:
    """Return the transcripts of a folder; index files are none."""
    found = sorted(p for p in folder.rglob("*.json*") if p.is_file() and p.name != "index.json")
    assert found, f"no transcripts in {folder}"
    return found


def largest(folder: Path, agent: str = "claude-code") -> Path:
    """Return the largest append-only transcript of an agent."""
    return max(
        (p for p in files(folder) if agent in p.parts and p.suffix == ".jsonl"),
        key=lambda p: p.stat().st_size,
    )


def session_name(number: int) -> str:
    """Return a session's native id, the same in every run."""
    return str(uuid.UUID(int=random.Random(number).getrandbits(128), version=4))


def write_session(path: Path, name: str, size_bytes: int, seed: int) -> None:
    """Write a transcript of about a size, of prompts, answers, tool calls and their results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for line in made_lines(name, seed):
            file.write(line)
            if file.tell() >= size_bytes:
                return


def made_lines(name: str, seed: int) -> Iterator[bytes]:
    """Yield a session's lines without end: text with the repetitions and the noise of real ones."""
    rng = random.Random(seed)
    parent: str | None = None
    n = 0
    sources = ["\n".join(_sentence(rng, 9) for _ in range(60)) for _ in range(12)]
    while True:
        n += 1
        identity = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        base = {
            "parentUuid": parent,
            "isSidechain": False,
            "cwd": "/home/ada/tides",
            "sessionId": name,
            "version": "2.0.1",
            "gitBranch": "main",
            "uuid": identity,
            "timestamp": f"2026-03-{1 + n // 2000 % 28:02}T{n // 80 % 24:02}:{n % 60:02}:{rng.randrange(60):02}.{rng.randrange(1000):03}Z",
        }
        kind = rng.random()
        if kind < 0.1:
            entry = {**base, "type": "user", "message": {"role": "user", "content": _sentence(rng, 30)}}
        elif kind < 0.55:
            call = {
                "type": "tool_use",
                "id": f"toolu_{rng.getrandbits(96):024x}",
                "name": "Bash",
                "input": {"command": f"rg {rng.choice(WORDS)} src/{rng.choice(WORDS)}.py"},
            }
            block = call if kind < 0.4 else {"type": "text", "text": _sentence(rng, 60)}
            message = {
                "id": f"msg_{rng.getrandbits(96):024x}",
                "role": "assistant",
                "model": "model-1",
                "content": [block],
                "usage": {"input_tokens": rng.randrange(9), "output_tokens": rng.randrange(900)},
            }
            entry = {**base, "type": "assistant", "message": message}
        else:
            source = rng.choice(sources)
            at = rng.randrange(len(source) // 2)
            result = {
                "type": "tool_result",
                "tool_use_id": f"toolu_{rng.getrandbits(96):024x}",
                "content": source[at : at + rng.randrange(200, 6000)],
            }
            entry = {**base, "type": "user", "message": {"role": "user", "content": [result]}}
        parent = identity
        yield json.dumps(entry).encode() + b"\n"


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, words + 1)))


def make_large(source: Path, target: Path, size_bytes: int) -> None:
    """Repeat a transcript under fresh message ids until it has a size: one long session."""
    lines = source.read_bytes().splitlines(keepends=True)
    rng = random.Random(SEED)
    with target.open("wb") as file:
        while file.tell() < size_bytes:
            old_to_new: dict[bytes, bytes] = {}
            for line in lines:
                at = line.find(b'"uuid":"')
                if at >= 0:
                    old = line[at + 8 : at + 44]
                    old_to_new[old] = str(uuid.UUID(int=rng.getrandbits(128))).encode()
                    line = line.replace(old, old_to_new[old])
                file.write(line)
                if file.tell() >= size_bytes:
                    return


def git(*args: str | Path, cwd: Path) -> str:
    """Run real git."""
    return subprocess.run(["git", *args], cwd=cwd, check=True, capture_output=True, text=True).stdout


def make_repository(path: Path) -> Path:
    """Make a repository with a user and one commit."""
    path.mkdir(parents=True)
    git("init", "-q", path, cwd=path)
    git("config", "user.name", "Ada Example", cwd=path)
    git("config", "user.email", "ada@example.org", cwd=path)
    git("commit", "-q", "--allow-empty", "-m", "start", cwd=path)
    return path


def pack_bytes(repository: Path) -> int:
    """Return what a repository's objects take on the disk."""
    return sum(p.stat().st_size for p in (repository / ".git" / "objects").rglob("*") if p.is_file())
