"""Trouble of gitmem's is nobody else's: a stub ends with 0 and says nothing, and no event is half an event."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RealGit
from tests.hooks.spool import SHELLS, events, take_part

ids = " ".join
AS_NOBODY = 65534


def ends_well(
    script: Path, *args: str, cwd: Path, shell: tuple[str, ...] = ("sh",), **options: object
) -> None:
    """Run the stub and see that it says nothing and ends with 0."""
    finished = subprocess.run(  # type: ignore[call-overload]
        [*shell, str(script), *args],
        cwd=cwd,
        **{"stdin": subprocess.DEVNULL, "capture_output": True, "check": False, **options},
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


def program(name: str) -> str:
    """Return the path of a program, for an environment that has no PATH to find it by."""
    found = [folder for folder in os.environ["PATH"].split(":") if Path(folder, name).is_file()]
    return str(Path(found[0], name))


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_without_any_environment_an_event_is_left(
    script: Path, repository: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    whole = (program(shell[0]), *shell[1:])
    ends_well(script, "post-commit", cwd=repository, shell=whole, env={})
    ends_well(
        script, "post-rewrite", "amend", cwd=repository, shell=whole, env={}, stdin=None, input=b"a b\n"
    )
    assert [event.body for event in events(repository / ".git")] == [b"", b"a b\n"]


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_repositorys_own_mv_and_cat_are_not_run(
    script: Path, repository: Path, shell: tuple[str, ...]
) -> None:
    take_part(repository / ".git")
    for name in ("mv", "cat", "sleep", "printf"):
        (repository / name).write_text("#!/bin/sh\ntouch was-run\n")
        (repository / name).chmod(0o755)
    whole = (program(shell[0]), *shell[1:])
    environ = {"PATH": ""}
    ends_well(script, "post-rewrite", "amend", cwd=repository, shell=whole, env=environ)
    assert len(events(repository / ".git")) == 1
    assert not (repository / "was-run").exists()


@pytest.mark.parametrize("options", ["-eu", "-e", "-u", "-eux", "-f", "-C", "-a"])
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_options_of_the_shell_make_no_difference(
    script: Path, repository: Path, shell: tuple[str, ...], options: str
) -> None:
    take_part(repository / ".git")
    finished = subprocess.run(
        [*shell, options, str(script), "post-checkout", "a", "b", "1"],
        cwd=repository,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (0, b"")
    (event,) = events(repository / ".git")
    assert event.keys["arg"] == ["a", "b", "1"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_closed_streams_make_no_difference(
    script: Path, repository: Path, shell: tuple[str, ...], closed: str
) -> None:
    take_part(repository / ".git")
    run = shlex.join([*shell, str(script), "post-rewrite", "amend"])
    finished = subprocess.run(["sh", "-c", f"{run} {closed}"], cwd=repository, input=b"a b\n", check=False)
    assert finished.returncode == 0
    (event,) = events(repository / ".git")
    assert event.body == (b"" if "<" in closed else b"a b\n")


@pytest.mark.parametrize("hook", ["post-commit", "post-rewrite"])
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_full_disk_publishes_no_broken_event(
    script: Path, repository: Path, shell: tuple[str, ...], hook: str
) -> None:
    spool = take_part(repository / ".git")

    def fill() -> None:
        # As on a disk that is full; Python ignores the signal that would end a writer, and so do its children.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = 0 if hook == "post-commit" else 2048
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    finished = subprocess.run(
        [*shell, str(script), hook],
        cwd=repository,
        input=b"x" * 100_000,
        capture_output=True,
        preexec_fn=fill,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")
    assert not list(spool.glob("*.event"))
    assert len(list(spool.glob("*.tmp"))) <= 1


@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_spool_that_may_not_be_written_makes_no_difference(
    script: Path, git: RealGit, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    top = Path("/tmp") if os.getuid() == 0 else tmp_path
    top = top / f"gitmem-read-only-{os.getpid()}"
    git("init", "--quiet", str(top), cwd=tmp_path)
    try:
        spool = take_part(top / ".git")
        spool.chmod(0o555)
        stub = top / "stub"
        stub.write_bytes(script.read_bytes())
        options = {"user": AS_NOBODY, "group": AS_NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        ends_well(stub, "post-commit", cwd=top, shell=shell, **options)
        assert not list(spool.glob("*.*"))
    finally:
        spool.chmod(0o755)
        subprocess.run(["rm", "-rf", str(top)], check=True)


@pytest.mark.parametrize("missing", ["mv", "cat"])
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_missing_tool_makes_no_difference(
    script: Path, repository: Path, tmp_path: Path, shell: tuple[str, ...], missing: str
) -> None:
    take_part(repository / ".git")
    (tmp_path / "bin").mkdir()
    broken = tmp_path / "bin" / missing
    broken.write_text("#!/bin/sh\necho trouble; echo trouble >&2; exit 127\n")
    broken.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    ends_well(script, "post-rewrite", "amend", cwd=repository, shell=shell, env=environ)
    assert not list((repository / ".git" / "gitmem" / "spool").glob("*.event"))


@pytest.mark.parametrize(
    "damage", ["spool is a file", "HEAD is missing", "HEAD is empty", "commondir is empty", ".git is odd"]
)
@pytest.mark.parametrize("shell", SHELLS, ids=ids)
def test_a_damaged_repository_makes_no_difference(
    script: Path, repository: Path, shell: tuple[str, ...], damage: str
) -> None:
    spool = take_part(repository / ".git")
    if damage == "spool is a file":
        (spool / "drainer").unlink()
        spool.rmdir()
        spool.write_text("")
    elif damage == "HEAD is missing":
        (repository / ".git" / "HEAD").unlink()
    elif damage == "HEAD is empty":
        (repository / ".git" / "HEAD").write_text("")
    elif damage == "commondir is empty":
        (repository / ".git" / "commondir").write_text("")
    else:
        (repository / ".git").rename(repository / "git")
        (repository / ".git").write_text("gitdir:")
    ends_well(script, "post-commit", cwd=repository, shell=shell)


def test_a_count_that_cannot_be_written_loses_no_event(script: Path, git: RealGit, repository: Path) -> None:
    take_part(repository / ".git")
    (repository / ".git" / "gitmem" / "spool" / "count").mkdir()
    hook = repository / ".git" / "hooks" / "post-commit"
    hook.write_text(f"#!/bin/sh\nexec {shlex.quote(str(script))} post-commit\n")
    hook.chmod(0o755)
    git.commit(repository, "b.txt")
    assert len(events(repository / ".git")) == 1
