"""`gitmem level`: lowered at once, raised through that level's rules after a look."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in

EMAIL = "grace" + "@" + "sluice-works.org"


def test_level_is_told(run: CommandLine, remembering: Path, say: Say) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    assert run("level", "generic/a", cwd=remembering).stdout == "team\n"
    told = json.loads(run("level", "generic/a", "--json", cwd=remembering).stdout)
    assert (told["session"], told["level"]) == ("generic/a", "team")


def test_lowered_session_leaves_the_teams_lists_and_is_gone_on_with_in_private(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    done = run("level", "generic/a", "private", cwd=remembering)
    assert "stays in refs/heads/gitmem" in done.stderr
    assert levels_in(run, remembering) == {"a": "private"}
    run("import", str(say("a", ["mend it", "done", "more of it"])), cwd=remembering)
    assert "more of it" in run("show", "generic/a", cwd=remembering).stdout
    for ref in git("for-each-ref", "--format=%(refname)", "refs/gitmem/private", cwd=remembering).split():
        git("update-ref", "-d", ref, cwd=remembering)
    assert levels_in(run, remembering) == {}, "what the team has of it is hidden"
    hidden = json.loads(run("sessions", "--all", "--json", cwd=remembering).stdout)["sessions"]
    assert [row["level"] for row in hidden] == ["private"]
    run("verify", "--full", cwd=remembering)


@pytest.mark.parametrize("level", ["team", "public"])
def test_raising_needs_somebody_to_have_looked(
    run: CommandLine, remembering: Path, say: Say, level: str
) -> None:
    run("import", str(say("a", ["gitmem:private mend it"])), cwd=remembering)
    refused = run("level", "generic/a", level, cwd=remembering, status=2)
    assert "nobody can be asked here" in refused.stderr
    assert "--yes" in refused.stderr
    assert levels_in(run, remembering) == {"a": "private"}
    run("level", "generic/a", level, "--yes", cwd=remembering)
    assert levels_in(run, remembering) == {"a": level}
    run("verify", "--full", cwd=remembering)


def test_public_copy_is_redacted_again(run: CommandLine, remembering: Path, say: Say, git: RealGit) -> None:
    run("import", str(say("a", [f"write to {EMAIL} of it", f"wrote to {EMAIL}"])), cwd=remembering)
    assert EMAIL in run("show", "generic/a", cwd=remembering).stdout
    preview = run("level", "generic/a", "public", "--preview", cwd=remembering).stdout
    assert EMAIL not in preview
    assert "[gm:email:" in preview
    assert levels_in(run, remembering) == {"a": "team"}, "a preview changes nothing"
    told = json.loads(run("level", "generic/a", "public", "--yes", "--json", cwd=remembering).stdout)
    assert told["replaced"]["email"] == 2
    git("update-ref", "-d", "refs/heads/gitmem", cwd=remembering)
    shown = run("show", "generic/a", cwd=remembering).stdout
    assert EMAIL not in shown
    assert "ada@" not in run("show", "--json", "generic/a", cwd=remembering).stdout


def test_what_is_new_of_a_public_session_waits_for_the_next_look(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it", "done"])), cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    run("import", str(say("a", ["mend it", "done", "and the sluice"])), cwd=remembering)
    before = git("rev-parse", "refs/gitmem/public", cwd=remembering)
    assert "sluice" in run("show", "generic/a", cwd=remembering).stdout
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    assert git("rev-parse", "refs/gitmem/public", cwd=remembering) != before
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    after = git("rev-list", "--count", "refs/gitmem/public", cwd=remembering)
    assert after == "3", "begun, published, gone on with; the third time there is nothing new"
    run("verify", "--full", cwd=remembering)


def test_there_and_back_again_loses_nothing(run: CommandLine, remembering: Path, say: Say) -> None:
    run("import", str(say("a", ["mend it", "done", "thanks"])), cwd=remembering)
    run("title", "generic/a", "The", "sluice", cwd=remembering)
    run("tag", "generic/a", "water", cwd=remembering)
    before = run("show", "--raw", "generic/a", cwd=remembering).stdout
    for level in ("private", "team", "public", "private", "public", "team"):
        run("level", "generic/a", level, "--yes", cwd=remembering)
        assert levels_in(run, remembering) == {"a": level}
        assert run("show", "--raw", "generic/a", cwd=remembering).stdout == before
        told = json.loads(run("sessions", "--json", cwd=remembering).stdout)["sessions"]
        assert [(row["title"], row["tags"]) for row in told] == [("The sluice", ["water"])]
    run("verify", "--full", cwd=remembering)


def test_ephemeral_hides_every_copy_and_ends_capture(
    run: CommandLine, remembering: Path, hub: Path, say: Say
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    run("level", "generic/a", "ephemeral", cwd=remembering)
    assert levels_in(run, remembering) == {}
    run("import", str(say("a", ["mend it", "done", "more"])), cwd=remembering)
    assert levels_in(run, remembering) == {}
    refused = run("level", "generic/a", "team", "--yes", cwd=remembering, status=2)
    assert "nothing of it is to be seen" in refused.stderr


def test_change_is_in_the_audit(run: CommandLine, remembering: Path, say: Say) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("level", "generic/a", "private", cwd=remembering)
    entries = json.loads(run("audit", "--json", cwd=remembering).stdout)["entries"]
    assert [entry["action"] for entry in entries][:2] == ["level", "import"]
    assert entries[0]["detail"] == {"from": "team", "to": "private"}


def test_level_of_what_is_hidden_is_told(run: CommandLine, remembering: Path, hub: Path, say: Say) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("push", "origin", cwd=remembering)
    run("level", "generic/a", "ephemeral", cwd=remembering)
    assert run("level", "generic/a", cwd=remembering).stdout == "ephemeral\n"


def test_sessions_tell_the_level_where_it_is_not_the_usual_one(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    assert "level" not in run("sessions", cwd=remembering).stdout
    run("import", str(say("b", ["gitmem:private mend it"])), cwd=remembering)
    lines = run("sessions", cwd=remembering).stdout.splitlines()
    assert lines[0].split()[-1] == "level"
    assert sorted(line.split()[-1] for line in lines[1:]) == ["private", "team"]


def test_doctor_tells_what_levels_and_audit_lack(run: CommandLine, remembering: Path, say: Say) -> None:
    def conditions(status: int | None = None) -> dict[str, tuple[str, str]]:
        found = json.loads(run("doctor", "--json", cwd=remembering, status=status).stdout)["findings"]
        return {each["subject"]: (each["condition"], each["says"]) for each in found}

    assert "private" not in conditions()
    run("import", str(say("a", ["gitmem:private mend it"])), cwd=remembering)
    assert conditions()["private"] == ("well", "1 that you can open")
    identity = next(Path(os.environ["HOME"]).rglob("identity"))
    identity.unlink()
    assert conditions()["private"] == ("note", "0 that you can open, and 1 that you cannot")
    (remembering / ".git/gitmem/levels").write_text("no table")
    (remembering / ".git/gitmem/audit/clone").write_text("no name")
    found = conditions(status=1)
    assert (found["levels"][0], found["audit"][0]) == ("amiss", "amiss")
