"""What became of each submodule is told by files alone, and nothing that a list says is followed elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gitmem.git import asking, gitfiles
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.git.submodules import Superproject, survey
from tests.conftest import RealGit
from tests.submodules.conftest import FILE, Fleet

HERE = {
    "ships/brig": "here",
    "ships/brig/gear/anchor": "here",
    "ships/cutter": "here",
    "ships/idle": "not checked out",
}


def test_nested_and_uninitialised_ones_are_told_from_anywhere_inside(fleet: Fleet) -> None:
    for start in (fleet.top, fleet.brig, fleet.anchor, fleet.top / "ships", fleet.anchor.parent):
        assert fleet.states(start) == HERE, start
        assert fleet.survey(start).top.top == fleet.top
    assert [each.name for each in fleet.survey().submodules][:2] == ["ships/brig", "ships/brig/gear/anchor"]
    idle = fleet.only("ships/idle")
    assert idle.repository is not None  # its git directory stayed as it was taken out of the working tree
    shutil.rmtree(fleet.top / ".git/modules/ships/idle")
    assert fleet.only("ships/idle").repository is None


def test_files_say_of_each_what_git_says(fleet: Fleet, git: RealGit) -> None:
    git("config", "gitmem.level", "private", cwd=fleet.brig)
    git("config", "--global", "gitmem.grace", "7", cwd=fleet.brig)
    git("config", "remote.origin.gitmem", "team", cwd=fleet.cutter)
    given = {
        **os.environ,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "gitmem.level",
        "GIT_CONFIG_VALUE_0": "team",
    }
    for environ in (dict(os.environ), given):
        for repository in fleet.survey(environ=environ).repositories:
            assert repository.top is not None
            assert repository == discover(repository.top, Git(environ))
            assert repository.config == discover(repository.top, Git(environ)).config


def test_git_is_run_no_more_often_for_more_of_them(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Git(dict(os.environ))
    repository = discover(fleet.top, runner)
    asked: list[object] = []
    real = asking.ask_at

    def counted(*args: object, **more: object) -> object:
        asked.append(args)
        return real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(gitfiles, "ask_at", counted)
    monkeypatch.setattr(Git, "run", lambda *args, **more: pytest.fail("git was run"))
    assert len(survey(repository, runner).repositories) == 4
    assert len(asked) == 1


def test_one_that_was_removed_is_listed_as_such_and_its_memory_can_be_read(
    fleet: Fleet, git: RealGit
) -> None:
    fleet.remember(fleet.brig, "b", "the brig")
    git("rm", "--quiet", "ships/brig", cwd=fleet.top)
    states = fleet.states()
    assert states == {
        "ships/cutter": "here",
        "ships/idle": "not checked out",
        "ships/brig": "removed",
        "ships/brig/gear/anchor": "removed",
    }
    repository = fleet.only("ships/brig").repository
    assert repository is not None
    assert repository.top is None
    runner = Git(dict(os.environ))
    storage = open_storage(repository, runner)
    assert storage.read_ref("refs/heads/gitmem") is not None
    storage.close()
    assert discover(repository.common_dir, runner) == repository


def test_one_that_was_moved_is_the_same_in_another_place(fleet: Fleet, git: RealGit) -> None:
    before = fleet.only("ships/cutter").repository
    git("mv", "ships/cutter", "harbour", cwd=fleet.top)
    moved = fleet.only("harbour")
    assert (moved.name, moved.state) == ("ships/cutter", "here")
    assert before is not None
    assert moved.repository is not None
    assert moved.repository.common_dir == before.common_dir
    assert "ships/cutter" not in fleet.states()


def test_git_directory_may_stand_in_the_working_tree(fleet: Fleet, git: RealGit) -> None:
    (fleet.cutter / ".git").unlink()
    shutil.move(fleet.top / ".git/modules/ships/cutter", fleet.cutter / ".git")
    git("config", "--file", str(fleet.cutter / ".git/config"), "--unset", "core.worktree", cwd=fleet.folder)
    assert fleet.only("ships/cutter").state == "here"
    assert fleet.survey(fleet.cutter).top.top == fleet.top
    git("submodule", "absorbgitdirs", cwd=fleet.top)
    assert fleet.states() == HERE


def test_worktree_of_a_superproject_has_its_own(fleet: Fleet, git: RealGit) -> None:
    side = fleet.folder / "side"
    git("worktree", "add", "--quiet", str(side), cwd=fleet.top)
    states = fleet.states(side)
    assert {path for path, state in states.items() if state == "here"} == set()
    git(*FILE, "submodule", "--quiet", "update", "--init", "ships/cutter", cwd=side)
    found = fleet.survey(side / "ships/cutter")
    assert found.top.top == side
    assert [each.path for each in found.submodules if each.state == "here"] == ["ships/cutter"]
    assert fleet.states() == HERE


def test_superproject_may_be_of_another_hash(tmp_path: Path, git: RealGit) -> None:
    for name in ("lib", "top"):
        git("init", "--quiet", "--object-format=sha256", str(tmp_path / name), cwd=tmp_path)
        git.commit(tmp_path / name)
    git(*FILE, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib", cwd=tmp_path / "top")
    found = Fleet(tmp_path, git).survey(tmp_path / "top/lib")
    assert [repository.hash_name for repository in found.repositories] == ["sha256", "sha256"]


def test_one_of_another_user_is_refused_by_name(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Git(dict(os.environ))
    repository = discover(fleet.top, runner)
    real = os.geteuid()
    monkeypatch.setattr(gitfiles.os, "geteuid", lambda: real + 1)
    foreign = Git({**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    found = survey(repository, foreign)
    refused = [each for each in found.submodules if each.state == "refused"]
    assert [each.path for each in refused] == ["ships/brig", "ships/cutter"]
    assert all("belongs to another user" in each.why or "owner" in each.why for each in refused)


@pytest.mark.parametrize(
    ("name", "path", "why"),
    [
        ("../../evil", "sub", "its name could lead out"),
        ("a/../../b", "sub", "its name could lead out"),
        ("", "sub", "its name could lead out"),
        ("x", "../outside", "its path leads out"),
        ("x", "ships/../../outside", "its path leads out"),
        ("x", ".", "its path leads out"),
        ("x", "/etc", "its path is none of a folder"),
        ("x", "", "its path is none of a folder"),
        ("x", "-c", "its path is none of a folder"),
        ("x", ".git", "leads into a git directory"),
        ("x", "ships/.GIT/modules", "leads into a git directory"),
        ("x", "sub\\nx", "a control character"),
        ("x", "link", "a link stands in its place"),
        ("x", "link/deeper", "a link stands in its place"),
    ],
)
def test_what_could_lead_elsewhere_is_refused_by_name(
    fleet: Fleet, git: RealGit, name: str, path: str, why: str
) -> None:
    outside = fleet.folder / "outside"
    git("init", "--quiet", str(outside / "deeper"), cwd=fleet.folder)
    git("init", "--quiet", str(outside), cwd=fleet.folder)
    (fleet.top / "link").symlink_to(outside)
    with (fleet.top / ".gitmodules").open("a") as file:
        file.write(f'[submodule "{name}"]\n\tpath = "{path}"\n\turl = ../x.git\n')
    found = fleet.survey()
    assert len(found.repositories) == 4
    [refused] = [each for each in found.submodules if each.state == "refused"]
    assert why in refused.why


def refusal_of_list(found: Superproject) -> str:
    [refused] = [each for each in found.submodules if each.state == "refused"]
    assert refused.path == ".gitmodules"
    return refused.why


def test_list_of_a_hundred_thousand_is_refused_whole(fleet: Fleet) -> None:
    with (fleet.top / ".gitmodules").open("a") as file:
        file.writelines(f'[submodule "{n}"]\n\tpath = {n}\n' for n in range(100_000))
    assert "has 100,003 submodules, more than 10,000" in refusal_of_list(fleet.survey())


def test_list_that_is_no_file_or_too_large_is_refused(fleet: Fleet) -> None:
    listed = fleet.top / ".gitmodules"
    listed.write_bytes(listed.read_bytes() + b"# \n" * (2 << 20))
    assert "more than 4 MiB" in refusal_of_list(fleet.survey())
    listed.unlink()
    listed.symlink_to("/etc/passwd")
    assert "is no file" in refusal_of_list(fleet.survey())
    listed.unlink()
    os.mkfifo(listed)
    assert "is no file" in refusal_of_list(fleet.survey())


def test_list_includes_nothing(fleet: Fleet) -> None:
    (fleet.folder / "more").write_text('[submodule "x"]\n\tpath = ships/x\n')
    with (fleet.top / ".gitmodules").open("a") as file:
        file.write(f"[include]\n\tpath = {fleet.folder}/more\n")
    assert fleet.states() == HERE


def test_git_file_that_leads_to_another_working_tree_is_refused(fleet: Fleet) -> None:
    (fleet.cutter / ".git").write_text("gitdir: ../../.git/modules/ships/brig\n")
    found = fleet.only("ships/cutter")
    assert (found.state, found.repository) == ("refused", None)
    (fleet.cutter / ".git").write_text("gitdir: ../../.git\n")
    assert fleet.only("ships/cutter").state == "refused"


def test_those_that_have_each_other_end(fleet: Fleet, git: RealGit) -> None:
    # The cutter says that it has the superproject: a worktree of that stands in it.
    git("worktree", "add", "--quiet", str(fleet.cutter / "again"), cwd=fleet.top)
    (fleet.cutter / ".gitmodules").write_text('[submodule "again"]\n\tpath = again\n')
    assert fleet.states() == {**HERE, "ships/cutter/again": "refused"}
    assert fleet.only("ships/cutter/again").why == "it is the same repository as ."
