"""Git's objects as bytes: what git writes is read, what is written git accepts, and the rest is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.store import ObjectDamaged
from gitmem.model.ids import Oid
from gitmem.objects.encoding import (
    FILE_MODE,
    TREE_MODE,
    Commit,
    Entry,
    HashName,
    ObjectKind,
    Signature,
    decode_commit,
    decode_tree,
    encode_commit,
    encode_tree,
    object_id,
)
from tests.conftest import RealGit

OID = Oid("ab" * 20)
HASHES: list[HashName] = ["sha1", "sha256"]
NAMES = st.binary(min_size=1, max_size=8).filter(lambda name: not set(name) & set(b"/\0"))
ENTRIES = st.dictionaries(
    NAMES.map(lambda name: name.decode("utf-8", "surrogateescape")),
    st.builds(Entry, st.sampled_from([FILE_MODE, TREE_MODE, 0o100755, 0o120000, 0o160000]), st.just(OID)),
)
PEOPLE = st.builds(
    Signature,
    st.sampled_from(["Ada", "Zoë Ünal", "A. B. C", "x"]),
    st.sampled_from(["ada@example.org", "x"]),
    st.integers(0, 2**33),
    st.sampled_from([0, 60, -60, 330, -570, 765]),
)


def repository(path: Path, hash_name: HashName, git: RealGit) -> Path:
    git("init", "--quiet", f"--object-format={hash_name}", str(path), cwd=path.parent)
    return path


def hash_object(data: bytes, kind: ObjectKind, cwd: Path, *options: str) -> str:
    answer = subprocess.run(
        ["git", "hash-object", "-t", kind, "--stdin", *options],
        cwd=cwd,
        input=data,
        capture_output=True,
        check=True,
    )
    return answer.stdout.decode().strip()


@pytest.mark.parametrize("hash_name", HASHES)
def test_git_gives_objects_the_same_names(tmp_path: Path, git: RealGit, hash_name: HashName) -> None:
    here = repository(tmp_path / "r", hash_name, git)
    size = 20 if hash_name == "sha1" else 32
    blob = object_id("blob", b"hello\n", hash_name)
    assert blob == hash_object(b"hello\n", "blob", here, "-w")
    tree = encode_tree({"a": Entry(FILE_MODE, blob), "b.c": Entry(FILE_MODE, blob)})
    assert object_id("tree", tree, hash_name) == hash_object(tree, "tree", here, "-w")
    assert len(decode_tree(tree, size, "x")["a"].oid) == 2 * size
    commit = encode_commit(
        Commit(
            object_id("tree", tree, hash_name),
            (),
            Signature("A", "a@b", 5),
            Signature("B", "b@c", 6, -90),
            "m\n",
        )
    )
    assert object_id("commit", commit, hash_name) == hash_object(commit, "commit", here)


def test_a_tree_is_in_the_order_that_git_sorts_by(repository: Path, git: RealGit) -> None:
    names = ["a", "a.b", "a0", "ab", "b", "B", "a-b", "é"]
    for name in names:
        (repository / name).mkdir()
        (repository / name / "file").write_text("x")
        (repository / f"{name}=").write_text("x")
    git("add", "--all", cwd=repository)
    oid = git("write-tree", cwd=repository)
    data = subprocess.run(
        ["git", "cat-file", "tree", oid], cwd=repository, capture_output=True, check=True
    ).stdout
    entries = decode_tree(data, 20, oid)
    assert set(names) < set(entries)
    assert encode_tree(dict(sorted(entries.items(), reverse=True))) == data


def test_a_commit_that_git_wrote_is_read(repository: Path, git: RealGit) -> None:
    git("commit", "--quiet", "--allow-empty", "-m", "première\n\nbody", cwd=repository)
    oid = git("rev-parse", "HEAD", cwd=repository)
    data = subprocess.run(
        ["git", "cat-file", "commit", oid], cwd=repository, capture_output=True, check=True
    ).stdout
    commit = decode_commit(data, oid)
    assert commit.message == "première\n\nbody\n"
    assert commit.parents == (git("rev-parse", "HEAD~", cwd=repository),)
    assert commit.author.name == "Ada Example"
    assert encode_commit(commit) == data


@given(ENTRIES)
def test_a_tree_comes_back(entries: dict[str, Entry]) -> None:
    data = encode_tree(entries)
    assert decode_tree(data, 20, "x") == entries
    assert encode_tree(decode_tree(data, 20, "x")) == data


@given(PEOPLE, PEOPLE, st.lists(st.just(OID), max_size=3), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_commit_comes_back(
    author: Signature, committer: Signature, parents: list[Oid], message: str
) -> None:
    commit = Commit(OID, tuple(parents), author, committer, message)
    assert decode_commit(encode_commit(commit), "x") == commit


@given(st.text(), st.text())
def test_whoever_signs_git_and_we_can_read_the_commit(name: str, email: str) -> None:
    commit = Commit(OID, (), Signature(name, email, 7, 60), Signature("C", "c@d", 8), "m\n")
    data = encode_commit(commit)
    lines = data.split(b"\n\n")[0].split(b"\n")
    assert [line.split(b" ")[0] for line in lines] == [b"tree", b"author", b"committer"]
    found = decode_commit(data, "x")
    assert (found.author.time_s, found.author.offset_min, found.committer) == (7, 60, commit.committer)


def test_a_tree_cut_short_anywhere_but_between_entries_is_refused() -> None:
    data = encode_tree({"a": Entry(FILE_MODE, OID), "b": Entry(TREE_MODE, OID)})
    first = len(encode_tree({"a": Entry(FILE_MODE, OID)}))
    for length in set(range(1, len(data))) - {first}:
        with pytest.raises(ObjectDamaged):
            decode_tree(data[:length], 20, "x")


def test_a_tree_with_names_of_another_length_is_refused() -> None:
    with pytest.raises(ObjectDamaged):
        decode_tree(encode_tree({"a": Entry(FILE_MODE, OID), "b": Entry(FILE_MODE, OID)}), 32, "x")


@pytest.mark.parametrize(
    "mode", [b"", b"+100644", b"1_00644", b" 100644", b"0x1", b"100649", b"-1", b"644\n"]
)
def test_a_mode_that_is_no_octal_number_is_refused(mode: bytes) -> None:
    with pytest.raises(ObjectDamaged):
        decode_tree(mode + b" a\0" + bytes(20), 20, "x")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ObjectDamaged, match="twice"):
        decode_tree(2 * encode_tree({"a": Entry(FILE_MODE, OID)}), 20, "x")


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_a_tree_or_refused(data: bytes) -> None:
    try:
        entries = decode_tree(data, 20, "x")
    except ObjectDamaged:
        return
    assert set(decode_tree(encode_tree(entries), 20, "x")) == set(entries)


COMMIT = encode_commit(Commit(OID, (OID,), Signature("A", "a@b", 5), Signature("B", "b@c", 6), "m\n"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"hello\n\nhello",
        COMMIT.replace(b"tree ", b"tee "),
        COMMIT.replace(b"author", b"writer"),
        COMMIT.replace(b"committer", b"author"),
        COMMIT.replace(b"tree " + OID.encode(), b"tree " + OID.encode()[1:]),
        COMMIT.replace(b"parent " + OID.encode(), b"parent ../../etc/passwd"),
        COMMIT.replace(b"parent " + OID.encode(), b"parent " + OID.upper().encode()),
        COMMIT.replace(b"tree " + OID.encode(), b"tree \xff" + OID.encode()[1:]),
        COMMIT.replace(b" 5 +0000", b""),
        COMMIT.replace(b" 5 +0000", b" five +0000"),
        COMMIT.replace(b" 5 +0000", b" 5 +zz00"),
        COMMIT.replace(b" 5 +0000", b" " + b"9" * 5000 + b" +0000"),
    ],
)
def test_what_is_no_commit_is_refused(data: bytes) -> None:
    with pytest.raises(ObjectDamaged):
        decode_commit(data, "x")


def test_headers_that_gitmem_does_not_know_are_passed_over() -> None:
    signed = COMMIT.replace(
        b"\n\nm", b"\ngpgsig -----BEGIN\n tree x\n parent y\n\xff\nencoding latin-1\n\nm", 1
    )
    assert decode_commit(signed, "x") == decode_commit(COMMIT, "x")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_commit(data: bytes) -> None:
    for text in (data, COMMIT[:60] + data):
        with pytest.raises(ObjectDamaged):
            decode_commit(text, "x")
