"""Who may see what is noted in the audit before it changes, and where that cannot be, nothing changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pyrage import x25519

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in


def noted(run: CommandLine, where: Path, action: str) -> list[dict[str, Any]]:
    shown = json.loads(run("audit", "--json", "--action", action, cwd=where).stdout)
    return [row for row in shown["entries"] if row["action"] == action]


def spoil(where: Path) -> Path:
    """Put something in the audit's place, so that nothing can be noted."""
    path = where / ".git" / "gitmem" / "audit"
    shutil.rmtree(path)
    path.write_text("no folder")
    return path


def test_recipients_are_noted_by_their_number_alone(run: CommandLine, remembering: Path) -> None:
    key = str(x25519.Identity.generate().to_public())
    run("recipients", "add", key, cwd=remembering)
    run("recipients", "remove", key, cwd=remembering)
    rows = noted(run, remembering, "recipient")
    assert [row["detail"]["change"] for row in rows] == ["remove", "add"]
    assert key not in json.dumps(rows)


def test_level_that_a_marker_lowers_is_noted(run: CommandLine, remembering: Path, say: Say) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("import", str(say("a", ["mend it", "done", "gitmem:private now"])), cwd=remembering)
    [row] = noted(run, remembering, "level")
    assert (row["detail"]["from"], row["detail"]["to"]) == ("team", "private")


def test_what_is_owed_is_not_done_where_it_cannot_be_noted_and_the_rest_is(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("import", str(say("b", ["gitmem:private mend that"])), cwd=remembering)
    git("config", "remote.origin.gitmem", "team", cwd=remembering)
    spoil(remembering)
    key = str(x25519.Identity.generate().to_public())
    for args in (("level", "generic/a", "private"), ("recipients", "add", key), ("push",)):
        refused = run(*args, cwd=remembering, status=1)
        assert "could not note" in refused.stderr, args
    assert levels_in(run, remembering) == {"a": "team", "b": "private"}
    assert "gitmem.recipient" not in git("config", "--list", cwd=remembering)
    assert git("for-each-ref", "--format=%(refname)", cwd=hub) == "refs/heads/main"
    assert "mend that" in run("show", "generic/b", cwd=remembering).stdout
    run("pull", cwd=remembering)
    git("config", "gitmem.audit", "false", cwd=remembering)
    run("push", cwd=remembering)
    assert "refs/heads/gitmem" in git("for-each-ref", "--format=%(refname)", cwd=hub)
