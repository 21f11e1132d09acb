"""A rewind puts files as they were, leaves all else alone, and loses nothing that is not committed."""

from __future__ import annotations

import os
import shutil
import stat
from itertools import count
from pathlib import Path

import pytest
from msgspec import structs

from gitmem import disk
from gitmem.checkpoints import snapshots
from gitmem.format import records
from gitmem.git import snapshots as taking
from gitmem.model.errors.naming import CheckpointAmbiguous, CheckpointUnknown
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.worktrees import (
    NothingToUndo,
    NoWorkingTree,
    PathUnknown,
    RewindUnfinished,
    SnapshotIncomplete,
    SnapshotMissing,
    UncommittedWork,
)
from gitmem.model.records import Author, Checkpoint
from tests.conftest import RealGit
from tests.snapshots.conftest import Timeline, repository_at, write


def commit_all(git: RealGit, top: Path) -> None:
    git("add", "-A", cwd=top)
    git("commit", "--quiet", "--allow-empty", "-m", "all", cwd=top)


def test_files_are_as_they_were_and_new_ones_go(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "kept", "kept\n")
    write(top / "sub/edited", "before\n")
    (top / "link").symlink_to("kept")
    write(top / "run", "#!/bin/sh\n")
    (top / "run").chmod(0o755)
    write(top / "untracked", "also kept\n")
    before = timeline.files()
    point = timeline.checkpoint()
    (top / "sub/edited").write_text("after\n")
    (top / "link").unlink()
    (top / "link").symlink_to("elsewhere")
    (top / "run").chmod(0o644)
    (top / "untracked").unlink()
    write(top / "deep/er/new", "new\n")
    commit_all(git, top)
    state = git("for-each-ref", "refs/heads/main", cwd=top), (top / ".git/index").read_bytes()
    outcome = timeline.rewind(point)
    assert timeline.files() == before
    assert os.access(top / "run", os.X_OK)
    assert not (top / "deep").exists()
    assert sorted(change.path for change in outcome.plan.writes) == [
        b"link",
        b"run",
        b"sub/edited",
        b"untracked",
    ]
    assert [change.path for change in outcome.plan.removals] == [b"deep/er/new"]
    assert state == (git("for-each-ref", "refs/heads/main", cwd=top), (top / ".git/index").read_bytes())
    assert git("fsck", "--strict", cwd=top) == ""


