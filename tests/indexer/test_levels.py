"""One index has the sessions of every level, as far as the user's keys open them, and follows each."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gitmem.model.refs import KEYS_NAMESPACE, PUBLIC_REF, SEALED_NAMESPACE
from gitmem.verbs.tips import read_tip
from indexer.upkeep import state as states
from tests.conftest import CommandLine, RealGit, surroundings
from tests.indexer.memories import names_of

TEAM_REF = "refs/heads/gitmem"


class Shared:
    """A repository with sessions of several levels, each said to be about an anchor."""

    def __init__(self, top: Path, run: CommandLine, environ: Mapping[str, str] | None = None) -> None:
        self.top, self.run, self.environ = top, run, environ or {}

    def say(self, name: str, text: str, level: str = "team") -> None:
        """Capture one more turn of a session, whose level is given with the first."""
        path = self.top.parent / f"{name}.jsonl"
        if not path.exists():
            path.write_text(json.dumps({"session": {"id": name}}) + "\n")
        with path.open("a") as file:
            file.write(json.dumps({"role": "user", "text": text}) + "\n")
        self.run("import", str(path), cwd=self.top, environ={**self.environ, "GITMEM_LEVEL": level})

    def publish(self, name: str) -> None:
        self.run("level", f"generic/{name}", "public", "--yes", cwd=self.top, environ=self.environ)

    def found(
        self, *args: str, environ: Mapping[str, str] | None = None, top: Path | None = None
    ) -> set[str]:
        """Return the names of the sessions that a search finds."""
        finished = self.run("search", *args, "--json", cwd=top or self.top, environ=environ, status=None)
        assert finished.status in (0, 1), finished.stderr
        return {name.partition("#")[0] for name in names_of(json.loads(finished.stdout))}

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("index", "status", "--json", cwd=self.top).stdout)
        return found

    def state(self) -> states.State:
        loaded = states.load(self.root)
        assert isinstance(loaded, states.State)
        return loaded

    @property
    def root(self) -> Path:
        return states.root_of(self.top / ".git")


def begun(top: Path, run: CommandLine, environ: Mapping[str, str] | None = None) -> Shared:
    run("init", "--no-hooks", "--agents", "none", "--no-import", cwd=top, environ=environ)
    return Shared(top, run, environ)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of transcripts, a repository with a session of each level, and its user's home."""
    folder = tmp_path_factory.mktemp("pattern")
    (folder / "home").mkdir()
    environ = surroundings(folder / "home")
    git, top = RealGit(), folder / "repository"
    git("init", "--quiet", str(top), cwd=folder, environ=environ)
    made = begun(top, CommandLine(), environ)
    made.say("ours", "the anchor of the team")
    made.say("mine", "an anchor of mine", "private")
    made.say("everybodys", "an anchor for everybody")
    made.publish("everybodys")
    return folder


@pytest.fixture
def shared(pattern: Path, tmp_path: Path, home: Path, run: CommandLine, git: RealGit) -> Shared:
    """Return a copy of the pattern, whose user is the test's own."""
    shutil.copytree(pattern / "home" / ".local", home / ".local")
    for path in pattern.glob("*.jsonl"):
        shutil.copy(path, tmp_path)
    shutil.copytree(pattern / "repository", tmp_path / "repository")
    git.commit(tmp_path / "repository")
    return Shared(tmp_path / "repository", run)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Mapping[str, str]:
    """Return what makes a process another user's, who has none of our keys."""
    home = tmp_path / "elsewhere"
    (home / "run").mkdir(parents=True, mode=0o700)
    names = {"XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    return {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")} | {
        name: str(home / folder) for name, folder in names.items()
    }


def test_one_search_finds_what_is_private_the_teams_and_public(shared: Shared) -> None:
    assert shared.found("anchor") == {"ours", "mine", "everybodys"}
    for level, names in (("private", {"mine"}), ("team", {"ours"}), ("public", {"everybodys"})):
        assert shared.found("anchor", "--level", level) == names
    status = shared.status()
    assert (status["state"], status["behind"], status["sessions"]) == ("current", 0, 3)


def test_index_says_a_real_commit(shared: Shared, git: RealGit) -> None:
    shared.found("anchor")
    status, tip = shared.status(), git("rev-parse", TEAM_REF, cwd=shared.top)
    assert (status["commit"], status["memory"]) == (tip, tip)
    shared.say("mine", "another anchor of mine", "private")
    behind = shared.status()
    assert (behind["state"], behind["behind"], behind["commit"]) == ("behind", 1, tip)
    told = json.loads(shared.run("status", "--json", cwd=shared.top).stdout)["memory"]["index"]
    assert (told["condition"], told["commit"]) == ("behind", tip)
    shared.found("anchor")
    told = json.loads(shared.run("status", "--json", cwd=shared.top).stdout)["memory"]["index"]
    assert told["condition"] == "current"


