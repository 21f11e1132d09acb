"""Hints from the file system that something below some paths may have changed; nobody may rely on one.

They come from watchfiles, which this module alone knows. Where it cannot watch, only time hints.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def hints(
    paths: Sequence[Path],
    *,
    is_wanted: Callable[[str], bool],
    stop: threading.Event,
    timeout_s: float,
    quiet_ms: int,
    most_ms: int,
    recursive: bool,
) -> Iterator[bool]:
    """Yield True after events on what `is_wanted`, and False after each `timeout_s` without, until `stop`.

    Events are gathered until nothing has come for `quiet_ms`, and for no longer than `most_ms`.
    """
    watched = [path for path in paths if path.is_dir()]
    if watched:
        import watchfiles  # with an event loop of its own, which is of use to nobody else

        try:
            for changes in watchfiles.watch(
                *watched,
                watch_filter=lambda change, path: is_wanted(path),
                stop_event=stop,
                rust_timeout=round(1000 * timeout_s),
                yield_on_timeout=True,
                step=quiet_ms,
                debounce=most_ms,
                recursive=recursive,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield bool(changes)
        except (OSError, RuntimeError):
            pass  # how watchfiles says that the system allows no more watches, or that a path is gone
    while not stop.wait(timeout_s):
        yield False
