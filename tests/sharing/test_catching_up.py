"""What git has fetched by itself is part of what a command reads, and no remote is asked for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitmem.git.settings import load
from gitmem.model.refs import PUBLIC_REF
from gitmem.sharing.catching_up import Caught, catch_up
from tests.conftest import CommandLine, Finished, RealGit
from tests.sharing.clones import REF, TRACKING, Clone, Team

OPTIONS = ("--no-hooks", "--no-import", "--share", "origin")


@pytest.fixture
def ada(team: Team) -> Clone:
    ada = team.clone("ada")
    ada.remember("first")
    ada.push()
    return ada


@pytest.fixture
def ben(team: Team, ada: Clone, run: CommandLine) -> Clone:
    assert ada.ref()
    ben = team.clone("ben")
    run("init", *OPTIONS, cwd=ben.path)
    return ben


def names(finished: Finished) -> set[str]:
    return {one["session"].partition("/")[2] for one in json.loads(finished.stdout)["sessions"]}


@pytest.mark.parametrize(
    ("command", "packed"),
    [
        (("sessions",), False),
        (("sessions",), True),
        (("log",), False),
        (("search", "line"), False),
        (("show", "test/second"), False),
    ],
)
def test_every_command_that_reads_has_what_was_fetched(
    ada: Clone, ben: Clone, run: CommandLine, git: RealGit, command: tuple[str, ...], packed: bool
) -> None:
    ada.remember("second")
    ada.push()
    git("fetch", "--quiet", cwd=ben.path)
    if packed:
        git("pack-refs", "--all", cwd=ben.path)
    run(*command, cwd=ben.path, status=None)
    assert ben.ref() == ada.ref()
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first", "second"}


def test_what_is_here_alone_stays(ada: Clone, ben: Clone, run: CommandLine, git: RealGit) -> None:
    ada.remember("second")
    ada.push()
    ben.remember("third")
    git("fetch", "--quiet", cwd=ben.path)
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first", "second", "third"}


def test_a_remote_that_nobody_chose_is_not_looked_at(
    ada: Clone, ben: Clone, run: CommandLine, git: RealGit
) -> None:
    git("config", "--unset", "remote.origin.gitmem", cwd=ben.path)
    ada.remember("second")
    ada.push()
    git("fetch", "--quiet", cwd=ben.path)
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first"}


def test_where_nothing_moved_nothing_is_done(ben: Clone, run: CommandLine, git: RealGit) -> None:
    run("sessions", cwd=ben.path)
    caught = 0

    def unite() -> Caught:
        nonlocal caught
        caught += 1
        return Caught()

    repository = ben.repository
    settings = load(repository, {})
    assert catch_up(repository, settings, unite) == ()
    assert caught == 0
    git("update-ref", TRACKING, "HEAD", cwd=ben.path)
    for _ in range(3):
        assert catch_up(repository, settings, unite) == ()
    assert caught == 1


def test_what_may_not_be_written_is_read_all_the_same(ben: Clone, tmp_path: Path) -> None:
    repository = ben.repository

    def unite() -> Caught:
        raise AssertionError("it was to be written to")

    # Whoever runs the tests may write everywhere, but not where nothing is.
    elsewhere = repository._replace(common_dir=tmp_path / "nowhere")
    assert catch_up(elsewhere, load(repository, {}), unite) == ()


def test_a_memory_of_a_newer_format_is_told_of_and_not_tried_again(
    ada: Clone, ben: Clone, run: CommandLine, git: RealGit
) -> None:
    git("checkout", "--quiet", "-b", "newer", "gitmem", cwd=ada.path)
    (ada.path / "FORMAT").write_text("99\n")
    git("commit", "--quiet", "-am", "newer", cwd=ada.path)
    git("push", "--quiet", "--no-verify", "origin", "newer:gitmem", cwd=ada.path)
    git("fetch", "--quiet", cwd=ben.path)
    before = ben.ref()
    for _ in range(2):
        told = run("sessions", "--json", cwd=ben.path)
        assert "not all is shown: origin: " in told.stderr
        assert "99" in told.stderr
        assert names(told) == {"first"}
    assert ben.ref() == before
    search = run("search", "line", cwd=ben.path, status=None)
    assert "not all is shown" in search.stderr
    assert "! origin:" in (ben.repository.state_dir / "united").read_text()


def test_what_is_no_memory_is_told_of(ben: Clone, run: CommandLine, git: RealGit) -> None:
    git("update-ref", TRACKING, "HEAD", cwd=ben.path)
    told = run("sessions", "--json", cwd=ben.path)
    assert "not all is shown" in told.stderr
    assert names(told) == {"first"}


def test_what_does_not_belong_is_kept_out_and_named_once(
    ada: Clone, ben: Clone, run: CommandLine, git: RealGit
) -> None:
    git("checkout", "--quiet", "-b", "worse", "gitmem", cwd=ada.path)
    for name in ("sessions/evil", "other", "notes/x"):
        (ada.path / name).parent.mkdir(exist_ok=True)
        (ada.path / name).write_text("x\n")
    git("add", "--force", ".", cwd=ada.path)
    git("commit", "--quiet", "-m", "worse", cwd=ada.path)
    git("push", "--quiet", "--no-verify", "origin", "worse:gitmem", cwd=ada.path)
    git("fetch", "--quiet", cwd=ben.path)
    told = run("sessions", "--json", cwd=ben.path)
    assert "kept out: " in told.stderr
    assert names(told) == {"first"}
    assert run("sessions", "--json", cwd=ben.path).stderr == ""


def test_a_public_memory_comes_by_a_refspec_of_ones_own(
    team: Team, ada: Clone, run: CommandLine, git: RealGit
) -> None:
    git("push", "--quiet", "--no-verify", "origin", f"gitmem:{PUBLIC_REF}", cwd=ada.path)
    git("update-ref", "-d", REF, cwd=team.hub.path)
    ben = team.clone("reader")
    git("config", "remote.origin.gitmem", "public", cwd=ben.path)
    git("fetch", "--quiet", "origin", f"+{PUBLIC_REF}:refs/gitmem/remotes/origin/public", cwd=ben.path)
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first"}
    assert ben.ref(PUBLIC_REF) == ada.ref()
    assert ben.ref() is None


def test_tables_of_refs_are_caught_up_with(team: Team, ada: Clone, run: CommandLine, git: RealGit) -> None:
    options = ("--ref-format=reftable",)
    try:
        git("init", "--quiet", *options, "probe", cwd=team.folder)
    except AssertionError:
        pytest.skip("git knows no such format")
    ben = team.clone("tables", *options)
    run("init", *OPTIONS, cwd=ben.path)
    ada.remember("second")
    ada.push()
    git("fetch", "--quiet", cwd=ben.path)
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first", "second"}
    assert ben.repository.ref_format == "reftable"


def test_private_sessions_come_by_refspecs_of_ones_own(
    team: Team, ada: Clone, run: CommandLine, git: RealGit, tmp_path: Path
) -> None:
    transcript = tmp_path / "talk.jsonl"
    transcript.write_text(
        '{"session": {"id": "own"}}\n{"id": "1", "role": "user", "text": "mend the gate"}\n'
    )
    ben = team.clone("ben")
    for clone in (ada, ben):
        run("init", *OPTIONS, cwd=clone.path)
        git("config", "remote.origin.gitmem", "team,private", cwd=clone.path)
    run("import", str(transcript), cwd=ada.path, environ={"GITMEM_LEVEL": "private"})
    run("push", cwd=ada.path)
    refspecs = [f"+refs/gitmem/{kind}/*:refs/gitmem/remotes/origin/{kind}/*" for kind in ("private", "keys")]
    git("fetch", "--quiet", "origin", *refspecs, cwd=ben.path)
    assert names(run("sessions", "--json", cwd=ben.path)) == {"first", "own"}
