"""Verify finds every damage, names the session that it is about, and goes on to the next."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest

from gitmem.format import layout
from gitmem.git.integrity import broken_refs, pack_problems, shallow_commits
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import GitStorage, open_storage, pack_folder
from gitmem.model.errors.store import NoMemory
from gitmem.model.ids import Oid, RecordId, SegmentId
from gitmem.model.records import Capture, Note, Register, SegmentEntry, Tombstone
from gitmem.objects import trees
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Commit, Entry, Signature, encode_commit, encode_tree
from gitmem.objects.history import read_commit
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import Storage, add_all
from gitmem.verbs.inspecting import Counts
from gitmem.verbs.verifying import Finding, Ground, verify
from tests.conftest import CommandLine, RealGit
from tests.verify.memories import ADA, AT, REF, Draft, session, write

WHO = Signature("Ada", "ada@example.org", 1)
ONE = "claude-code/session-1"
BOTH_HASHES = pytest.mark.parametrize("made", ["sha1", "sha256"], indirect=True)
HERE = Git({"PATH": os.environ["PATH"]})


@contextmanager
def opened(path: Path) -> Iterator[GitStorage]:
    with closing(open_storage(discover(path, HERE), HERE)) as storage:
        yield storage


def verified(path: Path, *, full: bool = False, counts: Counts | None = None) -> list[Finding]:
    """Verify a repository's memory with all that its files can tell."""
    repository = discover(path, HERE)
    with opened(path) as storage:
        ground = Ground(
            shallow_commits(repository),
            broken_refs(repository, HERE, "refs/gitmem/"),
            pack_problems(pack_folder(repository), repository.hash_name),
        )
        return list(verify(storage, [REF], counts or Counts(), full=full, ground=ground))


def named(findings: list[Finding]) -> set[str]:
    return {name for finding in findings for name in finding.sessions}


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose memory has three sessions, and a change of one, in as many commits."""
    path = tmp_path_factory.mktemp("made") / "memory"
    subprocess.run(
        ["git", "init", "-q", f"--object-format={getattr(request, 'param', 'sha1')}", str(path)], check=True
    )
    with opened(path) as storage:
        write(storage, [session(0), session(1)])
        write(storage, [session(2)])
        changed = session(1)
        changed.register("tags", ("later",), 2)
        write(
            storage,
            [],
            more={name: changed.files[name] for name in changed.files.keys() - session(1).files.keys()},
        )
    return path


@pytest.fixture
def memory(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "memory"))


def path_of(draft: Draft, kind: str) -> trees.Path:
    return min(path for path in draft.files if layout.place(path).kind == kind)


def find(path: Path, where: trees.Path) -> Oid:
    with opened(path) as storage:
        root = read_commit(storage, storage.read_ref(REF) or Oid("")).tree
        entry = trees.find(storage, root, where)
        assert entry, where
        return entry.oid


def pack_of(path: Path, oid: Oid) -> tuple[Path, int, int]:
    """Return the pack that holds an object, and where in it the object begins and ends, as git says."""
    for index in sorted((path / ".git/objects/pack").glob("*.idx")):
        listing = subprocess.run(
            ["git", "verify-pack", "-v", str(index)], capture_output=True, text=True, check=True, cwd=path
        ).stdout
        for line in listing.splitlines():
            words = line.split()
            if words and words[0] == oid:
                start, size = int(words[4]), int(words[3])
                return index.with_suffix(".pack"), start, start + size
    raise AssertionError(f"{oid} is in no pack")


def rewrite(file: Path, content: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(content)


def flip(path: Path, oid: Oid) -> None:
    """Change a bit of an object's compressed bytes in its pack."""
    pack, start, end = pack_of(path, oid)
    content = bytearray(pack.read_bytes())
    content[(start + end + 1) // 2] ^= 0x10
    rewrite(pack, bytes(content))


def loosen(path: Path) -> None:
    """Turn every pack into loose objects."""
    for pack in sorted((path / ".git/objects/pack").glob("*.pack")):
        content = pack.read_bytes()
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], input=content, cwd=path, check=True)


def loose_file(path: Path, oid: Oid) -> Path:
    return path / ".git/objects" / oid[:2] / oid[2:]