def test_named_files_and_folders_alone_are_rewound(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    for name in ("a.txt", "src/one", "src/deep/two", "srcs"):
        write(top / name, "before\n")
    point = timeline.checkpoint()
    for name in ("a.txt", "src/one", "src/deep/two", "src/new", "srcs"):
        write(top / name, "after\n")
    commit_all(git, top)
    timeline.rewind(point, "src")
    assert timeline.files() == {
        "a.txt": "after\n",
        "src/one": "before\n",
        "src/deep/two": "before\n",
        "srcs": "after\n",
    }
    timeline.rewind(point, "a.txt")
    assert timeline.files()["a.txt"] == "before\n"
    with pytest.raises(PathUnknown):
        timeline.rewind(point, "no/such")
    # The place of one may be taken by what nobody named.
    shutil.rmtree(top / "src/deep")
    write(top / "src/deep", "a file now\n")
    outcome = timeline.rewind(point, "src/deep/two", is_forced=True)
    assert outcome.plan.kept == ((b"src/deep/two", "in the way"),)
    assert timeline.files()["src/deep"] == "a file now\n"
    # One that is there and the same is no mistake.
    assert timeline.rewind(point, "a.txt").before is None


def test_ignored_files_are_never_touched(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "out", "tracked once\n")
    write(top / "cache/file", "tracked once\n")
    write(top / "made", "a file\n")
    point = timeline.checkpoint()
    git("add", "-A", cwd=top)
    git("rm", "--quiet", "-r", "--cached", "out", "cache", "made", cwd=top)
    write(top / ".gitignore", "out\ncache\nmade\nown.env\n")
    (top / "out").write_text("ignored now\n")
    (top / "made").unlink()
    write(top / "made/deep/file", "ignored now\n")
    shutil.rmtree(top / "cache")
    write(top / "cache", "a file that is ignored now\n")
    write(top / "own.env", "secret\n")
    commit_all(git, top)
    before = timeline.files()
    outcome = timeline.rewind(point, is_forced=True)
    assert timeline.files() == {name: text for name, text in before.items() if name != ".gitignore"}
    assert outcome.plan.kept == (
        (b"cache/file", "in the way"),
        (b"made", "in the way"),
        (b"out", "ignored"),
    )


def test_what_was_ignored_then_is_left_alone(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / ".gitignore", "*.env\nbuild/\n")
    write(top / "my.env", "secret\n")
    write(top / "build/out", "made\n")
    point = timeline.checkpoint()
    write(top / ".gitignore", "nothing\n")
    write(top / "new", "goes\n")
    outcome = timeline.rewind(point, is_forced=True)
    assert sorted(timeline.files()) == [".gitignore", "a.txt", "build/out", "my.env"]
    assert outcome.plan.kept == ((b"build/out", "ignored"), (b"my.env", "ignored"))


def test_uncommitted_work_is_not_replaced_unless_forced(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "b.txt", "one\n")
    commit_all(git, top)
    point = timeline.checkpoint()
    write(top / "a.txt", "edited\n")
    git("add", ".", cwd=top)
    for n in range(15):
        write(top / f"new{n:02}", "untracked\n")
    (top / "b.txt").unlink()
    before = timeline.files()
    with pytest.raises(UncommittedWork) as caught:
        timeline.rewind(point)
    assert timeline.files() == before
    assert len(caught.value.paths) == 16
    assert "new08 and 6 more" in str(caught.value)
    # What somebody has removed comes back without being forced to.
    timeline.rewind(point, "b.txt")
    assert timeline.files() == {**before, "b.txt": "one\n"}
    timeline.rewind(point, is_forced=True)
    assert timeline.files() == {"a.txt": "one\n", "b.txt": "one\n"}


def test_work_that_would_not_change_is_in_nobodys_way(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "mine", "untracked then and now\n")
    write(top / "a.txt", "one\n")
    point = timeline.checkpoint()
    git.commit(top, content="two\n")
    timeline.rewind(point)
    assert timeline.files() == {"a.txt": "one\n", "mine": "untracked then and now\n"}


def test_a_rewind_is_undone_and_the_undoing_too(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    point = timeline.checkpoint()
    write(top / "a.txt", "uncommitted\n")
    write(top / "new", "untracked\n")
    before = timeline.files()
    assert timeline.rewind(point, is_forced=True).before
    after = timeline.files()
    assert after == {"a.txt": "one\n"}
    write(top / "unrelated", "written since\n")
    undone = timeline.undo()
    assert timeline.files() == {**before, "unrelated": "written since\n"}
    assert undone.source.checkpoint
    timeline.undo()
    assert timeline.files() == {**after, "unrelated": "written since\n"}
    timeline.undo()
    assert timeline.files() == {**before, "unrelated": "written since\n"}


def test_a_file_that_nobody_else_may_read_stays_so(timeline: Timeline) -> None:
    top = timeline.top
    write(top / "kept", "one\n")
    (top / "kept").chmod(0o600)
    point = timeline.checkpoint()
    write(top / "kept", "two\n")
    write(top / "new", "secret\n")
    (top / "new").chmod(0o600)
    timeline.rewind(point, is_forced=True)
    assert stat.S_IMODE((top / "kept").stat().st_mode) == 0o600
    timeline.undo()
    assert {stat.S_IMODE((top / name).stat().st_mode) for name in ("kept", "new")} == {0o600}
    assert timeline.files() == {"a.txt": "one\n", "kept": "two\n", "new": "secret\n"}


def test_what_was_written_since_a_rewind_is_not_undone_unless_forced(timeline: Timeline) -> None:
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "uncommitted\n")
    timeline.rewind(point, is_forced=True)
    write(timeline.top / "a.txt", "written since\n")
    with pytest.raises(UncommittedWork):
        timeline.undo()
    assert timeline.files() == {"a.txt": "written since\n"}
    timeline.undo(is_forced=True)
    assert timeline.files() == {"a.txt": "uncommitted\n"}
    timeline.undo()
    assert timeline.files() == {"a.txt": "written since\n"}


def test_rewinds_are_undone_where_they_happened(timeline: Timeline, git: RealGit, tmp_path: Path) -> None:
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), cwd=timeline.top)
    linked = Timeline(tmp_path / "linked", timeline.clock)
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "here\n")
    write(linked.top / "a.txt", "there\n")
    timeline.rewind(point, is_forced=True)
    with pytest.raises(NothingToUndo):
        linked.undo()
    # Of any worktree's checkpoints.
    linked.rewind(point, is_forced=True)
    assert linked.files() == {"a.txt": "one\n"}
    timeline.undo()
    linked.undo()
    assert (timeline.files(), linked.files()) == ({"a.txt": "here\n"}, {"a.txt": "there\n"})


