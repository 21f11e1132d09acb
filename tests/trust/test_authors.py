"""Who is known: the authors of the code, the user, and whom they name; what comes with a clone is no word of theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load
from gitmem.model.errors.arguments import SettingRefused
from gitmem.query.trusting import Trusting, as_texts, from_texts
from gitmem.verbs.authors import authors, own_addresses, trusting_at
from tests.conftest import RealGit

ADA, BEN, EVE = "ada@example.org", "ben@example.org", "eve@elsewhere.example"


def write(git: RealGit, path: Path, who: str, name: str = "a.txt") -> None:
    (path / name).write_text(f"{who} {os.urandom(4).hex()}\n")
    git("add", "-A", cwd=path)
    git("commit", "--quiet", "-m", "write", f"--author={who} <{who}>", cwd=path)


def found(path: Path) -> set[str]:
    return set(authors(path / ".git" if (path / ".git").is_dir() else path, Git(dict(os.environ))))


def test_authors_of_the_code_are_known_without_regard_to_case(git: RealGit, repository: Path) -> None:
    write(git, repository, "Ben@Example.org")
    assert found(repository) == {ADA, BEN}
    known = Trusting(frozenset(found(repository)))
    assert [known.of(each) for each in ("BEN@example.org", EVE, "")] == ["known", "unknown", "unknown"]


def test_new_commits_are_looked_at_alone_and_another_history_anew(
    git: RealGit, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    really = Git.run

    def counted(self: Git, args: list[str], **rest: object) -> object:
        asked.append(list(args))
        return really(self, args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "run", counted)
    assert found(repository) == {ADA}
    assert len(asked) == 1
    assert found(repository) == {ADA}
    assert len(asked) == 1, "nothing is asked where nothing moved"
    write(git, repository, BEN)
    assert found(repository) == {ADA, BEN}
    assert asked[-1][-2].startswith("^")
    git("checkout", "--quiet", "--orphan", "other", cwd=repository)
    write(git, repository, EVE)
    assert found(repository) == {EVE}, "who wrote what is no longer the code is not known by it"
    table = repository / ".git/gitmem/cache/authors"
    for damaged in (b"", table.read_bytes()[:20], bytes(200)):
        table.write_bytes(damaged)
        assert found(repository) == {EVE}


def test_a_stranger_is_not_known_by_a_branch_that_somebody_looks_at(
    git: RealGit, repository: Path, tmp_path: Path
) -> None:
    git("clone", "--quiet", str(repository), "clone", cwd=tmp_path)
    clone = tmp_path / "clone"
    git("checkout", "--quiet", "-b", "proposed", cwd=clone)
    write(git, clone, EVE)
    assert found(clone) == {ADA}
    git("push", "--quiet", "origin", "proposed:merged", cwd=clone)
    git("merge", "--quiet", "merged", cwd=repository)
    git("fetch", "--quiet", cwd=clone)
    assert found(clone) == {ADA, EVE}


def test_a_mailmap_makes_nobody_known(git: RealGit, repository: Path) -> None:
    (repository / ".mailmap").write_text(f"Ada <{EVE}> <{ADA}>\n")
    write(git, repository, ADA)
    git("config", "log.mailmap", "true", cwd=repository)
    assert found(repository) == {ADA}


def test_the_code_is_found_wherever_its_refs_are(git: RealGit, repository: Path, tmp_path: Path) -> None:
    git("pack-refs", "--all", cwd=repository)
    assert found(repository) == {ADA}
    git("checkout", "--quiet", "--detach", cwd=repository)
    assert found(repository) == {ADA}
    git("worktree", "add", "--quiet", str(tmp_path / "tree"), cwd=repository)
    assert found(discover(tmp_path / "tree", Git(dict(os.environ))).common_dir) == {ADA}
    git("init", "--quiet", "empty", cwd=tmp_path)
    assert found(tmp_path / "empty") == set()
    git("clone", "--quiet", "--depth=1", f"file://{repository}", "shallow", cwd=tmp_path)
    assert found(tmp_path / "shallow") == {ADA}
    (repository / ".git/HEAD").write_text("ref: refs/heads/../../nowhere\n")
    assert found(repository) == set()


def test_the_users_own_addresses_are_known(git: RealGit, repository: Path) -> None:
    git("config", "user.email", BEN, cwd=repository)
    there = discover(repository, Git(dict(os.environ)))
    assert own_addresses(there, Git(dict(os.environ))) >= {BEN}


def test_the_code_is_not_looked_at_where_nobody_else_is_asked_about(git: RealGit, repository: Path) -> None:
    there, asking = discover(repository, Git(dict(os.environ))), Git(dict(os.environ))
    settings = load(there, dict(os.environ))._replace(trust=("*@firm.example",))
    for asked, is_looked_at in (
        (("x@firm.example", BEN), False),
        (("",), False),
        ((EVE, BEN), True),
        (None, True),
    ):
        found = trusting_at(there.common_dir, asking, settings, [BEN.upper()], asked)
        assert found.of(BEN) == "known"
        assert (ADA in found.known) is is_looked_at


def test_whom_the_user_names_is_trusted_or_not_whatever_the_code_says(git: RealGit, repository: Path) -> None:
    for name, value in (
        ("trust", f"{BEN}, *@Firm.example"),
        ("distrust", ADA),
        ("trust", "x@y"),
        ("distrust", "*@bad.firm.example"),
    ):
        git("config", "--add", f"gitmem.{name}", value, cwd=repository)
    settings = load(discover(repository, Git(dict(os.environ))), dict(os.environ))
    known = Trusting(frozenset({ADA}), settings.trust, settings.distrust)
    assert [known.of(each) for each in (BEN, "anyone@firm.example", "x@y")] == ["known"] * 3
    assert [known.of(each) for each in (ADA, "z@bad.firm.example")] == ["untrusted"] * 2
    assert known.of(EVE) == "unknown"
    assert Trusting(named=("*",)).of("") == "known"
    assert known.of_all([BEN, EVE]) == "unknown"
    assert known.of_all([BEN, EVE, ADA]) == "untrusted"
    assert known.of_all([]) == "unknown"


@pytest.mark.parametrize("name", ["trust", "distrust", "erasers", "sign", "requireSigned"])
def test_what_comes_with_a_clone_has_no_say(repository: Path, name: str) -> None:
    (repository / ".gitmem.toml").write_text(f'{name} = "*"\n')
    with pytest.raises(SettingRefused):
        load(discover(repository, Git(dict(os.environ))), dict(os.environ))


def test_nor_has_the_environment_on_who_is_trusted(repository: Path) -> None:
    environ = {**os.environ, "GITMEM_TRUST": "*", "GITMEM_ERASERS": EVE}
    settings = load(discover(repository, Git(environ)), environ)
    assert (settings.trust, settings.erasers) == ((), ())


@pytest.mark.parametrize(
    "trusting",
    [
        Trusting(),
        Trusting(frozenset({ADA, BEN})),
        Trusting(frozenset({ADA}), ("*@firm.example", BEN), (EVE, "*@bad.example")),
        # Addresses of commits, where anybody can write anything.
        Trusting(frozenset({"*", "*@*", "!ada@example.org", "[a-z]@x", ADA})),
    ],
)
def test_as_a_filter_it_says_the_same(trusting: Trusting) -> None:
    filtered = from_texts(as_texts(trusting))
    for address in (ADA, BEN, EVE, "", "a@firm.example", "a@bad.example", "q@x"):
        assert (filtered.of(address) == "known") == (trusting.of(address) == "known")
