"""Each level goes where it may go, after another look at it."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path

import pytest

from tests.conftest import CommandLine, RealGit
from tests.importing import samples
from tests.levels.conftest import Say, levels_in


def token(seed: int) -> str:
    """Return what looks like a token of a code host, and never was one."""
    rng = random.Random(seed)
    return "gh" + "p_" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(36))


def clone(git: RealGit, hub: Path, where: Path) -> Path:
    git("clone", "-q", str(hub), str(where), cwd=hub.parent)
    return where


def three_levels(run: CommandLine, where: Path, say: Say) -> None:
    for name in ("plain", "open"):
        run("import", str(say(name, [f"mend the {name} sluice"])), cwd=where)
    run("import", str(say("mine", ["gitmem:private mend the hidden sluice"])), cwd=where)
    run("level", "generic/open", "public", "--yes", cwd=where)


def test_remote_gets_the_levels_that_it_was_given(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    three_levels(run, remembering, say)
    git("config", "remote.origin.gitmem", "public", cwd=remembering)
    run("push", cwd=remembering)
    refs = git("for-each-ref", "--format=%(refname)", cwd=hub).split()
    assert refs == ["refs/gitmem/public", "refs/heads/main"]
    other = clone(git, hub, tmp_path / "other")
    git("config", "remote.origin.gitmem", "public", cwd=other)
    run("pull", cwd=other)
    assert levels_in(run, other) == {"open": "public"}
    assert "open sluice" in run("search", "sluice", cwd=other).stdout
    git("config", "remote.origin.gitmem", "team", cwd=remembering)
    run("push", cwd=remembering)
    refs = git("for-each-ref", "--format=%(refname)", cwd=hub).split()
    assert "refs/heads/gitmem" in refs
    assert not [ref for ref in refs if ref.startswith("refs/gitmem/private")]


def test_private_sessions_reach_the_users_other_machine(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    three_levels(run, remembering, say)
    git("config", "remote.origin.gitmem", "team,private", cwd=remembering)
    told = json.loads(run("push", "--json", cwd=remembering).stdout)
    assert told["private"]["sent"] == 1
    git("remote", "add", "sealed", str(hub), cwd=remembering)
    git("config", "remote.sealed.gitmem", "private", cwd=remembering)
    shared = run("status", cwd=remembering).stdout
    assert "with sealed (private)\n" in shared
    git("config", "remote.sealed.gitmem", "public", cwd=remembering)
    assert "with sealed (public): nothing" in run("status", cwd=remembering).stdout
    run("push", "sealed", cwd=remembering)
    assert "with sealed (public): the same" in run("status", cwd=remembering).stdout
    other = clone(git, hub, tmp_path / "other")
    git("config", "remote.origin.gitmem", "team,private", cwd=other)
    run("init", "--no-hooks", "--no-import", cwd=other)
    run("pull", cwd=other)
    assert levels_in(run, other) == {"plain": "team", "open": "public", "mine": "private"}
    run("import", str(say("mine", ["gitmem:private mend the hidden sluice", "done", "more"])), cwd=other)
    run("push", cwd=other)
    run("pull", cwd=remembering)
    assert "more" in run("show", "generic/mine", cwd=remembering).stdout
    stranger = {"HOME": str(tmp_path / "stranger"), "XDG_DATA_HOME": ""}
    Path(stranger["HOME"]).mkdir()
    shown = run("sessions", "--json", cwd=other, environ=stranger)
    assert {row["level"] for row in json.loads(shown.stdout)["sessions"]} == {"team", "public"}
    assert json.loads(run("status", "--json", cwd=other, environ=stranger).stdout)["private"] == {
        "opened": 0,
        "unopened": 1,
    }


def test_what_todays_rules_find_is_not_pushed_until_it_is_redacted_again(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, seed: int
) -> None:
    run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=remembering)
    run("import", str(say("before", ["mend it", "done"])), cwd=remembering)
    run("push", cwd=remembering)
    word = "sluice-" + "".join(random.Random(seed).choices(string.ascii_lowercase, k=8))
    said = ["mend it", f"the code is {word} there", "thanks", "you are welcome"]
    run("import", str(say("after", said)), cwd=remembering)
    run("title", "generic/after", f"Of {word}", cwd=remembering)
    run("import", str(say("before", ["mend it", "done", f"and {word} again", "yes"])), cwd=remembering)
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
    git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    refused = run("push", cwd=remembering, status=1)
    assert "today's rules object" in refused.stderr
    assert "gitmem redact audit" in refused.stderr
    assert word not in refused.stderr
    found = run("redact", "audit", "--json", cwd=remembering, status=1)
    assert word not in found.stdout
    leaks = json.loads(found.stdout)["team"]["leaks"]
    assert {leak["session"] for leak in leaks} == {"generic/before", "generic/after"}
    assert all(set(leak["kinds"]) == {"user-rule"} for leak in leaks)
    run("redact", "audit", "--fix", cwd=remembering)
    run("push", cwd=remembering)
    blobs = git("rev-list", "--objects", "--all", cwd=hub)
    assert blobs
    shown = run("show", "generic/after", cwd=remembering).stdout
    assert "[gm:user-rule:" in shown
    assert word not in shown
    assert "you are welcome" in shown
    assert word not in run("show", "generic/before", cwd=remembering).stdout
    run("verify", "--full", cwd=remembering)
    run("redact", "audit", cwd=remembering)
    for path in ("after", "before"):
        told = json.loads(
            run(
                "import",
                "--json",
                str(say(path, said if path == "after" else ["mend it", "done", f"and {word} again", "yes"])),
                cwd=remembering,
            ).stdout
        )
        assert (told["new"], told["grown"], told["lines"]) == ([], [], 0), "nothing comes in a second time"


def test_audit_of_redaction_reports_what_was_shared_and_leaves_it(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit
) -> None:
    run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=remembering)
    run("import", str(say("a", ["the sluice-abcdefgh"])), cwd=remembering)
    run("push", cwd=remembering)
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
    git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    before = git("rev-parse", "refs/heads/gitmem^{tree}", cwd=hub)
    told = run("redact", "audit", "--fix", cwd=remembering, status=1)
    assert "revoke it first" in told.stdout
    run("push", cwd=remembering)
    assert git("ls-tree", "-r", before, cwd=hub), "what was there is there"
    run("pull", cwd=remembering)
    run("verify", "--full", cwd=remembering)


@pytest.mark.parametrize("given", ["private", "public"])
def test_a_remote_that_was_given_nothing_of_what_is_here_is_refused(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, given: str
) -> None:
    run("import", str(say("a", ["mend it"])), cwd=remembering)
    git("config", "remote.origin.gitmem", given, cwd=remembering)
    refused = run("push", "origin", cwd=remembering, status=1)
    assert f"it was given {given} alone" in refused.stderr
    assert git("for-each-ref", "--format=%(refname)", cwd=hub) == "refs/heads/main"


def test_what_is_private_is_looked_at_again_as_well_before_it_is_sent(
    run: CommandLine, remembering: Path, hub: Path, say: Say, git: RealGit, tmp_path: Path
) -> None:
    git("config", "remote.origin.gitmem", "private", cwd=remembering)
    said = ["gitmem:private mend it", "done"]
    run("import", str(say("sent", said)), cwd=remembering)
    run("push", cwd=remembering)
    run("import", str(say("sent", [*said, "the sluice-abcdefgh", "yes"])), cwd=remembering)
    run("import", str(say("new", ["gitmem:private the sluice-qwertyui", "aye"])), cwd=remembering)
    before = objects_of(hub, git)
    git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
    git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    refused = run("push", cwd=remembering, status=1)
    assert "could not push the private memory" in refused.stderr
    assert "sluice-" not in refused.stderr
    assert objects_of(hub, git) == before
    tips = git("for-each-ref", "--format=%(objectname)", "refs/gitmem/private", cwd=remembering).split()
    run("redact", "audit", "--fix", cwd=remembering)
    run("push", cwd=remembering)
    assert not objects_of(hub, git) & (set(tips) - before), "nothing of what stood there was sent"
    run("verify", "--full", cwd=remembering)
    other = clone(git, hub, tmp_path / "other")
    git("config", "remote.origin.gitmem", "private", cwd=other)
    run("pull", cwd=other)
    for name, word in (("sent", "yes"), ("new", "aye")):
        shown = run("show", f"generic/{name}", cwd=other).stdout
        assert "[gm:user-rule:" in shown
        assert word in shown
        assert "sluice-" not in shown
    run("push", cwd=remembering)
    assert "sluice-" not in run("show", "generic/sent", cwd=remembering).stdout


def objects_of(repository: Path, git: RealGit) -> set[str]:
    listed = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=repository)
    return set(listed.split())


@pytest.mark.parametrize("known_by", ["rule", "environment"])
def test_what_was_captured_here_is_looked_at_again_once_more_is_known(
    run: CommandLine, remembering: Path, hub: Path, home: Path, git: RealGit, known_by: str, seed: int
) -> None:
    run("init", "--share", "origin", "--no-hooks", "--no-import", cwd=remembering)
    word = "sluice-" + "".join(random.Random(seed).choices(string.ascii_lowercase, k=8))
    folder = home / ".claude" / "projects" / str(remembering).replace("/", "-")
    folder.mkdir(parents=True)
    path = folder / "a.jsonl"

    def say(*texts: str) -> None:
        said = [{"role": "user", "content": text} for text in texts]
        lines = [samples.line(n, cwd=str(remembering), message=one) for n, one in enumerate(said)]
        path.write_bytes(b"".join(lines))
        run("capture", cwd=remembering)

    run("push", cwd=remembering)
    say("mend it")
    run("push", cwd=remembering)
    assert not [*remembering.glob(".git/gitmem/cache/clean-*")], (
        "what is captured here is not looked at twice"
    )
    environ = {}
    say("mend it", f"the code is {word}-4711Xk there")
    if known_by == "rule":
        git("config", "gitmem.redact.sluice.pattern", "sluice-[a-z]{8}", cwd=remembering)
        git("config", "gitmem.redact.sluice.sample", "sluice-abcdefgh", cwd=remembering)
    else:
        environ["DEPLOY_TOKEN"] = f"{word}-4711Xk"
    refused = run("push", cwd=remembering, status=1, environ=environ)
    assert "today's rules object" in refused.stderr
    assert word not in refused.stderr
