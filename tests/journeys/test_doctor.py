"""`gitmem doctor` and `status`: what is amiss is found and told with what mends it, and `--fix` mends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.git import hook_config
from gitmem.git.hook_text import HOOKS
from gitmem.git.process import Git
from tests.conftest import CommandLine, RealGit
from tests.journeys.people import Coder, wait_for_drains


@pytest.fixture
def doctor(run: CommandLine, project: Path) -> Callable[..., dict[str, str]]:
    """Return the condition of every subject, after checking that the exit code fits."""

    def doctor(*options: str, cwd: Path = project) -> dict[str, str]:
        finished = run("doctor", "--json", *options, cwd=cwd, status=None)
        found = json.loads(finished.stdout)["findings"]
        assert finished.status == any(each["condition"] == "amiss" for each in found)
        assert all(each["remedy"].startswith("gitmem ") for each in found if each["condition"] == "amiss")
        return {each["subject"]: each["condition"] for each in found}

    return doctor


def spooled(top: Path, name: str, text: str) -> Path:
    path = top / ".git/gitmem/spool" / name
    path.write_text(text)
    return path


def test_all_is_well_after_a_commit(
    doctor: Callable[..., dict[str, str]], coder: Callable[..., Coder], git: RealGit, project: Path
) -> None:
    coder("ada").hears("mend the gate")
    git.commit(project, "b.txt")
    wait_for_drains(project / ".git")
    found = doctor()
    assert "amiss" not in found.values()
    assert found.keys() >= {"memory", "sessions", "hooks", "python", "spool", "snapshots", "index", "lines"}


def test_without_a_memory_it_says_how_to_begin(run: CommandLine, repository: Path) -> None:
    told = run("doctor", cwd=repository, status=1).stdout
    assert "gitmem init" in told
    assert "gitmem enable git" in told


@pytest.mark.parametrize("damage", ["a hook", "its mode", "the stub", "all hooks"])
def test_hooks_that_are_missing_or_old_are_written_anew(
    doctor: Callable[..., dict[str, str]], git: RealGit, project: Path, damage: str
) -> None:
    hooks, of_config = project / ".git/hooks", project / ".git/gitmem/hook"
    is_of_config = of_config.exists()  # from git 2.54 on
    match damage:
        case "a hook" if is_of_config:
            git("config", "--remove-section", "hook.gitmem-pre-push", cwd=project)
        case "a hook":
            (hooks / "pre-push").unlink()
        case "its mode" if is_of_config:
            pytest.skip("git runs no file")
        case "its mode":
            (hooks / "pre-push").chmod(0o644)
        case "the stub":
            stub = of_config if is_of_config else hooks / "gitmem-hook"
            stub.write_text("#!/bin/sh\n# of an older version\n")
        case _ if is_of_config:
            of_config.unlink()
        case _:
            shutil.rmtree(hooks)
    assert doctor()["hooks"] == "amiss"
    assert doctor("--fix")["hooks"] == "well"
    assert is_of_config or os.access(hooks / "pre-push", os.X_OK)


@pytest.mark.parametrize("content", [None, "#!/bin/sh\n# of an older version\n"])
def test_the_stub_of_hooks_in_the_configuration_is_written_anew(
    doctor: Callable[..., dict[str, str]], project: Path, content: str | None
) -> None:
    if not hook_config.is_known(Git(dict(os.environ))):
        pytest.skip("this git knows no hooks of the configuration")
    stub = project / ".git/gitmem/hook"
    before = stub.read_bytes()
    stub.unlink() if content is None else stub.write_text(content)
    assert doctor()["hooks"] == "amiss"
    assert doctor("--fix")["hooks"] == "well"
    assert stub.read_bytes() == before


def test_lines_in_hooks_count_for_nothing_where_the_repository_takes_no_part(
    doctor: Callable[..., dict[str, str]], run: CommandLine, project: Path
) -> None:
    run("disable", "git", cwd=project)
    for hook in HOOKS:
        (project / ".git/hooks" / hook).write_text(f'#!/bin/sh\ngitmem-hook {hook} "$@" || :\n')
        (project / ".git/hooks" / hook).chmod(0o755)
    assert "0 of git's 6 tell gitmem" in run("status", cwd=project).stdout
    assert doctor()["hooks"] == "amiss"
    assert run("doctor", cwd=project, status=1).stdout.count("gitmem enable git: ") == 1
    assert "6 by lines in your own hooks" in run("enable", "git", cwd=project).stdout
    assert "all of git's tell gitmem" in run("status", cwd=project).stdout
    assert doctor()["hooks"] == "well"


def test_hooks_that_are_not_this_clones_own_have_a_remedy_that_works(
    doctor: Callable[..., dict[str, str]], run: CommandLine, git: RealGit, project: Path
) -> None:
    if hook_config.is_known(Git(dict(os.environ))):
        pytest.skip("this git is given hooks of the configuration, wherever it takes files from")
    run("disable", "git", cwd=project)
    (project / "hooks").mkdir()
    git("config", "core.hooksPath", "hooks", cwd=project)
    told = run("doctor", "--fix", cwd=project, status=1).stdout
    assert "hint: gitmem enable git --force: writes there all the same" in told
    assert f"{project}/hooks/HOOK: command -v gitmem-hook" in told
    assert "writes what is missing" not in told
    run("enable", "git", "--force", cwd=project)
    assert doctor()["hooks"] == "well"


@pytest.mark.parametrize("content", [None, "", "/nowhere/python\n/nowhere\n"])
def test_a_python_that_is_gone_is_noted_anew(
    doctor: Callable[..., dict[str, str]], project: Path, content: str | None
) -> None:
    path = project / ".git/gitmem/python"
    before = path.read_text()
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert doctor()["python"] == "amiss"
    assert doctor("--fix")["python"] == "well"
    assert path.read_text() == before


def test_what_waits_for_long_is_told_of_and_taken_in(
    doctor: Callable[..., dict[str, str]], run: CommandLine, git: RealGit, project: Path
) -> None:
    head = git("rev-parse", "HEAD", cwd=project)
    event = spooled(
        project,
        "old.event",
        f"gitmem-event 1\nhook post-commit\npid 1\ncwd {project}\ngit_dir .git\nhead {head}\n\n",
    )
    subprocess.run(["touch", "-d", "@1772000000", str(event)], check=True)
    assert doctor()["spool"] == "amiss"
    assert "1 event of hooks, the oldest" in run("status", cwd=project).stdout
    assert doctor("--fix")["spool"] == "well"
    assert not event.exists()
    assert json.loads(run("status", "--json", cwd=project).stdout)["capture"]["checkpoints"] == 1


def test_an_event_of_just_now_is_no_trouble(doctor: Callable[..., dict[str, str]], project: Path) -> None:
    event = spooled(
        project, "new.event", f"gitmem-event 1\nhook post-commit\npid 1\ncwd {project}\ngit_dir .git\n\n"
    )
    assert event.stat().st_mtime <= time.time()
    assert doctor()["spool"] == "well"
    event.unlink()


def test_why_the_last_drain_failed_is_told_until_one_succeeds(
    doctor: Callable[..., dict[str, str]], run: CommandLine, git: RealGit, project: Path
) -> None:
    git("config", "gitmem.level", "public", cwd=project)
    git.commit(project, "b.txt")
    spool = project / ".git/gitmem/spool"
    deadline = time.monotonic() + 180
    while not (spool / "failure").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "public" in run("status", cwd=project).stdout
    assert doctor()["spool"] == "amiss"
    git("config", "--unset", "gitmem.level", cwd=project)
    assert doctor("--fix")["spool"] == "well"
    assert not (spool / "failure").exists()


def test_what_is_no_event_is_removed_when_somebody_says_so(
    doctor: Callable[..., dict[str, str]], run: CommandLine, project: Path
) -> None:
    spooled(project, "x.event", "nonsense\n")
    run("capture", "--spool", cwd=project)
    assert (project / ".git/gitmem/spool/x.bad").exists()
    assert doctor()["spool"] == "note"
    assert "1 file without an event" in run("status", cwd=project).stdout
    assert doctor("--fix")["spool"] == "well"
    assert not (project / ".git/gitmem/spool/x.bad").exists()


def test_lines_that_are_not_understood_are_counted(
    run: CommandLine, coder: Callable[..., Coder], project: Path
) -> None:
    ada = coder("ada")
    ada.hears("mend the gate")
    with ada.transcript.open("a") as file:
        file.write('{"type": "from-the-future", "x": 1}\nno JSON\n')
    run("capture", cwd=project)
    told = run("doctor", cwd=project, status=None).stdout
    assert "1 not JSON" in told
    assert "from-the-future" in told
