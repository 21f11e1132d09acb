"""`gitmem model`, as people and programs run it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from indexer.model.installed import folder_of
from tests.conftest import CommandLine, RealGit
from tests.embedding.hubs import Hub, served


def state(run: CommandLine, *args: str, cwd: Path, **environ: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("model", *args, "--json", cwd=cwd, environ=environ).stdout)
    return answer


def test_it_goes_from_missing_to_installed_to_missing_outside_any_repository(
    run: CommandLine, tmp_path: Path, home: Path, published_model: Path
) -> None:
    assert state(run, "status", cwd=tmp_path)["state"] == "missing"
    (tmp_path / "here").symlink_to(published_model)
    assert run("model", "install", "here", cwd=tmp_path).stdout.startswith(
        "installed\nall-MiniLM-L6-v2, 384 "
    )
    found = state(run, "status", cwd=tmp_path)
    assert (found["state"], found["dimensions"], found["changed"]) == ("installed", 384, False)
    assert Path(found["path"]).parent == home / ".cache/gitmem/models"
    assert run("model", "install", cwd=tmp_path).stdout.startswith("nothing to do\ninstalled\n")
    assert run("model", "remove", cwd=tmp_path).stdout == "missing\n"
    assert run("model", "remove", cwd=tmp_path).stdout == "nothing to do\nmissing\n"


def test_folder_is_the_settings_before_the_users_own(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path, home: Path
) -> None:
    def place(cwd: Path, **environ: str) -> Path:
        return Path(state(run, "status", cwd=cwd, **environ)["path"]).parent

    assert place(repository) == home / ".cache/gitmem/models"
    assert place(tmp_path, XDG_CACHE_HOME="") == home / ".cache/gitmem/models"
    assert place(tmp_path, XDG_CACHE_HOME=str(tmp_path)) == tmp_path / "gitmem/models"
    git("config", "gitmem.modelDir", "~/models", cwd=repository)
    assert place(repository) == home / "models"
    assert place(tmp_path) == home / ".cache/gitmem/models"
    for cwd in (repository, tmp_path):
        assert place(cwd, GITMEM_MODEL_DIR=str(tmp_path / "m")) == tmp_path / "m"
        finished = run("model", "status", cwd=cwd, environ={"GITMEM_MODEL_DIR": "m"}, status=2)
        assert "an absolute path" in finished.stderr


def test_hub_is_where_the_environment_says(run: CommandLine, tmp_path: Path) -> None:
    with served(Hub({})) as hub:
        finished = run(
            "model", "install", "hub", cwd=tmp_path, environ={"HF_ENDPOINT": hub.address}, status=1
        )
    assert len(hub.asked) == 1
    assert "404 Not Found" in finished.stderr
    assert "hint: gitmem model install PATH:" in finished.stderr


def test_damage_is_shown(run: CommandLine, tmp_path: Path, model_dir: Path) -> None:
    shutil.copytree(folder_of(model_dir), folder_of(tmp_path))
    (folder_of(tmp_path) / "model.onnx").write_bytes(b"")
    finished = run("model", "status", cwd=tmp_path, environ={"GITMEM_MODEL_DIR": str(tmp_path)})
    assert finished.stdout == "damaged\n"
    assert "it is not what was installed" in finished.stderr


@pytest.mark.parametrize("args", [("install", "a", "b"), ("status", "x"), ("upgrade",)])
def test_usage_that_makes_no_sense_ends_with_2(
    run: CommandLine, tmp_path: Path, args: tuple[str, ...]
) -> None:
    run("model", *args, cwd=tmp_path, status=2)
