"""A pull of the last months: what comes, what stays with the remote, and what brings it."""

from __future__ import annotations

import json
import random
import time

import pygit2
import pytest

from gitmem.format import layout
from gitmem.format.memory import open_memory
from gitmem.git.fetching import fetch
from gitmem.model.ids import SessionId
from gitmem.model.refs import AUDIT_NAMESPACE, audit_ref, tracking_ref
from gitmem.objects import trees
from gitmem.objects.encoding import Commit, Signature, encode_commit
from gitmem.objects.storage import add_all
from gitmem.redaction.redactor import Redactor
from gitmem.sharing import pulling
from gitmem.verbs.absent_table import read_absent
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Source
from gitmem.verbs.sealing import HereSealer
from gitmem.verbs.starting import start
from tests.conftest import CommandLine, RealGit
from tests.importing import conftest as importing
from tests.importing import samples
from tests.sharing.clones import REF, Clone, Team
from tests.sharing.http_backend import serving
from tests.sharing.samples import Scribe, new_memory

_DAY_S = 86_400
_OLD = "old"
_NEW = "new"


def text(name: str, lines: int = 20) -> bytes:
    """Return lines that no compression makes small."""
    noise = random.Random(name)
    return b"".join(noise.randbytes(100).hex().encode() + b"\n" for _ in range(lines))


def write(clone: Clone, native_id: str, days_ago: float, said: bytes = b"", tail: str = "") -> SessionId:
    """Capture something into a session some days ago."""
    at_s = int(time.time() - days_ago * _DAY_S)
    with clone.opened() as storage:
        tip = storage.read_ref(REF)
        scribe = Scribe(storage, open_memory(storage, REF).root) if tip else new_memory(storage)
        scribe.at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at_s))
        session = scribe.begin(native_id)
        scribe.capture(session, said or text(native_id + tail))
        assert scribe.root is not None
        who = Signature("Ada", "ada@example.org", at_s)
        commit = Commit(scribe.root, (tip,) if tip else (), who, who, "Write [skip ci]\n")
        [oid] = add_all(storage, [("commit", encode_commit(commit))])
        storage.move_ref(REF, oid, tip, "test")
    return session


def absent(clone: Clone) -> set[SessionId]:
    return set(read_absent(clone.repository.state_dir, REF))


def blobs_here(clone: Clone, session: SessionId) -> list[bool]:
    """Return of each segment of a session whether it is here."""
    with clone.opened() as storage:
        folder = open_memory(storage, REF).find(session)
        assert folder is not None
        found = trees.find(storage, folder.tree, ("segments",))
        assert found is not None
        return [storage.contains(entry.oid) for _, entry in trees.walk(storage, found.oid)]


@pytest.fixture
def memory(team: Team, ada: Clone, git: RealGit) -> dict[str, SessionId]:
    """A hub with a session of last year and one of yesterday, which lets things be left out."""
    git("config", "uploadpack.allowFilter", "true", cwd=team.hub.path)
    write(ada, _OLD, 300)
    sessions = {_OLD: write(ada, _OLD, 299, tail="er"), _NEW: write(ada, _NEW, 1)}
    ada.push()
    return sessions


@pytest.fixture
def lean(ben: Clone, memory: dict[str, SessionId], git: RealGit) -> Clone:
    git("config", "remote.origin.gitmemSince", "30d", cwd=ben.path)
    git("config", "remote.origin.promisor", "true", cwd=ben.path)
    with ben.sharing() as shared:
        writer = shared.writer._replace(clock=time.time)
        pulling.pull(shared._replace(writer=writer), "origin")
    return ben


