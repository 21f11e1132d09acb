"""Who is told what goes on while something takes its time."""

from __future__ import annotations

from typing import Protocol


class Teller(Protocol):
    """Is told what goes on, from several threads perhaps."""

    def notice(self, text: str) -> None:
        """Take a sentence for whoever waits."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Take how many are done, and of how many."""
        ...
