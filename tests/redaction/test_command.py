"""`gitmem redact`: what it finds and says, and that it never says a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from gitmem.model.errors.withholding import RedactionFailed
from gitmem.redaction.checks import CHECKS, Check
from gitmem.redaction.inspecting import Inspector
from gitmem.redaction.longline import LONGEST_SECRET
from gitmem.redaction.personal import PERSONAL
from gitmem.redaction.placeholders import KINDS
from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.rules import RuleSet
from tests.conftest import IMPORTED_FROM, CommandLine, Finished, RealGit
from tests.redaction.shapes import SHAPES

SHAPE = next(shape for shape in SHAPES if shape.kind == "github-token")
SECRET = SHAPE.secret(Random(11))


def dict_of_checks() -> dict[str, Check]:
    assert isinstance(CHECKS, dict)
    return CHECKS


def said(finished: Finished) -> str:
    return finished.stdout + finished.stderr


def test_scan_says_where_and_what_and_never_the_secret(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_text(f"one\ntwo {SECRET} three\n")
    (tmp_path / "b.txt").write_text("nothing\n")
    finished = run("redact", "scan", ".", cwd=tmp_path, status=1)
    assert finished.stdout == "sub/a.txt:2 github-token\n"
    assert not [SECRET[n : n + 6] for n in range(4, len(SECRET) - 6) if SECRET[n : n + 6] in said(finished)]


def test_scan_names_each_file_on_one_line(run: CommandLine, tmp_path: Path) -> None:
    for name in (b"two\nlines.txt", b"no\xfftext.txt"):
        Path(tmp_path, os.fsdecode(name)).write_text(SECRET)
    shown = run("redact", "scan", ".", cwd=tmp_path, status=1).stdout
    assert [line.split(":1 ")[0] for line in shown.splitlines()] == [r"no\xfftext.txt", "two lines.txt"]
    told = json.loads(run("redact", "scan", "--json", ".", cwd=tmp_path, status=1).stdout)
    assert told["findings"][0]["path"] == r"no\xfftext.txt"


def test_scan_of_what_is_clean_ends_with_zero(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("nothing\n")
    assert said(run("redact", "scan", "b.txt", cwd=tmp_path)) == ""
    assert said(run("redact", "scan", "-", cwd=tmp_path, stdin=b"nothing\n")) == ""


def test_scan_goes_by_level(run: CommandLine, tmp_path: Path) -> None:
    text = b"ada@lovelace.io paid with 4111111111111111\n"
    team = run("redact", "scan", "-", cwd=tmp_path, stdin=text, status=1)
    assert team.stdout == "standard input:1 card\n"
    public = run("redact", "scan", "--level", "public", "-", cwd=tmp_path, stdin=text, status=1)
    assert public.stdout == "standard input:1 email\nstandard input:1 card\n"


def test_mask_shows_personal_data_in_part_and_secrets_not_at_all(run: CommandLine, tmp_path: Path) -> None:
    text = f"ada@lovelace.io {SECRET} 4111111111111111".encode()
    args = ("redact", "scan", "--level", "public", "--mask")
    finished = run(*args, "-", cwd=tmp_path, stdin=text, status=1)
    assert finished.stdout == (
        "standard input:1 email a***@lovelace.io\nstandard input:1 github-token\n"
        "standard input:1 card ************1111\n"
    )
    told = json.loads(run(*args, "--json", "-", cwd=tmp_path, stdin=text, status=1).stdout)
    assert [finding["mask"] for finding in told["findings"]] == ["a***@lovelace.io", None, "************1111"]


def test_scan_in_json_says_all_that_it_found(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"\n{SECRET}")
    (tmp_path / "b.bin").write_bytes(b"\x00\x01" + SECRET.encode())
    told = json.loads(run("redact", "scan", "--json", ".", cwd=tmp_path, status=1).stdout)
    assert told == {
        "findings": [
            {"path": "a.txt", "line": 2, "kind": "github-token", "group": "secret", "rule": told["findings"][0]["rule"]}
        ],
        "left_off": 0,
        "files": 1,
        "binary": 1,
        "unread": [],
        "counts": {"github-token": 1},
    }  # fmt: skip


def test_name_of_a_file_is_redacted_too(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / f"{SECRET}.txt").write_text(SECRET)
    finished = run("redact", "scan", ".", cwd=tmp_path, status=1)
    assert finished.stdout.startswith("[gm:github-token:")
    assert SECRET not in said(finished)
    missing = run("redact", "scan", f"no/{SECRET}", cwd=tmp_path, status=2)
    assert SECRET not in said(missing)
    assert "could not read" in missing.stderr


def test_links_pipes_and_gits_own_folders_are_passed_over(
    run: CommandLine, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text(SECRET)
    (repository / "linked").symlink_to(tmp_path / "outside")
    (repository / "linked.txt").symlink_to(tmp_path / "outside" / "a.txt")
    (repository / ".git" / "note").write_text(SECRET)
    os.mkfifo(repository / "pipe")
    assert run("redact", "scan", ".", cwd=repository).stdout == ""


def test_users_own_rule_is_used_and_named(run: CommandLine, repository: Path, git: RealGit) -> None:
    git("config", "gitmem.redact.acme.pattern", "acme_[0-9]{9}", cwd=repository)
    git("config", "gitmem.redact.acme.sample", "acme_123456789", cwd=repository)
    finished = run("redact", "scan", "-", cwd=repository, stdin=b"acme_555444333", status=1)
    assert finished.stdout == "standard input:1 user-rule (user:acme)\n"
    assert "hold" in run("redact", "test", cwd=repository).stdout


def test_users_rule_is_used_outside_of_any_repository(run: CommandLine, tmp_path: Path, git: RealGit) -> None:
    git("config", "--global", "gitmem.redact.acme.pattern", "acme_[0-9]{9}", cwd=tmp_path)
    git("config", "--global", "gitmem.redact.acme.sample", "acme_123456789", cwd=tmp_path)
    assert run("redact", "scan", "-", cwd=tmp_path, stdin=b"acme_555444333", status=1).stdout


def test_rule_that_fails_is_named_and_nothing_is_scanned_with_it(
    run: CommandLine, repository: Path, git: RealGit
) -> None:
    git("config", "gitmem.redact.acme.pattern", "acme_[0-9]{9}", cwd=repository)
    git("config", "gitmem.redact.acme.sample", f"it is {SECRET}", cwd=repository)
    tried = run("redact", "test", cwd=repository, status=1)
    assert "failed user:acme: it finds nothing in its sample 1" in tried.stdout
    refused = run("redact", "scan", "-", cwd=repository, stdin=b"x", status=2)
    assert "could not use the redaction rule 'acme'" in refused.stderr
    told = json.loads(run("redact", "test", "--json", cwd=repository, status=1).stdout)
    assert told["failed"] == [{"name": "user:acme", "why": "it finds nothing in its sample 1"}]
    assert SECRET not in said(tried) + said(refused)


def test_text_is_shown_as_it_would_be_stored(run: CommandLine, repository: Path) -> None:
    text = f"see {SECRET}, ada@lovelace.io\n".encode()
    first = run("redact", "test", "--stdin", cwd=repository, stdin=text).stdout
    assert first.startswith("see [gm:github-token:")
    assert first.endswith("], ada@lovelace.io\n")
    assert run("redact", "test", "--stdin", cwd=repository, stdin=text).stdout == first
    public = run("redact", "test", "--stdin", "--level", "public", cwd=repository, stdin=text).stdout
    assert ", [gm:email:" in public


def test_placeholder_is_compared_with_a_value_that_is_not_on_the_command_line(
    run: CommandLine, repository: Path, tmp_path: Path, git: RealGit
) -> None:
    shown = run("redact", "test", "--stdin", cwd=repository, stdin=SECRET.encode()).stdout.strip()
    args = ("redact", "explain", "--value-stdin", shown)
    same = run(*args, cwd=repository, stdin=SECRET.encode() + b"\n")
    assert same.stdout == "it stands for this value\n"
    other = run(*args, cwd=repository, stdin=SHAPE.secret(Random(12)).encode(), status=1)
    assert other.stdout == "it stands for another value\n"
    git("init", "--quiet", "other", cwd=tmp_path)
    assert (
        run(*args, "--json", cwd=tmp_path / "other", stdin=SECRET.encode(), status=1).stdout
        == '{"same":false}\n'
    )
    email = "[gm:email:" + "a" * 16 + "]"
    refused = run("redact", "explain", "--value-stdin", email, cwd=repository, stdin=b"x", status=2)
    assert "others in each session" in refused.stderr


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ("gm:aws-key", ["aws-access-key", "aws-secret-key"]),
        ("email", ["email"]),
        ("phone-named", ["phone"]),
        ("[gm:jwt:" + "b" * 16 + "]", ["jwt"]),
        ("payload-png", ["payload-png"]),
        ("unredactable", ["unredactable"]),
    ],
)
def test_kinds_rules_and_placeholders_are_explained(
    run: CommandLine, tmp_path: Path, asked: str, kinds: list[str]
) -> None:
    told = json.loads(run("redact", "explain", "--json", asked, cwd=tmp_path).stdout)
    assert set(kinds) <= {each["kind"] for each in told["kinds"]}
    for kind in kinds:
        assert f"{kind}: " in run("redact", "explain", asked, cwd=tmp_path).stdout


def test_every_kind_is_listed(run: CommandLine, tmp_path: Path) -> None:
    assert set(run("redact", "explain", cwd=tmp_path).stdout.split()) == KINDS
    assert json.loads(run("redact", "explain", "--json", cwd=tmp_path).stdout) == {"kinds": sorted(KINDS)}


def test_secret_that_was_typed_by_mistake_is_not_repeated(run: CommandLine, tmp_path: Path) -> None:
    run("redact", "explain", "--value-stdin", cwd=tmp_path, stdin=b"x", status=2)
    refused = run("redact", "explain", SECRET, cwd=tmp_path, status=1)
    assert "gitmem redact explain" in refused.stderr
    assert SECRET not in said(refused)


def test_inspector_finds_the_same_however_a_text_is_cut(seed: int) -> None:
    rng = Random(seed)
    filler = "".join(rng.choices("abcdef \n", k=700_000))
    text = f"{filler}\n{SECRET}\n{filler}{filler[:200_000]} ada@lovelace.io {filler}\n4111111111111111\n".encode()
    inspector = Inspector(rule_set("public", Policy()))
    whole = list(inspector.inspect([text]))
    assert [sighting.kind for sighting in whole] == ["github-token", "email", "card"]
    assert whole[0].line == filler.count("\n") + 2
    assert whole[-1].line == text.count(b"\n")
    for size in (65_521, 1 << 20, (1 << 20) + LONGEST_SECRET + 1):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert list(inspector.inspect(pieces)) == whole


def test_private_key_over_many_lines_is_found() -> None:
    shape = next(shape for shape in SHAPES if shape.kind == "private-key")
    key = shape.secret(Random(5))
    (found,) = Inspector(rule_set("team", Policy())).inspect([f"a\n{key}\nb".encode()])
    assert (found.line, found.kind) == (2, "private-key")


def test_sighting_holds_no_value() -> None:
    for shape in SHAPES:
        secret = shape.secret(Random(3))
        text = f" {shape.before}{secret}{shape.behind}".encode()
        sightings = list(Inspector(rule_set("public", Policy())).inspect([text]))
        assert sightings, shape.kind
        assert secret[4:] not in repr(sightings)


def test_failure_of_the_engine_says_nothing_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_value: bytes) -> bool:
        raise ValueError(f"met {SECRET}")

    monkeypatch.setitem(dict_of_checks(), "email", fail)
    with pytest.raises(RedactionFailed) as failed:
        list(Inspector(RuleSet(PERSONAL)).inspect([b"ada@lovelace.io"]))
    assert SECRET not in repr(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


@pytest.mark.parametrize("place", ["checks.CHECKS['email']", "inspecting.mask", "inspecting.innermost"])
def test_no_traceback_or_report_of_a_bug_holds_what_was_scanned(tmp_path: Path, place: str) -> None:
    script = (
        "import sys\nfrom gitmem.redaction import checks, inspecting\nfrom gitmem.cli import main\n"
        f"def fail(*values):\n    raise ValueError(repr(values))\n{place} = fail\nsys.exit(main.main())\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script, "redact", "scan", "--level", "public", "-"],
        cwd=tmp_path,
        input=b"canary-of-ada@lovelace.io",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM), "GITMEM_TRACEBACK": "1"},
        check=False,
    )
    assert finished.returncode == 1
    assert b"could not redact a text: ValueError" in finished.stderr
    assert b"canary" not in finished.stdout + finished.stderr
    reports = [path.read_bytes() for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()]
    assert not [report for report in reports if b"canary" in report]
