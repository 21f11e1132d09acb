"""Giving every text its vector: what the index has and the store of vectors has not is embedded.

A text is embedded once, whatever happens to the index: its key is a digest of it. Each piece is stored when
it is done, so what is killed goes on where it was. `embedded.json` says up to which round of which index all
texts have been looked at, so that an index that grew a little is not gone through as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gitmem import disk
from gitmem.model.errors.store import DiskRefused
from gitmem.sidecar.wire import Place
from indexer.lexical import Damaged, LexicalIndex
from indexer.upkeep import state as states
from indexer.upkeep.documents import meant_by
from indexer.upkeep.state import State

if TYPE_CHECKING:
    from indexer.model.embedder import Embedder
    from indexer.teller import Teller

PIECE_TEXTS: Final = 512
"""Texts that are embedded together and stored together: some seconds of work."""

_DONE: Final = "embedded.json"
_PATIENCE_S: Final = 3600.0


class Embedded(NamedTuple):
    """How many vectors there are, and how many texts have none yet."""

    vectors: int
    missing: int


def folder_of(common_dir: Path, model_id: str) -> Path:
    """Return where a repository's vectors of one model are."""
    return states.vectors_of(common_dir) / model_id


def embed_missing(place: Place, open_embedder: Callable[[], Embedder], teller: Teller) -> None:
    """Embed what has no vector yet, and take away what no turn says any more.

    Raises:
        ModelMissing, ModelDamaged, SemanticLibraryMissing: There is no model to do it with.
        StoreBusy: Another process has been at it for an hour.
        DiskRefused: The disk does not let it; what was embedded so far is kept.
    """
    from indexer.model.pinned import model_id

    folder = folder_of(Path(place.common_dir), model_id())
    with disk.locked(folder.parent / "lock", _PATIENCE_S):
        while (state := _state(place)) is not None:
            try:
                _embed(place, state, folder, open_embedder, teller)
            except Damaged as error:
                now = _state(place)
                if now is not None and now.folder != state.folder:
                    continue  # made anew by another process meanwhile
                raise DiskRefused(
                    "read the search index in", str(states.root_of(Path(place.common_dir))), str(error)
                ) from error
            if _state(place) == state:
                return


def count_embedded(place: Place, state: State) -> Embedded:
    """Count vectors, and the texts of an index that have none.

    Raises:
        Damaged: The index cannot be read.
    """
    from indexer.model.pinned import model_id
    from indexer.vectors.store import Vectors

    folder = folder_of(Path(place.common_dir), model_id())
    store = Vectors.open(folder, model_id(), with_graphs=False)
    since = 0 if store.damaged else _first_round(folder, state)
    wanted = LexicalIndex(states.root_of(Path(place.common_dir)) / state.folder).embedded(since)
    return Embedded(store.count, len(store.missing(wanted)))


def drop_gone(place: Place, state: State) -> int:
    """Take away the vectors of what no turn of an index says any more; return how many went.

    Whoever embeds meanwhile is not waited for, which may take hours: they do the same at their end, since the
    index has another state then. The graphs of what stays are made by who embeds next.

    Raises:
        Damaged: The index cannot be read.
        StoreBusy: Another process has been writing vectors for long.
        DiskRefused: The disk does not let it.
    """
    from indexer.model.pinned import model_id
    from indexer.vectors import writing

    folder = folder_of(Path(place.common_dir), model_id())
    index = LexicalIndex(states.root_of(Path(place.common_dir)) / state.folder)
    gone = writing.keep_only(folder, model_id(), frozenset(index.embedded(0)))
    writing.remove_others(folder.parent, model_id())
    return gone


def is_complete(place: Place, state: State, model_id: str) -> bool:
    """Tell whether all texts of an index have been embedded, without looking at them."""
    return _read_done(folder_of(Path(place.common_dir), model_id)) == _done_with(state)


def _embed(
    place: Place, state: State, folder: Path, open_embedder: Callable[[], Embedder], teller: Teller
) -> None:
    import numpy as np

    from indexer.model.pinned import model_id
    from indexer.vectors import writing
    from indexer.vectors.store import Vectors

    store = Vectors.open(folder, model_id(), with_graphs=False)
    since = 0 if store.damaged else _first_round(folder, state)
    index = LexicalIndex(states.root_of(Path(place.common_dir)) / state.folder)
    wanted = index.embedded(since)
    missing = store.missing(wanted)
    if not since:
        # First of all, and whether or not there is a model to go on with.
        writing.keep_only(folder, model_id(), frozenset(wanted))
    if missing:
        embedder = open_embedder()
        for done, piece in _pieces(missing):
            teller.progress(done, len(missing))
            texts = [_text(index.stored(wanted[key])) for key in piece]
            writing.append(folder, model_id(), np.array(piece, np.uint64), embedder.embed(texts))
    writing.build_graphs(folder, model_id())
    writing.remove_others(folder.parent, model_id())
    disk.replace_file(folder / _DONE, json.dumps(_done_with(state)).encode(), mode=0o600)


def _pieces(keys: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(keys), PIECE_TEXTS):
        yield start, keys[start : start + PIECE_TEXTS]


def _text(stored: Mapping[str, Any]) -> str:
    speaker = None if stored["address"] else stored["author"]
    return meant_by(stored["role"], stored["kind"], stored["text"], speaker)


def _first_round(folder: Path, state: State) -> int:
    """Return the first round that has not been looked at; 0 where all of them have to be."""
    done = _read_done(folder)
    if done.get("index") != state.folder or done.get("removals") != state.worn.removals:
        return 0
    number = done.get("round")
    return number + 1 if isinstance(number, int) else 0


def _done_with(state: State) -> dict[str, object]:
    return {"index": state.folder, "round": state.round, "removals": state.worn.removals}


def _read_done(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / _DONE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}  # never written, or not by us: everything is looked at again
    return found if isinstance(found, dict) else {}


def _state(place: Place) -> State | None:
    loaded = states.load(states.root_of(Path(place.common_dir)))
    return loaded if isinstance(loaded, State) else None
