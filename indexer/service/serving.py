"""The life of a sidecar: it takes its post, serves, keeps the indexes up, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import gitmem
from gitmem.model.errors.searching import SidecarRefused
from gitmem.model.errors.store import DiskRefused, StoreBusy
from gitmem.sidecar.folders import meeting_folder, state_folder
from gitmem.sidecar.starting import home
from gitmem.sidecar.wire import Greeting
from indexer.service.answering import Answering, Answers
from indexer.service.keeping import Keeper
from indexer.service.live import LiveCapture
from indexer.service.log import Log
from indexer.service.post import Post, hold
from indexer.service.server import Server, Service

_NEVER: Final = float("inf")
_STANDARD_ERROR: Final = 2


def serve(environ: Mapping[str, str], answers: Answers, *, idle_s: float, wait_s: float, umask: int) -> int:
    """Be the sidecar out of everybody's sight, unless there is one, and return the exit code.

    `umask` is that of whoever started it, for captures.
    """
    _detach()
    environ = _own(environ)
    log = Log(state_folder(environ) / "indexer.log", os.getpid())
    try:
        with hold(meeting_folder(environ, os.geteuid()), os.geteuid(), wait_s) as post:
            log.note(f"serves, as gitmem {gitmem.__version__}")
            why = _run(post, environ, answers, idle_s, umask, log)
            log.note(f"ends: {why}")
        _leave()
    except StoreBusy:
        return 0  # another one serves
    except (SidecarRefused, DiskRefused) as error:
        log.note(str(error))
        return 1
    except Exception as error:
        log.failed("serving", error)
        raise
    return 0


def watch(environ: Mapping[str, str], answers: Answers, *, wait_s: float, umask: int) -> int:
    """Be the sidecar in sight of a person, until they interrupt, and return the exit code."""
    environ = _own(environ)
    log = Log(state_folder(environ) / "indexer.log", os.getpid())
    try:
        with hold(meeting_folder(environ, os.geteuid()), os.geteuid(), wait_s) as post:
            sys.stderr.write(f"listens at {os.fsencode(post.path)!r}; Ctrl-C ends it\n")
            why = _run(post, environ, answers, _NEVER, umask, log)
            sys.stderr.write(f"ends: {why}\n")
        _leave()
    except StoreBusy:
        sys.stderr.write("error: another sidecar serves\nhint: gitmem index stop: ends it\n")
        return 1
    except (SidecarRefused, DiskRefused) as error:
        sys.stderr.write(f"error: {str(error)!r}\nhint: {error.hint}\n")
        return 1
    return 0


def _run(
    post: Post, environ: Mapping[str, str], answers: Answers, idle_s: float, umask: int, log: Log
) -> str:
    answering = Answering(answers)
    keeper = Keeper(answering, environ, state_folder(environ), log)
    live = LiveCapture(keeper.places, environ, state_folder(environ), umask, log)
    server = Server(
        Service(
            post=post,
            greeting=Greeting(gitmem.__version__, home(), os.getpid()),
            answers=answering.answer,
            environ=environ,
            idle_s=idle_s,
            log=log,
            on_answered=keeper.remember,
            on_look=answering.close_idle,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: server.end(signal.Signals(number).name))
    keeper.start()
    live.start()
    try:
        return server.run()
    finally:
        live.end()
        keeper.end()


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what git, or a hook of it, says to whoever started us."""
    return {name: value for name, value in environ.items() if not name.startswith("GIT_")}


def _leave() -> None:
    """End now if a thread goes on behind an answer; what it is at outlives that, as it outlives a kill."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        os._exit(0)


def _detach() -> None:
    """Let go of the terminal, the working directory and every file of whoever started us."""
    with suppress(PermissionError):  # we lead a session already
        os.setsid()
    os.chdir("/")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    # Not a range up to the most there may be, which is a thousand million in some containers.
    for descriptor in [int(name) for name in os.listdir("/dev/fd") if int(name) > _STANDARD_ERROR]:  # noqa: PTH208
        with suppress(OSError):  # the one that the listing itself took
            os.close(descriptor)
