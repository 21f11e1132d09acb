"""Erasing: exactly what only a replaced history reaches goes, wherever it is, and git has nothing to say."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from gitmem.erasing.erase import Erased, announce, erase, pending, resume, still_here
from gitmem.git.packs import KEEP_MARK
from gitmem.model.errors.store import HousekeepingUnderWay, ObjectDamaged
from gitmem.model.ids import Oid
from tests.conftest import RealGit
from tests.erasing.worlds import (
    EVERYTHING,
    World,
    all_objects,
    copy_world,
    expect_sound,
    make_world,
    open_at,
    output,
    reached,
)
from tests.objects.storage_suite import REF


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("template"), RealGit())


@pytest.fixture
def world(tmp_path: Path, template: World) -> World:
    return copy_world(template, tmp_path)


def run(world: World, *tips: Oid) -> Erased:
    return erase(world.repository, world.git, REF, tips or (world.old,))


def expect_exact(world: World, before: set[str], old: set[str], done: Erased) -> None:
    """See that all of the old history is gone that nothing reaches any more, and nothing else."""
    after = all_objects(world.top)
    gone = old - reached(world.top, *EVERYTHING)
    assert before - after == gone
    assert done.objects == len(gone)
    assert not pending(world.repository.state_dir)
    assert not (world.repository.common_dir / "gc.pid").exists()
    expect_sound(world.top)


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_replaced_history_goes_from_kept_packs_and_the_reflog(
    tmp_path: Path, git: RealGit, kind: str
) -> None:
    world = make_world(tmp_path, git, kind=kind)
    before, old = all_objects(world.top), reached(world.top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert done.objects == done.own_packs.objects > 20
    assert done.own_packs.size_bytes > 900
    assert done.reflog_entries == 7
    assert output(world.top, "reflog", "show", "gitmem") == ""
    assert done.held_by == ()
    assert still_here(world.repository, world.git, [*world.erased, world.kept]) == {world.kept}
    assert all(keep.read_bytes() == KEEP_MARK for keep in (world.top / ".git/objects/pack").glob("*.keep"))
    output(world.top, "gc", "--quiet")
    expect_sound(world.top)


def test_again_there_is_nothing_to_do(world: World) -> None:
    run(world)
    before = all_objects(world.top)
    assert run(world) == Erased()
    assert resume(world.repository, world.git, REF) == Erased()
    assert all_objects(world.top) == before


def test_a_clone_that_has_memory_and_code_in_one_pack_is_written_anew(
    tmp_path: Path, git: RealGit, template: World
) -> None:
    origin = copy_world(template, tmp_path)
    git("update-ref", REF, origin.old, cwd=origin.top)
    clone = tmp_path / "clone"
    git("clone", "--quiet", f"file://{origin.top}", str(clone), cwd=tmp_path)
    git("update-ref", REF, origin.new, cwd=origin.top)
    [pack] = (clone / ".git/objects/pack").glob("*.pack")
    git("gc", "--quiet", cwd=clone)
    git("multi-pack-index", "write", "--bitmap", cwd=clone)
    # As a pull of gitmem's does: the tracking ref follows.
    git("fetch", "--quiet", cwd=clone)
    repository, storage = open_at(clone)
    storage.close()
    world = origin._replace(top=clone, repository=repository)
    before, old = all_objects(clone), reached(clone, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert done.users_packs.objects == done.objects > 20
    assert done.reflog_entries >= 1
    assert output(clone, "show", "HEAD:b.txt") == "two\n"
    assert not pack.exists()
    assert not list((clone / ".git/objects/pack").glob("multi-pack-index*"))
    git("gc", "--quiet", cwd=clone)
    expect_sound(clone)


def test_loose_objects_go_and_the_users_stay(world: World, git: RealGit) -> None:
    unpack(world)
    orphan = git("hash-object", "-w", "--stdin", cwd=world.top, stdin="nobody's\n")
    before, old = all_objects(world.top), reached(world.top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert done.loose.objects == done.objects > 20
    assert git("cat-file", "blob", orphan, cwd=world.top) == "nobody's"


def unpack(world: World) -> None:
    """Make each object of gitmem's a file of its own, as if long since."""
    packs = world.top / ".git/objects/pack"
    for keep in packs.glob("*.keep"):
        pack = keep.with_suffix(".pack").rename(world.top / ".git/unpacked.pack")
        for suffix in (".keep", ".idx"):
            keep.with_suffix(suffix).unlink()
        with pack.open("rb") as file:
            subprocess.run(["git", "unpack-objects", "-q"], cwd=world.top, stdin=file, check=True)
        pack.unlink()
    for file in (world.top / ".git/objects").glob("??/*"):
        os.utime(file, (1_700_000_000,) * 2)


