"""What a hub may hold that does not belong: it is kept out and named, and the rest still arrives."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.format import codec, layout
from gitmem.model.errors.sharing import FetchRefused, SyncError
from gitmem.model.errors.store import NotAMemory
from gitmem.model.ids import SessionId
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry
from gitmem.objects.storage import add_all
from tests.conftest import CommandLine, RealGit
from tests.sharing.clones import Clone, Team
from tests.sharing.samples import Scribe, bomb, with_entry

FOLDER = "ab/cd/" + "e" * 60

PATHS = [
    ("sessions", 0o120000),
    ("link", 0o120000),
    (f"sessions/{FOLDER}/session", 0o100755),
    ("sessions/ab", 0o160000),
    ("..", 0o100644),
    (".git", 0o100644),
    ("sessions/..", 0o100644),
    ("sessions/ab/.git", 0o100644),
    ("sessions/AB/cd", 0o100644),
    ("src/main.py", 0o100644),
    ("sessions/" + FOLDER + "/segments/ab/" + "c" * 62 + "/deeper", 0o100644),
    ("\x1b[31mred", 0o100644),
    ("caf\udce9", 0o100644),
]


@pytest.fixture
def hostile(team: Team, ada: Clone, ben: Clone) -> Clone:
    """Return a hub with a session that Ben has, and one that he has not."""
    ada.remember("known")
    ada.push()
    ben.pull()
    ada.remember("good", b"fine\n")
    ada.push()
    return team.hub


def spoil(hub: Clone, path: str, mode: int) -> None:
    """Put an entry of any name and mode into the hub's memory."""

    def change(scribe: Scribe) -> None:
        parts = tuple(path.split("/"))
        [blob] = add_all(scribe.storage, [("blob", b"sh -c 'echo owned'\n")])
        commit = hub.ref("refs/heads/main")
        assert commit
        scribe.root = with_entry(scribe, parts, Entry(mode, commit if mode == 0o160000 else blob))

    hub.write(change)


@pytest.mark.parametrize(("path", "mode"), PATHS, ids=[f"{mode:o} {path!a}" for path, mode in PATHS])
def test_an_entry_that_cannot_belong_is_kept_out_or_refused_by_git(
    git: RealGit, hostile: Clone, ben: Clone, path: str, mode: int
) -> None:
    before = ben.sessions()
    spoil(hostile, path, mode)
    try:
        pulled = ben.pull()
    except FetchRefused:
        assert ".git" in path or ".." in path
        assert ben.sessions() == before
    else:
        assert [refusal.side for refusal in pulled.refused] == ["there"]
        assert path.startswith(pulled.refused[0].path)
        # Where its own folders were replaced the good session is gone there, but what is here stays.
        assert before < ben.sessions() if mode != 0o120000 or path != "sessions" else before == ben.sessions()
        with ben.memory() as memory:
            assert all(layout.place(found) for found, _ in trees.walk(memory.storage, memory.root))
    git("fsck", "--strict", cwd=ben.path)


@pytest.mark.parametrize("harm", ["truncated", "another", "bomb", "empty"])
def test_a_damaged_segment_is_kept_out_and_the_rest_arrives(
    git: RealGit, hostile: Clone, ben: Clone, harm: str
) -> None:
    sessions: list[SessionId] = []

    def change(scribe: Scribe) -> None:
        sessions.append(scribe.begin("torn"))
        scribe.capture(sessions[0], b"text\n")
        path = next(
            path
            for path, _ in scribe.files()
            if path[4:5] == ("segments",) and layout.place(path).owner == sessions[0]
        )
        whole = trees.read_blob(scribe.storage, dict(scribe.files())[path])
        content = {
            "truncated": whole[:-9],
            "another": codec.attach_trailer(codec.compress(b"other\n"), b""),
            "bomb": codec.attach_trailer(bomb(), b""),
            "empty": b"",
        }[harm]
        scribe.put({path: content})

    before = ben.sessions()
    hostile.write(change)
    pulled = ben.pull()
    assert len(pulled.refused) == 2
    assert pulled.how == "merged"
    assert len(ben.sessions()) == len(before) + 2
    with ben.memory() as memory:
        for folder in memory.folders():
            for head in memory.load(folder).heads().get("", ()):
                assert b"".join(memory.text(folder, head)) in (b"a line\n", b"fine\n")
    git("fsck", "--strict", cwd=ben.path)


