"""Starting the indexer: by the interpreter that we run by, from the installation that we are of.

-E and -P keep PYTHONPATH and the current directory out, so that a repository with an `indexer/` of its own is
not run by accident.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

import gitmem

START: Final = """\
import sys
home = sys.argv.pop(1)
if home not in sys.path:
    sys.path.insert(0, home)
from indexer.__main__ import main
sys.exit(main())
"""


def home() -> str:
    """Return the folder that this installation's packages are in."""
    return os.path.dirname(os.path.dirname(os.path.realpath(gitmem.__file__)))  # noqa: PTH120 (cheaper)


def command(*arguments: str, program: str = START) -> list[str]:
    """Return the command line of an indexer: for one request, or with arguments as its `main` has them."""
    return [sys.executable, "-E", "-P", "-c", program, home(), *arguments]


def start_detached(environ: Mapping[str, str], idle_minutes: int, wait_s: int = 0) -> None:
    """Start a sidecar that outlives us, without waiting for it; where one is running already it ends at once.

    With `wait_s` it waits that long for another one to go.
    """
    own = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    nowhere = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
    os.posix_spawn(
        sys.executable,
        command("serve", str(idle_minutes), str(wait_s)),
        own,
        file_actions=[nowhere, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)],
    )
