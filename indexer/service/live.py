"""Capturing while agents write: what grows in their folders of transcripts is taken in soon after.

In every known repository, unless its `gitmem.live` says false. Events say when to look; a scan says whose
sessions have grown, and `gitmem capture` runs in those repositories alone.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.git.settings import load
from gitmem.git.worktrees import working_trees
from gitmem.model.errors.base import GitmemError
from gitmem.sidecar.starting import home
from gitmem.sidecar.wire import Place
from gitmem.transcripts.places import SUFFIXES
from gitmem.transcripts.places import places as transcript_places
from gitmem.verbs.scanning import scan
from indexer.service.events import hints
from indexer.service.log import Log

_LOOKED_EVERY_S: Final = 60.0
_QUIET_MS: Final = 2000
_MOST_MS: Final = 10_000
_AT_MOST_EVERY_S: Final = 10.0

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


class _Choice(NamedTuple):
    """Whether a repository wants it, as of the time at which its configuration last changed."""

    mtime_ns: int
    is_live: bool
    repository: Repository


class LiveCapture:
    """Watches the agents' folders for the repositories that want it.

    `state_folder` is the sidecar's own. What a capture makes in a repository is as `umask` has it.
    """

    def __init__(
        self,
        repositories: Callable[[], list[Place]],
        environ: Mapping[str, str],
        state_folder: Path,
        umask: int,
        log: Log,
    ) -> None:
        self._repositories, self._environ = repositories, environ
        self._state_folder, self._umask, self._log = state_folder, umask, log
        self._choices: dict[Path, _Choice] = {}
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
            live = self._live()
            if live:
                self._capture_while_hinted(live, self._folders())
            else:
                self._end.wait(_LOOKED_EVERY_S)

    def _capture_while_hinted(self, live: dict[Path, Path], folders: list[Path]) -> None:
        """Capture, until nobody wants it or other folders are to be watched."""
        looked_at = time.monotonic()
        is_due = True  # for something may have been written before anybody watched
        for has_changed in hints(
            folders,
            is_wanted=lambda path: path.endswith(SUFFIXES),
            stop=self._end,
            timeout_s=_AT_MOST_EVERY_S,
            quiet_ms=_QUIET_MS,
            most_ms=_MOST_MS,
            recursive=True,
        ):
            if has_changed or is_due:
                is_due = False
                self._capture_grown(live)
                self._end.wait(_AT_MOST_EVERY_S)  # what happens meanwhile is a hint then
            if time.monotonic() - looked_at >= _LOOKED_EVERY_S:
                looked_at = time.monotonic()
                before, live = live, self._live()
                is_due = not before.keys() >= live.keys()
                if not live or self._folders() != folders:
                    return

    def _capture_grown(self, live: dict[Path, Path]) -> None:
        """Capture in the repositories of which a session has grown; one that fails is tried again."""
        found = scan(self._state_folder, list(live), self._home(), self._environ, time.time_ns())
        grown = {source.path for source in found.grown}
        top_of = {ours.path: ours.top for ours in found.ours if ours.path in grown}
        is_taken = {
            common_dir: self._capture(common_dir)
            for common_dir in sorted({live[top] for top in top_of.values()})
        }
        found.settle([path for path, top in top_of.items() if not is_taken[live[top]]])

    def _capture(self, common_dir: Path) -> bool:
        if self._end.is_set() or not common_dir.is_dir():
            return False
        command = [sys.executable, "-E", "-P", "-c", _CAPTURE, home(), "capture"]
        with subprocess.Popen(
            command,
            cwd=_beside(common_dir),
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=self._umask,
        ) as self._process:
            status = self._process.wait()
        self._process = None
        if status and not self._end.is_set():
            self._log.note(f"a capture ended with {status}")
        return not status

    def _live(self) -> dict[Path, Path]:
        """Return the working trees of the repositories that want it, each with its git directory."""
        found: dict[Path, Path] = {}
        for place in self._repositories():
            common_dir = Path(place.common_dir)
            choice = self._choice(common_dir)
            if choice is not None and choice.is_live:
                found |= dict.fromkeys(working_trees(choice.repository), common_dir)
        return found

    def _choice(self, common_dir: Path) -> _Choice | None:
        """Return what a repository wants; git is asked again only where its configuration has changed."""
        try:
            mtime_ns = (common_dir / "config").stat().st_mtime_ns
            known = self._choices.get(common_dir)
            if known is None or known.mtime_ns != mtime_ns:
                repository = discover(_beside(common_dir), Git(self._environ))
                known = _Choice(mtime_ns, load(repository, self._environ).live, repository)
                self._choices[common_dir] = known
        except (OSError, GitmemError):
            return None  # gone, or not ours: whoever works there is told
        return known

    def _folders(self) -> list[Path]:
        return [folder for _, folder in transcript_places(self._home(), self._environ) if folder.is_dir()]

    def _home(self) -> Path:
        return Path(self._environ.get("HOME") or "/")


def _beside(common_dir: Path) -> Path:
    """Return where a repository is found: older gits may be told to find none from within its directory."""
    return common_dir.parent if common_dir.name == ".git" else common_dir
