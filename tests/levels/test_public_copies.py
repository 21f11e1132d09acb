"""What everybody gets names nobody's address, and goes when its session is lowered, under any name."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in
from tests.levels.test_canaries import objects

EMAIL = "ada" + "@" + "sluice-works.org"


def test_no_record_and_no_commit_of_what_is_public_has_its_authors_address(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    git("config", "user.email", EMAIL, cwd=remembering)
    run("import", str(say("a", ["mend it", "done"])), cwd=remembering)
    run("title", "generic/a", "The sluice", cwd=remembering)
    run("level", "generic/a", "public", "--yes", cwd=remembering)
    git("config", "remote.origin.gitmem", "public", cwd=remembering)
    run("push", cwd=remembering)
    assert EMAIL.encode() not in b"\0".join(objects(hub))
    other = tmp_path / "other"
    git("clone", "-q", str(hub), str(other), cwd=tmp_path)
    git("config", "user.email", EMAIL, cwd=other)
    git("config", "remote.origin.gitmem", "public", cwd=other)
    run("pull", cwd=other)
    run("title", "generic/a", "The weir", cwd=other)
    run("import", str(say("b", ["mend it"])), cwd=remembering)
    run("level", "generic/b", "public", "--yes", cwd=remembering)
    run("push", cwd=remembering)
    run("push", cwd=other)
    assert EMAIL.encode() not in b"\0".join(objects(hub))
    git("fsck", "--strict", cwd=hub)


def test_copy_whose_name_was_redacted_is_withdrawn_with_its_session(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    git("config", "remote.origin.gitmem", "team,public", cwd=remembering)
    name = f"mail-{EMAIL}"
    run("import", str(say(name, ["mend it", "done"])), cwd=remembering)
    run("level", f"generic/{name}", "public", "--yes", cwd=remembering)
    assert run("level", f"generic/{name}", cwd=remembering).stdout == "public\n"
    run("push", cwd=remembering)
    done = json.loads(run("level", f"generic/{name}", "private", "--json", cwd=remembering).stdout)
    assert done["still_in_history_of"] == ["refs/heads/gitmem", "refs/gitmem/public"]
    assert levels_in(run, remembering) == {name: "private"}


def test_copy_whose_name_was_redacted_is_withdrawn_by_a_marker_as_well(
    run: CommandLine, remembering: Path, say: Say
) -> None:
    name = f"mail-{EMAIL}"
    run("import", str(say(name, ["mend it", "done"])), cwd=remembering)
    run("level", f"generic/{name}", "public", "--yes", cwd=remembering)
    run("level", f"generic/{name}", "team", cwd=remembering)
    run("level", f"generic/{name}", "public", "--yes", cwd=remembering)
    git_dir = remembering / ".git" / "gitmem" / "levels"
    git_dir.unlink()  # what a person said would hold against the marker
    run("import", str(say(name, ["mend it", "done", "gitmem:private now"])), cwd=remembering)
    assert levels_in(run, remembering) == {name: "private"}
