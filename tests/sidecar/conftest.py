"""What the sidecar's tests share: sidecars that are started for real, and proof that none of them stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gitmem.sidecar import starting
from gitmem.sidecar.client import ask
from gitmem.sidecar.folders import LOCK_NAME, SOCKET_NAME, meeting_folder
from gitmem.sidecar.meeting import Meeting
from gitmem.sidecar.wire import Greeting, Request, decode_greeting
from tests.indexer.memories import Filled, said

DEADLINE_S = 120.0


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.02)


def processes_of(home: Path) -> list[int]:
    """Return the processes of this test that are still there: those whose home directory it is."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                int(folder.name) != os.getpid()
                and f"\0HOME={home}\0".encode() in b"\0" + (folder / "environ").read_bytes()
            ):
                is_dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                found += [] if is_dead else [int(folder.name)]
        except OSError:
            continue  # it has ended, or is another user's
    return found


@dataclass
class Sidecars:
    """The sidecars of one test, all of one user: `start()` one, and look at what is there."""

    environ: dict[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return meeting_folder(self.environ, os.geteuid())

    @property
    def socket(self) -> Path:
        return self.folder / SOCKET_NAME

    @property
    def meeting(self) -> Meeting:
        return Meeting(self.folder, os.geteuid(), 1)

    def launch(
        self, idle_minutes: float = 5, wait_s: float = 0, program: str = starting.START
    ) -> subprocess.Popen[bytes]:
        """Start a process that wants to be the sidecar."""
        command = starting.command("serve", str(idle_minutes), str(wait_s), program=program)
        process = subprocess.Popen(command, env=self.environ)
        self.started.append(process)
        return process

    def start(self, idle_minutes: float = 5, program: str = starting.START) -> subprocess.Popen[bytes]:
        """Start a sidecar and wait until it serves."""
        process = self.launch(idle_minutes, program=program)
        until(lambda: self.greeting() is not None or process.poll() is not None, "it serves")
        assert process.poll() is None, self.log()
        return process

    def greeting(self) -> Greeting | None:
        """Return how whoever serves greets, None where nobody does."""
        try:
            with self.connect() as endpoint:
                return decode_greeting(endpoint.makefile("rb").readline())
        except OSError:
            return None

    def connect(self) -> socket.socket:
        endpoint = socket.socket(socket.AF_UNIX)
        endpoint.settimeout(DEADLINE_S)
        try:
            endpoint.connect(str(self.socket))
        except BaseException:
            endpoint.close()
            raise
        return endpoint

    def log(self) -> str:
        path = Path(self.environ["XDG_STATE_HOME"]) / "gitmem" / "indexer.log"
        return path.read_text() if path.exists() else ""

    def is_locked(self) -> bool:
        from gitmem import disk
        from gitmem.model.errors.store import StoreBusy

        try:
            with disk.locked(self.folder / LOCK_NAME, 0):
                return False
        except StoreBusy:
            return True


@pytest.fixture
def sidecars(environ: Mapping[str, str], home: Path) -> Iterator[Sidecars]:
    """Give a test its sidecars, and prove in the end that no process of it is left."""
    found = Sidecars({**environ, "GITMEM_SIDECAR": "true"})
    yield found
    for process in found.started:
        process.terminate()
    for process in found.started:
        process.wait(DEADLINE_S)
    started_by_searches = found.greeting()
    if started_by_searches is not None:
        os.kill(started_by_searches.pid, signal.SIGTERM)
    until(lambda: not processes_of(home), f"these have ended: {processes_of(home)}")


@pytest.fixture
def memory(repository: Path, environ: Mapping[str, str]) -> Filled:
    """Return a memory with an index, for who has none is not answered by a sidecar."""
    filled = Filled(repository, environ)
    filled.add("one", [said("the anchor holds"), said("a buoy")])
    list(ask(Request("update", (filled.place,)), environ))
    return filled


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # so has the thread
                found += map(int, (task / "children").read_text().split())
    return found


@dataclass
class Client:
    """Asks as `gitmem search` does, within this process; `processes` counts the times that it helped itself."""

    sidecars: Sidecars
    memory: Filled
    processes: int = 0
    starts: int = 0
    notices: list[str] = field(default_factory=list)

    def request(self, *queries: str, **changes: Any) -> Request:
        """Return a search that waits until the index is where the memory is."""
        return Request(
            "search", (self.memory.place,), queries=queries or ("anchor",), catch_up_ms=60_000
        )._replace(**changes)

    def __call__(self, *queries: str, **changes: Any) -> list[dict[str, Any]]:
        return list(
            ask(
                self.request(*queries, **changes),
                self.sidecars.environ,
                meeting=self.sidecars.meeting,
                on_notice=self.notices.append,
            )
        )

    def found(self, query: str = "anchor") -> int:
        (answer,) = self(query)
        return len(answer["hits"])


@pytest.fixture
def client(sidecars: Sidecars, memory: Filled, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a client that counts, and starts no sidecar by itself."""
    from gitmem.sidecar import client as module
    from gitmem.sidecar import meeting

    counting = Client(sidecars, memory)
    ask_process = module.ask_process

    def count_process(*args: Any) -> Any:
        counting.processes += 1
        return ask_process(*args)

    def count_start(*args: Any) -> None:
        counting.starts += 1

    monkeypatch.setattr(meeting, "_GREETING_TIMEOUT_S", 10.0)  # no test is about how fast a machine is
    monkeypatch.setattr(module, "ask_process", count_process)
    monkeypatch.setattr(module, "start_detached", count_start)
    return counting
