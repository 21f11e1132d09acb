"""`gitmem why` in a repository of 1,000 commits with 200 sessions, as whole processes.

The code, the sessions that wrote four fifths of it and the checkpoints of its commits are made, seeded; a tenth
of the commits has no checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gitmem.format import layout, records
from gitmem.format.records import session_id
from gitmem.format.segments import EMPTY_GROUP, seal_all
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.ids import Oid, RecordId, SessionId
from gitmem.model.records import Author, Capture, Checkpoint, Position, SegmentEntry, Session
from gitmem.model.times import to_text
from gitmem.objects.storage import Batch, Storage
from gitmem.objects.trees import Path as TreePath
from gitmem.verbs.committing import Writer, commit
from tests.benchmarks import material
from tests.benchmarks.running import gitmem
from tests.benchmarks.table import Row

REF = "refs/heads/gitmem"
COMMITS = 1000
SESSIONS = 200
FILES = 60
_START_MS = 1_750_000_000_000
_HOT = "src/module_0.py"
"""A file that a third of all commits change."""

_TRIES = 7
_FILLER_BYTES = 200_000
_ADA = Author("Ada Example", "ada@example.org")


class _Session:
    """A session that is being made: the lines of its transcript."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.name = f"{number:08x}-0000-4000-8000-{number:012x}"
        self.record = Session("claude-code", self.name, hashlib.sha256(self.name.encode()).hexdigest())
        self.id: SessionId = session_id(self.record)
        self.lines: list[str] = []
        self._rng = rng

    def add(self, at_ms: int, role: str, content: object) -> None:
        n = len(self.lines)
        line = {
            "type": role,
            "uuid": f"{self.name}-{n}",
            "sessionId": self.name,
            "timestamp": to_text(at_ms),
            "cwd": "/home/ada/tides",
            "isSidechain": False,
            "message": {"role": role, "content": content},
        }
        self.lines.append(json.dumps(line))

    def call(self, at_ms: int, tool: str, answer: str, **arguments: str) -> None:
        block = {"type": "tool_use", "id": f"t{len(self.lines)}", "name": tool, "input": arguments}
        self.add(at_ms, "assistant", [block])
        self.add(at_ms, "user", [{"type": "tool_result", "tool_use_id": block["id"], "content": answer}])


def run(folder: Path) -> Iterator[Row]:
    """Make the repository, and ask cold and warm."""
    repository, head_lines = make(folder, material.SEED)
    about = f"{COMMITS:,} commits, {SESSIONS} sessions"
    cold = _ask(repository, [f"{_HOT}:{head_lines // 2}"])
    yield Row(f"why, the first time: all sessions are read ({about})", cold, "s")
    blame = statistics.median(_blame(repository) for _ in range(_TRIES)) * 1000
    for what, asked in questions(head_lines).items():
        warm = statistics.median(_ask(repository, words) for words in asked) * 1000
        baseline = f"{blame:.0f} ms git blame of that file"
        yield Row(f"why {what} ({about})", warm, "ms", 300, baseline=baseline)


def questions(line_count: int) -> dict[str, list[list[str]]]:
    """Return what is asked, by what it is called: each several times, of different places."""
    rng = random.Random(material.SEED)
    lines = [rng.randrange(1, line_count + 1) for _ in range(_TRIES)]
    return {
        "FILE:LINE": [[f"{_HOT}:{line}"] for line in lines],
        "FILE:FIRST-LAST": [[f"{_HOT}:{line}-{line + 20}"] for line in lines],
        "FILE": [[_HOT]] * _TRIES,
        "COMMIT": [[f"HEAD~{line % COMMITS}"] for line in lines],
    }


def _ask(repository: Path, words: list[str]) -> float:
    """Ask, and return how many seconds it took; that nobody is known is an answer too."""
    start = time.perf_counter()
    command = [sys.executable, "-E", "-P", "-m", "gitmem", "why", "--json", *words]
    finished = subprocess.run(command, cwd=repository, capture_output=True, check=False)
    assert finished.returncode in (0, 1), finished.stderr.decode()
    return time.perf_counter() - start


def _blame(repository: Path) -> float:
    start = time.perf_counter()
    material.git("blame", "-w", "-M", "--porcelain", _HOT, cwd=repository)
    return time.perf_counter() - start


