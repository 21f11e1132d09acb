"""A drain is started detached, once for a burst, when git is done, and from nowhere that a repository can choose."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.spool import SHELLS, events, path_without_gitmem, take_part

ids = " ".join
DEADLINE_S = 120


@dataclass(frozen=True)
class Drain:
    """What stands for a drain: an interpreter that records how it was called, and how it is waited for."""

    common: Path
    record: Path
    environ: dict[str, str]

    def runs(self) -> list[dict[str, Any]]:
        if not self.record.exists():
            return []
        # A long line may be read while it is being written.
        *whole, _ = self.record.read_text().split("\n")
        return [json.loads(line) for line in whole]

    def wait_for_run(self, count: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.runs()) >= count)
        return self.runs()

    @property
    def drainer(self) -> Path:
        return self.common / "gitmem" / "spool" / "drainer"


@pytest.fixture
def drain(repository: Path, tmp_path: Path) -> Iterator[Drain]:
    """Give the repository an interpreter that records; what it started has ended when the test ends."""
    common = repository / ".git"
    take_part(common)
    (common / "gitmem" / "spool" / "drainer").unlink()
    drainer = common / "gitmem" / "spool" / "drainer"
    record, folder, bin_dir = tmp_path / "record", tmp_path / "packages here", tmp_path / "bin"
    (folder / "gitmem").mkdir(parents=True)
    bin_dir.mkdir()
    write_program(
        bin_dir / "python",
        f"""\
import json, os, sys
told = {{"argv": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid(),
        "streams": [os.readlink(f"/proc/self/fd/{{n}}") for n in range(3)], "comm": open("/proc/self/comm").read().strip(),
        "drainer": open({str(drainer)!r}).read(), "descriptors": sorted(os.listdir("/proc/self/fd"))}}
with open({str(record)!r}, "a") as file:
    file.write(json.dumps(told) + "\\n")
