"""`gitmem rewind` as people run it: its paths, its words, its JSON and its refusals; and kills at any point."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.killing import kills
from tests.snapshots.conftest import Timeline, write


def test_a_kill_before_any_effect_is_undone(tmp_path: Path) -> None:
    told = kills("snapshots.kill_rewinds", str(tmp_path))
    counts = [int(effects) for effects in re.findall(r"before some of (\d+) effects", told)]
    assert len(counts) == 2
    assert min(counts) >= 10


def test_it_says_what_it_did_and_how_to_go_back(run: CommandLine, timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    point = timeline.checkpoint()
    git.commit(top, content="two\n")
    (top / "new").mkdir()
    git.commit(top, "new/b.txt")
    said = run("rewind", point[:12], cwd=top)
    assert said.stdout.startswith(f"1 file written, 1 removed, as of checkpoint {point[:12]}\n")
    assert "gitmem rewind --undo" in said.stdout
    assert said.stderr == ""
    assert run("rewind", point, cwd=top).stdout == f"Nothing differs from checkpoint {point[:12]}.\n"
    back = json.loads(run("rewind", "--undo", "--json", cwd=top).stdout)
    assert back["written"] == ["a.txt", "new/b.txt"]
    assert back["checkpoint"][:12] in said.stdout
    assert (top / "a.txt").read_text() == "two\n"


def test_paths_count_from_where_one_stands(
    run: CommandLine, timeline: Timeline, git: RealGit, tmp_path: Path
) -> None:
    top = timeline.top
    for name in ("x", "sub/x", "sub/deep/x"):
        write(top / name, "then\n")
    git("add", ".", cwd=top)
    git("commit", "--quiet", "-m", "x", cwd=top)
    point = timeline.checkpoint()
    for name in ("x", "sub/x", "sub/deep/x", "sub/deep/new"):
        write(top / name, "now\n")
    git("add", ".", cwd=top)
    git("commit", "--quiet", "-m", "x", cwd=top)
    (tmp_path / "link").symlink_to(top / "sub")
    run("rewind", point, "x", cwd=tmp_path / "link")
    assert [(top / name).read_text() for name in ("x", "sub/x", "sub/deep/x")] == ["now\n", "then\n", "now\n"]
    run("-C", str(top / "sub/deep"), "rewind", point, "../../x", ".", cwd=tmp_path)
    assert [(top / name).read_text() for name in ("x", "sub/deep/x")] == ["then\n", "then\n"]
    refused = run("rewind", point, "../elsewhere", cwd=top, status=2)
    assert "could not rewind ../elsewhere: it is not in" in refused.stderr


def test_the_folder_one_stands_in_stays(run: CommandLine, timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    point = timeline.checkpoint()
    write(top / "one/two/file", "x\n")
    run("rewind", "--force", point, "/" + str(top)[1:], cwd=top / "one")
    assert (top / "one").is_dir()
    assert not (top / "one/two").exists()


def test_a_dry_run_lists_and_marks(run: CommandLine, timeline: Timeline) -> None:
    top = timeline.top
    write(top / "gone", "then\n")
    point = timeline.checkpoint()
    (top / "gone").unlink()
    write(top / "a.txt", "edited\n")
    write(top / "new", "new\n")
    said = run("rewind", "-n", point, cwd=top).stdout.splitlines()
    assert said == [
        "write   a.txt  (not committed)",
        "write   gone",
        "remove  new  (not committed)",
        "2 files to write, 1 to remove",
    ]
    refused = run("rewind", point, cwd=top, status=1).stderr
    assert "it would undo what is not committed in a.txt, new" in refused
    assert "--force" in refused


def test_what_stays_and_why_is_said(run: CommandLine, timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    for n in range(25):
        write(top / f"f{n:02}.log", "then\n")
    point = timeline.checkpoint(tree=git("rev-parse", "HEAD^{tree}", cwd=top))
    write(top / ".gitignore", "*.log\n")
    git("add", ".", cwd=top)
    git("commit", "--quiet", "-m", "x", cwd=top)
    for n in range(25):
        write(top / f"f{n:02}.log", "now\n")
    shown = json.loads(run("rewind", "-n", point, "--json", cwd=top).stdout)
    assert len(shown["kept"]) == 25
    assert shown["kept"][0] == {"path": "f00.log", "reason": "ignored"}
    assert shown["source"] == "snapshot"
    said = run("rewind", point, cwd=top)
    assert "left alone: f00.log  (ignored, now or then)" in said.stderr
    assert "and 5 more; --json: names them all" in said.stderr


def test_a_teammates_checkpoint_goes_by_its_tree(run: CommandLine, timeline: Timeline, git: RealGit) -> None:
    point = timeline.checkpoint(snapshot=False, tree=git("rev-parse", "HEAD^{tree}", cwd=timeline.top))
    git.commit(timeline.top, content="two\n")
    (timeline.top / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", cwd=timeline.top) + "\n")
    said = run("rewind", point, cwd=timeline.top)
    assert "There is no snapshot of it here" in said.stderr
    assert "In the middle of a merge" in said.stderr
    assert (timeline.top / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("args", [(), ("--undo", "abcd"), ("--undo", "--staged")])
def test_what_makes_no_sense_is_refused(run: CommandLine, timeline: Timeline, args: tuple[str, ...]) -> None:
    run("rewind", *args, cwd=timeline.top, status=2)


def test_a_secret_in_a_branchs_name_is_not_recorded(
    run: CommandLine, timeline: Timeline, git: RealGit
) -> None:
    secret = "ghp_" + "a1B2" * 9
    point = timeline.checkpoint()
    git("switch", "--quiet", "-c", f"try/{secret}", cwd=timeline.top)
    git.commit(timeline.top, content="two\n")
    before = json.loads(run("rewind", point, "--json", cwd=timeline.top).stdout)["before"]
    with timeline.rewinder() as rewinder:
        from gitmem.format import checkpoints
        from gitmem.format.memory import open_memory

        found = checkpoints.find(open_memory(rewinder.storage, rewinder.ref), before)
    assert found is not None
    assert found.trigger == "rewind"
    assert secret not in (found.branch or "")
    assert (found.branch or "").startswith("try/")
    assert found.head == git("rev-parse", "HEAD", cwd=timeline.top)


def test_in_a_git_directory_there_is_nothing_to_rewind(run: CommandLine, timeline: Timeline) -> None:
    point = timeline.checkpoint()
    refused = run("rewind", point, cwd=timeline.top / ".git", status=1)
    assert "could not find a working tree" in refused.stderr
