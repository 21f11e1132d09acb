"""Sessions of unknown and untrusted authors are marked wherever they are told of, and a search can leave them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.records import Author
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import Clone
from tests.sharing.samples import Scribe


@pytest.fixture
def clone(git: RealGit, tmp_path: Path) -> Path:
    """Return Ada's repository, whose memory holds sessions of hers, Ben's, Eve's and one of two people."""
    top = tmp_path / "clone"
    git("init", "--quiet", str(top), cwd=tmp_path)
    git.commit(top)
    people = (("ada", "hers"), ("ben", "his"), ("eve", "strange"), ("ada", "shared"), ("eve", "shared"))
    for who, name in people:
        capture(top, who, name)
    git("config", "gitmem.trust", "ben@example.org", cwd=top)
    return top


def capture(top: Path, who: str, name: str) -> None:
    """Put a turn into a session, as somebody's capture would."""
    lines = [{"id": f"{name}-{who}", "role": "user", "text": f"mend the gate, says {who} of {name}"}]

    def change(scribe: Scribe) -> None:
        scribe.author = Author(who.title(), f"{who}@example.org")
        session = scribe.begin(name)
        header = [] if scribe.memory.load(scribe.folder(session)).captures else [{"session": {"id": name}}]
        scribe.capture(session, "".join(json.dumps(line) + "\n" for line in (*header, *lines)).encode())

    Clone(top).write(change)


TRUST = {"hers": "known", "his": "known", "strange": "unknown", "shared": "unknown"}


def names(found: list[dict[str, Any]]) -> dict[str, str]:
    return {each["session"].removeprefix("generic/"): each["trust"] for each in found}


def test_lists_mark_what_somebody_unknown_captured_any_of(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    assert names(json.loads(run("sessions", "--json", cwd=clone).stdout)["sessions"]) == TRUST
    lines = run("sessions", cwd=clone).stdout.splitlines()
    assert [("unknown author" in line) for line in lines if "gate" in line].count(True) == 2
    git("config", "--add", "gitmem.distrust", "ada@example.org", cwd=clone)
    found = names(json.loads(run("sessions", "--json", cwd=clone).stdout)["sessions"])
    assert found == {**TRUST, "hers": "untrusted", "shared": "untrusted"}
    assert "untrusted author" in run("sessions", cwd=clone).stdout
    git("config", "--unset-all", "gitmem.distrust", cwd=clone)
    git("config", "--add", "gitmem.trust", "*@example.org", cwd=clone)
    assert "trust" not in run("sessions", cwd=clone).stdout, "where all are known nothing is told of it"


def test_one_session_and_its_turns_are_marked(run: CommandLine, clone: Path) -> None:
    for name, trust in (("his", "known"), ("shared", "unknown")):
        shown = run("show", f"generic/{name}", cwd=clone).stdout
        assert ("unknown author" in shown) == (trust == "unknown")
        assert json.loads(run("show", "--json", f"generic/{name}", cwd=clone).stdout)["trust"] == trust
    assert "unknown author" in run("show", "generic/shared#0", cwd=clone).stdout
    assert json.loads(run("show", "--json", "generic/his#0", cwd=clone).stdout)["trust"] == "known"


def test_the_log_marks_who_committed(run: CommandLine, git: RealGit, clone: Path) -> None:
    commits = json.loads(run("log", "--json", "-n1", cwd=clone).stdout)["commits"]
    assert [(each["author_email"], each["trust"]) for each in commits] == [("clone@example.org", "unknown")]
    assert run("log", cwd=clone).stdout.count("unknown author") == 5
    git("config", "--add", "gitmem.trust", "clone@example.org", cwd=clone)
    assert "unknown author" not in run("log", cwd=clone).stdout


def test_a_search_marks_turns_and_leaves_strangers_out_when_asked(
    run: CommandLine, git: RealGit, clone: Path
) -> None:
    def search(*options: str) -> dict[str, str]:
        answer = json.loads(run("search", "gate", "--json", *options, cwd=clone, status=None).stdout)
        return {hit["turn"]: hit["trust"] for hit in answer["hits"]}

    turns = {"hers-ada": "known", "his-ben": "known", "shared-ada": "known"}
    strangers = {"strange-eve": "unknown", "shared-eve": "unknown"}
    assert search() == {**turns, **strangers}
    assert search("--trusted") == turns
    assert len(search("--trusted", "--limit", "2")) == 2, "what is left out takes no place"
    said = run("search", "gate", cwd=clone).stdout
    assert said.count("unknown author") == 2
    git("config", "gitmem.distrust", "*", cwd=clone)
    assert set(search().values()) == {"untrusted"}
    assert search("--trusted") == {}
    git("config", "gitmem.distrust", "ben@example.org", cwd=clone)
    assert search("--trusted") == {turn: trust for turn, trust in turns.items() if turn != "his-ben"}


def test_a_title_that_a_stranger_gave_is_left_out_with_them(run: CommandLine, clone: Path) -> None:
    def title(scribe: Scribe) -> None:
        scribe.author = Author("Eve", "eve@example.org")
        for name in ("hers", "strange"):
            scribe.register(scribe.begin(name), f"Do as I say in {name}", 1)

    def titles(*options: str) -> dict[str, str]:
        answer = json.loads(run("search", "gate", "--json", *options, cwd=clone).stdout)
        return {hit["session"].removeprefix("generic/"): hit["title"] for hit in answer["hits"]}

    Clone(clone).write(title)
    assert titles()["hers"] == "Do as I say in hers"
    found = titles("--trusted")
    assert set(found) == {"hers", "his", "shared"}
    assert (found["hers"], found["shared"]) == ("", "")
    assert found["his"].startswith("mend the gate")


def test_all_known_repositories_are_searched_by_what_is_known_in_each(
    run: CommandLine, git: RealGit, clone: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git("init", "--quiet", str(other), cwd=tmp_path)
    git.commit(other)
    (other / "b").write_text("x")
    git("add", "-A", cwd=other)
    git("commit", "--quiet", "-m", "hers", "--author=Eve <eve@example.org>", cwd=other)
    capture(other, "eve", "elsewhere")
    for each in (other, clone):
        run("search", "gate", cwd=each)
    answer = json.loads(run("search", "gate", "--all", "--json", "--trusted", cwd=clone).stdout)
    assert {hit["turn"] for hit in answer["hits"]} == {"hers-ada", "his-ben", "shared-ada", "elsewhere-eve"}
    answer = json.loads(run("search", "gate", "--all", "--json", cwd=tmp_path).stdout)
    trusts = {hit["turn"]: hit["trust"] for hit in answer["hits"]}
    assert (trusts["elsewhere-eve"], trusts["strange-eve"]) == ("known", "unknown")
