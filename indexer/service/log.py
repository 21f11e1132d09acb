"""What the sidecar leaves to read: when it came and went, and where in the code it failed.

Nothing of a transcript, a query or an argument is in it: of an exception its kind and its frames alone, for
its message may hold anything.
"""

from __future__ import annotations

import threading
import time
import traceback
from pathlib import Path
from typing import Final

from gitmem import disk
from gitmem.model.errors.store import DiskRefused

_KEPT_BYTES: Final = 65_536


class Log:
    """A file that keeps the last of what was noted; threads may share it."""

    def __init__(self, path: Path, pid: int) -> None:
        self.path, self._pid = path, pid
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Add a line, or several; a disk that refuses is no reason to end, and there is nobody to tell."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        added = f"{at} {self._pid} {text}\n".encode("utf-8", "backslashreplace")
        with self._lock:
            try:
                before = self.path.read_bytes()[-_KEPT_BYTES:]
            except OSError:
                before = b""
            if len(before) == _KEPT_BYTES:
                before = before.partition(b"\n")[2]
            try:
                disk.make_private_folder(self.path.parent)
                disk.replace_file(self.path, before + added, durable=False, mode=0o600)
            except DiskRefused:
                return

    def failed(self, doing: str, error: BaseException) -> None:
        """Note a failure that nobody expected."""
        frames = traceback.extract_tb(error.__traceback__)
        where = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        self.note(f"failed at {doing}: {type(error).__module__}.{type(error).__qualname__} at{where}")
