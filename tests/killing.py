"""Work in a process of its own, which may be killed at any effect on the disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from gitmem import disk

_EVERY = 3
_CHECKOUT = Path(__file__).resolve().parents[1]
_IMPORTED_FROM = Path(disk.__file__).resolve().parents[2]


def kills(module: str, *args: str) -> str:
    """Run a module of `tests` that kills what it forks, in a process without threads; return what it told.

    It has to end well. Its lines are not counted: those of a killed process never are.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", f"tests.{module}", *args],
        cwd=_CHECKOUT,
        env={
            **environ,
            "PYTHONPATH": f"{_IMPORTED_FROM}{os.pathsep}{_CHECKOUT}",
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for_no_disk() -> None:
    """Have this process wait for the disk no more: whoever is killed loses nothing that the system has."""
    os.fsync = lambda fd: None  # type: ignore[assignment]


def in_child(work: Callable[[], None]) -> int:
    """Run something in a forked process and return how that ended, as `os.waitpid` has it."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def start_child(work: Callable[[], None]) -> int:
    """Run something in a forked process meanwhile, and return its number; it ends with 0 if nothing is raised."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:  # noqa: BLE001 (it is told, and the status says so)
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


def is_interrupted(point: int, work: Callable[[], object]) -> bool:
    """Do some work, and break it off at its effect of that number, from 1; tell whether it came so far."""
    seen = 0

    def interrupt(effect: disk.Effect, path: Path) -> None:
        nonlocal seen
        seen += 1
        if seen == point:
            raise KeyboardInterrupt

    try:
        with disk.observe(interrupt):
            work()
    except KeyboardInterrupt:
        return True
    return False


def chosen_points(count: int) -> list[int]:
    """Return at which of so many effects to kill, or which to harm: every third, from another one on in each run.

    GITMEM_TEST_KILLS=all kills at each of them, and a number says which third it is.
    """
    wanted = os.environ.get("GITMEM_TEST_KILLS", "")
    if wanted == "all":
        return list(range(count))
    first = int(wanted) if wanted else random.randrange(_EVERY)
    print(f"GITMEM_TEST_KILLS={first}")
    return list(range(first, count, _EVERY))


def kill_at(point: int, work: Callable[[], object]) -> None:
    """Do some work in a forked process that dies before its effect of that number; it has to get there."""
    left = point

    def kill(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def killed() -> None:
        with disk.observe(kill):
            work()

    assert os.WIFSIGNALED(in_child(killed))
