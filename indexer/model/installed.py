"""What an install publishes, and whether it is still what was published.

A folder with the graph, the tokenizer and `model.json`, which has the length and checksum of each of them.
The folder is put in place by one rename, so it is there whole or not at all; what happens to it afterwards,
the checksums tell.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import gitmem
from gitmem.model.errors.searching import ModelDamaged, ModelMissing
from indexer.model.pinned import DIMENSIONS, NAME, RECIPE, TOKENIZER, WEIGHTS, model_id

GRAPH_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
FACTS_FILE: Final = "model.json"

_VERSION: Final = 1


class Contents(NamedTuple):
    """The files of an installed model."""

    graph: bytes
    tokenizer: bytes

    @property
    def size_bytes(self) -> int:
        """What they take together."""
        return len(self.graph) + len(self.tokenizer)


def folder_of(model_dir: Path) -> Path:
    """Return where this version's model is, among all that are in a folder for models."""
    return model_dir / f"{NAME}-int8-{RECIPE}"


def is_installed(model_dir: Path) -> bool:
    """Tell whether a model is there, whole or not."""
    return folder_of(model_dir).is_dir()


def facts_of(contents: Contents) -> bytes:
    """Return `model.json` for an install of these files."""
    facts = {
        "version": _VERSION,
        "name": NAME,
        "id": model_id(),
        "dimensions": DIMENSIONS,
        "made_from": {pinned.name: pinned.sha256 for pinned in (WEIGHTS, TOKENIZER)},
        "made_by": f"gitmem {gitmem.__version__}",
        "files": {
            GRAPH_FILE: _fingerprint(contents.graph),
            TOKENIZER_FILE: _fingerprint(contents.tokenizer),
        },
    }
    return json.dumps(facts, indent=2).encode() + b"\n"


def load(model_dir: Path) -> Contents:
    """Read the installed model, every byte of it checked.

    Raises:
        ModelMissing: Nothing is installed there.
        ModelDamaged: It is not what was installed.
    """
    folder = folder_of(model_dir)
    try:
        text = (folder / FACTS_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if not folder.exists():
            raise ModelMissing from None
        raise ModelDamaged(str(folder), f"{FACTS_FILE} is missing") from None
    except OSError as error:
        raise ModelDamaged(str(folder), error.strerror or str(error)) from error
    files = _files_in(folder, text)
    return Contents(_read(folder, GRAPH_FILE, files), _read(folder, TOKENIZER_FILE, files))


def _files_in(folder: Path, text: bytes) -> Mapping[str, object]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelDamaged(str(folder), f"{FACTS_FILE} cannot be read: {error}") from None
    match facts:
        case {"version": version, "id": found, "files": dict(files)}:
            if (version, found) != (_VERSION, model_id()):
                raise ModelDamaged(str(folder), f"expected model {model_id()}, found {found}")
            return files
        case _:
            raise ModelDamaged(str(folder), f"{FACTS_FILE} does not say which model it is")


def _read(folder: Path, name: str, files: Mapping[str, object]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ModelDamaged(str(folder / name), error.strerror or str(error)) from error
    if _fingerprint(content) != files.get(name):
        raise ModelDamaged(str(folder / name), "it is not what was installed")
    return content


def _fingerprint(content: bytes) -> dict[str, int]:
    return {"size_bytes": len(content), "crc32": zlib.crc32(content)}
