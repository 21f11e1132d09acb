"""Folders on the disk: made to work in, removed whole, and files removed without following a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.model.errors.store import DiskRefused


def test_a_copy_has_the_same_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    os.utime(tmp_path / "a", ns=(1, 1_234_567_890_123_456_789))
    disk.copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"content"
    assert (tmp_path / "b").stat().st_mtime_ns == 1_234_567_890_123_456_789
    with pytest.raises(FileNotFoundError):
        disk.copy_file(tmp_path / "none", tmp_path / "c")
    with pytest.raises(DiskRefused):
        disk.copy_file(tmp_path / "a", tmp_path / "no/such")


def test_a_workroom_is_gone_at_the_end(tmp_path: Path) -> None:
    def fail() -> None:
        with disk.workroom(tmp_path / "folder") as room:
            (room / "deep").mkdir()
            (room / "deep/file").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_folder_is_removed_whole(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "a/link").symlink_to(tmp_path / "kept")
    disk.remove_folder(tmp_path / "a")
    disk.remove_folder(tmp_path / "a")
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_a_file_goes_with_the_folders_that_are_empty_then(tmp_path: Path) -> None:
    for name in ("a/b/c/file", "a/other", "x/y/file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert disk.remove_below(tmp_path, b"a/b/c/file")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "file", "other", "x", "y"]
    assert disk.remove_below(tmp_path, b"x/y/file", b"x/y/deeper")
    assert (tmp_path / "x/y").is_dir()
    assert disk.remove_below(tmp_path, b"a/other")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["x", "y"]


@pytest.mark.parametrize(
    "name", [b"none", b"folder/none", b"folder", b"file/below", b"link/file", b"loop/file"]
)
def test_what_is_no_file_there_is_left(tmp_path: Path, name: bytes) -> None:
    top = tmp_path / "top"
    (top / "folder").mkdir(parents=True)
    (top / "file").touch()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "loop").symlink_to("loop")
    before = sorted(tmp_path.rglob("*"))
    assert not disk.remove_below(top, name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert disk.remove_below(tmp_path, b"link")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_refusal_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskRefused) as caught:
        disk.remove_below(tmp_path, b"x" * 300)
    assert caught.value.doing == "remove"