def test_capture_into_a_private_session_is_added_to_the_index_that_is_there(shared: Shared) -> None:
    shared.found("anchor")
    before = shared.state()
    shared.say("mine", "a windlass of mine", "private")
    assert shared.found("windlass") == {"mine"}
    after = shared.state()
    assert (after.folder, after.round, after.worn) == (before.folder, before.round + 1, before.worn)
    shared.say("ours", "a windlass of the team")
    assert shared.found("windlass") == {"mine", "ours"}
    again = shared.state()
    assert (again.folder, again.round) == (before.folder, before.round + 2)
    assert len(list(shared.root.glob("view-*"))) == 1


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_without_the_trees_of_the_view_the_index_is_made_anew(shared: Shared, how: str) -> None:
    shared.found("anchor")
    before = shared.state()
    (kept,) = shared.root.glob("view-*")
    if how == "missing":
        kept.unlink()
    else:
        content = bytearray(kept.read_bytes())
        content[-1] ^= 1
        kept.write_bytes(content)
    shared.say("mine", "a windlass of mine", "private")
    assert shared.found("windlass") == {"mine"}
    assert shared.found("anchor") == {"ours", "mine", "everybodys"}
    assert shared.state().folder != before.folder


def test_index_of_one_memory_keeps_no_trees(repository: Path, run: CommandLine, git: RealGit) -> None:
    shared = begun(repository, run)
    shared.say("ours", "the anchor of the team")
    assert shared.found("anchor") == {"ours"}
    assert list(shared.root.glob("view-*")) == []
    assert shared.state().tip == shared.state().commit == git("rev-parse", TEAM_REF, cwd=shared.top)


