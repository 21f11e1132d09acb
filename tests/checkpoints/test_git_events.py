"""What real git does becomes checkpoints: commits and those that came to nothing, rewrites, merges, pushes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from gitmem.model.records import PathChange
from tests.checkpoints import stubs
from tests.checkpoints.conftest import Drain, Say, hold, recorded
from tests.conftest import CommandLine, RealGit


def patch_id(git: RealGit, repository: Path, *revisions: str) -> str:
    patch = git("diff-tree", "-p", "--root", *revisions, cwd=repository)
    return git("patch-id", "--stable", cwd=repository, stdin=f"{patch}\n").split()[0]


def test_a_commit_is_one_checkpoint(drain: Drain, git: RealGit, repository: Path, say: Say) -> None:
    say("one", 4)
    commit = git.commit(repository, "b.txt", "1\n2\n3\n")
    [made] = drain()
    assert made.trigger == "post-commit"
    assert made.head == commit
    assert made.branch == "main"
    assert made.tree == git("rev-parse", "HEAD^{tree}", cwd=repository)
    assert made.tree_from == "commit"
    assert made.changes == (PathChange("b.txt", 3, 0),)
    assert made.patches == (patch_id(git, repository, "HEAD"),)
    assert [(one.stream, one.lines) for one in made.positions] == [("", 4)]
    assert made.author.name == "Ada Example"
    assert drain() == []


def test_the_first_commit_and_an_empty_one(
    drain: Drain, git: RealGit, repository: Path, run: CommandLine
) -> None:
    git("checkout", "-q", "--orphan", "other", cwd=repository)
    git("commit", "-q", "-m", "again", cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "nothing", cwd=repository)
    made = [one for one in drain() if one.trigger == "post-commit"]
    assert len(made) == 2
    assert made[0].changes == (PathChange("a.txt", 1, 0),)
    assert made[1].changes == made[1].patches == ()
    hold(git, run, repository)


def test_renames_and_binaries_are_told_as_git_can(drain: Drain, git: RealGit, repository: Path) -> None:
    git("mv", "a.txt", "moved ü.txt", cwd=repository)
    (repository / "image").write_bytes(bytes(range(256)))
    git("add", ".", cwd=repository)
    git("commit", "-q", "-m", "move", cwd=repository)
    [made] = drain()
    assert made.changes == (PathChange("image", -1, -1), PathChange("moved ü.txt", 0, 0))


def test_an_amend_maps_the_old_commit_to_the_new(drain: Drain, git: RealGit, repository: Path) -> None:
    old = git.commit(repository, "b.txt")
    git("commit", "-q", "--amend", "-m", "better", cwd=repository)
    new = git("rev-parse", "HEAD", cwd=repository)
    made = drain()
    assert [one.trigger for one in made] == ["post-commit", "post-commit", "post-rewrite"]
    assert [(one.old, one.new) for one in made[-1].rewrites] == [(old, new)]
    assert made[-1].patches == made[0].patches
    assert made[-1].head == new


def test_a_rebase_with_fixup_and_reorder_maps_every_commit(
    drain: Drain, git: RealGit, repository: Path, run: CommandLine
) -> None:
    commits = [git.commit(repository, f"{name}.txt", f"{name}\n") for name in "bcd"]
    (repository / "b.txt").write_text("b\nmore\n")
    git("add", ".", cwd=repository)
    git("commit", "-q", "--fixup", commits[0], cwd=repository)
    commits.append(git("rev-parse", "HEAD", cwd=repository))
    drain()
    todo = repository.parent / "todo"
    todo.write_text(f"pick {commits[0]}\nfixup {commits[3]}\npick {commits[2]}\npick {commits[1]}\n")
    git("rebase", "-q", "-i", "HEAD~4", cwd=repository, environ={"GIT_SEQUENCE_EDITOR": f"cp {todo}"})
    made = drain()
    rewrite = max((one for one in made if one.trigger == "post-rewrite"), key=lambda one: len(one.rewrites))
    new = git("rev-list", "--reverse", "HEAD~3..", cwd=repository).split()
    mapped = {one.old: one.new for one in rewrite.rewrites}
    assert mapped == {commits[0]: new[0], commits[3]: new[0], commits[2]: new[1], commits[1]: new[2]}
    assert set(rewrite.patches) == {patch_id(git, repository, commit) for commit in new}
    hold(git, run, repository)


def test_a_local_squash_maps_the_branch_to_its_commit(drain: Drain, git: RealGit, repository: Path) -> None:
    git("checkout", "-q", "-b", "feature", cwd=repository)
    commits = [git.commit(repository, f"{name}.txt") for name in "bc"]
    git("checkout", "-q", "main", cwd=repository)
    git("merge", "-q", "--squash", "feature", cwd=repository)
    drain()
    git("commit", "-q", "-m", "all at once", cwd=repository)
    [made] = drain()
    assert {(one.old, one.new) for one in made.rewrites} == {(old, made.head) for old in commits}
    git("reset", "-q", "--hard", "HEAD~1", cwd=repository)
    git("merge", "-q", "--squash", "feature", cwd=repository)
    git("commit", "-q", "--no-edit", cwd=repository)
    made = drain()
    assert {one.old for one in made[-1].rewrites} == set(commits), "late, from the message alone"


def test_a_push_knows_the_patch_of_its_whole_branch(
    drain: Drain, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    hub = tmp_path / "hub.git"
    git("init", "-q", "--bare", str(hub), cwd=tmp_path)
    git("remote", "add", "origin", str(hub), cwd=repository)
    git("push", "-q", "-u", "origin", "main", cwd=repository)
    git("checkout", "-q", "-b", "feature", cwd=repository)
    for name in "bc":
        git.commit(repository, f"{name}.txt")
    git("push", "-q", "-u", "origin", "feature", cwd=repository)
    made = drain()
    [push] = [one for one in made if one.trigger == "pre-push" and one.branch == "feature"]
    assert push.patches == (patch_id(git, repository, "main", "feature"),)
    git("checkout", "-q", "main", cwd=repository)
    git("merge", "-q", "--squash", "feature", cwd=repository)
    git("commit", "-q", "-m", "squashed on the server", cwd=repository)
    assert drain()[-1].patches == push.patches


def test_a_cherry_pick_has_the_patch_of_what_it_picked(drain: Drain, git: RealGit, repository: Path) -> None:
    git("checkout", "-q", "-b", "feature", cwd=repository)
    picked = git.commit(repository, "b.txt")
    git("checkout", "-q", "main", cwd=repository)
    git.commit(repository, "c.txt")
    git("cherry-pick", picked, cwd=repository)
    by_head = {one.head: one for one in drain() if one.trigger == "post-commit"}
    assert by_head[git("rev-parse", "HEAD", cwd=repository)].patches == by_head[picked].patches


def test_a_merge_is_told_by_what_it_brings(drain: Drain, git: RealGit, repository: Path) -> None:
    git("checkout", "-q", "-b", "feature", cwd=repository)
    git.commit(repository, "b.txt", "1\n2\n")
    git("checkout", "-q", "main", cwd=repository)
    git.commit(repository, "c.txt")
    git("merge", "-q", "--no-edit", "feature", cwd=repository)
    merge = next(one for one in drain() if one.trigger == "post-merge")
    assert merge.head == git("rev-parse", "HEAD", cwd=repository)
    assert merge.changes == (PathChange("b.txt", 2, 0),)


def test_a_checkout_is_told_and_one_that_changes_nothing_is_not(
    drain: Drain, git: RealGit, repository: Path
) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    git.commit(repository, "b.txt")
    drain()
    git("checkout", "-q", "HEAD", cwd=repository)
    git("checkout", "-q", "--", "b.txt", cwd=repository)
    assert drain() == []
    git("checkout", "-q", "-b", "feature", first, cwd=repository)
    [made] = drain()
    assert (made.trigger, made.head, made.branch) == ("post-checkout", first, "feature")
    assert made.tree == git("rev-parse", "HEAD^{tree}", cwd=repository)


def test_an_aborted_commit_is_what_the_drain_finds(
    drain: Drain, git: RealGit, repository: Path, run: CommandLine
) -> None:
    (repository / "a.txt").write_text("one\ntwo\n")
    git("add", ".", cwd=repository)
    aborted = subprocess.run(["git", "commit", "-q", "-m", ""], cwd=repository, capture_output=True)
    assert aborted.returncode == 1
    before = {path for path in (repository / ".git/objects").rglob("*") if path.is_file()}
    index = (repository / ".git/index").read_bytes()
    [made] = drain()
    assert (made.trigger, made.tree_from) == ("pre-commit", "found")
    assert made.changes == (PathChange("a.txt", 1, 0),)
    assert made.head == git("rev-parse", "HEAD", cwd=repository)
    assert (repository / ".git/index").read_bytes() == index
    after = {path for path in (repository / ".git/objects").rglob("*") if path.is_file()}
    assert {path.parent.name for path in after - before} == {"pack"}, "only packs of the memory"
    assert made.tree == git("write-tree", cwd=repository)
    hold(git, run, repository)


def test_a_partial_commit_that_was_aborted_looks_at_the_index_that_is_left(
    drain: Drain, git: RealGit, repository: Path
) -> None:
    (repository / "a.txt").write_text("one\ntwo\n")
    aborted = subprocess.run(["git", "commit", "-q", "-m", "", "a.txt"], cwd=repository, capture_output=True)
    assert aborted.returncode == 1
    [made] = drain()
    assert made.tree == git("rev-parse", "HEAD^{tree}", cwd=repository)


def test_a_linked_worktree_has_its_own_head_and_sessions(
    drain: Drain, git: RealGit, repository: Path, say: Say, tmp_path: Path, run: CommandLine
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", "-b", "side", str(linked), cwd=repository)
    say("main", 4)
    say("side", 6, cwd=linked)
    commit = git.commit(linked, "b.txt")
    git.commit(repository, "c.txt")
    made = {one.branch: one for one in drain() if one.trigger == "post-commit"}
    assert made["side"].head == commit
    assert [one.lines for one in made["side"].positions] == [6]
    assert [one.lines for one in made["main"].positions] == [4]
    hold(git, run, repository)


def test_a_worktree_that_is_gone_leaves_its_commits(
    drain: Drain, git: RealGit, repository: Path, say: Say, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", "-b", "side", str(linked), cwd=repository)
    say("side", 6, cwd=linked)
    say("main", 4)
    git.commit(repository, "c.txt")
    commit = git.commit(linked, "b.txt")
    git.commit(repository, "d.txt")
    git("worktree", "remove", "--force", str(linked), cwd=repository)
    made = {one.branch: one for one in drain() if one.trigger == "post-commit"}
    assert made["side"].head == commit
    assert made["side"].changes == (PathChange("b.txt", 1, 0),)
    assert [one.lines for one in made["side"].positions] == [6]
    assert [one.lines for one in made["main"].positions] == [4]


def test_a_detached_head_and_packed_refs(drain: Drain, git: RealGit, repository: Path) -> None:
    git("checkout", "-q", "--detach", cwd=repository)
    commit = git.commit(repository, "b.txt")
    made = drain()
    assert (made[-1].head, made[-1].branch) == (commit, None)
    git("checkout", "-q", "main", cwd=repository)
    git("pack-refs", "--all", cwd=repository)
    git("merge", "-q", "--ff-only", commit, cwd=repository)
    git("pack-refs", "--all", cwd=repository)
    made = drain()
    assert {one.head for one in made if one.trigger == "post-merge"} == {commit}


def test_a_checkpoint_is_by_whoever_committed_not_by_the_commits_author(
    git: RealGit, repository: Path, spool: Path, run: CommandLine
) -> None:
    git("commit", "-q", "--allow-empty", "--author", "Eve <eve@example.org>", "-m", "hers", cwd=repository)
    told = {"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "eve@example.org", "GIT_DIR": ".git"}
    run("capture", "--spool", cwd=repository, environ=told)
    [made] = recorded(repository)
    assert made.author.name == "Ada Example"


@pytest.mark.parametrize("form", ["--object-format=sha256", "--separate-git-dir=apart"])
def test_repositories_of_other_kinds_have_checkpoints(
    git: RealGit, tmp_path: Path, run: CommandLine, say: Say, form: str
) -> None:
    top = tmp_path / "other"
    git("init", "-q", form, str(top), cwd=tmp_path)
    common = tmp_path / "apart" if "separate" in form else top / ".git"
    stubs.install(top, common)
    say("one", 4, cwd=top)
    git.commit(top, "a.txt", "1\n")
    commit = git.commit(top, "a.txt", "2\n")
    run("capture", "--spool", cwd=common)
    first, made = recorded(top)
    assert made.head == commit
    assert made.changes == (PathChange("a.txt", 1, 1),)
    assert made.patches == (patch_id(git, top, "HEAD"),)
    assert first.changes == (PathChange("a.txt", 1, 0),)
    assert [one.lines for one in made.positions] == [4]
    hold(git, run, top)


def test_a_shallow_clone_compares_with_what_it_has(
    git: RealGit, repository: Path, tmp_path: Path, run: CommandLine
) -> None:
    git.commit(repository, "b.txt")
    top = tmp_path / "shallow"
    git("clone", "-q", "--depth=1", f"file://{repository}", str(top), cwd=tmp_path)
    spool = stubs.install(top)
    cut = git("rev-parse", "HEAD", cwd=top)
    stubs.leave(spool, "post-commit", cwd=top, head=cut)
    commit = git.commit(top, "c.txt")
    run("capture", "--spool", cwd=top)
    made = {one.head: one for one in recorded(top)}
    assert made[cut].changes == made[cut].patches == ()
    assert made[commit].changes == (PathChange("c.txt", 1, 0),)


def test_a_partial_clone_asks_nobody_for_what_it_lacks(
    git: RealGit, repository: Path, tmp_path: Path, run: CommandLine
) -> None:
    git.commit(repository, "b.txt", "old\n")
    git.commit(repository, "b.txt", "new\n")
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    top = tmp_path / "partial"
    git("clone", "-q", "--filter=blob:none", f"file://{repository}", str(top), cwd=tmp_path)
    spool = stubs.install(top)
    head = git("rev-parse", "HEAD", cwd=top)
    stubs.leave(spool, "post-commit", cwd=top, head=head)
    commit = git.commit(top, "c.txt")
    repository.rename(tmp_path / "away")
    run("capture", "--spool", cwd=top)
    made = {one.head: one for one in recorded(top)}
    assert made[head].changes == ()
    assert made[commit].changes == (PathChange("c.txt", 1, 0),)


def test_a_head_that_the_stub_could_not_tell_is_in_the_reflog(
    drain: Drain, git: RealGit, repository: Path, spool: Path
) -> None:
    now = time.time_ns()
    heads = []
    for hours in (5, 3, 1):
        date = {"GIT_COMMITTER_DATE": f"{now // 10**9 - hours * 3600} +0000"}
        git("commit", "-q", "--allow-empty", "-m", f"{hours}", cwd=repository, environ=date)
        heads.append(git("rev-parse", "HEAD", cwd=repository))
    for path in spool.glob("*.event"):
        path.unlink()
    # The first entry of the reflog is of now, which is later than all others: they count as just after it.
    log = repository / ".git/logs/HEAD"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[1:]))
    for hours in (4, 2):
        stubs.leave(spool, "post-merge", cwd=repository, at_ns=now - hours * 3600 * 10**9)
    assert [one.head for one in drain()] == heads[:2]


def test_commits_of_one_second_are_told_apart_where_stubs_see_no_head(
    drain: Drain, git: RealGit, repository: Path, spool: Path
) -> None:
    heads = [git.commit(repository, f"{n}.txt") for n in range(3)]
    git("commit", "-q", "--amend", "-m", "amended", cwd=repository)
    heads.append(git("rev-parse", "HEAD", cwd=repository))
    git("checkout", "-q", "-b", "side", "HEAD~1", cwd=repository)
    git.commit(repository, "side.txt")
    git("rebase", "-q", "main", cwd=repository)
    for path in spool.glob("*.event"):
        # As where refs are tables: a stub sees neither the branch nor the commit.
        lines = path.read_bytes().split(b"\n")
        told = [line for line in lines if not line.startswith((b"branch ", b"head "))]
        times = path.stat()
        path.write_bytes(b"\n".join(told))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    made = [one for one in drain() if one.trigger == "post-commit"]
    assert [one.head for one in made[:4]] == heads
    assert made[-1].head == git("rev-parse", "side", cwd=repository) != made[-2].head
    assert all(one.branch is None for one in made)
    assert all(one.patches for one in made)
