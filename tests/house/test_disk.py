"""Effects on the disk: one rename publishes, an error leaves the old file, and what the disk refuses has a name."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.model.errors.store import DiskRefused, StoreBusy


class Stopped(BaseException):
    """Stands for a process that ends here."""


@pytest.fixture
def little_space() -> Iterator[int]:
    """Let no file of this process grow beyond some bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        yield 10_000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_what_is_written_is_read_back_and_can_be_written_over(tmp_path: Path) -> None:
    with disk.NewFile(tmp_path) as new:
        for n in range(1000):
            new.write(b"%05d\n" % n * 10)
        new.overwrite(3, b"xyz")
        expected = bytearray(b"".join(b"%05d\n" % n * 10 for n in range(1000)))
        expected[3:6] = b"xyz"
        assert b"".join(new.content()) == expected
        new.write(b"more")
        new.publish(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == expected + b"more"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder/file"
    disk.replace_file(path, b"one")
    disk.replace_file(path, b"two", durable=False)
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("mask", "mode", "expected"), [(0o022, 0o666, 0o644), (0o077, 0o666, 0o600), (0o022, 0o600, 0o600)]
)
def test_the_mode_is_narrowed_by_the_umask(tmp_path: Path, mask: int, mode: int, expected: int) -> None:
    before = os.umask(mask)
    try:
        disk.replace_file(tmp_path / "file", b"x", mode=mode)
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == expected
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


def test_effects_are_announced_in_order(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    with disk.observe(lambda effect, path: seen.append((effect, path.name[:11]))):
        disk.replace_file(tmp_path / "new/file", b"x")
        disk.remove_file(tmp_path / "new/file")
        disk.announce("move ref", tmp_path / "ref")
    assert seen == [
        ("make folder", "new"),
        ("write", "new"),
        ("write", "gitmem_tmp_"),
        ("rename", "file"),
        ("remove", "file"),
        ("move ref", "ref"),
    ]
    disk.remove_file(tmp_path / "new/file")
    assert len(seen) == 6


def test_stopped_at_any_effect_the_old_file_or_the_new_one_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    disk.replace_file(path, b"old")
    stops = 0
    while True:
        left = stops

        def stop(effect: disk.Effect, where: Path) -> None:
            nonlocal left
            if left == 0:
                raise Stopped
            left -= 1

        try:
            with disk.observe(stop):
                disk.replace_file(path, b"new")
            break
        except Stopped:
            stops += 1
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]
    assert stops == 3
    assert path.read_bytes() == b"new"


def test_a_new_file_is_dropped_on_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with disk.NewFile(tmp_path) as new:
            new.write(b"x")
            raise Stopped

    with pytest.raises(Stopped):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_that_nobody_publishes_is_dropped(tmp_path: Path) -> None:
    with disk.NewFile(tmp_path) as new:
        new.write(b"x")
        assert new.path.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("little_space")
@pytest.mark.parametrize("size", [10_001, 100_000, 5_000_000])
def test_a_full_disk_is_named_and_the_old_file_stands(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    disk.replace_file(path, b"old")
    with pytest.raises(DiskRefused) as caught:
        disk.replace_file(path, bytes(size))
    assert str(tmp_path) in caught.value.path
    assert caught.value.why == os.strerror(27)  # EFBIG, as ENOSPC would be
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_really_full_is_named() -> None:
    with (
        pytest.raises(DiskRefused) as caught,
        disk.refusing("write", Path("/dev/full")),
        Path("/dev/full").open("wb") as file,
    ):
        file.write(bytes(100_000))
    assert caught.value.why == "No space left on device"


def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for act in (
        lambda: disk.make_folder(tmp_path / "file/folder"),
        lambda: disk.replace_file(tmp_path / "file/below", b"x"),
        lambda: disk.remove_file(tmp_path / "file/below"),
    ):
        with pytest.raises(DiskRefused):
            act()
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def _write_as_nobody(folder: str, answer: multiprocessing.SimpleQueue[str]) -> None:
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        disk.replace_file(Path(folder) / "file", b"x")
        answer.put("written")
    except DiskRefused as error:
        answer.put(error.why)


def test_a_folder_that_may_not_be_written_is_named() -> None:
    # Root may write anywhere, so another user tries, in a place that all can reach.
    context = multiprocessing.get_context("fork")
    folder = Path("/proc/self") if not Path("/usr").is_dir() else Path("/usr")
    answer: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    process = context.Process(target=_write_as_nobody, args=(str(folder), answer))
    process.start()
    assert answer.get() in ("Permission denied", "Read-only file system")
    process.join()


def test_a_lock_is_held_by_one_and_let_go_of(tmp_path: Path) -> None:
    lock = tmp_path / "state/lock"
    with disk.locked(lock, 0):
        with pytest.raises(StoreBusy) as caught, disk.locked(lock, 0.05):
            pytest.fail("two hold the lock")
        assert caught.value.path == str(lock)
    with disk.locked(lock, 0):
        pass


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    held, order = threading.Event(), []

    def hold() -> None:
        with disk.locked(tmp_path / "lock", 0):
            held.set()
            waiting.wait(10)
            order.append("first")

    waiting = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    waiting.set()
    with disk.locked(tmp_path / "lock", 10):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def _die_with_the_lock(path: str) -> None:
    with disk.locked(Path(path), 0):
        os._exit(9)


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_die_with_the_lock, args=(str(tmp_path / "lock"),)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    with disk.locked(tmp_path / "lock", 0):
        pass


def test_a_file_is_claimed_by_one(tmp_path: Path) -> None:
    assert disk.claim_file(tmp_path / "file", b"first")
    assert not disk.claim_file(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"first"
    with pytest.raises(DiskRefused):
        disk.claim_file(tmp_path / "file/below", b"x")
