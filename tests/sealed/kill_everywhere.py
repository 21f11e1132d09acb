"""Kill a sealed capture, and a change of recipients, before every effect on the disk; a process of its own.

    python -m tests.sealed.kill_everywhere FOLDER

The process forks for each point, kills the child there, and then finds that what was private can be read, that
`git fsck --strict` passes, that no word of it stands in any file or object, and that the same done again
completes. Prints the points.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gitmem import disk
from gitmem.sealed.recipients import reseal_all
from tests.importing import samples
from tests.killing import chosen_points, in_child, wait_for_no_disk
from tests.sealed.conftest import Person, every_object, holds, open_at

CANARY = b"canary-of-the-killed-5512"


def main(folder: Path) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    from pyrage import x25519

    transcripts, template = folder / "transcripts", folder / "template"
    first, second = transcripts / "a.jsonl", transcripts / "b.jsonl"
    template.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(template / "repository")], check=True)
    text = samples.line(0, pad=CANARY.decode()) + samples.lines(1, 8)
    samples.write(first, text)
    other = str(x25519.Identity.generate().to_public())
    at(template, lambda ada: ada.take(first), other)
    samples.write(first, text + samples.line(8, pad=CANARY.decode()))
    samples.write(second, samples.codex(6))

    def capture(ada: Person) -> None:
        report = ada.take(first, second)
        assert not report.refused, report.refused

    def remove(ada: Person) -> None:
        ada.recipients = ()
        reseal_all(ada.base, ada.ring())

    kill_each("capture", folder, template, capture, [text, first.read_bytes()], other, first)
    at(template, capture, other)
    kill_each("removal", folder, template, remove, [first.read_bytes()], other, first)
    shutil.rmtree(template)
    template.mkdir()
    subprocess.run(["git", "init", "-q", str(template / "repository")], check=True)
    kill_each("first", folder, template, capture, [b"", first.read_bytes()], other, first)


def kill_each(
    name: str,
    folder: Path,
    template: Path,
    work: Callable[[Person], None],
    texts: list[bytes],
    other: str,
    transcript: Path,
) -> None:
    """Do a piece of work again and again, killed before one effect after the other, and then to its end."""
    here = folder / "here"
    effects: list[tuple[disk.Effect, str]] = []
    shutil.copytree(template, here, symlinks=True)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        at(here, work, other)
    shutil.rmtree(here)
    points = chosen_points(len(effects))
    for point in points:
        effect = effects[point]
        shutil.copytree(template, here, symlinks=True)
        status = in_child(lambda point=point: killed_at(point, here, work, other))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"{name} {point} {effect}: {status}"
        check(here, f"{name} {point} {effect}", texts, other)
        at(here, work, other)
        at(here, lambda ada: read_back(ada, f"{name} {point} {effect}", texts[-1:]), other)  # noqa: B023
        shutil.rmtree(here)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(e for e, _ in effects).items()))
    print(f"{name}: killed before {len(points)} of {len(effects)} effects ({kinds})")


def at(folder: Path, work: Callable[[Person], object], other: str) -> None:
    """Do something as Ada, who seals to one more key, with everything opened anew."""
    with closing(open_at(folder / "repository")) as base:
        work(Person(base, folder / "ada", (other,)))


def killed_at(point: int, folder: Path, work: Callable[[Person], None], other: str) -> None:
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        at(folder, work, other)


def check(folder: Path, where: str, texts: list[bytes], other: str) -> None:
    """See that the session reads as before or as afterwards, that git is content, and that nothing shows."""
    repository = folder / "repository"
    fsck = subprocess.run(
        ["git", "fsck", "--strict", "--full"], cwd=repository, capture_output=True, text=True
    )
    assert fsck.returncode == 0, f"{where}: {fsck.stderr}"
    at(folder, lambda ada: read_back(ada, where, texts), other)
    assert not [oid for oid, content in every_object(repository).items() if holds(content, CANARY)], where
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if CANARY in path.read_bytes()], where


def read_back(ada: Person, where: str, texts: list[bytes]) -> None:
    """See that the session has one of some texts, and that everything sealed is whole."""
    found = ada.texts().get(f"claude-code/{samples.NAME}", b"")
    assert found in texts, f"{where}: {found[:200]!r}"
    storage = ada.storage()
    assert not storage.damaged(), f"{where}: {storage.damaged()}"
    assert not storage.unopened(), where
    for opened in storage.opened():
        if opened.session is not None:
            opened.session.check()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