""",
    )
    # A second is long for a test, and is not what is tested.
    (bin_dir / "sleep").write_text("#!/bin/sh\nPATH=/usr/bin:/bin exec sleep 0.05\n")
    (bin_dir / "sleep").chmod(0o755)
    (common / "gitmem" / "python").write_bytes(
        b"%b\n%b\n" % (os.fsencode(bin_dir / "python"), os.fsencode(folder))
    )
    drain = Drain(common, record, {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"})
    yield drain
    if drain.drainer.exists():
        pid = int(drain.drainer.read_text().split()[0])
        if pid != os.getpid():
            wait_until(lambda: not is_alive(pid))


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable} -S\n{text}")
    path.chmod(0o755)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def run_stub(
    script: Path, drain: Drain, *args: str, shell: tuple[str, ...] = ("sh",), **environ: str
) -> None:
    """Run the stub by a process that ends at once, as git does."""
    run = shlex.join([*shell, str(script), *args])
    finished = subprocess.run(
        ["sh", "-c", f"{run}; exit $?"],
        cwd=drain.common.parent,
        input=b"",
        env={**drain.environ, **environ},
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_the_recorded_interpreter_is_called_apart_from_everything(
    script: Path, drain: Drain, shell: tuple[str, ...]
) -> None:
    bent = {
        "GIT_DIR": str(drain.common),
        "GIT_INDEX_FILE": "x",
        "GIT_WORK_TREE": "/",
        "GIT_PREFIX": "x/",
        "GIT_AUTHOR_NAME": "somebody else",
        "GIT_REFLOG_ACTION": "rebase",
        "GIT_CONFIG_PARAMETERS": "'core.bare=true'",
        "GITMEM_HOOK_PID": "999999999",
    }
    run_stub(script, drain, "post-commit", shell=shell, **bent)
    (told,) = drain.wait_for_run()
    *options, program, folder, verb, flag = told["argv"]
    assert options == ["-E", "-P", "-c"]
    assert "gitmem.cli.main" in program
    assert folder.endswith("packages here")
    assert (verb, flag) == ("capture", "--spool")
    # Beside the git directory, in which a careful git would look for no repository.
    assert Path(told["cwd"]).samefile(drain.common.parent)
    assert told["streams"] == ["/dev/null"] * 3
    assert not bent.keys() & told["environ"].keys()
    assert told["environ"]["GIT_CONFIG_GLOBAL"] == os.environ["GIT_CONFIG_GLOBAL"]


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_the_file_names_the_process_that_drains(script: Path, drain: Drain, shell: tuple[str, ...]) -> None:
    run_stub(script, drain, "post-commit", shell=shell)
    (told,) = drain.wait_for_run()
    assert told["drainer"].split() == [str(told["pid"]), told["comm"]]


def test_a_burst_makes_one_drain_and_it_waits_for_git(script: Path, drain: Drain, repository: Path) -> None:
    run = shlex.join(["sh", str(script), "post-commit"])
    git_like = subprocess.Popen(
        ["sh", "-c", f"for n in 1 2 3 4 5 6; do {run}; done; echo done; read line; exit 0"],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=drain.environ,
    )
    assert git_like.stdout is not None
    assert git_like.stdin is not None
    assert git_like.stdout.readline() == b"done\n"
    assert len(events(drain.common)) == 6
    pid, name = drain.drainer.read_text().split()
    assert is_alive(int(pid))
    assert name == Path(f"/proc/{pid}/comm").read_text().strip()
    assert drain.runs() == []
    git_like.communicate()
    assert git_like.returncode == 0
    (told,) = drain.wait_for_run()
    assert told["pid"] == int(pid)


def test_a_drain_outlives_hang_up_and_interrupt(script: Path, drain: Drain, repository: Path) -> None:
    run = shlex.join(["sh", str(script), "post-commit"])
    terminal = subprocess.Popen(
        ["sh", "-c", f"{run}; echo done; read line"],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=drain.environ,
        start_new_session=True,
    )
    assert terminal.stdout is not None
    assert terminal.stdout.readline() == b"done\n"
    # As a terminal that is closed, and Ctrl-C.
    wait_until(lambda: "1" in signals_ignored(int(drain.drainer.read_text().split()[0])))
    os.killpg(terminal.pid, signal.SIGHUP)
    os.killpg(terminal.pid, signal.SIGINT)
    terminal.wait()
    terminal.communicate()
    drain.wait_for_run()


def signals_ignored(pid: int) -> set[str]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            mask = int(line.split()[1], 16)
            return {str(n) for n in range(1, 32) if mask >> (n - 1) & 1}
    return set()


@pytest.mark.parametrize(
    "content",
    ["999999999 sh", "1 no-such-name", "", "x y", "-1 sh", "0 sh", "\n", "PID another-name"],
)
def test_a_drainer_that_is_gone_is_replaced(script: Path, drain: Drain, content: str) -> None:
    drain.drainer.write_text(content.replace("PID", str(os.getpid())))
    run_stub(script, drain, "post-commit")
    drain.wait_for_run()


def test_a_drainer_that_only_waits_to_be_reaped_is_gone(script: Path, drain: Drain) -> None:
    with subprocess.Popen(["true"]) as zombie:
        wait_until(lambda: not is_alive(zombie.pid))
        drain.drainer.write_text(f"{zombie.pid} true\n")
        run_stub(script, drain, "post-commit")
        drain.wait_for_run()


@pytest.mark.parametrize("name", ["right", ""])
def test_a_drainer_that_lives_is_left_to_it(script: Path, drain: Drain, name: str) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        wait_until(lambda: Path(f"/proc/{other.pid}/comm").read_text() == "cat\n")
        said = f"{other.pid} cat\n" if name else f"{other.pid}\n"
        drain.drainer.write_text(said)
        run_stub(script, drain, "post-commit")
        assert drain.drainer.read_text() == said
        assert len(events(drain.common)) == 1
    drain.drainer.unlink()


def test_a_full_spool_still_gets_its_drain(script: Path, drain: Drain) -> None:
    (drain.common / "gitmem" / "spool" / "count").write_text("20000\n")
    run_stub(script, drain, "post-commit")
    drain.wait_for_run()
    assert events(drain.common) == []


@pytest.mark.parametrize("gone", ["python", "folder", "file"])
def test_where_the_interpreter_is_gone_the_one_of_the_path_is_asked(
    script: Path, drain: Drain, tmp_path: Path, gone: str
) -> None:
    if gone == "file":
        (drain.common / "gitmem" / "python").unlink()
    elif gone == "folder":
        (tmp_path / "packages here" / "gitmem").rmdir()
    else:
        (drain.common / "gitmem" / "python").write_text(f"{tmp_path}/gone\n{tmp_path}/packages here\n")
    (tmp_path / "bin" / "gitmem").write_bytes((tmp_path / "bin" / "python").read_bytes())
    (tmp_path / "bin" / "gitmem").chmod(0o755)
    run_stub(script, drain, "post-commit")
    (told,) = drain.wait_for_run()
    assert told["argv"] == ["capture", "--spool"]


def test_where_nothing_can_drain_events_stay(script: Path, drain: Drain, tmp_path: Path) -> None:
    (drain.common / "gitmem" / "python").unlink()
    path = f"{tmp_path / 'bin'}:{path_without_gitmem()}"
    drain = replace(drain, environ={**drain.environ, "PATH": path})
    run_stub(script, drain, "post-commit")
    pid = int(drain.drainer.read_text().split()[0])
    wait_until(lambda: not is_alive(pid))
    assert len(events(drain.common)) == 1
    assert drain.runs() == []


def test_whoever_no_longer_takes_part_is_not_drained(script: Path, drain: Drain, repository: Path) -> None:
    run = shlex.join(["sh", str(script), "post-commit"])
    gone = "mv .git/gitmem/spool .git/gitmem/away"
    subprocess.run(
        ["sh", "-c", f"{run}; {gone}"],
        cwd=repository,
        env=drain.environ,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    pid = int((drain.common / "gitmem" / "away" / "drainer").read_text().split()[0])
    wait_until(lambda: not is_alive(pid))
    assert drain.runs() == []


def test_nothing_is_kept_open(script: Path, drain: Drain, repository: Path) -> None:
    run = shlex.join(["sh", str(script), "post-commit"])
    # A lock that a wrapper of git's holds would be held until the drain has ended.
    subprocess.run(
        ["sh", "-c", f"exec 3>lock 7>lock; {run}; :"],
        cwd=repository,
        env=drain.environ,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    (told,) = drain.wait_for_run()
    assert set(told["descriptors"]) <= {"0", "1", "2", "3"}  # the last one is the listing itself


def test_packages_of_the_repository_and_a_hostile_path_are_not_run(
    script: Path, repository: Path, tmp_path: Path
) -> None:
    take_part(repository / ".git")
    (repository / ".git" / "gitmem" / "spool" / "drainer").unlink()
    # The real interpreter, and a package that says that it is the right one.
    packages = tmp_path / "packages"
    (packages / "gitmem" / "cli").mkdir(parents=True)
    for name in ("gitmem/__init__.py", "gitmem/cli/__init__.py"):
        (packages / name).write_text("")
    (packages / "gitmem" / "cli" / "main.py").write_text(
        "import sys\n"
        "def main():\n"
        f"    open({str(tmp_path / 'right')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        "    return 0\n"
    )
    hostile = tmp_path / "hostile"
    for top in (repository, repository / ".git", hostile):
        for name in ("gitmem", "hooks", "indexer", "sys", "site", "encodings", "sitecustomize"):
            (top / name).mkdir(parents=True, exist_ok=True)
            (top / name / "__init__.py").write_text(f"open({str(tmp_path / 'wrong')!r}, 'w')\n")
    bare = Path(sys.executable).resolve()  # without the virtual environment, which may hold another gitmem
    (repository / ".git" / "gitmem" / "python").write_text(f"{bare}\n{packages}\n")
    run = shlex.join(["sh", str(script), "post-commit"])
    (tmp_path / "sleep").write_text("#!/bin/sh\nPATH=/usr/bin:/bin exec sleep 0.05\n")
    (tmp_path / "sleep").chmod(0o755)
    environ = {**os.environ, "PYTHONPATH": str(hostile), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(
        ["sh", "-c", f"{run}; :"], cwd=repository, env=environ, check=True, stdin=subprocess.DEVNULL
    )
    wait_until((tmp_path / "right").exists)
    wait_until(lambda: (tmp_path / "right").read_text() == "capture --spool")
    assert not (tmp_path / "wrong").exists()
