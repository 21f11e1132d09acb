"""What stops an import from outside: a kill at any point, a full or read-only disk, another import."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.importing import samples
from tests.killing import kills


def start(*args: str, cwd: Path, **options: object) -> subprocess.Popen[bytes]:
    """Start the real command line and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmem", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


def test_a_kill_before_any_effect_loses_nothing(tmp_path: Path) -> None:
    told = kills("importing.kill_everywhere", str(tmp_path))
    found = re.search(r"killed before (\d+) of (\d+) effects", told)
    assert found
    assert int(found[2]) > 100
    assert int(found[1]) >= int(found[2]) // 3


def test_a_killed_import_leaves_no_process_and_goes_on(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "transcripts"
    for n in range(40):
        content = b"".join(samples.line(k, f"session-{n}", pad="x" * (n * 7919 % 4000)) for k in range(300))
        samples.write(folder / f"{n}.jsonl", content)
    run("init", cwd=repository)
    process = start("import", str(folder), cwd=repository, start_new_session=True)
    time.sleep(0.6)  # wherever that is: what must hold, holds everywhere
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 120
    while _is_alive(process.pid):
        assert time.monotonic() < deadline, "a worker outlived the import"
        time.sleep(0.05)
    git("fsck", "--strict", cwd=repository)
    run("verify", "--full", cwd=repository)
    run("import", str(folder), cwd=repository)
    run("verify", "--full", cwd=repository)
    assert run("sessions", "--json", cwd=repository).stdout.count('"session"') == 40


@pytest.mark.skipif(sys.platform != "linux", reason="worker processes are for Linux")
@pytest.mark.parametrize("pauses", [[0.5], [0.5, 0.02], [0.8, 0.3]], ids=str)
def test_an_interrupted_import_ends_at_once_and_goes_on(
    run: CommandLine, repository: Path, tmp_path: Path, pauses: list[float]
) -> None:
    folder = tmp_path / "transcripts"
    for n in range(12):
        content = b"".join(samples.line(k, f"session-{n}", pad=f"{k * 7919:x}" * 150) for k in range(1200))
        samples.write(folder / f"{n}.jsonl", content)
    run("init", cwd=repository)
    process = start("import", str(folder), cwd=repository, start_new_session=True)
    for pause in pauses:
        time.sleep(pause)  # wherever that is: what must hold, holds everywhere
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=180)
    # It may be met before its first handler or behind its last, where the signal itself ends it; never as a bug.
    assert process.returncode != 3, stderr
    deadline = time.monotonic() + 120
    while _is_alive(process.pid):
        assert time.monotonic() < deadline, "a worker outlived the import"
        time.sleep(0.05)
    run("import", str(folder), cwd=repository)
    assert run("verify", "--full", cwd=repository).stdout.startswith("all holds: 12 sessions")


def test_two_imports_at_once_store_everything_once(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "transcripts"
    for n in range(12):
        samples.write(folder / f"{n}.jsonl", samples.lines(0, 30, name=f"session-{n}"))
    run("init", cwd=repository)
    processes = [start("import", str(folder), cwd=repository) for _ in range(3)]
    for process in processes:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
    captures = [
        p for p in git("ls-tree", "-r", "--name-only", "gitmem", cwd=repository).split() if "/captures/" in p
    ]
    assert len(captures) == 12
    run("verify", "--full", cwd=repository)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_is_a_named_error_and_what_stands_stands(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    run("init", cwd=repository)
    first = samples.write(tmp_path / "a.jsonl", samples.lines(0, 50))
    run("import", str(first), cwd=repository)
    content = b"".join(samples.line(n, "big", pad=os.urandom(600).hex()) for n in range(600))
    second = samples.write(tmp_path / "b.jsonl", content)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = start("import", str(second), cwd=repository, preexec_fn=limit)
    _, stderr = process.communicate()
    assert process.returncode == 1, stderr
    assert b"File too large" in stderr
    assert b"free some space" in stderr
    run("verify", "--full", cwd=repository)
    git("fsck", "--strict", cwd=repository)
    assert not list(repository.rglob("gitmem_tmp_*"))
    run("import", str(second), cwd=repository)
    assert run("show", "--raw", "claude-code/big", cwd=repository).stdout.encode() == content


def test_a_read_only_repository_is_a_named_error(
    run: CommandLine, git: RealGit, repository: Path, tmp_path: Path
) -> None:
    run("init", cwd=repository)
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 50))
    state = repository / ".git" / "gitmem"
    state.rename(state.with_name("elsewhere"))
    # A file in the folder's place refuses even the superuser, whom permissions do not stop.
    state.write_bytes(b"")
    failed = run("import", str(path), cwd=repository, status=1)
    assert ".git/gitmem" in failed.stderr
    assert "mend the permissions" in failed.stderr
    assert "Capture" not in git("log", "--format=%s", "gitmem", cwd=repository)
    state.unlink()
    state.with_name("elsewhere").rename(state)
    run("import", str(path), cwd=repository)
    run("verify", "--full", cwd=repository)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
