"""Threads that do what takes its time, a few at once, so that who waits for them can go on listening.

They keep no process from ending: what only reads is left where it is, what writes is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Condition, Thread
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

AT_ONCE: Final = 4


class _Task(NamedTuple):
    work: Callable[[], Any]
    writes: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Workers:
    """At most so many things are done at once; the others wait for their turn, in order."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._todo: SimpleQueue[_Task] = SimpleQueue()
        self._threads = 0
        self._working = self._writing = 0
        self._settled = Condition()

    async def do(self, work: Callable[[], T], *, writes: bool = False) -> T:
        """Have something done and return what it came to, or raise what it raised.

        Who is cancelled meanwhile gets no answer; what had not begun yet is not done then.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._threads < self._at_once:
            self._threads += 1
            Thread(target=self._run, name="gitmem worker", daemon=True).start()
        self._todo.put(_Task(work, writes, loop, future))
        return await future

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing is being written, for so long at most; tell whether nothing is done at all."""
        with self._settled:
            self._settled.wait_for(lambda: not self._writing, timeout_s)
            return not self._working

    def _run(self) -> None:
        while True:
            task = self._todo.get()
            if task.future.cancelled():
                continue
            with self._settled:
                self._working += 1
                self._writing += task.writes
            result, error = None, None
            try:
                result = task.work()
            except BaseException as raised:  # noqa: BLE001 (raised again by whoever waits for it)
                error = raised
            with self._settled:
                self._working -= 1
                self._writing -= task.writes
                self._settled.notify_all()
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                task.loop.call_soon_threadsafe(_hand_over, task.future, result, error)
            del task, result, error


def _hand_over(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