def test_what_was_kept_out_stays_out_after_syncing_on(hostile: Clone, ada: Clone, ben: Clone) -> None:
    spoil(hostile, "src/main.py", FILE_MODE)
    assert ben.pull().refused
    assert not ben.push().pulled
    assert not ada.pull().refused
    assert ada.tree() == ben.tree() == hostile.tree()


def test_the_first_pull_keeps_out_as_well(team: Team, hostile: Clone) -> None:
    spoil(hostile, "src/main.py", FILE_MODE)
    fresh = team.clone("fresh")
    pulled = fresh.pull()
    assert (pulled.how, [refusal.path for refusal in pulled.refused]) == ("taken over", ["src"])
    assert len(fresh.sessions()) == 2
    assert fresh.ref() != hostile.ref()


def test_an_object_of_another_kind_than_its_mode_says_does_no_harm(
    git: RealGit, hostile: Clone, ben: Clone
) -> None:
    def change(scribe: Scribe) -> None:
        [blob] = add_all(scribe.storage, [("blob", b"no tree\n")])
        scribe.root = with_entry(scribe, ("sessions", "ab"), Entry(TREE_MODE, blob))

    before = ben.sessions()
    hostile.write(change)
    try:
        assert ben.pull().refused
    except SyncError:
        assert ben.sessions() == before
    git("fsck", "--strict", cwd=ben.path)


@pytest.mark.parametrize("what", ["blob", "tree", "tag"])
def test_a_hidden_ref_that_is_no_commit_is_refused(
    team: Team, git: RealGit, ben: Clone, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = "refs/gitmem/team"
    monkeypatch.setenv("GITMEM_REF", ref)
    git("tag", "-a", "-m", "x", "v1", cwd=team.folder / "seed")
    git("push", "--quiet", "origin", "v1", cwd=team.folder / "seed")
    git(
        "update-ref", ref, {"blob": "main:a.txt", "tree": "main^{tree}", "tag": "v1"}[what], cwd=team.hub.path
    )
    with pytest.raises((NotAMemory, SyncError)):
        ben.pull()
    assert ben.ref(ref) is None


def test_a_damaged_object_in_the_hub_ends_the_fetch(hostile: Clone, ben: Clone) -> None:
    before = ben.sessions()
    packs = set((hostile.path / "objects/pack").glob("*.pack"))
    hostile.remember("more")
    new = set((hostile.path / "objects/pack").glob("*.pack")) - packs
    assert new
    for pack in new:
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 0xFF
        pack.chmod(0o644)
        pack.write_bytes(bytes(data))
    with pytest.raises(SyncError):
        ben.pull()
    assert ben.sessions() == before


def test_a_name_with_escapes_does_not_reach_the_terminal(
    hostile: Clone, ben: Clone, run: CommandLine
) -> None:
    spoil(hostile, "\x1b]0;owned\x07\x1b[31mred", FILE_MODE)
    finished = run("pull", "origin", cwd=ben.path)
    assert "kept out:" in finished.stderr
    assert "red" in finished.stderr
    assert "\x1b" not in finished.stdout + finished.stderr


def test_refusals_are_told_to_programs(hostile: Clone, ben: Clone, run: CommandLine, tmp_path: Path) -> None:
    import json

    spoil(hostile, "src/main.py", FILE_MODE)
    told = json.loads(run("pull", "origin", "--json", cwd=ben.path).stdout)
    assert told["refused"] == [{"path": "src", "side": "there", "why": "gitmem puts no such folder there"}]
    assert [(one["session"], one["outcome"]) for one in told["sessions"]] == [("generic/good", "new there")]
    assert told["how"] == "merged"
