"""Kill an audit before every single effect that it has on the disk; run as a process of its own.

    python -m tests.auditing.kill_everywhere FOLDER

The process forks for each point, kills the child there, and then finds that what was noted before is there
once, in chains that hold, and that noting and publishing go on. Prints the points.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from gitmem import disk
from gitmem.auditing.chains import NO_SEAL, Piece
from gitmem.auditing.checking import Checked, check
from gitmem.auditing.entries import BEGINNING, Deed, chain, name_of
from gitmem.auditing.listing import Row, Wanted, newest
from gitmem.auditing.log import Log
from gitmem.auditing.publishing import publish
from gitmem.format import codec
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.refs import audit_tracking
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from tests.killing import chosen_points, in_child, wait_for_no_disk

_FSCK_EVERY = 8
"""Points: it takes as long as all the rest."""
WHO = Signature("gitmem", "gitmem", 1_767_323_045)


def main(folder: Path) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    template = folder / "template"
    subprocess.run(["git", "init", "-q", "--template=", str(template)], check=True)
    note(template, "capture", 0)
    effects: list[tuple[disk.Effect, str]] = []
    complete = folder / "complete"
    shutil.copytree(template, complete)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        work(complete, folder / "done")
    check_all(complete, folder / "done", -1, ("write", ""))
    points = chosen_points(len(effects))
    for point in points:
        here, done = folder / "here", folder / "done"
        shutil.copytree(template, here)
        done.write_text("")
        status = in_child(lambda here=here, done=done, point=point: killed_at(point, here, done))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"point {point} {effects[point]}: {status}"
        check_all(here, done, point, effects[point])
        shutil.rmtree(here)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(e for e, _ in effects).items()))
    print(f"killed before {len(points)} of {len(effects)} effects ({kinds}); every time the audit went on")


def work(repository: Path, done: Path) -> None:
    """Note and publish, read in between, and meet a forgery; put down what has been noted for good."""

    def did(action: str, number: int) -> None:
        note(repository, action, number)
        with done.open("a") as file:
            file.write(f"{action} {number}\n")

    did("search", 1)
    did("search", 2)
    did("level", 3)
    send(repository)
    did("show", 4)
    did("push", 5)
    send(repository)
    did("capture", 6)
    did("search", 7)
    forge(repository)
    did("forget", 8)
    send(repository)
    did("pull", 9)


def note(repository: Path, action: str, number: int) -> None:
    """Note one thing."""
    log_at(repository).note(action, detail={f"n{number}": 1})


def send(repository: Path) -> None:
    """Publish, without a remote."""
    with closing(open_at(repository)) as storage:
        publish(storage, log_at(repository), "origin")


def forge(repository: Path) -> None:
    """Let a remote have had a chain under the clone's id that it did not write."""
    device = log_at(repository).identity().device
    deed = Deed("push", "2026-01-02T03:04:05.678Z", "person", {}, "", "memory")
    [line], _ = chain([deed], BEGINNING, device, "0" * 32)
    with closing(open_at(repository)) as storage, storage.begin() as batch:
        blob = batch.add("blob", codec.compress(line + b"\n"))
        path = Piece(1, 1, name_of(line), NO_SEAL, blob).path
        changes = {("FORMAT",): batch.add("blob", b"0\n"), path: blob}
        tree = trees.edit(storage, batch, None, changes)
        assert tree is not None
        commit = batch.add("commit", encode_commit(Commit(tree, (), WHO, WHO, "x\n")))
        batch.publish()
        ref = audit_tracking("origin") + device
        storage.move_ref(ref, commit, storage.read_ref(ref), "test")


def killed_at(point: int, repository: Path, done: Path) -> None:
    """Work, and die before the effect of that number."""
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        work(repository, done)


def check_all(repository: Path, done: Path, point: int, effect: tuple[disk.Effect, str]) -> None:
    """Go on, and ask whether all that was noted is there once."""
    where = f"point {point} {effect}"
    note(repository, "search", 10)
    for number in (11, 12):
        note(repository, "level", number)
        send(repository)
    with closing(open_at(repository)) as storage:
        found = [
            finding for finding in check(storage, log_at(repository), Checked()) if not forged(finding.where)
        ]
        assert not found, f"{where}: {found}"
    found_rows = rows(repository)
    counted = Counter(key for row in found_rows for key in row.entry.detail if key.startswith("n"))
    noted = {f"n{line.split()[1]}" for line in done.read_text().splitlines()} | {"n0", "n10", "n11", "n12"}
    assert noted <= set(counted), f"{where}: {noted - set(counted)} is missing"
    assert set(counted.values()) == {1}, f"{where}: {counted}"
    assert len(counted) <= len(noted) + 1, f"{where}: {counted}"
    assert all(row.is_published for row in found_rows), where
    if point % _FSCK_EVERY:
        return
    fsck = subprocess.run(["git", "fsck", "--strict"], cwd=repository, capture_output=True, text=True)
    assert fsck.returncode == 0, f"{where}: {fsck.stderr}"


def forged(where: str) -> bool:
    """Whether a finding is about what `forge` put there."""
    return where.startswith(audit_tracking("origin"))


def rows(repository: Path) -> list[Row]:
    """Return all entries of all chains."""
    refused: list[object] = []
    with closing(open_at(repository)) as storage:
        found = list(newest(storage, log_at(repository), Wanted(), refused.append))
    assert not refused, refused
    return found


_RANDOM = random.Random(1)


def log_at(repository: Path) -> Log:
    """Return the audit of a clone."""
    return Log(
        repository / ".git" / "gitmem",
        repository / "user",
        by="person",
        now_ms=lambda: 1_767_323_045_000,
        random_bytes=_RANDOM.randbytes,
    )


def open_at(path: Path) -> GitStorage:
    """Open a repository's storage."""
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
