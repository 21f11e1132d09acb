"""Kill an import before every single effect that it has on the disk; run as a process of its own.

    python -m tests.importing.kill_everywhere FOLDER

The process forks for each point, kills the child there, and then finds that the store opens, that `verify`
and `git fsck --strict` pass, and that the import, run again, completes to the same text. Prints the points.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from gitmem import disk
from gitmem.format.memory import open_memory
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage
from gitmem.model.records import Author
from gitmem.redaction.redactor import Redactor
from gitmem.verbs import sealing
from gitmem.verbs.committing import Writer
from gitmem.verbs.finding import named_sources
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Source
from gitmem.verbs.keys import redaction_key
from gitmem.verbs.naming import Naming, set_title
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start
from gitmem.verbs.verifying import Counts, verify
from tests.importing import samples
from tests.killing import chosen_points, in_child, wait_for_no_disk
from tests.transcripts.test_opencode_database import make_database, session

REF = "refs/heads/gitmem"
WHO = Writer(Author("Ada", "ada@example.org"), lambda: 1_772_000_000.0)


def main(folder: Path) -> None:
    """Kill everywhere."""
    wait_for_no_disk()
    # Small ranges and batches, so that files are split over commits.
    sealing._RANGE_BYTES.update({"lines": 6_000, "document": 40_000})
    transcripts = folder / "transcripts"
    template = folder / "template"
    make_template(template, transcripts)
    effects: list[tuple[disk.Effect, str]] = []
    complete = folder / "complete"
    shutil.copytree(template, complete, symlinks=True)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        take_in(complete, transcripts)
    wanted = texts(complete)
    assert len(wanted) == 9, wanted.keys()
    points = chosen_points(len(effects))
    for point in points:
        here = folder / "here"
        shutil.copytree(template, here, symlinks=True)
        status = in_child(lambda here=here, point=point: killed_at(point, here, transcripts))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"point {point} {effects[point]}: {status}"
        check(here, point, effects[point])
        take_in(here, transcripts)
        check(here, point, effects[point])
        assert texts(here) == wanted, f"point {point} {effects[point]}"
        take_in(here, transcripts)
        shutil.rmtree(here)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(e for e, _ in effects).items()))
    print(
        f"killed before {len(points)} of {len(effects)} effects ({kinds}); every time the import then completed"
    )


def make_template(template: Path, transcripts: Path) -> None:
    """Make a memory that has sessions already, one of which will have grown, and packs enough to tidy."""
    template.mkdir()
    subprocess.run(["git", "init", "-q", str(template)], check=True)
    growing = samples.write(transcripts / "a.jsonl", samples.lines(0, 10))
    document = samples.write(transcripts / "b.json", samples.gemini(40, "2026-03-01T11:00:00Z"))
    with closing(open_at(template)) as storage:
        start(storage, REF, WHO)
        import_sources(intake(storage), [Source(growing), Source(document)])
        memory = open_memory(storage, REF)
        folder = next(iter(memory.folders()))
        for n in range(22):
            set_title(Naming(storage, REF, WHO, str), folder.session, f"title {n}")
    growing.write_bytes(samples.lines(0, 25))
    document.write_bytes(samples.gemini(60, "2026-03-01T12:00:00Z"))
    for n in range(3):
        samples.write(transcripts / f"c{n}.jsonl", samples.lines(0, 30, name=f"session-{n}"))
    samples.write(transcripts / "d.jsonl", samples.codex(20))
    side = b"".join(
        samples.line(n, "session-0", isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(5)
    )
    samples.write(transcripts / "session-0" / "subagents" / "agent-ab12.jsonl", side)
    make_database(transcripts / "opencode.db", [session(f"ses_{n}", *(["tide"] * 50)) for n in range(2)])


def take_in(repository: Path, transcripts: Path) -> None:
    """Import everything, two files a batch."""
    with closing(open_at(repository)) as storage:
        report = import_sources(intake(storage), list(named_sources([transcripts], None)))
        assert not report.refused, report.refused
        assert not (storage.repository.state_dir / "renditions").exists()


def killed_at(point: int, repository: Path, transcripts: Path) -> None:
    """Import, and die before the effect of that number."""
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        take_in(repository, transcripts)


def check(repository: Path, point: int, effect: tuple[disk.Effect, str]) -> None:
    """Ask gitmem and git whether all that there is holds."""
    fsck = subprocess.run(
        ["git", "fsck", "--strict", "--full"], cwd=repository, capture_output=True, text=True
    )
    assert fsck.returncode == 0, f"point {point} {effect}: {fsck.stderr}"
    with closing(open_at(repository)) as storage:
        open_memory(storage, REF)
        findings = list(verify(storage, [REF], Counts(), full=True))
        assert not findings, f"point {point} {effect}: {findings}"


def texts(repository: Path) -> dict[str, bytes]:
    """Return every session's text, from its only head."""
    found = {}
    with closing(open_at(repository)) as storage:
        memory = open_memory(storage, REF)
        for folder in memory.folders():
            stored = memory.load(folder)
            for stream, [head] in stored.heads().items():
                found[f"{stored.key} {stream}"] = b"".join(memory.text(folder, head))
    return found


def intake(storage: GitStorage) -> Intake:
    """Return an intake of small batches that seals here."""
    state = storage.repository.state_dir
    key = redaction_key(
        storage.repository.common_dir.parent.parent / "user", state, lambda size: bytes(range(size))
    )
    redactor = Redactor(key)
    return Intake(
        storage,
        REF,
        state,
        WHO,
        redactor,
        key,
        HereSealer(redactor),
        "gitmem test",
        batch_sources=2,
        batch_bytes=12_000,
    )


def open_at(path: Path) -> GitStorage:
    """Open a repository's storage."""
    git = Git(dict(os.environ))
    return open_storage(discover(path, git), git)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
