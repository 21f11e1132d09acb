"""The embedding model that the rows by meaning need: installed for the run, and opened for the baselines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from gitmem.model.errors.base import GitmemError
from tests.recall import asking

Embed: TypeAlias = Callable[[Sequence[str]], Any]
"""Turns texts into unit vectors, a row each."""


class NoModel(Exception):
    """Rows that need a model cannot be measured; the text says why."""


def opened(folder: Path) -> Embed:
    """Return the model, which the command line finds by GITMEM_MODEL_DIR from now on.

    That one is used where it is set already; else the model is installed into `folder` from the published files
    that the tests have theirs from.

    Raises:
        NoModel: There is none.
    """
    try:
        from indexer.model.embedder import Embedder
        from tests.embedding.installed import published
    except ImportError as error:
        raise NoModel(str(error)) from error
    if "GITMEM_MODEL_DIR" not in os.environ:
        folder.mkdir()
        os.environ["GITMEM_MODEL_DIR"] = str(folder / "models")
        try:
            asking.call("model", "install", str(published(folder, dict(os.environ))), cwd=folder)
        except (OSError, subprocess.CalledProcessError, asking.Refused) as error:
            del os.environ["GITMEM_MODEL_DIR"]
            raise NoModel(str(error)) from error
    try:
        return Embedder.open(Path(os.environ["GITMEM_MODEL_DIR"])).embed
    except GitmemError as error:
        raise NoModel(str(error)) from error
