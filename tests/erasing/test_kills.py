"""Killed at any effect on the disk, an erasure leaves a sound repository, and the next run finishes it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gitmem import disk
from gitmem.erasing.erase import announce, erase, pending, resume
from tests.conftest import RealGit
from tests.erasing.worlds import EVERYTHING, World, all_objects, expect_sound, make_world, output, reached
from tests.killing import chosen_points, kill_at
from tests.objects.storage_suite import REF


def test_killed_at_any_effect_the_repository_is_sound_and_the_next_run_finishes(
    tmp_path: Path, git: RealGit
) -> None:
    world = mixed_world(tmp_path, git)
    announce(world.repository.state_dir, [world.old])
    template = tmp_path / "template"
    shutil.copytree(world.top, template, symlinks=True)
    before, old = all_objects(world.top), reached(world.top, world.old)
    effects: list[tuple[disk.Effect, str]] = []
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        erase(world.repository, world.git, REF, [])
    expected = all_objects(world.top)
    assert before - expected == old - reached(world.top, *EVERYTHING)
    names = [name for _, name in effects]
    assert len(effects) > 30
    assert {"erasing", "gc.pid", "FETCH_HEAD", "gitmem", "commit-graph", "multi-pack-index"} <= {*names}
    # Single objects go one like the other.
    points = [
        n for n, (effect, name) in enumerate(effects) if effect != "remove" or len(name) < 38 or n % 8 == 0
    ]
    for point in [points[n] for n in chosen_points(len(points))]:
        shutil.rmtree(world.top)
        shutil.copytree(template, world.top, symlinks=True)
        kill_at(point, lambda: erase(world.repository, world.git, REF, []))
        assert before - all_objects(world.top) <= before - expected, effects[point]
        output(world.top, "fsck", "--full", "--strict", "--no-dangling")
        assert pending(world.repository.state_dir) or point >= len(effects) - 2, effects[point]
        resume(world.repository, world.git, REF)
        assert all_objects(world.top) == expected, effects[point]
        assert not pending(world.repository.state_dir)
        expect_nothing_left(world)


def expect_nothing_left(world: World) -> None:
    """See that no file tells of a run that did not end."""
    packs = world.top / ".git/objects/pack"
    stems = {path.stem for path in packs.glob("pack-*.idx")}
    assert {path.stem for path in packs.glob("pack-*")} == stems
    assert not list((world.top / ".git").glob("*.lock"))
    assert not list((world.top / ".git/gitmem").glob("erasing*"))
    expect_sound(world.top)


def mixed_world(tmp_path: Path, git: RealGit) -> World:
    """Make a world with the old history loose, in gitmem's packs and in the user's, and named by files."""
    world = make_world(tmp_path, git, sessions=2)
    packs = sorted((world.top / ".git/objects/pack").glob("*.keep"))
    git("update-ref", REF, world.old, cwd=world.top)
    unpack(world.top, packs[0])
    for keep in packs[1:4]:
        keep.unlink()
    git("repack", "-q", "-a", "-d", cwd=world.top)
    unpack(world.top, packs[-1])
    git("commit-graph", "write", "--reachable", cwd=world.top)
    git("multi-pack-index", "write", cwd=world.top)
    git("update-ref", REF, world.new, cwd=world.top)
    (world.top / ".git/FETCH_HEAD").write_text(f"{world.old}\t\tbranch 'gitmem' of somewhere\n")
    return world


def unpack(top: Path, keep: Path) -> None:
    """Make each object of a pack a file of its own, as if long since."""
    pack = keep.with_suffix(".pack").rename(top / ".git/unpacked.pack")
    for suffix in (".keep", ".idx"):
        keep.with_suffix(suffix).unlink()
    with pack.open("rb") as file:
        subprocess.run(["git", "unpack-objects", "-q"], cwd=top, stdin=file, check=True)
    pack.unlink()
    for loose in (top / ".git/objects").glob("??/*"):
        os.utime(loose, (1_700_000_000,) * 2)