def test_old_text_stays_and_all_records_come(
    lean: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    assert absent(lean) == {memory[_OLD]}
    assert blobs_here(lean, memory[_OLD]) == [False, False]
    assert blobs_here(lean, memory[_NEW]) == [True]
    listed = json.loads(run("sessions", "--json", cwd=lean.path).stdout)["sessions"]
    assert [(one["session"], one["not_here"]) for one in listed] == [
        ("generic/new", False),
        ("generic/old", True),
    ]
    assert listed[1]["captured_at"] is not None
    assert "(its text is not here)" in run("sessions", cwd=lean.path).stdout
    assert blobs_here(lean, memory[_OLD]) == [False, False], "listing fetches nothing"
    assert json.loads(run("status", "--json", cwd=lean.path).stdout)["memory"]["not_here"] == 1
    assert "not here" in run("status", cwd=lean.path).stdout


def test_git_is_content_and_the_users_own_objects_are_whole(
    lean: Clone, team: Team, git: RealGit, memory: dict[str, SessionId]
) -> None:
    assert git("fsck", "--strict", cwd=lean.path) == ""
    git("gc", "--quiet", cwd=lean.path)
    assert git("fsck", cwd=lean.path) == ""
    assert blobs_here(lean, memory[_OLD]) == [False, False], "gc fetches nothing"
    pygit2.Repository(str(lean.path)).head.peel()
    seed = team.folder / "seed"
    (seed / "large").write_bytes(text("large", 50))
    git("add", "large", cwd=seed)
    git("commit", "--quiet", "-m", "large", cwd=seed)
    git("push", "--quiet", "origin", "main", cwd=seed)
    git("fetch", "--quiet", cwd=lean.path)
    blob = git("rev-parse", "origin/main:large", cwd=lean.path)
    with lean.opened() as storage:
        assert storage.contains(blob), "the user's own fetch leaves nothing out"
    git("commit", "--quiet", "--allow-empty", "-m", "mine", cwd=lean.path)
    git("push", "--quiet", "origin", "HEAD:refs/heads/side", cwd=lean.path)
    git("clone", "--quiet", "--local", str(lean.path), "local", cwd=team.folder)
    config = git("config", "--local", "--list", cwd=lean.path)
    assert "partialclone" not in config


@pytest.mark.usefixtures("has_http")
def test_reading_a_session_fetches_all_of_it_over_one_connection(
    team: Team, ben: Clone, memory: dict[str, SessionId], git: RealGit, run: CommandLine
) -> None:
    with serving(team.folder) as server:
        git("remote", "set-url", "origin", f"{server.url}/hub.git", cwd=ben.path)
        run("pull", "--since", "4w", "origin", cwd=ben.path)
        assert blobs_here(ben, memory[_OLD]) == [False, False]
        server.requests.clear()
        finished = run("show", "--raw", "generic/old", cwd=ben.path)
        assert sum(one.startswith("GET") for one in server.requests) == 1
    assert finished.stdout.encode() == text("old") + text("older")
    assert "fetching session" in finished.stderr
    assert absent(ben) == set()
    again = run("show", "--raw", "generic/old", cwd=ben.path)
    assert again.stderr == "", "which no server is asked for any more"
    assert json.loads(run("sessions", "--json", cwd=ben.path).stdout)["sessions"][1]["not_here"] is False


def test_offline_it_is_said_what_is_missing_and_what_to_do(lean: Clone, team: Team, run: CommandLine) -> None:
    team.hub.path.rename(team.folder / "away")
    finished = run("show", "generic/old", cwd=lean.path, status=1)
    assert "its text is not here: origin does not give it" in finished.stderr
    assert "gitmem pull --whole" in finished.stderr
    assert run("show", "--raw", "generic/new", cwd=lean.path).stdout.encode() == text("new")


def test_what_goes_on_comes_whole(
    lean: Clone, ada: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    write(ada, _OLD, 0, tail="again")
    other = write(ada, "another", 100)
    ada.push()
    told = json.loads(run("pull", "--json", "origin", cwd=lean.path).stdout)
    assert {one["session"]: one["outcome"] for one in told["sessions"]} == {
        "generic/old": "grown there",
        "generic/another": "new there",
    }
    assert blobs_here(lean, memory[_OLD]) == [True] * 3
    assert absent(lean) == {other}
    assert lean.texts(memory[_OLD]) == [text("old") + text("older") + text("oldagain")]
    assert lean.tree() == ada.tree()


def test_what_git_fetched_by_itself_is_united_and_still_to_come(
    lean: Clone, ada: Clone, git: RealGit, memory: dict[str, SessionId], run: CommandLine
) -> None:
    write(ada, _OLD, 0, tail="again")
    ada.push()
    git("config", "remote.origin.gitmem", "team", cwd=lean.path)
    git("fetch", "--quiet", cwd=lean.path)
    assert run("sessions", cwd=lean.path).stderr == ""
    assert lean.tree() == ada.tree()
    assert absent(lean) == {memory[_OLD]}
    raw = run("show", "--raw", "generic/old", cwd=lean.path).stdout
    assert raw.encode() == text("old") + text("older") + text("oldagain")


def test_without_a_history_the_captures_say_what_is_old(
    team: Team, ada: Clone, ben: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    ada.erase(write(ada, "gone", 200), at_s=int(time.time()))
    ada.push()
    run("pull", "--since", "30d", "origin", cwd=ben.path)
    assert absent(ben) == {memory[_OLD]}
    assert blobs_here(ben, memory[_NEW]) == [True]


@pytest.mark.parametrize("is_sound", [True, False])
def test_audits_come_beside_the_memory_and_one_that_is_refused_keeps_nothing_out(
    team: Team, ben: Clone, memory: dict[str, SessionId], git: RealGit, is_sound: bool
) -> None:
    hub, ref = team.hub.path, audit_ref("0" * 32)
    tree = git("rev-parse", f"{REF}^{{tree}}", cwd=hub)
    text = (
        f"tree {tree}\n" + ("author a <a> 0 +0000\ncommitter a <a> 0 +0000\n" if is_sound else "") + "\nx\n"
    )
    oid = git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", cwd=hub, stdin=text)
    git("update-ref", ref, oid, cwd=hub)
    git("config", "remote.origin.gitmemSince", "30d", cwd=ben.path)
    git("config", "remote.origin.promisor", "true", cwd=ben.path)
    with ben.sharing() as shared:
        remote = pulling.remote_of(shared, "origin")._replace(silence_s=60)
        fetched = fetch(remote, shared.storage, [REF], [AUDIT_NAMESPACE])
        assert fetched.tips[REF] == team.hub.ref()
        assert set(fetched.refused) == (set() if is_sound else {AUDIT_NAMESPACE})
        assert shared.storage.read_ref(tracking_ref("origin", ref)) == (oid if is_sound else None)


def test_a_remote_that_leaves_nothing_out_is_pulled_whole(
    team: Team, ben: Clone, memory: dict[str, SessionId], git: RealGit, run: CommandLine
) -> None:
    git("config", "uploadpack.allowFilter", "false", cwd=team.hub.path)
    finished = run("pull", "--since", "30d", "origin", cwd=ben.path)
    assert "origin lets nothing be left out" in finished.stderr
    assert absent(ben) == set()
    assert blobs_here(ben, memory[_OLD]) == [True, True]
    config = git("config", "--local", "--list", cwd=ben.path)
    assert "promisor" not in config
    assert "gitmemsince" not in config
    assert git("fsck", "--strict", cwd=ben.path) == ""
    assert not list((ben.path / ".git/objects/pack").glob("*.promisor"))


def test_a_remote_that_gives_nothing_by_name_is_pulled_whole(
    team: Team, ben: Clone, memory: dict[str, SessionId], git: RealGit, run: CommandLine
) -> None:
    git("config", "protocol.version", "0", cwd=ben.path)
    finished = run("pull", "--since", "30d", "origin", cwd=ben.path)
    assert "origin gives nothing by name" in finished.stderr
    assert blobs_here(ben, memory[_OLD]) == [True, True]
    assert "promisor" not in git("config", "--local", "--list", cwd=ben.path)
    assert git("fsck", "--strict", cwd=ben.path) == ""


def test_the_rest_comes_when_it_is_asked_for(
    lean: Clone, memory: dict[str, SessionId], git: RealGit, run: CommandLine
) -> None:
    run("pull", "--whole", "origin", cwd=lean.path)
    assert absent(lean) == set()
    assert blobs_here(lean, memory[_OLD]) == [True, True]
    assert "promisor" not in git("config", "--local", "--list", cwd=lean.path)
    assert git("fsck", "--strict", cwd=lean.path) == ""
    assert json.loads(run("verify", "--json", "--full", cwd=lean.path).stdout)["checked"]["promised"] == 0


def test_verify_counts_what_is_promised_and_finds_what_is_lost(
    lean: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    told = json.loads(run("verify", "--json", "--full", cwd=lean.path).stdout)
    assert told["ok"]
    assert told["checked"]["promised"] > 0
    lean.repository.state_dir.joinpath("absent.json").unlink()
    assert not json.loads(run("verify", "--json", cwd=lean.path, status=1).stdout)["ok"]


def test_what_does_not_belong_is_kept_out_when_it_comes(
    team: Team, ada: Clone, ben: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    """Nobody has looked at the text of an old session before somebody reads it."""
    with ada.opened() as storage:
        tip = storage.read_ref(REF)
        scribe = Scribe(storage, open_memory(storage, REF).root)
        place = next(
            path for path, _ in scribe.files() if path[4:5] == ("segments",) and _is(path, memory[_OLD])
        )
        scribe.put({place: text("forged", 40)})
        assert scribe.root is not None
        who = Signature("Mallory", "m@example.org", int(time.time() - 200 * _DAY_S))
        [oid] = add_all(storage, [("commit", encode_commit(Commit(scribe.root, (), who, who, "x\n")))])
        storage.move_ref(REF, oid, tip, "test")
    team.git("push", "--quiet", "--force", "origin", REF, cwd=ada.path)
    run("pull", "--since", "30d", "origin", cwd=ben.path)
    assert memory[_OLD] in absent(ben)
    for _ in range(2):
        finished = run("show", "--raw", "generic/old", cwd=ben.path, status=1)
        assert "what came does not belong" in finished.stderr
        assert finished.stdout == ""
    assert memory[_OLD] in absent(ben)


def _is(path: tuple[str, ...], session: SessionId) -> bool:
    return path[:4] == layout.session_folder(session)


def test_what_is_not_here_is_erased_everywhere(
    lean: Clone, ada: Clone, git: RealGit, memory: dict[str, SessionId], run: CommandLine
) -> None:
    run("forget", "--now", "--yes", "generic/old", cwd=lean.path)
    run("push", "origin", cwd=lean.path)
    assert absent(lean) == set() or memory[_OLD] not in lean.sessions()
    ada.pull()
    assert ada.sessions() == {memory[_NEW]}
    assert git("fsck", "--strict", cwd=lean.path) == ""


def test_a_push_fetches_nothing_of_what_the_remote_has(
    lean: Clone, ada: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    run("title", "generic/old", "A name", cwd=lean.path)
    write(lean, "mine", 0)
    run("push", "origin", cwd=lean.path)
    assert blobs_here(lean, memory[_OLD]) == [False, False]
    ada.pull()
    assert ada.tree() == lean.tree()


def test_another_remote_is_not_sent_what_is_not_here(
    lean: Clone, team: Team, git: RealGit, run: CommandLine
) -> None:
    git("init", "--quiet", "--bare", "other.git", cwd=team.folder)
    git("push", "--quiet", f"file://{team.folder}/other.git", "HEAD:refs/heads/main", cwd=lean.path)
    git("remote", "add", "other", f"file://{team.folder}/other.git", cwd=lean.path)
    finished = run("push", "other", cwd=lean.path, status=1)
    assert "only at origin" in finished.stderr
    assert "gitmem pull --whole origin" in finished.stderr
    run("pull", "--whole", "origin", cwd=lean.path)
    run("push", "other", cwd=lean.path)


def test_a_search_says_what_it_did_not_search_and_finds_what_has_come(lean: Clone, run: CommandLine) -> None:
    told = json.loads(run("search", "--json", "nothing-at-all", cwd=lean.path, status=1).stdout)
    assert told["not_here"] == 1
    assert "1 sessions were not searched" in run("search", "nothing-at-all", cwd=lean.path, status=1).stderr
    run("show", "generic/old", cwd=lean.path)
    told = json.loads(run("search", "--json", "nothing-at-all", cwd=lean.path, status=1).stdout)
    assert told["not_here"] == 0


def test_a_user_cannot_ask_for_both(ben: Clone, run: CommandLine) -> None:
    assert run("pull", "--since", "30d", "--whole", cwd=ben.path, status=2).stderr
    assert "30d" in run("pull", "--since", "soon", "origin", cwd=ben.path, status=2).stderr


def test_a_capture_goes_on_with_a_session_that_is_not_here(
    team: Team, ada: Clone, ben: Clone, git: RealGit, run: CommandLine
) -> None:
    git("config", "uploadpack.allowFilter", "true", cwd=team.hub.path)
    transcript = samples.write(team.folder / f"{samples.NAME}.jsonl", samples.lines(0, 400))
    with ada.opened() as storage:
        start(storage, REF, importing.WHO)
        redactor = Redactor(importing.KEY)
        intake = Intake(
            storage,
            REF,
            ada.repository.state_dir,
            importing.WHO,
            redactor,
            importing.KEY,
            HereSealer(redactor),
            "gitmem test",
        )
        [session] = import_sources(intake, [Source(transcript)]).new_sessions
    ada.push()
    run("pull", "--since", "30d", "origin", cwd=ben.path)
    assert absent(ben) == {session}
    samples.write(transcript, samples.lines(0, 500))
    assert "fetching session" in run("import", str(transcript), cwd=ben.path).stderr
    assert ben.texts(session) == [samples.lines(0, 500)]
    assert absent(ben) == set()
    run("push", "origin", cwd=ben.path)
    ada.pull()
    assert ada.tree() == ben.tree()


def test_what_asks_for_many_sessions_passes_over_what_is_not_here(
    lean: Clone, memory: dict[str, SessionId], run: CommandLine
) -> None:
    told = json.loads(run("redact", "audit", "--json", cwd=lean.path).stdout)
    assert told["team"]["not_here"] == 1
    assert told["team"]["unreadable"] == []
    assert "not checked" in run("redact", "audit", cwd=lean.path).stderr
    assert run("log", cwd=lean.path).stdout.count(" Ada: ") == 3
    assert blobs_here(lean, memory[_OLD]) == [False, False]
