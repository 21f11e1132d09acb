"""Erasing: an index, and the vectors beside it, are rid of what the memory has no more, and that is told.

What another process has open of a file that was removed stays readable to it until it closes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem import disk
from gitmem.model.errors.searching import SemanticLibraryMissing
from gitmem.model.errors.store import DiskRefused
from gitmem.sidecar.wire import Json, Place
from indexer.lexical import Damaged
from indexer.requests.shelf import LONG_PATIENCE_S, bring_up, load_numpy
from indexer.upkeep import state as states
from indexer.upkeep.state import State

if TYPE_CHECKING:
    from indexer.teller import Teller


def erase(place: Place, environ: Mapping[str, str], teller: Teller) -> Json:
    """Bring an index up, and leave nothing in its files of sessions that have gone; where there is none, do
    nothing.

    Returns:
        How many files were written and removed, with their bytes; how many vectors went; and whether the
        index had to be made anew.

    Raises:
        StoreBusy: Another process has been changing the index for long.
        StoreError: The memory cannot be read.
        DiskRefused: The disk does not let it; the next update goes on with it.
    """
    root = states.root_of(Path(place.common_dir))
    before = _files(root.parent)
    loaded = states.load(root)
    vectors, made_anew = 0, False
    if before:
        state = bring_up(place, environ, teller, LONG_PATIENCE_S, is_thorough=True)
        made_anew = isinstance(loaded, State) and loaded.folder != state.folder
        vectors = _drop_vectors(place, state)
    after = _files(root.parent)
    written, removed = after.keys() - before.keys(), before.keys() - after.keys()
    return {
        "made_anew": made_anew,
        "files_written": len(written),
        "bytes_written": sum(after[each] for each in written),
        "files_removed": len(removed),
        "bytes_removed": sum(before[each] for each in removed),
        "vectors_removed": vectors,
    }


def _drop_vectors(place: Place, state: State) -> int:
    folder = states.vectors_of(Path(place.common_dir))
    if not folder.is_dir():
        return 0
    try:
        load_numpy()
    except SemanticLibraryMissing:
        # Nobody can tell them apart, and they can be made again.
        disk.remove_folder(folder)
        return 0
    from indexer.upkeep.embedding import drop_gone

    try:
        return drop_gone(place, state)
    except Damaged as error:  # it was whole a moment ago
        raise DiskRefused(
            "read the search index in", str(states.root_of(Path(place.common_dir))), str(error)
        ) from error


def _files(folder: Path) -> dict[tuple[Path, int], int]:
    """Return the sizes of all files below a folder; one that is replaced is another."""
    found: dict[tuple[Path, int], int] = {}
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue  # removed meanwhile
        if path.is_file():
            found[path, status.st_ino] = status.st_size
    return found
