"""What is chosen and known in a repository holds for what is taken into its memory."""

from __future__ import annotations

import json
import string
from pathlib import Path
from random import Random

import pytest

from tests.conftest import CommandLine, RealGit


@pytest.fixture
def remembering(repository: Path, run: CommandLine) -> Path:
    run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=repository)
    return repository


def taken_in(run: CommandLine, top: Path, *texts: str) -> str:
    lines = [{"session": {"id": "s"}}, *({"role": "user", "text": text} for text in texts)]
    (top / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("import", "t.jsonl", cwd=top)
    return run("show", "--raw", "generic/s", cwd=top).stdout


def test_value_of_an_env_file_and_of_the_environment_are_gone(
    remembering: Path, run: CommandLine, seed: int
) -> None:
    in_file, around = ("".join(Random(seed + n).choices(string.ascii_letters, k=9)) + "-7_x" for n in (1, 2))
    (remembering / ".env").write_text(f"export INTERNAL_TOKEN='{in_file}'\nPORT=8080\n")
    lines = [{"session": {"id": "s"}}, {"role": "user", "text": f"it is {in_file}, or {around}, on 8080"}]
    (remembering / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    run("import", "t.jsonl", cwd=remembering, environ={"SOME_PASSWORD": around})
    stored = run("show", "--raw", "generic/s", cwd=remembering).stdout
    assert stored.count("[gm:known-value:") == 2
    assert in_file not in stored
    assert around not in stored
    assert "on 8080" in stored
    kept = [path for path in (remembering / ".git").rglob("*") if path.is_file()]
    assert not [path for path in kept if in_file.encode() in path.read_bytes()]


def test_cards_go_always_and_addresses_where_they_are_chosen_to(
    remembering: Path, run: CommandLine, git: RealGit
) -> None:
    text = "ada@lovelace.io paid with 4111111111111111"
    assert "ada@lovelace.io paid with [gm:card:" in taken_in(run, remembering, text)
    git("config", "gitmem.personal", "email", cwd=remembering)
    chosen = taken_in(run, remembering, text, "again ada@lovelace.io")
    assert "again [gm:email:" in chosen


def test_users_own_rule_holds_and_a_wrong_one_stops_all(
    remembering: Path, run: CommandLine, git: RealGit
) -> None:
    git("config", "gitmem.redact.acme.pattern", "acme_[0-9]{9}", cwd=remembering)
    (remembering / "t.jsonl").write_text('{"role":"user","text":"x"}\n')
    refused = run("import", "t.jsonl", cwd=remembering, status=2)
    assert "acme" in refused.stderr
    git("config", "gitmem.redact.acme.sample", "acme_123456789", cwd=remembering)
    assert "with [gm:user-rule:" in taken_in(run, remembering, "with acme_555444333")
