"""A redaction key that is lost or rotated: nothing rises, nothing comes in twice, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.levels.conftest import Say, levels_in
from tests.levels.test_sharing import token


@pytest.mark.parametrize("what", ["rotated", "lost"])
def test_another_key_gives_new_placeholders_and_changes_nothing_else(
    run: CommandLine, remembering: Path, say: Say, home: Path, seed: int, what: str
) -> None:
    secret = token(seed)
    run("import", str(say("a", [f"use {secret} there", "done"])), cwd=remembering)
    run("import", str(say("mine", [f"gitmem:private use {secret}"])), cwd=remembering)
    before = run("show", "--raw", "generic/a", cwd=remembering).stdout
    if what == "rotated":
        run("redact", "rotate-key", cwd=remembering)
    else:
        next(home.rglob("redaction-key")).unlink()
    again = run("import", "--json", str(say("a", [f"use {secret} there", "done"])), cwd=remembering)
    assert json.loads(again.stdout)["lines"] == 0, "it is still the same text"
    more = [f"use {secret} there", "done", f"once more {secret}"]
    run("import", str(say("a", more)), cwd=remembering)
    run("import", str(say("mine", [f"gitmem:private use {secret}", "done", "thanks"])), cwd=remembering)
    after = run("show", "--raw", "generic/a", cwd=remembering).stdout
    assert after.startswith(before)
    assert secret not in after
    assert len({part[:40] for part in after.split("[gm:github-token:")[1:]}) == 2
    assert levels_in(run, remembering) == {"a": "team", "mine": "private"}
    run("verify", "--full", cwd=remembering)


def test_no_key_is_made_in_a_working_tree_for_a_data_folder_that_is_relative(
    run: CommandLine, remembering: Path, say: Say, home: Path
) -> None:
    path = str(say("a", ["gitmem:private mend it"]))
    run("import", path, cwd=remembering, environ={"XDG_DATA_HOME": "keys"})
    assert list(remembering.rglob("identity")) == []
    assert (home / ".local/share/gitmem/identity").exists()


def test_doctor_says_what_redaction_cannot_do_without(
    run: CommandLine, remembering: Path, say: Say, git: RealGit
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    run("redact", "audit", cwd=remembering)
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
    refused = run("doctor", cwd=remembering, status=1)
    assert "could not use the redaction rule 'sluice'" in refused.stdout
    git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    assert "its rules have changed" in run("doctor", cwd=remembering, status=None).stdout
    run("redact", "audit", cwd=remembering)
    assert "its rules have changed" not in run("doctor", cwd=remembering, status=None).stdout
    (remembering / ".git/gitmem/levels").write_text("{")
    assert "which sessions are private" in run("doctor", cwd=remembering, status=1).stdout


def test_doctor_says_that_the_key_is_damaged(
    run: CommandLine, remembering: Path, say: Say, home: Path
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    next(home.rglob("redaction-key")).write_text("no key")
    assert "does not hold 32 bytes" in run("doctor", cwd=remembering, status=1).stdout


def test_process_that_holds_secrets_leaves_no_core_dump(environ: dict[str, str]) -> None:
    code = (
        "import resource; from gitmem.cli import opening\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\n"
        "opening._leave_no_core_dump(); print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert said.stdout == "0\n"
