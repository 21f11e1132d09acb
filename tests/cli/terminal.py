"""A terminal to run gitmem in: a real pseudo-terminal, whose screen is what the program wrote to it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import IMPORTED_FROM


def run_on_terminal(*args: str, cwd: Path, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a script of Python or, with `-m gitmem`, the command line; return its status and what it showed.

    Standard output and standard error are the same terminal; standard input is empty, so a pager that asks
    for keys gets none.
    """
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM), **(environ or {})},
    )
    os.close(terminal)
    shown = bytearray()
    while True:
        try:
            chunk = os.read(screen, 65536)
        except OSError:  # How Linux says that the last writer has closed a terminal.
            break
        if not chunk:
            break
        shown += chunk
    os.close(screen)
    return process.wait(), shown.decode().replace("\r\n", "\n")