def test_who_has_no_key_finds_what_is_not_private(
    shared: Shared, tmp_path: Path, elsewhere: Mapping[str, str]
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(shared.top, copied)
    assert shared.found("anchor", environ=elsewhere, top=copied) == {"ours", "everybodys"}
    assert not any(b"mine" in path.read_bytes() for path in states.root_of(copied / ".git").rglob("*.store"))


def test_whose_keys_are_others_is_shown_no_private_session_out_of_an_index_that_is_there(
    shared: Shared, elsewhere: Mapping[str, str]
) -> None:
    assert shared.found("anchor") == {"ours", "mine", "everybodys"}
    assert shared.found("anchor", environ=elsewhere) == {"ours", "everybodys"}
    assert shared.found("anchor") == {"ours", "mine", "everybodys"}


def test_key_that_comes_later_opens_what_was_left_out(
    shared: Shared, home: Path, elsewhere: Mapping[str, str]
) -> None:
    assert shared.found("anchor", environ=elsewhere) == {"ours", "everybodys"}
    data = Path(elsewhere["XDG_DATA_HOME"]) / "gitmem"
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(home / ".local" / "share" / "gitmem" / "identity", data / "identity")
    assert shared.found("anchor", environ=elsewhere) == {"ours", "mine", "everybodys"}


def test_clone_of_the_public_memory_alone_is_searched(
    shared: Shared, git: RealGit, tmp_path: Path, run: CommandLine
) -> None:
    fork = Shared(tmp_path / "fork", run)
    git("init", "--quiet", str(fork.top), cwd=tmp_path)
    git("fetch", "--quiet", str(shared.top), f"{PUBLIC_REF}:{PUBLIC_REF}", cwd=fork.top)
    assert fork.found("anchor") == {"everybodys"}
    status = fork.status()
    assert (status["state"], status["memory"]) == ("current", git("rev-parse", PUBLIC_REF, cwd=fork.top))
    before = fork.state()
    shared.say("another", "a windlass for everybody")
    shared.publish("another")
    git("fetch", "--quiet", str(shared.top), f"{PUBLIC_REF}:{PUBLIC_REF}", cwd=fork.top)
    assert fork.found("windlass") == {"another"}
    assert fork.state().folder == before.folder


def test_repository_with_private_sessions_alone_is_searched(shared: Shared, git: RealGit) -> None:
    git("update-ref", "-d", PUBLIC_REF, cwd=shared.top)
    team = git("rev-parse", TEAM_REF, cwd=shared.top)
    git("update-ref", "-d", TEAM_REF, cwd=shared.top)
    assert shared.found("anchor") == {"mine"}
    before = shared.state()
    git("update-ref", TEAM_REF, team, cwd=shared.top)
    shared.say("mine", "a windlass of mine", "private")
    git("update-ref", "-d", TEAM_REF, cwd=shared.top)
    assert shared.found("windlass") == {"mine"}
    assert shared.state().folder == before.folder
    assert shared.status()["state"] == "current"


def test_session_that_becomes_private_is_found_by_its_owner_alone(
    shared: Shared, elsewhere: Mapping[str, str], tmp_path: Path
) -> None:
    shared.found("anchor")
    shared.run("level", "generic/ours", "private", cwd=shared.top)
    assert shared.found("anchor", "--level", "private") == {"ours", "mine"}
    copied = tmp_path / "copied"
    shutil.copytree(shared.top, copied, ignore=shutil.ignore_patterns("index"))
    assert shared.found("anchor", environ=elsewhere, top=copied) == {"everybodys"}


@pytest.mark.parametrize("name", ["ours", "mine", "everybodys"])
def test_session_that_becomes_ephemeral_is_found_no_more(shared: Shared, name: str) -> None:
    assert name in shared.found("anchor")
    shared.run("level", f"generic/{name}", "ephemeral", cwd=shared.top)
    assert shared.found("anchor") == {"ours", "mine", "everybodys"} - {name}
    shared.run("index", "update", cwd=shared.top)
    files = [path for path in shared.root.rglob("*") if path.is_file()]
    word = {"ours": "team", "mine": "mine", "everybodys": "everybody"}[name]
    assert files
    assert not any(word.encode() in path.read_bytes() for path in shared.root.rglob("*.store"))


def test_nobody_else_may_read_what_is_indexed(shared: Shared) -> None:
    earlier = shared.top / ".git" / "gitmem" / "index"
    earlier.mkdir(mode=0o755)
    earlier.chmod(0o755)
    shared.found("anchor")
    shared.run("sessions", cwd=shared.top)
    for folder in (earlier, shared.top / ".git" / "gitmem" / "cache"):
        for path in (folder, *folder.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("form", ["loose", "packed"])
def test_tip_follows_every_ref_of_a_memory(
    shared: Shared, git: RealGit, environ: Mapping[str, str], form: str
) -> None:
    met = set()
    for _ in range(2):
        if form == "packed":
            git("pack-refs", "--all", cwd=shared.top)
            assert not (shared.top / ".git" / PUBLIC_REF).exists()
        met.add(tip_of(shared.top, environ))
    assert len(met) == 1
    for ref in refs_of(shared.top, git):
        git("update-ref", ref, "HEAD", cwd=shared.top)
        met.add(tip_of(shared.top, environ))
    assert len(met) == 5
    git("update-ref", "refs/gitmem/remotes/origin/public", "HEAD", cwd=shared.top)
    assert tip_of(shared.top, environ) in met


def test_repositories_of_other_forms_are_searched_alike(
    tmp_path: Path, git: RealGit, run: CommandLine, environ: Mapping[str, str]
) -> None:
    made = 0
    for number, options in enumerate((["--object-format=sha256"], ["--ref-format=reftable"])):
        top = tmp_path / f"other {number}"
        try:
            git("init", "--quiet", *options, str(top), cwd=tmp_path)
        except AssertionError:
            continue  # this git is older than the form
        made += 1
        git.commit(top)
        shared = begun(top, run)
        shared.say("ours", "the anchor of the team")
        shared.say("mine", "an anchor of mine", "private")
        assert shared.found("anchor") == {"ours", "mine"}
        before = shared.state()
        shared.say("mine", "a windlass of mine", "private")
        assert shared.found("windlass") == {"mine"}
        assert shared.state().folder == before.folder
        met = {tip_of(top, environ)}
        git("update-ref", PUBLIC_REF, TEAM_REF, cwd=top)
        assert tip_of(top, environ) not in met
        assert shared.found("anchor") == {"ours", "mine"}
    assert made


def test_search_of_private_sessions_loads_no_cipher(shared: Shared, environ: Mapping[str, str]) -> None:
    import subprocess
    import sys

    from tests.conftest import IMPORTED_FROM

    shared.found("anchor")
    program = (
        "import sys\n"
        "from gitmem.cli.context import context_of_process\n"
        "from gitmem.cli.main import run\n"
        "import indexer.__main__ as indexer\n"
        "assert run(['search', 'anchor'], context_of_process()) == 0\n"
        "sys.argv[1:] = []\n"
        "assert indexer.main() == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    from gitmem.sidecar.wire import Place, Request, encode_request

    place = Place(str(shared.top), str(shared.top / ".git"), TEAM_REF, "repository", "team")
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=shared.top,
        input=encode_request(Request("search", (place,), queries=("anchor",))),
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    assert "tantivy" in finished.stderr.decode()
    for name in ("pyrage", "cryptography", "msgspec", "pygit2"):
        assert f"'{name}'" not in finished.stderr.decode(), name


def tip_of(top: Path, environ: Mapping[str, str]) -> str:
    tip = read_tip(top / ".git", TEAM_REF, environ)
    assert tip is not None
    return tip.name


def refs_of(top: Path, git: RealGit) -> Iterator[str]:
    names = (TEAM_REF, PUBLIC_REF, SEALED_NAMESPACE, KEYS_NAMESPACE)
    found = git("for-each-ref", "--format=%(refname)", *names, cwd=top).split()
    assert len(found) == 4
    yield from found
