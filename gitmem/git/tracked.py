"""Telling whether a file in a working tree is the user's own, or came with the repository."""

from __future__ import annotations

import os
from pathlib import Path

from gitmem.git.process import Git


def is_tracked(path: Path, top: Path, git: Git) -> bool:
    """Tell whether git tracks a file of the working tree at `top`; where git cannot tell, it may.

    Raises:
        GitMissing: There is no git.
    """
    answer = git.elsewhere().run(
        ["--literal-pathspecs", "ls-files", "-z", "--", os.path.relpath(path, top)],
        doing=f"find out whether git tracks {path}",
        cwd=top,
        accept=range(256),
    )
    return answer.status != 0 or bool(answer.stdout)
