"""Processes that fork from this one, work beside it, and end with it, however it ends."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait


def may_fork() -> bool:
    """Whether a fork is safe here: on Linux, and in a process that has no threads."""
    return sys.platform == "linux" and threading.active_count() == 1


def fork_pool(workers: int, begin: Callable[..., None], *given: object) -> ProcessPoolExecutor:
    """Fork processes, each of which begins with what is given to it; that is not copied, but forked along."""
    # A fork costs nothing and is safe here: this process has no threads when the pool forks, once and
    # all at a time. A fresh interpreter would look for modules where it stands, in somebody's repository.
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(workers, context, initializer=partial(_begin, begin, *given))
    # What is here already is garbage to nobody: to look through it, each of them would copy it.
    gc.freeze()
    with _interrupts_held():
        # The first work forks all of them, and they keep this mask: an interrupt at the terminal reaches
        # every process there, and one that dies of it in the middle of an answer would be waited for.
        pool.submit(os.getpid).result()
    gc.unfreeze()
    return pool


def end_pool(pool: ProcessPoolExecutor) -> None:
    """Let the processes end, without what has not begun."""
    # What they are at, a piece each, is let end: it takes a moment, and nothing is left half said.
    with _interrupts_held():
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let an interrupt wait until the end of the context."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(begin: Callable[..., None], *given: object) -> None:
    begin(*given)
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A worker waits for work at a pipe that it holds open itself, and would outlive a killed parent.
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
