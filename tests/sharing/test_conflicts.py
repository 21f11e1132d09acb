"""Forks are listed with who went on with what, and a pull can be looked at before it is made."""

from __future__ import annotations

import json

from tests.conftest import CommandLine
from tests.sharing.clones import TRACKING, Clone


def test_both_who_went_on_with_a_session_are_named(ada: Clone, ben: Clone, run: CommandLine) -> None:
    assert run("init", "--no-hooks", "--no-import", cwd=ada.path)
    run("conflicts", cwd=ada.path, status=1)
    ada.remember("shared", b"one\ntwo\n")
    ada.remember("plain")
    ada.push()
    ben.pull()
    ada.remember("shared", b"ada's\n")
    ben.remember("shared", b"ben's\nand more\n")
    ada.push()
    assert "forked" in run("pull", "origin", cwd=ben.path).stdout
    [told] = json.loads(run("conflicts", "--json", cwd=ben.path).stdout)["conflicts"]
    assert (told["session"], told["shared_lines"]) == ("generic/shared", 2)
    assert [one["lines"] for one in told["continuations"]] == [2, 1]
    assert [one["stream"].partition("@")[0] for one in told["continuations"]] == ["", ""]
    shown = run("conflicts", cwd=ben.path).stdout
    assert "generic/shared" in shown
    assert "2 lines of its own, after 2" in shown
    assert "plain" not in shown
    rows = run("sessions", cwd=ben.path).stdout.splitlines()
    assert [row for row in rows if "forked" in row] == [row for row in rows if "generic/shared" in row] != []


def test_two_captures_of_one_transcript_are_no_conflict(ada: Clone, ben: Clone, run: CommandLine) -> None:
    ada.remember("shared", b"one\n")
    ada.push()
    ben.pull()
    ada.remember("shared", b"two\n")
    ben.remember("shared", b"two\nthree\n")
    ada.push()
    ben.pull()
    run("conflicts", cwd=ben.path, status=1)


def test_a_dry_run_tells_what_a_pull_would_bring_and_leaves_all_as_it_is(
    ada: Clone, ben: Clone, run: CommandLine
) -> None:
    ada.remember("one")
    ada.push()
    ben.remember("two")
    before = ben.ref()
    dry = run("pull", "origin", "--dry-run", cwd=ben.path).stdout
    assert ben.ref() == before
    assert ben.ref(TRACKING) == ada.ref()
    assert "new there  generic/one" in dry
    assert "Would pull from origin: 1 session would change" in dry
    told = dry.replace("Would pull", "Pulled").replace("would change", "changed")
    assert run("pull", "origin", cwd=ben.path).stdout == told
    assert ben.ref() != before
    assert "Nothing new" in run("pull", "origin", "--dry-run", cwd=ben.path).stdout
