"""Notes are redacted before they are written, and again where rules have been added since."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import RealGit
from tests.notes.conftest import Here

WORD = "sluice-abcdefgh"


@pytest.fixture
def stricter(here: Here, git: RealGit) -> Here:
    """Return a repository with notes that a rule which came later would have redacted."""
    old = here.add(f"old {WORD}")
    here("note", "edit", old, f"new {WORD}", "--tag", "sea", "--file", WORD)
    here("title", here.json("note", "list")["notes"][0]["note"], f"titled {WORD}")
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=here.folder)
    git("config", "gitmem.redact.sluice.sample", WORD, cwd=here.folder)
    return here


def test_a_secret_is_redacted_before_it_is_written(stricter: Here) -> None:
    address = stricter.add(f"it is {WORD}", "--tag", "x", "--file", f"keys/{WORD}")
    shown = stricter.json("note", "show", address)
    assert WORD not in str(shown)
    assert shown["text"].startswith("it is [gm:user-rule:")
    assert stricter.found(WORD, "kind:decision") != []


def test_an_audit_names_notes_and_mends_those_that_were_not_shared(stricter: Here) -> None:
    stricter("redact", "audit", status=1)
    stricter("redact", "audit", "--fix")
    (note,) = stricter.json("note", "list", "--all")["notes"]
    assert WORD not in str(note)
    assert note["title"].startswith("titled [gm:user-rule:")
    assert note["tags"] == ["sea"]
    stricter("redact", "audit")
    stricter("verify", "--full")


def test_what_was_shared_is_erased_where_that_is_asked_for(
    stricter: Here, git: RealGit, tmp_path: Path
) -> None:
    (before,) = stricter.json("note", "list")["notes"]
    git("init", "--quiet", "--bare", str(tmp_path / "hub"), cwd=tmp_path)
    git("remote", "add", "origin", str(tmp_path / "hub"), cwd=stricter.folder)
    git("push", "--quiet", "origin", "main", "gitmem", cwd=stricter.folder)
    stricter("redact", "audit", "--fix", status=1)
    stricter("redact", "audit", "--erase")
    (note,) = stricter.json("note", "list", "--all")["notes"]
    assert WORD not in str(note)
    assert note["note"] != before["note"]
    tree = git("ls-tree", "-r", "--name-only", "gitmem", cwd=stricter.folder).splitlines()
    assert sum(path.startswith("tombstones/") for path in tree) == 2
    stricter("verify", "--full")
