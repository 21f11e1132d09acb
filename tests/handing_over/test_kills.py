"""Killed before any effect on the disk, a resume leaves nothing half-written with the agent, and the next ends well."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.disk import files as disk_files
from gitmem.model.errors.store import DiskRefused
from tests.handing_over.conftest import Gitmem, abroad
from tests.killing import chosen_points, kill_at


def state_of(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


@pytest.fixture
def handing(gitmem: Gitmem) -> Callable[[], None]:
    """Return what hands over a session with a subagent, which takes two files."""
    gitmem("init", "--no-hooks", "--agents", "none", "--no-import")
    gitmem("import", *map(str, abroad("claude-code")))
    [row] = gitmem("sessions", "--json").json["sessions"]
    return lambda: print(gitmem("resume", row["session"], "--json").json["state"])


def test_killed_at_any_effect_no_half_is_left_and_the_next_run_writes_all(
    handing: Callable[[], None], repository: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda fd: None)
    place, state = home / ".claude", repository / ".git/gitmem"
    kept = home / "kept"
    shutil.copytree(state, kept)
    effects: list[tuple[disk.Effect, str]] = []
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        handing()
    expected = state_of(place)
    assert len(expected) == 2
    assert [name for effect, name in effects if effect == "rename" and name.endswith(".jsonl")][-1] in {
        Path(name).name for name in expected if "subagents" not in name
    }
    for point in chosen_points(len(effects)):
        for each in (place, state):
            shutil.rmtree(each)
        shutil.copytree(kept, state)
        kill_at(point, handing)
        left = state_of(place)
        assert left.items() <= expected.items(), effects[point]
        handing()
        assert state_of(place) == expected, effects[point]
        assert not list((state / "handed-over").glob(f"{disk.UNPUBLISHED}*"))


@pytest.mark.parametrize("why", ["interrupted", "full"])
def test_what_is_broken_off_leaves_nothing(
    handing: Callable[[], None], home: Path, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(effect: disk.Effect, path: Path) -> None:
        if effect == "rename" and path.suffix == ".jsonl":
            raise KeyboardInterrupt if why == "interrupted" else DiskRefused("write", str(path), "it is full")

    with disk.observe(stop), pytest.raises((KeyboardInterrupt, AssertionError)):
        handing()
    assert state_of(home / ".claude") == {}
    handing()


def test_on_another_disk_files_are_written_beside_their_names(
    handing: Callable[[], None], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link_first = disk_files._link_first

    def linked(path: Path, to: Path) -> None:
        if path.parent != to.parent:
            raise DiskRefused("write", str(to), "another disk") from OSError(18, "another disk")
        link_first(path, to)

    monkeypatch.setattr(disk_files, "_link_first", linked)
    handing()
    assert len(state_of(home / ".claude")) == 2


@pytest.mark.parametrize("is_there", [False, True])
def test_without_links_a_name_is_still_nobody_elses(
    tmp_path: Path, is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    if is_there:
        (tmp_path / "a").write_text("theirs")
    with disk.NewFile(tmp_path) as new:
        new.write(b"ours")
        if is_there:
            with pytest.raises(FileExistsError):
                new.publish(tmp_path / "a", is_first=True)
        else:
            new.publish(tmp_path / "a", is_first=True)
    assert (tmp_path / "a").read_text() == ("theirs" if is_there else "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
