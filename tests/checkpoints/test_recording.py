"""What goes along with checkpoints: snapshots, of what stood there and of nothing later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest

from gitmem.checkpoints import spool as spools
from gitmem.checkpoints import worktrees
from gitmem.checkpoints.draining import Drained, drain, is_process
from gitmem.checkpoints.means import Means
from gitmem.checkpoints.worktrees import Standing, Worktree, read_standing, write_standing
from gitmem.cli.checkpointing import opened_means
from gitmem.cli.context import Context
from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.repositories import GitFailed
from gitmem.model.errors.store import DiskRefused
from gitmem.model.ids import Oid, RecordId
from tests.checkpoints import stubs
from tests.checkpoints.conftest import recorded
from tests.conftest import RealGit

MINUTE_NS = 60_000_000_000


@dataclass
class Camera:
    """Takes snapshots that are nothing but notes of what was asked for."""

    staged: Oid | None = None
    working: Oid | None = None
    error: GitmemError | None = None
    tie_error: GitmemError | None = None
    taken: list[tuple[Path | None, Path | None]] = field(default_factory=list)
    tied: list[RecordId] = field(default_factory=list)

    def __call__(self, repository: Repository, index: Path | None, at_ms: int) -> Camera:
        if self.error:
            raise self.error
        self.taken.append((repository.top, index))
        return self

    def tie(self, checkpoint: RecordId) -> None:
        if self.tie_error:
            raise self.tie_error
        self.tied.append(checkpoint)


Take = Callable[[Camera], Drained]


@pytest.fixture
def take(repository: Path, spool: Path) -> Take:
    """Drain in this process, with a camera."""
    context = Context(
        environ=dict(os.environ),
        stdin=BytesIO(),
        stdout=BytesIO(),
        stderr=BytesIO(),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    context.move(repository)

    def take(camera: Camera) -> Drained:
        @contextmanager
        def means() -> Iterator[Means]:
            with opened_means(context) as found:
                yield found._replace(snapshot=camera)

        return drain(context.repository.state_dir, means, time.time_ns, is_process)

    return take


def test_the_last_of_a_drain_has_the_snapshot(git: RealGit, repository: Path, take: Take) -> None:
    git.commit(repository, "b.txt", "1\n")
    git.commit(repository, "b.txt", "2\n")
    camera = Camera()
    done = take(camera)
    assert camera.taken == [(repository, None)]
    assert camera.tied == [done.checkpoints[-1]]


def test_what_adds_nothing_leaves_the_snapshot_to_the_one_before(
    git: RealGit, repository: Path, take: Take
) -> None:
    git.commit(repository, "b.txt")
    git("checkout", "-q", "HEAD", cwd=repository)
    camera = Camera()
    done = take(camera)
    assert done.without == 2
    assert camera.tied == list(done.checkpoints)
    assert len(done.checkpoints) == 1


def test_of_what_is_long_ago_no_snapshot_is_taken(
    git: RealGit, repository: Path, spool: Path, take: Take
) -> None:
    head = git("rev-parse", "HEAD", cwd=repository)
    at = time.time_ns() - 2 * MINUTE_NS
    stubs.leave(spool, "post-commit", cwd=repository, head=head, at_ns=at)
    camera = Camera()
    assert len(take(camera).checkpoints) == 1
    assert camera.taken == []


def test_a_snapshot_that_git_cannot_take_keeps_no_checkpoint_from_being_made(
    git: RealGit, repository: Path, take: Take
) -> None:
    git.commit(repository, "b.txt")
    assert len(take(Camera(error=GitFailed("look", 1, "permission denied"))).checkpoints) == 1


def test_a_snapshot_that_cannot_be_tied_leaves_the_events(
    git: RealGit, repository: Path, spool: Path, take: Take
) -> None:
    git.commit(repository, "b.txt")
    with pytest.raises(DiskRefused):
        take(Camera(tie_error=DiskRefused("write", "there", "it is full")))
    assert recorded(repository) == []
    assert spools.state(spool.parent).waiting == 2
    assert "it is full" in (spools.state(spool.parent).failure or "")
    assert len(take(Camera()).checkpoints) == 1


def test_a_working_tree_that_has_changed_makes_an_agents_stop_a_checkpoint(
    git: RealGit, repository: Path, spool: Path, take: Take
) -> None:
    git.commit(repository, "b.txt")
    staged = Oid(git("rev-parse", "HEAD^{tree}", cwd=repository))
    take(Camera(staged, Oid("1" * 40)))
    for working, count in (("1", 0), ("2", 1), ("2", 0)):
        stubs.leave(spool, "stop", cwd=repository, agent="codex", branch="refs/heads/main")
        assert len(take(Camera(staged, Oid(working * 40))).checkpoints) == count
    assert recorded(repository)[-1].tree == staged


def test_an_index_of_another_place_is_the_one_that_is_looked_at(
    git: RealGit, repository: Path, spool: Path, take: Take, tmp_path: Path
) -> None:
    other = tmp_path / "index"
    (repository / "b.txt").write_text("one\n")
    git("add", ".", cwd=repository, environ={"GIT_INDEX_FILE": str(other)})
    pid = stubs.dead_pid()
    stubs.leave(spool, "pre-commit", cwd=repository, pid=pid, index=str(other), branch="refs/heads/main")
    camera = Camera()
    take(camera)
    assert camera.taken == [(repository, other)]
    [made] = recorded(repository)
    assert [one.path for one in made.changes] == ["b.txt"]
    assert made.tree == git("write-tree", cwd=repository, environ={"GIT_INDEX_FILE": str(other)})


def test_what_is_remembered_of_working_trees_is_bounded(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worktrees, "_MOST_STANDINGS", 10)
    found = discover(repository, Git(dict(os.environ)))
    trees = [Worktree(found._replace(git_dir=Path(f"/{n}"))) for n in range(25)]
    for n, worktree in enumerate(trees):
        write_standing(worktree, Standing(branch=f"{n}"))
        for path in (found.state_dir / "standing").iterdir():
            os.utime(path, ns=(path.stat().st_mtime_ns - 10**9, path.stat().st_mtime_ns - 10**9))
    known = [n for n, worktree in enumerate(trees) if read_standing(worktree).branch == f"{n}"]
    assert known == list(range(25 - len(known), 25))
    assert 5 <= len(known) <= 10
    gone = trees[-1]._replace(is_gone=True)
    write_standing(gone, Standing(branch="another"))
    assert read_standing(gone) == Standing()
    assert read_standing(trees[-1]).branch == "24"
    for path in (found.state_dir / "standing").iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    assert read_standing(trees[-1]) == Standing()
