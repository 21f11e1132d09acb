"""Answers to requests about the embedding model (docs/formats/wire.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gitmem.model.errors.searching import ModelDamaged, ModelMissing
from gitmem.sidecar.wire import Json, ModelRequest
from indexer.model.embedder import require_libraries
from indexer.model.install import LIBRARIES, install, remove
from indexer.model.installed import folder_of, load
from indexer.model.pinned import DIMENSIONS, NAME, model_id

if TYPE_CHECKING:
    from indexer.teller import Teller


def answer_model(request: ModelRequest, teller: Teller) -> Iterator[Json]:
    """Do what is asked and yield the state that the model is in then.

    Raises:
        GitmemError: An expected failure, for whoever asked.
    """
    model_dir = Path(request.model_dir)
    match request.verb:
        case "model-status":
            require_libraries(LIBRARIES)
            yield _status(model_dir, changed=False)
        case "model-install":
            changed = install(model_dir, request.source, request.hub, teller)
            yield _status(model_dir, changed=changed)
        case "model-remove":
            changed = remove(model_dir)
            yield _status(model_dir, changed=changed)


def _status(model_dir: Path, *, changed: bool) -> Json:
    state, size_bytes, why = "installed", 0, ""
    try:
        size_bytes = load(model_dir).size_bytes
    except ModelMissing:
        state = "missing"
    except ModelDamaged as error:
        state, why = "damaged", str(error)
    return {
        "state": state,
        "why": why,
        "changed": changed,
        "name": NAME,
        "id": model_id(),
        "dimensions": DIMENSIONS,
        "size_bytes": size_bytes,
        "path": str(folder_of(model_dir)),
    }
