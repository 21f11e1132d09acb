"""The answer to how an index is: looked at, and left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitmem.model.errors.searching import SemanticLibraryMissing
from gitmem.sidecar.wire import Json, Place
from gitmem.verbs.absent_table import read_absent
from indexer.lexical import Damaged, LexicalIndex
from indexer.requests.shelf import count_behind, load_numpy, tip_of
from indexer.upkeep import state as states
from indexer.upkeep.state import State


def status(place: Place, environ: Mapping[str, str], model_dir: str | None) -> Json:
    """Say what state an index is in, without changing it."""
    tip = tip_of(place, environ)
    root = states.root_of(Path(place.common_dir))
    loaded = states.load(root)
    condition = states.examine(loaded, place.ref, tip.name)
    answer: Json = {"state": condition, "memory": tip.commit, "commit": None, "behind": 0}
    answer |= {
        "turns": 0,
        "sessions": 0,
        "not_here": 0,
        "unreadable": [],
        "vectors": 0,
        "unembedded": 0,
        "path": str(root),
    }
    if isinstance(loaded, State):
        try:
            counted = LexicalIndex(root / loaded.folder).count()
        except Damaged:
            answer["state"] = "corrupt"
        else:
            answer |= counted._asdict()
            if model_dir is not None:
                answer |= _vectors(place, loaded, model_dir)
        answer["commit"] = loaded.commit
        if not loaded.is_at(tip.name):
            answer["behind"] = count_behind(place, environ, loaded)
        elif condition == "behind":
            answer["state"] = "current"  # but another version of gitmem looked at it last
        absent = read_absent(Path(place.common_dir) / "gitmem", place.ref)
        answer["not_here"] = len(absent)
        answer["unreadable"] = [
            {"session": session, "why": why}
            for session, why in sorted(loaded.unreadable.items())
            if session not in absent
        ]
    files = (path for path in root.parent.rglob("*") if path.is_file())
    answer["size_bytes"] = sum(map(_size_of, files))
    return answer


def _vectors(place: Place, state: State, model_dir: str) -> Json:
    from indexer.model.installed import is_installed

    if not is_installed(Path(model_dir)):
        return {}
    try:
        load_numpy()
    except SemanticLibraryMissing:
        return {}  # as if there were no model, which cannot be used
    from indexer.upkeep.embedding import count_embedded

    embedded = count_embedded(place, state)
    return {"vectors": embedded.vectors, "unembedded": embedded.missing}


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # merged away meanwhile
