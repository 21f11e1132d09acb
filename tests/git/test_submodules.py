"""A superproject and its submodules are found from anywhere inside, and nothing else is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.submodules import Superproject, survey, with_submodules
from tests.conftest import RealGit


@pytest.fixture
def fleet(tmp_path: Path, git: RealGit) -> Path:
    """Return a superproject with a submodule, which has one itself, and one that is not checked out."""
    for name in ("anchor", "brig", "cutter", "fleet"):
        git("init", "--quiet", str(tmp_path / "origin" / name), cwd=tmp_path)
        git.commit(tmp_path / "origin" / name)
    add_submodule(git, tmp_path / "origin" / "brig", tmp_path / "origin" / "anchor", "gear/anchor")
    top = tmp_path / "origin" / "fleet"
    add_submodule(git, top, tmp_path / "origin" / "brig", "ships/brig")
    add_submodule(git, top, tmp_path / "origin" / "cutter", "ships/cutter")
    git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive", cwd=top
    )
    git("submodule", "--quiet", "deinit", "--force", "ships/cutter", cwd=top)
    return top


def add_submodule(git: RealGit, top: Path, origin: Path, path: str) -> None:
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(origin), path, cwd=top)
    git("commit", "--quiet", "-m", f"add {path}", cwd=top)


def tops(start: Path, environ: Mapping[str, str]) -> list[Path]:
    git = Git(environ)
    found = with_submodules(discover(start, git), git)
    assert all(each.top is not None for each in found)
    return [each.top for each in found if each.top is not None]


def surveyed(start: Path, environ: Mapping[str, str]) -> Superproject:
    git = Git(environ)
    return survey(discover(start, git), git)


def test_all_that_are_checked_out_are_found_from_anywhere_inside(
    fleet: Path, environ: Mapping[str, str]
) -> None:
    expected = [fleet, fleet / "ships/brig", fleet / "ships/brig/gear/anchor"]
    (fleet / "below").mkdir()
    for start in (
        *expected,
        fleet / "below",
        fleet / "ships",
        fleet / "ships/cutter",
        fleet / "ships/brig/gear",
    ):
        assert tops(start, environ) == expected


def test_repository_without_submodules_is_alone(repository: Path, environ: Mapping[str, str]) -> None:
    assert tops(repository, environ) == [repository]


def test_bare_repository_and_git_directory_are_alone(
    fleet: Path, environ: Mapping[str, str], git: RealGit, tmp_path: Path
) -> None:
    git("clone", "--quiet", "--bare", str(fleet), str(tmp_path / "bare.git"), cwd=tmp_path)
    runner = Git(environ)
    for start in (tmp_path / "bare.git", fleet / ".git"):
        assert len(with_submodules(discover(start, runner), runner)) == 1


def test_linked_worktree_has_the_submodules_that_it_checked_out(
    fleet: Path, environ: Mapping[str, str], git: RealGit, tmp_path: Path
) -> None:
    git("worktree", "add", "--quiet", str(tmp_path / "side"), cwd=fleet)
    assert tops(tmp_path / "side", environ) == [tmp_path / "side"]


def test_what_a_hook_is_told_bends_nothing(fleet: Path, environ: Mapping[str, str], tmp_path: Path) -> None:
    brig = fleet / "ships/brig"
    hook = {**environ, "GIT_DIR": str(fleet / ".git/modules/ships/brig"), "GIT_WORK_TREE": str(brig)}
    assert tops(brig, hook) == [fleet, brig, brig / "gear/anchor"]


@pytest.mark.parametrize(
    "path",
    ["../outside", "/", "ships/../../outside", "link", "", ".", "..", "none", "plain", "a.txt", ".git"],
)
def test_list_that_leads_elsewhere_is_not_followed(
    repository: Path, environ: Mapping[str, str], git: RealGit, tmp_path: Path, path: str
) -> None:
    git("init", "--quiet", str(tmp_path / "outside"), cwd=tmp_path)
    (repository / "link").symlink_to(tmp_path / "outside")
    (repository / "plain").mkdir()
    listed(repository, path)
    assert tops(repository, environ) == [repository]


def test_files_of_a_git_directory_are_no_submodule(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("init", "--quiet", "--bare", str(repository / "hold"), cwd=repository)
    git("init", "--quiet", str(repository / "real"), cwd=repository)
    listed(repository, "hold", "real/.git", "real")
    assert tops(repository, environ) == [repository, repository / "real"]


@pytest.mark.parametrize("path", ["a b", "naïve", "a=b", "$(touch x)", 'say "hi"', "潮", "back\\slash"])
def test_any_name_of_a_folder_will_do(
    repository: Path, environ: Mapping[str, str], git: RealGit, path: str
) -> None:
    git("init", "--quiet", str(repository / path), cwd=repository)
    listed(repository, path)
    assert tops(repository, environ) == [repository, repository / path]


def test_submodule_that_is_named_twice_is_found_once(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("init", "--quiet", str(repository / "one"), cwd=repository)
    listed(repository, "one", "one", "./one", "one/")
    assert tops(repository, environ) == [repository, repository / "one"]


def test_submodule_that_git_cannot_open_is_left_out(fleet: Path, environ: Mapping[str, str]) -> None:
    (fleet / "ships/brig/.git").write_text("gitdir: ../../nowhere\n")
    assert tops(fleet, environ) == [fleet]
    shutil.rmtree(fleet / "ships/brig")
    assert tops(fleet, environ) == [fleet]


@pytest.mark.parametrize(("where", "left"), [(".", 0), ("ships/brig", 2)])
def test_list_that_is_broken_is_refused_and_the_rest_found(
    fleet: Path, environ: Mapping[str, str], where: str, left: int
) -> None:
    (fleet / where / ".gitmodules").write_text('[submodule "x\n\tpath = x')
    found = surveyed(fleet, environ)
    assert len(found.repositories) == max(left, 1)
    [refused] = [each for each in found.submodules if each.state == "refused"]
    assert refused.path == str(Path(where, ".gitmodules"))
    assert "bad config" in refused.why


def listed(top: Path, *paths: str) -> None:
    """Write a list of submodules as git would, whether they are there or not."""
    lines = []
    for n, path in enumerate(paths):
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[submodule "s{n}"]\n\tpath = "{quoted}"\n\turl = /nowhere\n')
    (top / ".gitmodules").write_text("".join(lines))
