"""Capturing while agents write: what grows in their folders of transcripts is taken in soon after.

Only in repositories that have `gitmem.live` set. Events say when to look; `gitmem capture` finds what it is.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load
from gitmem.model.errors import GitmemError
from gitmem.sidecar.starting import home
from gitmem.sidecar.wire import Place
from gitmem.transcripts.places import places as transcript_places
from indexer.service.events import hints
from indexer.service.log import Log

_LOOKED_EVERY_S: Final = 60.0
_QUIET_MS: Final = 2000
_MOST_MS: Final = 10_000
_AT_MOST_EVERY_S: Final = 10.0
_SUFFIXES: Final = (".json", ".jsonl")

# Its standard input is a pipe that we hold, so that it ends when we do.
_CAPTURE: Final = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from indexer.service.children import end_with_parent, give_way
give_way()
end_with_parent(0)
from gitmem.cli.main import main
sys.exit(main())
"""


class LiveCapture:
    """Watches the agents' folders for the repositories that want it."""

    def __init__(self, repositories: Callable[[], list[Place]], environ: Mapping[str, str], log: Log) -> None:
        self._repositories, self._environ, self._log = repositories, environ, log
        self._end = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="live capture", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def end(self) -> None:
        """Capture no more; one that is under way is ended."""
        self._end.set()
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join()

    def _run(self) -> None:
        # Not at once: what is known is still being read then, and whoever started us waits for an answer.
        while not self._end.wait(_QUIET_MS / 1000):
            tops = list(self._live())
            if tops:
                self._capture_while_hinted(tops, self._folders())
            else:
                self._end.wait(_LOOKED_EVERY_S)

    def _capture_while_hinted(self, tops: list[Path], folders: list[Path]) -> None:
        """Capture, until nobody wants it or other folders are to be watched."""
        looked_at = time.monotonic()
        is_due = True  # for something may have been written before anybody watched
        for has_changed in hints(
            folders,
            is_wanted=lambda path: path.endswith(_SUFFIXES),
            stop=self._end,
            timeout_s=_AT_MOST_EVERY_S,
            quiet_ms=_QUIET_MS,
            most_ms=_MOST_MS,
            recursive=True,
        ):
            if has_changed or is_due:
                is_due = False
                for top in tops:
                    self._capture(top)
                self._end.wait(_AT_MOST_EVERY_S)  # what happens meanwhile is a hint then
            if time.monotonic() - looked_at >= _LOOKED_EVERY_S:
                looked_at = time.monotonic()
                before, tops = tops, list(self._live())
                is_due = not set(before).issuperset(tops)
                if not tops or self._folders() != folders:
                    return

    def _capture(self, top: Path) -> None:
        if self._end.is_set() or not top.is_dir():
            return
        command = [sys.executable, "-E", "-P", "-c", _CAPTURE, home(), "capture"]
        with subprocess.Popen(
            command,
            cwd=top,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as self._process:
            if self._process.wait() and not self._end.is_set():
                self._log.note(f"a capture ended with {self._process.returncode}")
        self._process = None

    def _live(self) -> Iterator[Path]:
        """Yield the working trees of the repositories that have it set."""
        for place in self._repositories():
            common_dir = Path(place.common_dir)
            if common_dir.name != ".git":
                continue  # bare, or a submodule's, which its superproject's sessions are about
            try:
                settings = load(discover(common_dir, Git(self._environ)), self._environ)
            except GitmemError:
                continue  # gone, or not ours: whoever works there is told
            if settings.live:
                yield common_dir.parent

    def _folders(self) -> list[Path]:
        home = Path(self._environ.get("HOME") or "/")
        return [folder for _, folder in transcript_places(home, self._environ) if folder.is_dir()]