def test_what_was_staged_then_is_taken_and_untracked_files_stay(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "a.txt", "staged\n")
    write(top / "b.txt", "staged\n")
    git("add", ".", cwd=top)
    write(top / "a.txt", "edited after\n")
    point = timeline.checkpoint()
    commit_all(git, top)
    git("rm", "--quiet", "-f", "b.txt", cwd=top)
    write(top / "tracked since", "x\n")
    commit_all(git, top)
    write(top / "mine", "untracked\n")
    timeline.rewind(point, is_staged=True)
    assert timeline.files() == {"a.txt": "staged\n", "b.txt": "staged\n", "mine": "untracked\n"}


def test_what_only_the_index_had_survives_a_gc(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "a.txt", "staged\n")
    write(top / "sub/b.txt", "staged\n")
    git("add", ".", cwd=top)
    write(top / "c.txt", "untracked\n")
    before = timeline.files()
    point = timeline.checkpoint()
    git("reset", "--quiet", "--hard", cwd=top)
    (top / "c.txt").unlink()
    git("reflog", "expire", "--expire=now", "--all", cwd=top)
    git("gc", "--quiet", "--prune=now", cwd=top)
    timeline.rewind(point)
    assert timeline.files() == before


def test_content_that_is_gone_is_named_before_anything_changes(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    git.commit(top, "b.txt", "lost\n")
    point = timeline.checkpoint()
    git("reset", "--quiet", "--hard", "HEAD^", cwd=top)
    git("reflog", "expire", "--expire=now", "--all", cwd=top)
    git("gc", "--quiet", "--prune=now", cwd=top)
    with pytest.raises(SnapshotIncomplete) as caught:
        timeline.rewind(point)
    assert caught.value.paths == ("b.txt",)
    assert timeline.files() == {"a.txt": "one\n"}


def test_without_a_snapshot_the_tree_or_the_commit_is_taken(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    tree = git("rev-parse", "HEAD^{tree}", cwd=top)
    head = git("rev-parse", "HEAD", cwd=top)
    by_tree = timeline.checkpoint(snapshot=False, tree=tree, head="1" * 40)
    by_head = timeline.checkpoint(snapshot=False, tree="2" * 40, head=head)
    elsewhere = timeline.checkpoint(snapshot=False, tree="2" * 40, head="1" * 40)
    nothing = timeline.checkpoint(snapshot=False)
    git.commit(top, content="two\n")
    git.commit(top, "tracked", "since\n")
    write(top / "mine", "untracked\n")
    assert timeline.rewind(by_tree).source.kind == "tree"
    assert timeline.files() == {"a.txt": "one\n", "mine": "untracked\n"}
    timeline.undo()
    assert timeline.rewind(by_head).source.kind == "head"
    assert timeline.files() == {"a.txt": "one\n", "mine": "untracked\n"}
    for name in (elsewhere, nothing):
        with pytest.raises(SnapshotMissing):
            timeline.rewind(name)
    with pytest.raises(SnapshotMissing):
        timeline.rewind(by_head, is_staged=True)


def test_the_tree_of_a_stranger_cannot_lead_out(timeline: Timeline, git: RealGit, tmp_path: Path) -> None:
    top = timeline.top
    blob = git("hash-object", "-w", "--stdin", cwd=top, stdin="bad\n")
    inner = git("mktree", cwd=top, stdin=f"100755 blob {blob}\tpost-checkout\n")
    hooks = git("mktree", cwd=top, stdin=f"040000 tree {inner}\thooks\n")
    for name in (".git", "..", ".GIT", "git~1"):
        tree = git("mktree", cwd=top, stdin=f"040000 tree {hooks}\t{name}\n")
        point = timeline.checkpoint(snapshot=False, tree=tree)
        with pytest.raises(GitFailed, match="invalid path"):
            timeline.rewind(point)
        assert timeline.files() == {"a.txt": "one\n"}
        with pytest.raises(NothingToUndo):
            timeline.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repository"]


def test_names_that_fit_none_or_several_are_refused(timeline: Timeline) -> None:
    with pytest.raises(CheckpointUnknown):
        timeline.rewind("abcd")
    seen: dict[str, str] = {}
    for n in count():
        message = f"message {n}"
        record = Checkpoint("2026-02-03T06:34:50.123Z", Author("Ada"), "manual", message=message)
        start = records.seal(record)[0][:4]
        if start in seen:
            break
        seen[start] = message
    names = [timeline.record(record), timeline.record(structs.replace(record, message=seen[start]))]
    for text in ("", "abc", "zzzz", "HEAD", "a" * 65, "0" * 64):
        with pytest.raises(CheckpointUnknown):
            timeline.rewind(text)
    with pytest.raises(CheckpointAmbiguous) as caught:
        timeline.rewind(start)
    assert caught.value.candidates == tuple(name[:12] for name in sorted(names))
    with pytest.raises(SnapshotMissing):
        timeline.rewind(names[0][:30])


def test_nothing_is_left_to_undo(timeline: Timeline) -> None:
    with pytest.raises(NothingToUndo):
        timeline.undo()
    point = timeline.checkpoint()
    assert timeline.rewind(point).before is None
    with pytest.raises(NothingToUndo):
        timeline.undo()


def test_a_dry_run_changes_nothing(timeline: Timeline, git: RealGit) -> None:
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "edited\n")
    write(timeline.top / "new", "untracked\n")
    before = timeline.files(), git("rev-parse", "gitmem", cwd=timeline.top)
    outcome = timeline.rewind(point, is_dry=True)
    assert outcome.uncommitted == (b"a.txt", b"new")
    assert (timeline.files(), git("rev-parse", "gitmem", cwd=timeline.top)) == before
    timeline.rewind(point, is_forced=True)
    timeline.undo(is_dry=True)
    assert timeline.files() == {"a.txt": "one\n"}
    timeline.undo()
    assert timeline.files() == before[0]


def test_a_file_where_a_folder_was_and_the_other_way_round(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "file", "file\n")
    write(top / "folder/deep/one", "one\n")
    write(top / "linked/x", "x\n")
    before = timeline.files()
    point = timeline.checkpoint()
    (top / "file").unlink()
    write(top / "file/below/it", "below\n")
    shutil.rmtree(top / "folder")
    write(top / "folder", "a file\n")
    (top / "linked").rename(top / "moved")
    (top / "linked").symlink_to("moved")
    after = timeline.files()
    timeline.rewind(point, is_forced=True)
    assert timeline.files() == before
    timeline.undo()
    assert timeline.files() == after


def test_no_link_is_followed_out_of_the_working_tree(
    timeline: Timeline, git: RealGit, tmp_path: Path
) -> None:
    top = timeline.top
    write(top / "out/x", "before\n")
    point = timeline.checkpoint()
    write(tmp_path / "outside/x", "precious\n")
    write(tmp_path / "outside/y", "precious\n")
    commit_all(git, top)
    shutil.rmtree(top / "out")
    (top / "out").symlink_to(tmp_path / "outside")
    # A link that git ignores, as well as one that it sees.
    for ignored in ("", "out\n"):
        write(top / ".git/info/exclude", ignored)
        outcome = timeline.rewind(point, is_forced=True)
        assert (tmp_path / "outside/x").read_text() == "precious\n"
        assert (top / "out").is_symlink() is bool(ignored)
        assert [path for path, _ in outcome.plan.kept] == ([b"out/x"] if ignored else [])
        if not ignored:
            timeline.undo()
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["x", "y"]


def test_submodules_and_nested_repositories_stay(timeline: Timeline, git: RealGit, tmp_path: Path) -> None:
    top = timeline.top
    write(top / "nested/file", "tracked then\n")
    write(top / "lib/file", "tracked then\n")
    point = timeline.checkpoint()
    shutil.rmtree(top / "nested")
    shutil.rmtree(top / "lib")
    git("init", "--quiet", str(tmp_path / "lib"), cwd=tmp_path)
    git.commit(tmp_path / "lib")
    protocol = ("-c", "protocol.file.allow=always")
    git(*protocol, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib", cwd=top)
    git("init", "--quiet", str(top / "nested"), cwd=top)
    git.commit(top / "nested", "inner", "inner\n")
    write(top / "lib/work", "untracked in a submodule\n")
    write(top / "nested/work", "untracked in a repository\n")
    outcome = timeline.rewind(point, is_forced=True)
    assert (b"lib", "submodule") in outcome.plan.kept
    assert not (top / "nested/file").exists()
    assert not (top / "lib/file").exists()
    assert (top / "lib/work").exists()
    assert (top / "nested/work").exists()
    assert git("rev-parse", "HEAD", cwd=top / "lib")


def test_what_was_left_out_of_either_snapshot_stays(
    timeline: Timeline, git: RealGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = timeline.top
    monkeypatch.setattr(taking, "LARGEST_BYTES", 100)
    write(top / "grew", "small\n")
    write(top / "large-then", "x" * 101)
    write(top / "gone", "x" * 101)
    point = timeline.checkpoint()
    write(top / "grew", "y" * 101)
    write(top / "large-then", "small\n")
    (top / "gone").unlink()
    before = timeline.files()
    outcome = timeline.rewind(point, is_forced=True)
    assert timeline.files() == before
    assert [path for path, reason in outcome.plan.kept] == [b"gone", b"grew", b"large-then"]
    assert {reason for _, reason in outcome.plan.kept} == {"left out"}
    assert [path for path, _ in timeline.rewind(point, "gone").plan.kept] == [b"gone"]


def test_files_are_written_as_filters_have_them(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    git("config", "filter.up.clean", "tr a-z A-Z", cwd=top)
    git("config", "filter.up.smudge", "tr A-Z a-z", cwd=top)
    write(top / ".gitattributes", "*.up filter=up\n*.crlf text eol=crlf\n")
    write(top / "x.up", "quiet\n")
    (top / "y.crlf").write_bytes(b"one\r\ntwo\r\n")
    point = timeline.checkpoint()
    for name in (".gitattributes", "x.up", "y.crlf"):
        (top / name).unlink()
    timeline.rewind(point)
    assert (top / "x.up").read_text() == "quiet\n"
    assert (top / "y.crlf").read_bytes() == b"one\r\ntwo\r\n"


@pytest.mark.parametrize("sparse_index", ["true", "false"])
def test_what_a_sparse_checkout_leaves_out_is_not_written(
    timeline: Timeline, git: RealGit, sparse_index: str
) -> None:
    top = timeline.top
    for name in ("in/a", "out/a", "out/deep/b"):
        write(top / name, "before\n")
    commit_all(git, top)
    point = timeline.checkpoint()
    for name in ("in/a", "out/a", "out/new"):
        write(top / name, "after\n")
    commit_all(git, top)
    git("config", "index.sparse", sparse_index, cwd=top)
    git("sparse-checkout", "set", "--cone", "in", cwd=top)
    timeline.rewind(point)
    assert timeline.files() == {"a.txt": "one\n", "in/a": "before\n"}
    assert "out" not in git("status", "--porcelain", cwd=top)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_edits_that_git_was_told_to_overlook_are_not_lost(
    timeline: Timeline, git: RealGit, flag: str
) -> None:
    top = timeline.top
    point = timeline.checkpoint()
    git.commit(top, content="two\n")
    git("update-index", flag, "a.txt", cwd=top)
    write(top / "a.txt", "hidden edit\n")
    assert git("status", "--porcelain", cwd=top) == ""
    with pytest.raises(UncommittedWork):
        timeline.rewind(point)
    timeline.rewind(point, is_forced=True)
    assert timeline.files() == {"a.txt": "one\n"}
    timeline.undo()
    assert timeline.files() == {"a.txt": "hidden edit\n"}


def test_in_the_middle_of_a_merge_files_are_rewound_and_it_is_said(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    point = timeline.checkpoint()
    git("switch", "--quiet", "-c", "other", cwd=top)
    git.commit(top, content="theirs\n")
    git("switch", "--quiet", "main", cwd=top)
    git.commit(top, content="ours\n")
    git("config", "alias.conflict", "!git merge --quiet other >&2 || true", cwd=top)
    git("conflict", cwd=top)
    merging = timeline.checkpoint()
    conflicted = timeline.files()
    status = git("ls-files", "--unmerged", cwd=top)
    assert status
    outcome = timeline.rewind(point, is_forced=True)
    assert outcome.during == "merge"
    assert timeline.files() == {"a.txt": "one\n"}
    assert git("ls-files", "--unmerged", cwd=top) == status
    with pytest.raises(SnapshotMissing):
        timeline.rewind(merging, is_staged=True)
    timeline.undo()
    assert timeline.files() == conflicted


def test_an_unborn_branch_and_odd_names_are_rewound(tmp_path: Path, timeline: Timeline, git: RealGit) -> None:
    top = tmp_path / 'new: "odd"'
    git("init", "--quiet", "--object-format=sha256", str(top), cwd=tmp_path)
    new = Timeline(top, timeline.clock)
    odd = Path(os.fsdecode(os.fsencode(top) + b'/odd\n"name\xff'))
    odd.write_text("odd\n")
    write(top / "-f", "dash\n")
    write(top / ":(top)x", "magic\n")
    point = new.checkpoint()
    for name in (odd, top / "-f", top / ":(top)x"):
        name.write_text("edited\n")
    new.rewind(point, "-f", is_forced=True)
    new.rewind(point, ":(top)x", is_forced=True)
    new.rewind(point, is_forced=True)
    assert sorted(new.files().values()) == ["dash\n", "magic\n", "odd\n"]


def test_an_ignored_file_that_a_rewind_wrote_goes_with_it(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    write(top / "x.log", "then\n")
    point = timeline.checkpoint()
    (top / "x.log").unlink()
    write(top / ".gitignore", "*.log\n")
    commit_all(git, top)
    timeline.rewind(point, "x.log")
    assert (top / "x.log").exists()
    timeline.undo()
    assert not (top / "x.log").exists()
    timeline.undo()
    assert (top / "x.log").read_text() == "then\n"


def test_a_file_that_cannot_be_written_leaves_what_can_be_undone(timeline: Timeline, git: RealGit) -> None:
    top = timeline.top
    git("config", "filter.bad.smudge", "cat", cwd=top)
    git("config", "filter.bad.required", "true", cwd=top)
    git("config", "filter.bad.clean", "cat", cwd=top)
    write(top / ".gitattributes", "*.bad filter=bad\n")
    for name in ("a.txt", "b.bad", "c.txt"):
        write(top / name, "before\n")
    point = timeline.checkpoint()
    for name in ("a.txt", "b.bad", "c.txt"):
        write(top / name, "after\n")
    after = timeline.files()
    git("config", "filter.bad.smudge", "false", cwd=top)
    with pytest.raises(RewindUnfinished) as caught:
        timeline.rewind(point, is_forced=True)
    assert "smudge filter bad failed" in str(caught.value)
    git("config", "filter.bad.smudge", "cat", cwd=top)
    timeline.undo()
    assert timeline.files() == after
    # That only mended what was left, so there is nothing more to undo.
    with pytest.raises(NothingToUndo):
        timeline.undo()


def test_where_untracked_files_mean_nothing_they_are_neither_taken_nor_touched(
    timeline: Timeline, git: RealGit
) -> None:
    top = timeline.top
    git("config", "status.showUntrackedFiles", "no", cwd=top)
    write(top / ".ssh/key", "secret\n")
    git.commit(top, "b.txt", "then\n")
    point = timeline.checkpoint()
    store = repository_at(top).state_dir / "snapshots"
    oid = git("hash-object", ".ssh/key", cwd=top)
    assert not list(store.rglob(oid[2:]))
    git("rm", "--quiet", "--cached", "b.txt", cwd=top)
    git.commit(top, content="two\n")
    write(top / "b.txt", "untracked now\n")
    outcome = timeline.rewind(point)
    assert outcome.plan.kept == ((b"b.txt", "ignored"),)
    assert timeline.files() == {".ssh/key": "secret\n", "a.txt": "one\n", "b.txt": "untracked now\n"}
    git("config", "--unset", "status.showUntrackedFiles", cwd=top)
    timeline.rewind(point, is_forced=True)
    assert timeline.files() == {".ssh/key": "secret\n", "a.txt": "one\n", "b.txt": "then\n"}


def test_half_a_file_of_a_rewind_that_was_killed_is_nobodys_work(timeline: Timeline) -> None:
    top = timeline.top
    write(top / "b.txt", "then\n")
    point = timeline.checkpoint()
    write(top / "a.txt", "edited\n")
    (top / "b.txt").unlink()

    def die(effect: disk.Effect, path: Path) -> None:
        if path == top:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), disk.observe(die):
        timeline.rewind(point, is_forced=True)
    write(top / "a.txt", "on")
    write(top / "b.txt", "th")
    timeline.undo()
    assert timeline.files() == {"a.txt": "edited\n"}


def test_rewinds_are_undone_where_the_repository_has_moved_to(timeline: Timeline, tmp_path: Path) -> None:
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "edited\n")
    timeline.rewind(point, is_forced=True)
    timeline.top.rename(tmp_path / "moved")
    moved = Timeline(tmp_path / "moved", timeline.clock)
    moved.undo()
    assert moved.files() == {"a.txt": "edited\n"}


def test_turned_off_a_rewind_can_be_undone_all_the_same(timeline: Timeline) -> None:
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "edited\n")
    timeline.rewind(point, is_forced=True)
    state = repository_at(timeline.top).state_dir
    assert snapshots.prune(state, next(timeline.clock), 0) == 0
    timeline.undo()
    assert timeline.files() == {"a.txt": "edited\n"}


def test_a_rewind_whose_snapshot_was_pruned_is_said_so(timeline: Timeline) -> None:
    point = timeline.checkpoint()
    write(timeline.top / "a.txt", "edited\n")
    before = timeline.rewind(point, is_forced=True).before
    state = repository_at(timeline.top).state_dir
    assert snapshots.prune(state, next(timeline.clock) + 40 * 86_400_000, 30) == 1
    assert before
    with pytest.raises(SnapshotMissing):
        timeline.rewind(before)
    with pytest.raises(NothingToUndo):
        timeline.undo()


def test_a_bare_repository_has_nothing_to_rewind(tmp_path: Path, timeline: Timeline, git: RealGit) -> None:
    git("clone", "--quiet", "--bare", str(timeline.top), str(tmp_path / "bare.git"), cwd=tmp_path)
    bare = Timeline(tmp_path / "bare.git", timeline.clock)
    point = bare.checkpoint(tree=git("rev-parse", "HEAD^{tree}", cwd=timeline.top))
    with pytest.raises(NoWorkingTree):
        bare.rewind(point)