def make(folder: Path, seed: int) -> tuple[Path, int]:
    """Make the repository; return it, and how many lines its busiest file has."""
    rng = random.Random(seed)
    repository = material.make_repository(folder / "repository")
    gitmem("init", "--no-import", "--no-hooks", "--agents", "none", cwd=repository)
    files: dict[str, list[str]] = {f"src/module_{n}.py": [] for n in range(FILES)}
    sessions = [_Session(n, rng) for n in range(SESSIONS)]
    stream: list[str] = []
    told: list[tuple[int, list[Position]]] = []
    at_ms = _START_MS
    for n in range(COMMITS):
        at_ms += 3_600_000
        session = None if rng.random() < 0.2 else sessions[n * SESSIONS // COMMITS]
        changed = _change(rng, files, n, session, at_ms)
        stream.append(_commit(n, at_ms, {path: files[path] for path in changed}))
        under_way = sessions[max(0, n * SESSIONS // COMMITS - 1) : n * SESSIONS // COMMITS + 1]
        if session is None and n % 2:
            under_way = []
        told.append((at_ms, [Position(each.id, "", len(each.lines)) for each in under_way]))
    ids = _import(repository, "".join(stream))
    git = Git(dict(os.environ))
    with closing(open_storage(discover(repository, git), git)) as storage:
        _remember(storage, sessions, list(zip(ids, told, strict=True)))
    return repository, len(files[_HOT])


def _change(
    rng: random.Random, files: dict[str, list[str]], n: int, session: _Session | None, at_ms: int
) -> list[str]:
    """Change one to three files, by a session's tools or by hand."""
    if session:
        session.add(at_ms - 600_000, "user", f"please do number {n} of what has to be done")
        filler = "".join(rng.choices("abcdefghij \n", k=_FILLER_BYTES * SESSIONS // COMMITS))
        session.call(at_ms - 500_000, "Read", filler, file_path="/home/ada/tides/README.md")
    paths = [_HOT] if rng.random() < 0.33 else []
    paths += rng.sample(sorted(files), rng.randrange(1, 3))
    for path in dict.fromkeys(paths):
        lines = files[path]
        at = rng.randrange(len(lines) + 1)
        new = [_line(rng, n) for _ in range(rng.randrange(3, 15))]
        old = lines[at : at + rng.randrange(0, 4)]
        lines[at : at + len(old)] = new
        if session:
            anchor = lines[max(0, at - 1) : at]
            session.call(
                at_ms - 300_000,
                "Edit",
                "done",
                file_path=f"/home/ada/tides/{path}",
                old_string="\n".join([*anchor, *old]),
                new_string="\n".join([*anchor, *new]),
            )
    return list(dict.fromkeys(paths))


def _line(rng: random.Random, n: int) -> str:
    if rng.random() < 0.25:
        return rng.choice(["    return None", "        }", "    else:", "    pass", "    continue"])
    return f"    value_{n}_{rng.randrange(10**6)} = compute({rng.randrange(1000)}, scale={rng.random():.3f})"


def _commit(n: int, at_ms: int, files: dict[str, list[str]]) -> str:
    moment = f"{at_ms // 1000} +0000"
    message = f"change number {n}"
    parts = [
        f"commit refs/heads/made\nmark :{n + 1}\nauthor Ada Example <ada@example.org> {moment}\n",
        f"committer Ada Example <ada@example.org> {moment}\ndata {len(message)}\n{message}\n",
    ]
    for path, lines in files.items():
        content = "\n".join(lines) + "\n"
        parts.append(f"M 100644 inline {path}\ndata {len(content)}\n{content}\n")
    return "".join(parts)


def _import(repository: Path, stream: str) -> list[str]:
    marks = repository.parent / "marks"
    Git(dict(os.environ)).run(
        ["fast-import", "--quiet", f"--export-marks={marks}"],
        doing="make commits",
        cwd=repository,
        stdin=stream.encode(),
    )
    material.git("checkout", "--quiet", "-B", "main", "made", cwd=repository)
    found = dict(line.split() for line in marks.read_text().splitlines())
    return [found[f":{n + 1}"] for n in range(COMMITS)]


def _remember(
    storage: Storage, sessions: list[_Session], made: list[tuple[str, tuple[int, list[Position]]]]
) -> None:
    writer = Writer(_ADA, lambda: _START_MS / 1000)
    with storage.begin() as batch:
        changes: dict[TreePath, Oid | None] = {}
        for session in sessions:
            changes |= _stored(batch, session)
        for head, (at_ms, positions) in made:
            if not positions:
                continue  # made where no hook was
            patch = hashlib.sha1(head.encode()).hexdigest()
            record = Checkpoint(
                to_text(at_ms),
                _ADA,
                "post-commit",
                head,
                "main",
                positions=tuple(positions),
                patches=(patch,),
            )
            name, blob = records.seal(record)
            changes[layout.checkpoint_path(RecordId(name))] = batch.add("blob", blob)
        commit(storage, REF, writer, "Made [skip ci]\n", changes, batch)


def _stored(batch: Batch, session: _Session) -> dict[TreePath, Oid | None]:
    name = session.id
    changes: dict[TreePath, Oid | None] = {
        layout.session_path(name): batch.add("blob", records.seal(session.record)[1])
    }
    entries = []
    text = "".join(line + "\n" for line in session.lines).encode()
    for sealed, _ in seal_all(text, EMPTY_GROUP):
        changes[layout.segment_path(name, sealed.name)] = batch.add("blob", sealed.blob)
        entries.append(SegmentEntry(sealed.name, sealed.lines, sealed.size_bytes))
    record = Capture(name, to_text(_START_MS), _ADA, "benchmark", "none", tuple(entries))
    capture, blob = records.seal(record)
    changes[layout.capture_path(name, capture)] = batch.add("blob", blob)
    return changes
