"""What somebody hides whom nobody knows stays hidden, is told with who did, and can be taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitmem.format import layout, records
from gitmem.model.ids import RecordId
from gitmem.model.records import Author, Register, RegisterName
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import Clone
from tests.sharing.samples import AT, Scribe

EVE = Author("Eve", "eve@example.org")
LATER = "2030-01-01T00:00:00.000Z"


@pytest.fixture
def clone(git: RealGit, tmp_path: Path) -> Path:
    """Return Ada's repository, in which she has captured a session and written a note."""
    top = tmp_path / "clone"
    git("init", "--quiet", str(top), cwd=tmp_path)
    git.commit(top)

    def change(scribe: Scribe) -> None:
        scribe.capture(scribe.begin("hers"), b'{"id": "1", "role": "user", "text": "mend the gate"}\n')
        scribe.note("The gate opens inwards.")

    Clone(top).write(change)
    return top


def hide(top: Path, values: dict[RegisterName, str | bool]) -> None:
    """Have Eve write registers of the session, and of the note what may be written of one."""

    def change(scribe: Scribe) -> None:
        scribe.author = EVE
        (folder,) = scribe.memory.folders()
        for name, value in values.items():
            scribe.register(folder.session, value, 1, name)
        if "forgotten" in values:
            (note,) = {"".join(path[1:4]) for path, _ in scribe.files() if path[0] == "notes"}
            record = Register(note, "forgotten", values["forgotten"], 1, AT, EVE)
            name = records.seal(record)[0]
            scribe.put_record(layout.note_register_path(RecordId(note), name), record)

    Clone(top).write(change)


def findings(run: CommandLine, top: Path) -> list[dict[str, Any]]:
    told = json.loads(run("doctor", "--json", cwd=top, status=None).stdout)["findings"]
    return [one for one in told if "hidden by the word of" in one["says"]]


def test_what_a_stranger_forgot_is_told_of_and_taken_back(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    hide(clone, {"forgotten": LATER})
    assert json.loads(run("sessions", "--json", cwd=clone, status=1).stdout)["sessions"] == []
    [found] = findings(run, clone)
    assert found["condition"] == "note"
    assert "generic/hers" in found["says"]
    assert "eve@example.org, whom you do not know; gitmem forget --undo generic/hers note/" in found["says"]
    assert "authors whom you do not know" in run("status", cwd=clone).stdout
    waiting = json.loads(run("forget", "--list", "--json", cwd=clone).stdout)["waiting"]
    assert [(one["by"], one["trust"]) for one in waiting] == [(EVE.email, "unknown")] * 2
    assert "unknown author" in run("forget", "--list", cwd=clone).stdout
    command = found["says"].partition("; gitmem ")[2].removesuffix(" takes it back")
    run(*command.split(), cwd=clone)
    assert findings(run, clone) == []
    assert len(json.loads(run("sessions", "--json", cwd=clone).stdout)["sessions"]) == 1
    assert "opens inwards" in run("note", "list", cwd=clone).stdout


def test_what_one_forgot_who_is_distrusted_is_amiss_and_never_due(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    hide(clone, {"forgotten": AT})
    git("config", "gitmem.grace", "0", cwd=clone)
    git("config", "gitmem.distrust", "eve@*", cwd=clone)
    [found] = findings(run, clone)
    assert (found["condition"], found["remedy"][:26]) == ("amiss", "gitmem forget --undo gener")
    assert run("forget", "--due", "--dry-run", cwd=clone).stdout == ""
    git("config", "--unset", "gitmem.distrust", cwd=clone)
    assert "would be erased" in run("forget", "--due", "--dry-run", cwd=clone).stdout


def test_what_one_hid_who_is_known_is_nothing_to_be_told(run: CommandLine, git: RealGit, clone: Path) -> None:
    hide(clone, {"forgotten": LATER})
    git("config", "gitmem.trust", "eve@example.org", cwd=clone)
    assert findings(run, clone) == []
    assert "whom you do not know" not in run("status", cwd=clone).stdout


def test_a_stranger_cannot_hide_a_session_for_good_as_if_it_had_a_lower_level(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    hide(clone, {"hidden": True, "level": "private"})
    [found] = findings(run, clone)
    assert "gitmem forget --undo generic/hers takes it back" in found["says"]
    git("config", "gitmem.trust", "eve@example.org", cwd=clone)
    run("forget", "--undo", "generic/hers", cwd=clone, status=1)
    git("config", "--unset", "gitmem.trust", cwd=clone)
    run("forget", "--undo", "generic/hers", cwd=clone)
    [session] = json.loads(run("sessions", "--json", cwd=clone).stdout)["sessions"]
    assert (session["hidden"], session["level"]) == (False, "team")
