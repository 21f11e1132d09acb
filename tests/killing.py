"""Work in a process of its own, which may be killed at any effect on the disk."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


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
