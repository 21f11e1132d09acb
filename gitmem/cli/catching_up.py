"""Catching up with what `git pull` fetched, before a command reads; a search loads this too."""

from __future__ import annotations

from collections.abc import Callable

from gitmem.cli.context import Context
from gitmem.cli.text import one_line
from gitmem.sharing import catching_up
from gitmem.sharing.catching_up import Caught


def catch_up(context: Context, unite: Callable[[Context], Caught]) -> None:
    """Unite what the chosen remotes had when last fetched with what is here; a failure is only told."""
    for failure in catching_up.catch_up(context.repository, context.settings, lambda: unite(context)):
        context.output.warn(f"not all is shown: {one_line(failure)}")
