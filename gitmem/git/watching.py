"""Reading what a running git says as it comes, and ending one that says nothing more."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Final

_LOOK_EVERY_S: Final = 0.5
_LAST_WORDS_TIMEOUT_S: Final = 1.0


class Silence(Exception):
    """git has said nothing for as long as it may."""


def drain(
    process: subprocess.Popen[bytes],
    tell: Callable[[bytes], object],
    silence_s: float | None,
    kept_bytes: int,
) -> tuple[bytes, bytes]:
    """Read all that a process writes until it ends: its output, and the last bytes of what it said.

    Raises:
        Silence: It wrote nothing for `silence_s`; it still runs.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    answer, said = bytearray(), bytearray()
    heard_s, has_ended = time.monotonic(), False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(0 if has_ended else _LOOK_EVERY_S)
            if ready:
                heard_s = time.monotonic()
            elif has_ended:
                break  # what it left behind, like ssh's shared connection, holds the pipes and says nothing
            elif process.poll() is not None:
                has_ended = True  # its last words may have come since we looked
            elif silence_s is not None and time.monotonic() - heard_s > silence_s:
                raise Silence
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    answer += chunk
                else:
                    tell(chunk)
                    said += chunk
                    del said[:-kept_bytes]
    return bytes(answer), bytes(said)


def end(process: subprocess.Popen[bytes], is_apart: bool) -> None:
    """End a process; with all that it started, where it has a process group of its own."""
    if not is_apart:
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):  # It has ended meanwhile.
        # Asked first, it takes away the files that it had begun.
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS_TIMEOUT_S)
        os.killpg(process.pid, signal.SIGKILL)