# --- what holds ---


@BOTH_HASHES
@pytest.mark.parametrize("full", [False, True])
def test_an_undamaged_memory_passes(memory: Path, full: bool) -> None:
    counts = Counts()
    assert verified(memory, full=full, counts=counts) == []
    assert (counts.sessions, counts.segments, counts.commits, counts.refs) == (3, 9, 4, 1)
    assert counts.records == 3 * (1 + 3 + 1) + 1
    assert counts.bytes > 0


@BOTH_HASHES
@pytest.mark.parametrize("full", [False, True])
def test_it_passes_after_consolidating_after_gc_and_as_loose_objects(
    memory: Path, git: RealGit, full: bool
) -> None:
    with opened(memory) as storage:
        for n in range(30):
            write(storage, [session(n, captures=1)])
    assert verified(memory, full=full) == []
    git("gc", "--quiet", "--prune=now", cwd=memory)
    assert verified(memory, full=full) == []
    loosen(memory)
    assert verified(memory, full=full) == []


@BOTH_HASHES
def test_a_clone_and_a_shallow_clone_pass(memory: Path, tmp_path: Path, git: RealGit) -> None:
    for name, options in (("whole", []), ("shallow", ["--depth=1"])):
        there = tmp_path / name
        git("clone", "--quiet", "--branch", "gitmem", *options, f"file://{memory}", str(there), cwd=tmp_path)
        counts = Counts()
        assert verified(there, full=True, counts=counts) == []
        assert counts.commits == (4 if name == "whole" else 1)


def test_without_a_memory_there_is_nothing_to_verify(repository: Path) -> None:
    with pytest.raises(NoMemory):
        verified(repository)


def test_what_two_refs_share_is_looked_at_once(memory: Path) -> None:
    with opened(memory) as storage:
        tip = storage.read_ref(REF)
        assert tip
        storage.move_ref("refs/remotes/origin/gitmem", tip, None, "fetch")
        alone, both = Counts(), Counts()
        assert list(verify(storage, [REF], alone)) == []
        assert (
            list(verify(storage, [REF, "refs/remotes/origin/gitmem", "refs/remotes/none/gitmem"], both)) == []
        )
    assert (both.sessions, both.segments, both.refs) == (alone.sessions, alone.segments, 2)


def test_progress_is_told_as_it_goes(memory: Path) -> None:
    seen: list[int] = []
    with opened(memory) as storage:
        counts = Counts()
        assert list(verify(storage, [REF], counts, tell=lambda counts: seen.append(counts.bytes))) == []
    assert len(seen) == counts.objects > 40
    assert seen == sorted(seen)
    assert seen[-1] == counts.bytes


# --- objects ---


DAMAGES: dict[str, Callable[[Path, Oid], None]] = {
    "flipped in its pack": flip,
}


