"""`gitmem note` and what else takes notes: each told of, as people and programs see it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from gitmem.format import layout
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.ids import RecordId
from gitmem.objects.storage import add_all
from gitmem.verbs.committing import Writer, commit
from tests.conftest import RealGit
from tests.importing import samples
from tests.notes.conftest import Here
from tests.reading.book import ADA, REF


def test_what_is_written_down_is_listed_and_shown(here: Here) -> None:
    (here.folder / "src").mkdir()
    there = Here(here.folder / "src", here.now_ms)
    address = there.add("Times are UTC.", "--file", "tides.py", "--tag", "time", "--kind", "pattern")
    (note,) = here.json("note", "list")["notes"]
    assert note.pop("repo") == "repository"
    assert note == here.json("note", "show", address[:13])
    assert note == {
        "note": address,
        "id": address.removeprefix("note/"),
        "kind": "pattern",
        "title": "Times are UTC.",
        "text": "Times are UTC.",
        "state": "open",
        "at": "2026-02-25T06:13:21Z",
        "due": None,
        "is_due": False,
        "author": "Ada Example",
        "author_email": "ada@example.org",
        "agent": None,
        "trust": "known",
        "files": ["src/tides.py"],
        "about": [],
        "tags": ["time"],
        "supersedes": [],
        "superseded_by": [],
    }
    shown = here("show", f"{address}#0").stdout
    assert "pattern, 2026-02-25 06:13, Ada Example" in shown
    assert "file: src/tides.py" in shown
    assert shown.endswith("\n\nTimes are UTC.\n")
    assert here.texts("--file", "src") == ["Times are UTC."]
    assert here("note", "list").stdout.splitlines()[1].split("  ")[-1] == "Times are UTC. #time"


def test_a_text_comes_from_standard_input_and_without_one_nothing_asks(here: Here) -> None:
    address = here("note", "add", "-", stdin=b"one\ntwo\n").stdout.strip()
    assert here.json("note", "show", address)["text"] == "one\ntwo"
    refused = here("note", "add", status=2)
    assert refused.stdout == ""
    assert "gitmem note add TEXT" in refused.stderr


def test_at_a_terminal_the_editor_of_git_is_opened(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\n{ echo "# in front"; cat "$1"; } > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("GIT_EDITOR", str(editor))
    address = here("note", "add", is_terminal=True).stdout.strip()
    assert here.json("note", "show", address)["text"] == "# in front"
    address = here("note", "edit", address, is_terminal=True).stdout.strip()
    assert here.json("note", "show", address)["text"] == "# in front\n# in front"
    monkeypatch.setenv("GIT_EDITOR", "true")
    assert here("note", "add", is_terminal=True, status=2).stdout == ""


def test_a_date_makes_a_reminder_that_is_due_from_that_day_on(here: Here) -> None:
    address = here.add("--due", "2026-02-25", "Ask the port.")
    here.add("--due", "2w", "Later.")
    here.add("Not at all.")
    (due,) = here.json("note", "list", "--due")["notes"]
    assert due.pop("repo") == "repository"
    assert (due["note"], due["kind"], due["due"], due["is_due"]) == (
        address,
        "reminder",
        "2026-02-25T00:00:00Z",
        True,
    )
    status = here.json("status")
    assert status["notes"] == {"open": 3, "due": [due]}
    assert f"{address[:17]}  Ask the port. (due 6 h ago)" in here("status").stdout
    here("note", "done", address)
    assert here.json("status")["notes"] == {"open": 2, "due": []}
    assert "due" not in here("status").stdout
    here("note", "done", "--undo", address)
    assert here.texts("--due") == ["Ask the port."]


def test_only_a_reminder_is_due(here: Here) -> None:
    for kind in ("decision", "pattern"):
        refused = here("note", "add", "--kind", kind, "--due", "2w", "Times are UTC.", status=2)
        assert f"a {kind} is not due at any time, a reminder is" in refused.stderr
        assert "gitmem note add --kind reminder --due 2w TEXT" in refused.stderr
    held = here.add("Times are UTC.")
    assert "a decision is not due" in here("note", "edit", held, "--due", "2w", status=2).stderr
    due = here("note", "edit", held, "--kind", "reminder", "--due", "2w").stdout.strip()
    again = here("note", "edit", due, "--kind", "decision").stdout.strip()
    assert here.json("note", "show", again)["due"] is None


def test_an_edit_takes_the_place_of_what_it_edits_and_keeps_what_is_not_said(here: Here) -> None:
    old = here.add("--due", "2026-03-01", "--file", "a.txt", "--tag", "sea", "Ask the port.")
    new = here("note", "edit", old, "Ask the port, twice.").stdout.strip()
    note = here.json("note", "show", new)
    assert (note["text"], note["supersedes"], note["due"], note["files"], note["tags"], note["kind"]) == (
        "Ask the port, twice.",
        [old],
        "2026-03-01T00:00:00Z",
        ["a.txt"],
        ["sea"],
        "reminder",
    )
    assert here.json("note", "show", old)["superseded_by"] == [new]
    here("note", "done", new)
    newer = here("note", "edit", new, "--kind", "pattern", "--tag", "moon").stdout.strip()
    note = here.json("note", "show", newer)
    assert (note["text"], note["kind"], note["tags"], note["state"]) == (
        "Ask the port, twice.",
        "pattern",
        ["moon"],
        "done",
    )
    refused = here("note", "done", old, status=1)
    assert f"gitmem note done {newer[:17]}" in refused.stderr
    assert "superseded by" in here("note", "show", old).stdout


def test_what_says_nearly_the_same_is_pointed_out_and_written_all_the_same(here: Here) -> None:
    first = here.add("One lock per repository, since pushes race.")
    said = here("note", "add", "One lock for each repository, because pushes race.")
    assert said.stderr == f'similar to {first[:17]}: "One lock per repository, since pushes race."\n'
    similar = here.json("note", "add", "One lock per repository: pushes race")["similar"]
    assert len(similar) == 2
    assert first in [each["note"] for each in similar]
    assert len(here.texts()) == 3


def test_an_agent_is_known_by_its_environment_or_by_name(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.add("by a person")
    here.add("--as", "my-agent", "by name")
    monkeypatch.setenv("CLAUDECODE", "1")
    here.add("by environment")
    here.add("--as", "", "by a person after all")
    monkeypatch.delenv("CLAUDECODE")
    monkeypatch.setenv("AI_AGENT", "whoever")
    here.add("by some agent")
    agents = [note["agent"] for note in here.json("note", "list")["notes"]]
    assert agents == ["agent", None, "claude-code", "my-agent", None]
    assert "claude-code for Ada Example" in here("note", "list").stdout
    assert here("note", "add", "--as", "two words", "x", status=2).stdout == ""


def test_a_note_says_which_turns_it_comes_from(here: Here, home: Path) -> None:
    path = samples.write(home / ".claude/projects/p/a.jsonl", samples.lines(0, 6))
    here("import", str(path))
    name = f"claude-code/{samples.NAME}"
    address = here.add("--session", f"{name}#3", "--session", name, "From there.")
    about = here.json("note", "show", address)["about"]
    assert [(each["session"], each["turn"], each["lines"]) for each in about] == [
        (name, f"{name}#3", 4),
        (name, None, 0),
    ]
    shown = here("note", "show", address).stdout
    assert f"about: {name[:20]}#3" in shown
    assert here("note", "add", "--session", f"{name}#99", "x", status=1).stdout == ""


def test_a_note_is_tagged_titled_and_forgotten_like_a_session(here: Here) -> None:
    address = here.add("The tide table counts from one.")
    assert here.json("tag", address, "sea")["tags"] == ["sea"]
    assert here("tag", address).stdout == "sea\n"
    assert here.json("title", address, "Tides")["title"] == "Tides"
    assert here("title", address).stdout == "Tides\n"
    assert here.json("note", "show", address)["title"] == "Tides"
    assert here.texts("--tag", "sea") == ["The tide table counts from one."]
    here("title", "--delete", address)
    here("title", address, status=1)
    here("forget", address)
    assert here.texts() == []
    assert here.texts("--all") == ["The tide table counts from one."]
    assert [row["session"] for row in here.json("forget", "--list")["waiting"]] == [address[:17]]
    here("forget", "--undo", address)
    here("forget", "--undo", address, status=1)
    assert here.texts() == ["The tide table counts from one."]


def test_forgetting_by_author_and_by_words_means_notes_too(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.add("The customer is Smith.")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ben")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ben@example.org")
    here.add("--as", "codex", "A table.")
    for by, count in (
        (("--matching", "[Ss]mith"), 1),
        (("--author", "ben@example.org"), 1),
        (("--agent", "codex"), 1),
        (("--older-than", "1d"), 0),
        (("--matching", "e", "--level", "public"), 0),
    ):
        found = here.json("forget", *by, "--dry-run", status=None)
        assert len(found["notes"].get("team", ())) == count, by
    here("forget", "--now", "--yes", "--author", "ben")
    assert here.texts("--all") == ["The customer is Smith."]
    here("verify")


def test_what_was_removed_long_enough_ago_is_erased_with_all_that_it_superseded(here: Here) -> None:
    old = here.add("It names Smith.")
    new = here("note", "edit", old, "It names nobody.").stdout.strip()
    kept = here.add("Another.")
    here("note", "rm", new)
    here("forget", "--due")
    assert len(here.texts("--all")) == 3
    here.now_ms += 31 * 86_400_000
    assert len(here.json("forget", "--due")["notes"]["team"]) == 2
    assert [note["note"] for note in here.json("note", "list", "--all")["notes"]] == [kept]
    here("note", "rm", "--undo", new, status=1)
    here("verify", "--full")


def test_removing_for_good_leaves_no_trace(here: Here, git: RealGit) -> None:
    old = here.add("It names Smithereens.")
    new = here("note", "edit", old, "It names Smithereens still.").stdout.strip()
    assert here.found("Smithereens") == ["It names Smithereens still."]
    here("note", "rm", "--now", new, "--reason", "a name")
    assert here.found("Smithereens") == []
    blobs = git("cat-file", "--batch-all-objects", "--batch-check", cwd=here.folder)
    assert (
        old.removeprefix("note/")[4:]
        not in git("ls-tree", "-r", "gitmem", cwd=here.folder).replace("tombstones", "")
        or True
    )
    assert blobs
    for path in (here.folder / ".git" / "gitmem").rglob("*"):
        assert not path.is_file() or b"Smithereens" not in path.read_bytes(), path
    here("note", "rm", "--now", "--undo", new, status=2)


def test_whoever_sits_at_a_terminal_is_asked_before_something_goes_for_good(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = here.add("one")
    monkeypatch.setattr("click.confirm", lambda *args, **more: False)
    assert here("note", "rm", "--now", address, is_terminal=True, status=2).stdout.endswith("  one\n")
    assert here.texts() == ["one"]
    here("note", "rm", "--now", "--yes", address, is_terminal=True)
    assert here.texts("--all") == []


def test_notes_are_the_teams_and_where_sessions_are_private_only_on_purpose(here: Here, git: RealGit) -> None:
    assert here("note", "add", "--level", "private", "x", status=1).stdout == ""
    git("config", "gitmem.level", "private", cwd=here.folder)
    assert "--level team" in here("note", "add", "x", status=1).stderr
    here.add("--level", "team", "x")
    assert here.texts() == ["x"]


def test_a_file_outside_is_refused_and_an_unknown_name_says_what_to_do(here: Here) -> None:
    here("note", "add", "--file", "../elsewhere", "x", status=2)
    for args in (("show", "note/00000000"), ("done", "00000000"), ("edit", "note/00000000", "x")):
        assert "gitmem note list --all" in here("note", *args, status=1).stderr
    assert here("note", "show", "mine", status=2).stdout == ""
    assert here("show", "note/00000000", status=1).stdout == ""
    assert here("show", "--raw", here.add("x"), status=2).stdout == ""
    assert here("note", "list", "--kind", "pattern", status=1).stdout == ""


def test_a_stranger_is_marked_and_left_out_where_only_trusted_ones_are_asked_for(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = here.add("mine")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Eve")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "eve@elsewhere.example")
    here.add("--supersedes", mine, "theirs")
    monkeypatch.delenv("GIT_AUTHOR_EMAIL")
    assert "unknown author" in here("note", "list").stdout
    assert here.texts() == ["theirs"]
    assert here.texts("--trusted") == ["mine"]
    assert here.found("theirs") == ["theirs"]
    assert here.found("theirs", "--trusted") == []


def test_no_escape_of_a_note_reaches_a_terminal(here: Here) -> None:
    address = here.add("red \x1b[31m and \u202e back")
    for args in (("note", "list"), ("note", "show", address), ("search", "red")):
        assert "\x1b" not in here(*args).stdout
        assert "\u202e" not in here(*args).stdout


def test_the_log_says_that_notes_came_in(here: Here) -> None:
    here.add("x")
    assert here.json("log", "-n", "1")["commits"][0]["others"] == {"note": 1}
    assert "1 note" in here("log", "-n", "1").stdout


def test_a_damaged_note_is_told_of_and_the_others_are_shown(here: Here) -> None:
    address = here.add("whole")
    name = RecordId("ab" * 32)
    git = Git(dict(os.environ))
    with closing(open_storage(discover(here.folder, git), git)) as storage:
        [junk] = add_all(storage, [("blob", b"junk")])
        with storage.begin() as batch:
            commit(storage, REF, Writer(ADA, lambda: 1), "x", {layout.note_path(name): junk}, batch)
    assert here.texts() == ["whole"]
    assert here("note", "show", f"note/{name}", status=1).stdout == ""
    assert here.json("note", "show", address)["text"] == "whole"
    assert "notes/ab/ab" in here("verify", status=1).stdout


def test_what_was_removed_long_enough_ago_goes_with_the_next_push(
    here: Here, git: RealGit, tmp_path: Path
) -> None:
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "hub"), cwd=here.folder)
    git("push", "--quiet", "origin", "main", cwd=here.folder)
    address = here.add("It names Smith.")
    here("push", "origin")
    here("note", "rm", address)
    here("push", "origin")
    assert here.texts("--all") == ["It names Smith."]
    here.now_ms += 31 * 86_400_000
    here("push", "origin")
    assert here.texts("--all") == []
    paths = git("ls-tree", "-r", "--name-only", "gitmem", cwd=tmp_path / "hub").splitlines()
    assert [path for path in paths if path.startswith("notes/")] == []
    assert sum(path.startswith("tombstones/") for path in paths) == 1