def test_a_file_of_the_users_with_the_same_bytes_stays(world: World, git: RealGit) -> None:
    one, *_ = world.erased
    data = subprocess.run(["git", "cat-file", "blob", one], cwd=world.top, capture_output=True, check=True)
    (world.top / "same").write_bytes(data.stdout)
    git("add", "same", cwd=world.top)  # in the index alone
    done = run(world)
    assert still_here(world.repository, world.git, world.erased) == {one}
    assert (done.held, done.held_by) == (1, ())
    expect_sound(world.top)


HOLDERS = {
    "a branch": (("branch", "mine", "{old}"), ["reflog of refs/heads/mine", "refs/heads/mine"]),
    "an annotated tag": (("tag", "-a", "-m", "x", "mine", "{old}~2"), ["refs/tags/mine"]),
    "a tag of a tree": (("tag", "mine", "{old}^{{tree}}"), []),
    "a note of an older day": (
        ("update-ref", "refs/notes/x", "{old}"),
        ["reflog of refs/notes/x", "refs/notes/x"],
    ),
    "another tracking ref": (
        ("update-ref", "refs/remotes/gone/gitmem", "{old}"),
        ["reflog of refs/remotes/gone/gitmem", "refs/remotes/gone/gitmem"],
    ),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_a_ref_of_the_users_holds_stays_and_is_named(world: World, git: RealGit, holder: str) -> None:
    command, names = HOLDERS[holder]
    git(*(part.format(old=world.old) for part in command), cwd=world.top)
    before, old = all_objects(world.top), reached(world.top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert done.held > 0
    assert list(done.held_by) == names


def test_what_heads_reflogs_and_working_trees_hold_stays_and_is_named(world: World, git: RealGit) -> None:
    tree = world.top.parent / "tree"
    git("worktree", "add", "--quiet", "--detach", str(tree), f"{world.old}~1", cwd=world.top)
    before, old = all_objects(world.top), reached(world.top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert list(done.held_by) == [
        f"HEAD of {tree}",
        "reflog of worktrees/tree/HEAD",
        "worktrees/tree/ORIG_HEAD",
    ]
    git("checkout", "--quiet", "main~1", cwd=tree)
    assert list(run(world).held_by) == []  # the tip itself is gone
    held = Oid(output(tree, "rev-parse", "HEAD@{1}").strip())
    assert list(run(world, held).held_by) == ["reflog of worktrees/tree/HEAD", "worktrees/tree/ORIG_HEAD"]
    git("worktree", "remove", "--force", str(tree), cwd=world.top)
    assert run(world, held).held_by == ()
    assert held not in all_objects(world.top)
    expect_sound(world.top)


def test_a_tracking_ref_that_has_not_moved_holds_the_old_history(world: World, git: RealGit) -> None:
    git("remote", "add", "origin", "file:///nowhere", cwd=world.top)
    git("update-ref", "refs/remotes/origin/gitmem", world.old, cwd=world.top)
    repository, storage = open_at(world.top)
    storage.close()
    world = world._replace(repository=repository)
    done = run(world)
    assert (done.objects, done.held, done.held_by) == (0, 0, ("refs/remotes/origin/gitmem",))
    git("update-ref", "refs/remotes/origin/gitmem", world.new, cwd=world.top)
    assert run(world).objects > 20
    assert still_here(world.repository, world.git, world.erased) == set()


def test_a_history_that_had_merged_the_memory_is_not_held_by_it(world: World, git: RealGit) -> None:
    tree = output(world.top, "rev-parse", f"{world.old}^{{tree}}").strip()
    merged = output(world.top, "commit-tree", "-m", "x", "-p", world.old, "-p", world.new, tree).strip()
    done = run(world, Oid(merged))
    assert done.objects > 20
    assert done.held_by == ()
    assert still_here(world.repository, world.git, [*world.erased, world.kept]) == {world.kept}


def test_a_stash_and_a_merge_under_way_keep_what_they_hold(world: World, git: RealGit) -> None:
    (world.top / "a.txt").write_text("changed\n")
    git("stash", "--quiet", cwd=world.top)
    git("stash", "apply", "--quiet", cwd=world.top)
    git("commit", "--quiet", "-am", "x", cwd=world.top)
    (world.top / ".git/MERGE_HEAD").write_text(f"{world.old}\n")
    done = run(world)
    assert (done.objects, done.held_by) == (0, ("MERGE_HEAD",))
    (world.top / ".git/MERGE_HEAD").unlink()
    assert run(world).objects > 20
    assert "changed" in git("stash", "show", "-p", cwd=world.top)
    expect_sound(world.top)


def test_what_fetch_left_names_the_old_history_no_more(world: World) -> None:
    fetched = world.top / ".git/FETCH_HEAD"
    line = f"{world.new}\tnot-for-merge\tbranch 'main' of somewhere\n"
    fetched.write_text(f"{world.old}\tnot-for-merge\tbranch 'gitmem' of somewhere\n{line}")
    assert run(world).fetched_lines == 1
    assert fetched.read_text() == line


@pytest.mark.parametrize("how", [(), ("--split",), ("--changed-paths",), ("--split", "--changed-paths")])
def test_the_commit_graph_is_written_anew(world: World, git: RealGit, how: tuple[str, ...]) -> None:
    git("update-ref", REF, world.old, cwd=world.top)
    git("commit-graph", "write", "--reachable", *how, cwd=world.top)
    git("update-ref", REF, world.new, cwd=world.top)
    before, old = all_objects(world.top), reached(world.top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    info = world.top / ".git/objects/info"
    assert (info / "commit-graph").exists() != ("--split" in how)
    assert (info / "commit-graphs/commit-graph-chain").exists() == ("--split" in how)
    for file in [*info.glob("commit-graph"), *info.glob("commit-graphs/*.graph")]:
        assert bytes.fromhex(world.old) not in file.read_bytes()
        assert (b"BIDX" in file.read_bytes()) == ("--changed-paths" in how)


def test_marks_of_a_pack_stay_with_what_is_written_anew(world: World, git: RealGit) -> None:
    packs = world.top / ".git/objects/pack"
    for keep in packs.glob("*.keep"):
        keep.unlink()
    git("repack", "-q", "-a", "-d", "--keep-unreachable", cwd=world.top)
    [pack] = packs.glob("*.pack")
    pack.with_suffix(".keep").write_text("mine\n")
    done = run(world)
    assert done.users_packs.objects == done.objects > 20
    [pack] = packs.glob("*.pack")
    assert pack.with_suffix(".keep").read_text() == "mine\n"
    expect_sound(world.top)


def test_a_cruft_pack_keeps_what_is_the_users_and_when_it_was_used(world: World, git: RealGit) -> None:
    orphans = []
    for n in range(5):
        orphan = git("hash-object", "-w", "--stdin", cwd=world.top, stdin=f"orphan {n}\n")
        os.utime(world.top / f".git/objects/{orphan[:2]}/{orphan[2:]}", (1_600_000_000 + n,) * 2)
        orphans.append(orphan)
    packs = world.top / ".git/objects/pack"
    for keep in packs.glob("*.keep"):
        keep.unlink()
    git("reflog", "expire", "--expire=all", "refs/heads/gitmem", cwd=world.top)
    git("repack", "-q", "--cruft", "-d", cwd=world.top)
    [cruft] = packs.glob("*.mtimes")
    done = run(world)
    assert done.users_packs.objects == done.objects > 20
    [new] = packs.glob("*.mtimes")
    assert new != cruft
    expect_sound(world.top)
    git("repack", "-q", "--cruft", "--cruft-expiration=2020-09-13T12:26:42Z", "-d", cwd=world.top)
    assert [orphan in all_objects(world.top) for orphan in orphans] == [False, False, False, True, True]
    expect_sound(world.top)


def test_objects_of_a_repository_that_is_borrowed_from_stay_and_are_told_of(
    tmp_path: Path, git: RealGit, template: World
) -> None:
    world = copy_world(template, tmp_path)
    git("update-ref", REF, world.old, cwd=world.top)
    borrower = tmp_path / "borrower"
    git("clone", "--quiet", "--shared", str(world.top), str(borrower), cwd=tmp_path)
    git("branch", "gitmem", world.new, cwd=borrower)
    git("update-ref", "refs/remotes/origin/gitmem", world.new, cwd=borrower)
    repository, storage = open_at(borrower)
    storage.close()
    before = all_objects(world.top)
    done = erase(repository, world.git, REF, [world.old])
    assert done.objects == 0
    assert done.elsewhere > 20
    assert done.borrowed_from == (world.top / ".git/objects",)
    assert not pending(repository.state_dir)
    assert all_objects(world.top) == before
    expect_sound(borrower)


def test_a_shallow_clone_is_erased_from(tmp_path: Path, git: RealGit, template: World) -> None:
    origin = copy_world(template, tmp_path)
    git("update-ref", REF, origin.old, cwd=origin.top)
    clone = tmp_path / "clone"
    git(
        "clone",
        "--quiet",
        "--depth=2",
        "--no-single-branch",
        f"file://{origin.top}",
        str(clone),
        cwd=tmp_path,
    )
    git("update-ref", REF, origin.new, cwd=origin.top)
    git("fetch", "--quiet", cwd=clone)
    repository, storage = open_at(clone)
    storage.close()
    world = origin._replace(top=clone, repository=repository)
    before, old = all_objects(clone), reached(clone, world.old)
    expect_exact(world, before, old, run(world))
    git("fetch", "--quiet", "--deepen=1", cwd=clone)
    git("gc", "--quiet", cwd=clone)
    expect_sound(clone)


def test_a_partial_clone_is_erased_from(tmp_path: Path, git: RealGit, template: World) -> None:
    origin = copy_world(template, tmp_path)
    git("update-ref", REF, origin.old, cwd=origin.top)
    git("config", "uploadpack.allowFilter", "true", cwd=origin.top)
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--filter=blob:limit=250", f"file://{origin.top}", str(clone), cwd=tmp_path)
    git("update-ref", REF, origin.new, cwd=origin.top)
    git("fetch", "--quiet", cwd=clone)
    repository, storage = open_at(clone)
    storage.close()
    missing = set(output(clone, "rev-list", "--objects", "--all", "--missing=print").split())
    assert any(name.startswith("?") for name in missing)
    trees = set(output(origin.top, "rev-list", "--objects", "--no-object-names", origin.old).split())
    done = erase(repository, origin.git, REF, [origin.old])
    assert done.users_packs.objects == done.objects > 15
    assert origin.old not in all_objects(clone) & trees
    assert still_here(repository, origin.git, [origin.old, *origin.erased]) == set()
    assert still_here(repository, origin.git, [origin.new]) == {origin.new}
    assert list((clone / ".git/objects/pack").glob("*.promisor"))
    expect_sound(clone)


def test_a_git_that_is_at_work_is_waited_for_and_then_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitmem.erasing.erase._HOUSEKEEPING_WAIT_S", 0.1)
    lock = world.top / ".git/gc.pid"
    with subprocess.Popen(["sleep", "100"]) as other:
        lock.write_text(f"{other.pid} {os.uname().nodename}")
        with pytest.raises(HousekeepingUnderWay) as caught:
            run(world)
        assert str(other.pid) in caught.value.process
        assert pending(world.repository.state_dir)
        other.kill()
    assert resume(world.repository, world.git, REF).objects > 20  # its process is gone
    assert not lock.exists()


@pytest.mark.parametrize("content", ["", "no number host", "1 elsewhere", "our own"])
def test_a_lock_that_was_left_behind_is_passed_over(world: World, content: str) -> None:
    lock = world.top / ".git/gc.pid"
    lock.write_text(f"{os.getpid()} {os.uname().nodename}" if content == "our own" else content)
    os.utime(lock, (1_700_000_000,) * 2)
    assert run(world).objects > 20
    assert not lock.exists()


@pytest.mark.parametrize("name", ["gc.pid", "objects/maintenance.lock"])
def test_git_at_work_elsewhere_is_named(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("gitmem.erasing.erase._HOUSEKEEPING_WAIT_S", 0.1)
    (world.top / ".git" / name).write_text("1 elsewhere")
    with pytest.raises(HousekeepingUnderWay) as caught:
        run(world)
    assert caught.value.lock.endswith(name)
    assert (world.top / ".git" / name).exists()


@pytest.mark.parametrize("content", [b"", b"CGPH", b"no graph at all"])
def test_a_commit_graph_that_cannot_be_read_goes(world: World, content: bytes) -> None:
    graph = world.top / ".git/objects/info/commit-graph"
    graph.parent.mkdir(exist_ok=True)
    graph.write_bytes(content)
    run(world)
    expect_sound(world.top)


def test_a_lock_of_maintenance_that_was_left_behind_is_passed_over(world: World) -> None:
    lock = world.top / ".git/objects/maintenance.lock"
    lock.touch()
    os.utime(lock, (1_700_000_000,) * 2)
    assert run(world).objects > 20
    assert lock.exists()


def test_git_does_not_tidy_up_meanwhile(world: World) -> None:
    said: list[str] = []

    def tell(doing: str, done: int, total: int) -> None:
        tried = subprocess.run(["git", "gc"], cwd=world.top, capture_output=True, text=True, check=False)
        said.append(tried.stderr)

    erase(world.repository, world.git, REF, [world.old], tell)
    assert said
    assert all("gc is already running" in words for words in said)


def test_what_was_announced_is_erased_by_the_next_run(tmp_path: Path, git: RealGit, template: World) -> None:
    world = copy_world(template, tmp_path)
    assert not pending(world.repository.state_dir)
    announce(world.repository.state_dir, [world.old])
    assert pending(world.repository.state_dir)
    assert resume(world.repository, world.git, REF).objects > 20
    assert not pending(world.repository.state_dir)


def test_a_ref_that_is_made_meanwhile_keeps_what_it_reaches(world: World, git: RealGit) -> None:
    def tell(doing: str, done: int, total: int) -> None:
        if "pack" in doing and not (world.top / ".git/refs/heads/late").exists():
            git("branch", "--force", "late", f"{world.old}~2", cwd=world.top)

    old = reached(world.top, world.old)
    before = all_objects(world.top)
    done = erase(world.repository, world.git, REF, [world.old], tell)
    expect_exact(world, before, old, done)
    assert reached(world.top, "late") <= all_objects(world.top)
    assert done.held > 10


def test_an_object_that_is_written_again_meanwhile_is_left_for_the_next_run(
    world: World, git: RealGit
) -> None:
    unpack(world)
    [oid, *_] = world.erased
    data = subprocess.run(["git", "cat-file", "blob", oid], cwd=world.top, capture_output=True, check=True)

    def tell(doing: str, done: int, total: int) -> None:
        subprocess.run(
            ["git", "hash-object", "-w", "--stdin"],
            cwd=world.top,
            input=data.stdout,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    done = erase(world.repository, world.git, REF, [world.old], tell)
    assert done.in_use == 1
    assert still_here(world.repository, world.git, world.erased) == {oid}
    assert pending(world.repository.state_dir)
    assert resume(world.repository, world.git, REF).objects == 1
    assert not pending(world.repository.state_dir)


def test_a_damaged_index_stops_the_run_before_anything_is_lost(world: World) -> None:
    index = next((world.top / ".git/objects/pack").glob("*.idx"))
    whole = index.read_bytes()
    index.chmod(0o644)
    index.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ObjectDamaged):
        run(world)
    index.write_bytes(whole)
    resume(world.repository, world.git, REF)
    assert still_here(world.repository, world.git, world.erased) == set()
    expect_sound(world.top)


def test_a_list_for_plain_http_names_packs_that_are_there(world: World, git: RealGit) -> None:
    git("update-server-info", cwd=world.top)
    run(world)
    listed = (world.top / ".git/objects/info/packs").read_text().split()[1::2]
    assert sorted(listed) == sorted(path.name for path in (world.top / ".git/objects/pack").glob("*.pack"))


@pytest.mark.skipif(
    b"--ref-format" not in subprocess.run(["git", "init", "-h"], capture_output=True, check=False).stdout,
    reason="this git has no reftable",
)
def test_a_repository_with_a_reftable_is_erased_from(tmp_path: Path, git: RealGit) -> None:
    asked = subprocess.run(["git", "init", "-h"], capture_output=True, text=True, check=False)
    if "--ref-format" not in asked.stdout:
        pytest.skip("this git has no reftable")
    top = tmp_path / "r"
    git("init", "--quiet", "--ref-format=reftable", str(top), cwd=tmp_path)
    git.commit(top)
    world = make_world(tmp_path, git, top=top)
    before, old = all_objects(top), reached(top, world.old)
    done = run(world)
    expect_exact(world, before, old, done)
    assert done.reflog_entries > 0


def test_what_git_does_at_the_same_time_is_not_lost(tmp_path: Path, git: RealGit) -> None:
    world = make_world(tmp_path, git, sessions=10)
    script = """
        for n in 1 2 3 4 5 6; do
            echo $n > c.txt; git add c.txt; git commit -qm $n
            echo stashed $n > c.txt; git stash -q
            git repack -q -d; git gc -q 2> /dev/null
            touch started
        done
        """
    git("config", "maintenance.auto", "false", cwd=world.top)
    with subprocess.Popen(["sh", "-c", script], cwd=world.top) as user:
        while not (world.top / "started").exists() and user.poll() is None:
            time.sleep(0.01)
        done = run(world)
        assert user.wait() == 0
    assert done.objects > 20
    again = run(world)  # what a repack may have copied in the moment before
    assert again.objects == 0 or again.in_use == 0
    assert still_here(world.repository, world.git, [*world.erased, world.kept]) == {world.kept}
    assert len(output(world.top, "log", "--format=%s", "main").split("\n")) == 9
    assert len(output(world.top, "stash", "list").splitlines()) == 6
    expect_sound(world.top)
