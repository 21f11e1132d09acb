"""Which working tree a session belongs to: the innermost repository of the directory that it began in."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path


class Belonging:
    """Tells of directories whose they are, among some working trees; asks the disk once for each."""

    def __init__(self, tops: Sequence[Path]) -> None:
        self._tops = frozenset(map(str, tops))
        self._known: dict[str, Path | None] = {
            f"sha256:{hashlib.sha256(os.fsencode(top)).hexdigest()}": top for top in tops
        }

    def top_of(self, cwd: str | None) -> Path | None:
        """Return the working tree that a session which began in `cwd` belongs to.

        `cwd` is a directory, or `sha256:` and the digest of one, which is known of the tops alone. None where
        it is none of these: a session that began in a submodule or in a nested clone is not the outer
        repository's.
        """
        if not cwd:
            return None
        if cwd not in self._known:
            self._known[cwd] = self._find(cwd)
        return self._known[cwd]

    def _find(self, cwd: str) -> Path | None:
        if not cwd.startswith("/") or ".." in cwd.split("/"):
            return None
        at = os.path.normpath(cwd)
        top = self._climb(at)
        if top is not None:
            return top
        behind_links = os.path.realpath(cwd)
        return self._climb(behind_links) if behind_links != at else None

    def _climb(self, at: str) -> Path | None:
        while at not in self._tops:
            above = os.path.dirname(at)  # noqa: PTH120 (this is asked of every session of a machine)
            if above == at or os.path.lexists(f"{at}/.git"):
                return None
            at = above
        return Path(at)