def loose_flip(path: Path, oid: Oid) -> None:
    loosen(path)
    content = bytearray(loose_file(path, oid).read_bytes())
    content[len(content) // 2] ^= 0x10
    rewrite(loose_file(path, oid), bytes(content))


def loose_truncate(path: Path, oid: Oid) -> None:
    loosen(path)
    content = loose_file(path, oid).read_bytes()
    rewrite(loose_file(path, oid), content[: len(content) // 2])


def loose_delete(path: Path, oid: Oid) -> None:
    loosen(path)
    loose_file(path, oid).unlink()


def loose_swap(path: Path, oid: Oid) -> None:
    """Put a whole object of another content in its place."""
    loosen(path)
    other = find(path, ("README.md",))
    rewrite(loose_file(path, oid), loose_file(path, other).read_bytes())


DAMAGES |= {
    "flipped as a file": loose_flip,
    "truncated": loose_truncate,
    "deleted": loose_delete,
    "another": loose_swap,
}
OF_A_SESSION = {
    "session record": lambda draft: path_of(draft, "session"),
    "capture": lambda draft: path_of(draft, "capture"),
    "segment": lambda draft: path_of(draft, "segment"),
    "register": lambda draft: path_of(draft, "register"),
    "session folder": lambda draft: layout.session_folder(draft.id),
    "captures folder": lambda draft: (*layout.session_folder(draft.id), "captures"),
    "segments fan": lambda draft: path_of(draft, "segment")[:-1],
    "folder above": lambda draft: layout.session_folder(draft.id)[:3],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", OF_A_SESSION)
def test_a_damaged_object_of_a_session_is_found_and_the_session_named(
    memory: Path, damage: str, kind: str
) -> None:
    draft = session(1)
    DAMAGES[damage](memory, find(memory, OF_A_SESSION[kind](draft)))
    for full in (False, True):
        findings = verified(memory, full=full)
        about = [finding for finding in findings if finding.kind != "pack"]
        assert about
        assert named(about) <= {ONE, draft.id}
        # Its own record is what says how it is called, and no commit has another copy of it.
        assert named(about) == ({draft.id} if kind == "session record" else {ONE})
        assert all(finding.hint and finding.where for finding in findings)


@pytest.mark.parametrize("damage", DAMAGES)
def test_when_the_folder_of_all_sessions_is_damaged_all_are_named(memory: Path, damage: str) -> None:
    DAMAGES[damage](memory, find(memory, ("sessions",)))
    findings = verified(memory)
    assert ("object", "sessions") in {(finding.kind, finding.where) for finding in findings}
    assert named(findings) == {f"claude-code/session-{n}" for n in range(3)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_root_tree_is_found(memory: Path, damage: str) -> None:
    with opened(memory) as storage:
        root = read_commit(storage, storage.read_ref(REF) or Oid("")).tree
    DAMAGES[damage](memory, root)
    findings = [finding for finding in verified(memory) if finding.kind == "object"]
    assert [finding.where for finding in findings] == ["the root"]
    assert named(findings) == {f"claude-code/session-{n}" for n in range(3)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_format_is_found(memory: Path, damage: str) -> None:
    DAMAGES[damage](memory, find(memory, ("FORMAT",)))
    assert "FORMAT" in {finding.where for finding in verified(memory)}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_damaged_commit_is_found_and_named(memory: Path, git: RealGit, damage: str, back: int) -> None:
    oid = Oid(git("rev-parse", f"gitmem~{back}", cwd=memory))
    DAMAGES[damage](memory, oid)
    findings = [finding for finding in verified(memory) if finding.kind == "history"]
    assert [finding.where for finding in findings] == [f"commit {oid}"]


def test_an_earlier_tree_that_is_damaged_is_found(memory: Path, git: RealGit) -> None:
    loosen(memory)
    oid = Oid(git("rev-parse", "gitmem~1:", cwd=memory))
    loose_file(memory, oid).unlink()
    assert [(finding.kind, finding.where) for finding in verified(memory)] == [("object", "the root")]


def test_a_session_that_was_there_before_is_named_by_an_earlier_commit(memory: Path) -> None:
    loosen(memory)
    folder = find(memory, layout.session_folder(session(1).id))
    loose_file(memory, folder).unlink()
    assert named(verified(memory)) == {ONE}


@BOTH_HASHES
def test_damage_does_not_hide_the_rest(memory: Path) -> None:
    loosen(memory)
    for n, kind in ((0, "segment"), (1, "capture"), (2, "register")):
        loose_file(memory, find(memory, path_of(session(n), kind))).unlink()
    assert named(verified(memory)) == {f"claude-code/session-{n}" for n in range(3)}


@BOTH_HASHES
def test_a_pack_whose_checksum_is_damaged_is_found(memory: Path) -> None:
    pack = sorted((memory / ".git/objects/pack").glob("*.pack"))[0]
    content = bytearray(pack.read_bytes())
    content[-1] ^= 1
    rewrite(pack, bytes(content))
    packs = [finding for finding in verified(memory) if finding.kind == "pack"]
    assert {finding.where for finding in packs} >= {str(pack)}


@BOTH_HASHES
def test_every_flip_in_a_pack_is_found(memory: Path, git: RealGit, seed: int) -> None:
    rng = random.Random(seed)
    packs = sorted((memory / ".git/objects/pack").glob("*.pack"))
    for _ in range(25):
        file = rng.choice(packs)
        file = rng.choice([file, file.with_suffix(".idx")])
        whole = file.read_bytes()
        damaged = bytearray(whole)
        at, bit = rng.randrange(len(whole)), rng.randrange(8)
        damaged[at] ^= 1 << bit
        rewrite(file, bytes(damaged))
        said = subprocess.run(
            ["git", "verify-pack", str(file.with_suffix(".idx"))],
            cwd=memory,
            capture_output=True,
            check=False,
        )
        assert said.returncode, f"git finds nothing at byte {at}, bit {bit} of {file.name}"
        assert verified(memory, full=True), f"byte {at}, bit {bit} of {file.name}"
        rewrite(file, whole)
    assert verified(memory, full=True) == []


@pytest.mark.parametrize("damage", ["flipped in its pack", "deleted", "truncated"])
def test_the_repair_that_the_document_names_works(
    memory: Path, tmp_path: Path, git: RealGit, damage: str
) -> None:
    remote = Path(shutil.copytree(memory, tmp_path / "remote"))
    git("remote", "add", "origin", str(remote), cwd=memory)
    oid = find(memory, path_of(session(1), "segment"))
    DAMAGES[damage](memory, oid)
    if damage == "flipped in its pack":
        pack = Path(next(finding.where for finding in verified(memory) if finding.kind == "pack"))
        moved = tmp_path / "moved"
        moved.mkdir()
        for file in pack.parent.glob(f"{pack.stem}.*"):
            file.rename(moved / file.name)
        saved = (moved / pack.name).read_bytes()
        subprocess.run(
            ["git", "unpack-objects", "-q", "-r"], input=saved, cwd=memory, capture_output=True, check=False
        )
    elif damage == "truncated":
        loose_file(memory, oid).unlink()
    git("fetch", "--quiet", "--refetch", "origin", cwd=memory)
    assert verified(memory, full=True) == []


# --- what a tree may hold ---


class Forge:
    """A memory in this process, in which anything can be put anywhere."""

    def __init__(self, *drafts: Draft) -> None:
        self.storage: Storage = InProcessStorage()
        write(self.storage, drafts)

    def put(self, path: trees.Path, entry: Entry | bytes | None) -> None:
        """Put an entry, or a file of some bytes, at a path; None takes out what is there."""
        if isinstance(entry, bytes):
            entry = Entry(FILE_MODE, add_all(self.storage, [("blob", entry)])[0])
        tip = self.storage.read_ref(REF)
        assert tip
        root = self._put(read_commit(self.storage, tip).tree, path, entry)
        [new] = add_all(self.storage, [("commit", encode_commit(Commit(root, (), WHO, WHO, "x\n")))])
        self.storage.move_ref(REF, new, tip, "x")

    def entry(self, path: trees.Path) -> Entry:
        tip = self.storage.read_ref(REF)
        assert tip
        found = trees.find(self.storage, read_commit(self.storage, tip).tree, path)
        assert found, path
        return found

    def findings(self, full: bool = False) -> list[Finding]:
        return list(verify(self.storage, [REF], Counts(), full=full))

    def _put(self, oid: Oid | None, path: trees.Path, entry: Entry | None) -> Oid:
        entries = trees.read_tree(self.storage, oid)
        if len(path) > 1:
            below = entries.get(path[0])
            entries[path[0]] = Entry(TREE_MODE, self._put(below.oid if below else None, path[1:], entry))
        elif entry is None:
            del entries[path[0]]
        else:
            entries[path[0]] = entry
        return add_all(self.storage, [("tree", encode_tree(entries))])[0]


@pytest.fixture
def forge() -> Forge:
    return Forge(session(0), session(1), session(2))


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


@pytest.mark.parametrize("full", [False, True])
def test_a_memory_that_nobody_forged_passes(forge: Forge, full: bool) -> None:
    assert forge.findings(full) == []


@pytest.mark.parametrize("kind", ["session", "capture", "segment", "register"])
@pytest.mark.parametrize("mode", [0o100755, 0o120000, 0o160000, 0o100664])
def test_any_other_mode_is_found(forge: Forge, kind: str, mode: int) -> None:
    path = path_of(session(1), kind)
    forge.put(path, Entry(mode, forge.entry(path).oid))
    findings = forge.findings()
    assert ("layout", "/".join(path)) in {(finding.kind, finding.where) for finding in findings}
    assert named(findings) == {ONE}


@pytest.mark.parametrize(
    "path",
    [
        ("hello.txt",),
        (".gitmodules",),
        (".github", "workflows", "x.yml"),
        ("sessions", "zz", "x"),
        ("sessions", "README.md"),
        ("checkpoints", "ab"),
        ("tombstones", "ab", "cd", "ef"),
    ],
    ids="/".join,
)
def test_a_file_that_nobody_knows_is_found(forge: Forge, path: trees.Path) -> None:
    forge.put(path, b"x")
    finding = only(forge.findings())
    assert finding.kind == "layout"
    assert "/".join(path).startswith(finding.where)


@pytest.mark.parametrize("name", ["extra", "sessionx", "segments2", "note"])
def test_a_file_that_nobody_knows_in_a_session_is_found_there(forge: Forge, name: str) -> None:
    forge.put((*layout.session_folder(session(1).id), name), b"x")
    finding = only(forge.findings())
    assert (finding.kind, finding.sessions) == ("layout", (ONE,))


def test_swapped_segments_are_found(forge: Forge) -> None:
    draft = session(1)
    one, two = [path for path in draft.files if layout.place(path).kind == "segment"][:2]
    first, second = forge.entry(one), forge.entry(two)
    forge.put(one, second)
    forge.put(two, first)
    findings = forge.findings(full=True)
    assert named(findings) == {ONE}
    assert {finding.kind for finding in findings} <= {"segment", "reference"}


def test_a_segment_of_another_session_in_its_place_is_found(forge: Forge) -> None:
    here, there = path_of(session(1), "segment"), path_of(session(2), "segment")
    forge.put(here, forge.entry(there))
    assert named(forge.findings(full=True)) == {ONE}


@pytest.mark.parametrize("kind", ["session", "capture", "register"])
def test_a_record_under_another_name_is_found(forge: Forge, kind: str) -> None:
    path = path_of(session(1), kind)
    entry = forge.entry(path)
    other = Draft("codex", "other").id
    path = layout.session_path(other) if kind == "session" else (*path[:-1], "0" * 62)
    forge.put(path, entry)
    findings = forge.findings()
    assert ("record", "/".join(path)) in {(finding.kind, finding.where) for finding in findings}


@pytest.mark.parametrize("kind", ["session", "capture", "register"])
def test_a_record_that_is_none_is_found(forge: Forge, kind: str) -> None:
    path = path_of(session(1), kind)
    forge.put(path, b"not a frame")
    findings = forge.findings()
    assert ("record", "/".join(path)) in {(finding.kind, finding.where) for finding in findings}
    assert named(findings) == ({session(1).id} if kind == "session" else {ONE})


def test_a_capture_that_lists_a_missing_segment_is_found(forge: Forge) -> None:
    path = path_of(session(1), "segment")
    forge.put(path, None)
    findings = forge.findings()
    assert named(findings) == {ONE}
    missing = layout.place(path).name
    assert [
        f for f in findings if missing in f.why and layout.place(tuple(f.where.split("/"))).kind == "capture"
    ]


def test_a_missing_capture_is_found_by_the_one_that_builds_on_it(forge: Forge) -> None:
    draft = session(1)
    first = next(name for name, capture in draft.captures.items() if not capture.parents)
    forge.put(layout.capture_path(draft.id, first), None)
    findings = forge.findings()
    assert named(findings) == {ONE}
    assert any(f"builds on capture {first}" in finding.why for finding in findings)
    assert any("no capture lists it" in finding.why for finding in findings)


def test_a_session_without_its_record_is_found(forge: Forge) -> None:
    forge.put(path_of(session(1), "session"), None)
    finding = only(forge.findings())
    assert (finding.kind, finding.sessions) == ("reference", (session(1).id,))


def test_a_segment_that_no_capture_lists_is_found(forge: Forge) -> None:
    draft = session(1)
    draft.capture(b"never mentioned\n")
    path = path_of(Draft(draft.agent, draft.native_id), "session")
    added = {path: blob for path, blob in draft.files.items() if path not in session(1).files}
    path = next(path for path in added if layout.place(path).kind == "segment")
    forge.put(path, added[path])
    finding = only(forge.findings())
    assert (finding.why, finding.sessions) == ("no capture lists it", (ONE,))


@pytest.mark.parametrize(("lines", "size"), [(3, 4), (1, 4), (2, 5), (2, 3), (0, 0)])
def test_a_capture_that_lists_other_lines_or_bytes_is_found(lines: int, size: int) -> None:
    draft = Draft("claude-code", "session-1")
    name = draft.capture(b"1\n2\n")
    [entry] = draft.captures[name].segments
    del draft.files[layout.capture_path(draft.id, name)]
    lying = SegmentEntry(entry.name, lines, size)
    draft.put(layout.capture_path, Capture(draft.id, AT, ADA, "t", "r", (lying,)))
    finding = only(Forge(draft).findings(full=True))
    assert (finding.kind, finding.sessions) == ("segment", (ONE,))
    assert f"capture lists {size if size != 4 else lines}" in finding.why


def test_a_capture_that_keeps_more_than_there_is_is_found() -> None:
    draft = Draft("claude-code", "session-1")
    first = draft.capture(b"1\n")
    draft.put(layout.capture_path, Capture(draft.id, AT, ADA, "t", "r", (), keep=2, parents=(first,)))
    finding = only(Forge(draft).findings())
    assert (finding.why, finding.sessions) == ("it keeps 2 lines where there are 1", (ONE,))


def test_a_capture_that_repeats_a_segment_without_bound_is_found() -> None:
    draft = Draft("claude-code", "session-1")
    first = draft.capture(b"1\n")
    again = draft.captures[first].segments * 200_000
    draft.put(layout.capture_path, Capture(draft.id, AT, ADA, "t", "r", again, keep=1, parents=(first,)))
    finding = only(Forge(draft).findings())
    assert (finding.why, finding.sessions) == ("its text repeats a few segments too often", (ONE,))


def test_a_capture_behind_one_of_another_stream_is_found() -> None:
    draft = Draft("claude-code", "session-1")
    first = draft.capture(b"1\n", stream="agent-1")
    draft.put(layout.capture_path, Capture(draft.id, AT, ADA, "t", "r", (), parents=(first,)))
    assert "another stream" in only(Forge(draft).findings()).why


def test_a_capture_or_register_of_another_session_is_found(forge: Forge) -> None:
    other = session(2)
    for kind in ("capture", "register"):
        path = path_of(other, kind)
        moved = (*layout.session_folder(session(1).id), *path[4:])
        forge.put(moved, other.files[path])
        findings = forge.findings()
        assert ("record", "/".join(moved)) in {(finding.kind, finding.where) for finding in findings}
        assert named(findings) == {ONE}
        forge.put(moved, None)


def test_all_that_builds_on_a_damaged_segment_is_one_finding(forge: Forge) -> None:
    draft = session(1)
    first = next(c for c in draft.captures.values() if not c.parents).segments[0].name
    path = layout.segment_path(draft.id, first)
    blob = bytearray(draft.files[path])
    blob[len(blob) // 3] ^= 0xFF
    forge.put(path, bytes(blob))
    findings = forge.findings(full=True)
    assert {finding.where for finding in findings} == {"/".join(path)}
    assert any("2 other segments build on it" in finding.why for finding in findings)


def test_a_segment_whose_text_was_changed_is_found_by_full_alone() -> None:
    one, two = Draft("claude-code", "session-1"), Draft("claude-code", "session-1")
    one.capture(b"1\n2\n")
    two.capture(b"1\n3\n")
    forge = Forge(one)
    forge.put(path_of(one, "segment"), two.files[path_of(two, "segment")])
    assert forge.findings() == []
    finding = only(forge.findings(full=True))
    assert (finding.kind, finding.sessions) == ("segment", (ONE,))


def test_a_folder_that_stands_twice_is_found_and_not_followed(forge: Forge) -> None:
    folder = layout.session_folder(session(1).id)
    spare = next(
        f"{n:02x}" for n in range(255, 0, -1) if f"{n:02x}" not in {session(k).id[:2] for k in range(3)}
    )
    forge.put(("sessions", spare), forge.entry(folder[:2]))
    finding = only(forge.findings())
    assert (finding.kind, "the same folder as" in finding.why) == ("layout", True)


def test_a_tree_that_unfolds_without_end_is_soon_done() -> None:
    forge = Forge()
    [leaf] = add_all(forge.storage, [("tree", encode_tree({}))])
    for length in (60, 2, 2):
        names = [f"{n:0{length}x}" for n in range(256)]
        [leaf] = add_all(forge.storage, [("tree", encode_tree({n: Entry(TREE_MODE, leaf) for n in names}))])
    forge.put(("sessions",), Entry(TREE_MODE, leaf))
    counts = Counts()
    findings = list(verify(forge.storage, [REF], counts))
    assert counts.objects < 3000
    assert findings


def test_an_entry_out_of_order_is_found(forge: Forge) -> None:
    folder = layout.session_folder(session(1).id)
    entries = trees.read_tree(forge.storage, forge.entry(folder).oid)
    data = b"".join(encode_tree({name: entry}) for name, entry in sorted(entries.items(), reverse=True))
    forge.put(folder, Entry(TREE_MODE, add_all(forge.storage, [("tree", data)])[0]))
    finding = only(forge.findings())
    assert (finding.kind, finding.sessions) == ("object", (ONE,))


# --- other records ---


def plain(kind: str, name: RecordId) -> trees.Path:
    return (kind, name[:2], name[2:4], name[4:])


def bury(draft: Draft, target: str, level: Literal["public", "team"] = "team") -> RecordId:
    tombstone = Tombstone(target, level, AT, ADA)
    return draft.put(lambda _, name: layout.tombstone_path(target, name), tombstone)


def now(draft: Draft) -> list[Finding]:
    """Return what is wrong with the newest tree, whatever came before it."""
    return [finding for finding in Forge(draft).findings() if finding.kind != "history"]


def test_a_session_that_has_a_tombstone_is_found() -> None:
    draft = session(1)
    bury(draft, draft.id)
    finding = only(now(draft))
    assert (finding.kind, finding.sessions) == ("reference", (ONE,))
    assert "tombstone" in finding.why


def test_a_tombstone_of_another_level_is_found() -> None:
    draft = session(1)
    bury(draft, session(2).id, "public")
    assert "for level public" in only(now(draft)).why


def test_a_tombstone_that_names_another_than_its_place_is_found() -> None:
    draft = session(1)
    tombstone = Tombstone(session(2).id, "team", AT, ADA)
    draft.put(lambda _, name: layout.tombstone_path(session(3).id, name), tombstone)
    assert "it names" in only(now(draft)).why


def test_a_tombstone_of_a_session_that_is_gone_is_fine() -> None:
    draft = session(1)
    bury(draft, session(2).id)
    assert now(draft) == []


def test_a_history_that_may_hold_what_was_erased_is_found() -> None:
    draft = session(1)
    bury(draft, session(2).id)
    finding = only(Forge(draft).findings())
    assert (finding.kind, finding.why) == ("history", "it may hold what has been erased since")


def test_a_note_is_looked_at_with_its_registers() -> None:
    draft = session(1)
    note = draft.put(
        lambda _, name: ("notes", name[:2], name[2:4], name[4:], "note"),
        Note("decision", "One lock.", AT, ADA),
    )
    folder = ("notes", note[:2], note[2:4], note[4:])
    draft.put(
        lambda _, name: (*folder, "registers", name[:2], name[2:]),
        Register(note, "state", "done", 1, AT, ADA),
    )
    forge = Forge(draft)
    assert forge.findings() == []
    forge.put((*folder, "note"), None)
    assert "no note record" in only(forge.findings()).why


# --- format and refs ---


@pytest.mark.parametrize("content", [b"7\n", b"x\n", b""])
def test_a_format_that_cannot_be_read_here_is_found(forge: Forge, content: bytes) -> None:
    forge.put(("FORMAT",), content)
    finding = only(forge.findings())
    assert (finding.kind, finding.where) == ("format", "FORMAT")
    assert ONE in finding.sessions


def test_nothing_of_a_newer_format_is_decoded(forge: Forge) -> None:
    forge.put(path_of(session(1), "session"), b"in a form that is not known yet")
    forge.put(("FORMAT",), b"7\n")
    assert only(forge.findings()).kind == "format"


def test_a_branch_that_is_no_memory_is_found(repository: Path, git: RealGit) -> None:
    git("branch", "gitmem", cwd=repository)
    findings = verified(repository)
    assert {finding.kind for finding in findings} == {"format", "layout"}


@pytest.mark.parametrize("content", ["", "garbage\n", "ab" * 20 + "\n"])
def test_a_memory_ref_that_points_nowhere_is_found(tmp_path: Path, git: RealGit, content: str) -> None:
    path = tmp_path / "r"
    git("init", "--quiet", str(path), cwd=tmp_path)
    with opened(path) as storage:
        write(storage, [session(1)])
    (path / ".git/refs/heads/gitmem").write_text(content)
    findings = verified(path)
    assert [finding.kind for finding in findings] == ["history" if content.startswith("ab") else "ref"]
    assert "reflog" in findings[0].hint or "refetch" in findings[0].hint


def test_a_broken_ref_below_gitmems_own_is_found(memory: Path) -> None:
    ref = memory / ".git/refs/gitmem/public"
    ref.parent.mkdir()
    ref.write_text("garbage\n")
    finding = only(verified(memory))
    assert (finding.kind, finding.where) == ("ref", "refs/gitmem/public")


# --- on the command line ---


def test_the_command_says_so_when_all_holds(memory: Path, run: CommandLine) -> None:
    finished = run("verify", "--full", cwd=memory)
    assert finished.stdout.startswith("all holds: 3 sessions, 16 records, 9 segments, 4 commits, 1 ref; ")
    assert finished.stderr == ""


def test_the_command_names_what_it_found_and_what_to_do(memory: Path, run: CommandLine) -> None:
    loose_delete(memory, find(memory, path_of(session(1), "segment")))
    finished = run("verify", cwd=memory, status=1)
    first, affected, hint, last = finished.stdout.splitlines()
    assert first.startswith(f"object: sessions/{session(1).id[:2]}/")
    assert first.endswith("is missing")
    assert affected == f"  affects {ONE}"
    assert hint.startswith("  git fetch --refetch REMOTE:")
    assert last.startswith("1 found: ")


def test_a_strangers_words_do_not_reach_the_terminal_as_they_are(memory: Path, run: CommandLine) -> None:
    odd = Draft("claude-code", "one\x1b[2J\ntwo")
    with opened(memory) as storage:
        missing = SegmentEntry(SegmentId("ab" * 32), 1, 2)
        odd.put(layout.capture_path, Capture(odd.id, AT, ADA, "t", "r", (missing,)))
        write(storage, [odd], more={("x\x1b]0;owned\x07\ny", "file"): b"x"})
    finished = run("verify", cwd=memory, status=1)
    *findings, last = finished.stdout.splitlines()
    assert last.startswith("2 found")
    assert len(findings) == 5
    assert not set("\x1b\x07") & set(finished.stdout + finished.stderr)


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_command_answers_in_json(memory: Path, run: CommandLine, is_whole: bool) -> None:
    if not is_whole:
        flip(memory, find(memory, path_of(session(1), "segment")))
    finished = run("verify", "--full", "--json", cwd=memory, status=0 if is_whole else 1)
    answer = json.loads(finished.stdout)
    assert (answer["ok"], answer["full"], answer["checked"]["sessions"]) == (is_whole, True, 3)
    assert {finding["kind"] for finding in answer["findings"]} == (
        set() if is_whole else {"object", "pack", "reference"}
    )
    assert all(finding.keys() == set(Finding._fields) for finding in answer["findings"])
    if not is_whole:
        assert [f["sessions"] for f in answer["findings"] if f["kind"] == "object"] == [[ONE]]


def test_the_command_looks_at_what_was_fetched_too(
    memory: Path, tmp_path: Path, run: CommandLine, git: RealGit
) -> None:
    remote = Path(shutil.copytree(memory, tmp_path / "remote"))
    with opened(remote) as storage:
        write(storage, [session(7)])
    git("remote", "add", "origin", str(remote), cwd=memory)
    git("fetch", "--quiet", "origin", cwd=memory)
    assert "4 sessions" in run("verify", cwd=memory).stdout


def test_without_a_memory_the_command_says_how_to_start_one(repository: Path, run: CommandLine) -> None:
    assert "gitmem init" in run("verify", cwd=repository, status=1).stderr
