"""Packs as gitmem writes them: git verifies, indexes and unpacks each, and applies its deltas."""

from __future__ import annotations

import random
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from dulwich.object_format import SHA1
from dulwich.pack import load_pack_index, pack_object_header
from hypothesis import given
from hypothesis import strategies as st

from gitmem.git.integrity import pack_problems
from gitmem.git.packfile import OFS_DELTA, encode_distance, encode_index, encode_object_header
from gitmem.git.packs import (
    KEEP_MARK,
    KeptPack,
    PackWriter,
    choose_packs,
    list_kept_packs,
    list_objects,
    remove_pack,
    tree_delta,
)
from gitmem.model.ids import Oid
from gitmem.objects.encoding import FILE_MODE, Entry, HashName, ObjectKind, encode_tree, object_id
from tests.conftest import RealGit

HASHES: list[HashName] = ["sha1", "sha256"]


@pytest.fixture(params=HASHES)
def hash_name(request: pytest.FixtureRequest) -> HashName:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def packs(tmp_path: Path, git: RealGit, hash_name: HashName) -> Path:
    """Return the packs' folder of a repository."""
    git("init", "--quiet", f"--object-format={hash_name}", str(tmp_path / "r"), cwd=tmp_path)
    return tmp_path / "r/.git/objects/pack"


def write(
    packs: Path, hash_name: HashName, objects: list[tuple[ObjectKind, bytes]]
) -> tuple[Path, list[Oid]]:
    with PackWriter(packs, hash_name) as writer:
        oids = [writer.add(kind, data) for kind, data in objects]
        path = writer.publish()
    assert path
    return path, oids


def content(packs: Path, oid: str, kind: str) -> bytes:
    return subprocess.run(["git", "cat-file", kind, oid], cwd=packs, capture_output=True, check=True).stdout


def samples(hash_name: HashName, seed: int) -> list[tuple[ObjectKind, bytes]]:
    rng = random.Random(seed)
    blobs: list[tuple[ObjectKind, bytes]] = [
        ("blob", rng.randbytes(size)) for size in (0, 1, 15, 16, 127, 128, 2047, 2048, 70_000, 300_000)
    ]
    blob = object_id("blob", blobs[3][1], hash_name)
    tree = encode_tree({"a": Entry(FILE_MODE, blob)})
    commit = b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n" % (
        object_id("tree", tree, hash_name).encode()
    )
    return [*blobs, ("tree", tree), ("commit", commit)]


def test_git_verifies_a_pack_and_reads_every_object(
    packs: Path, git: RealGit, hash_name: HashName, seed: int
) -> None:
    objects = samples(hash_name, seed)
    path, oids = write(packs, hash_name, objects)
    git("verify-pack", "-v", f"{path}.idx", cwd=packs)
    git("fsck", "--full", "--strict", cwd=packs)
    for oid, (kind, data) in zip(oids, objects, strict=True):
        assert content(packs, oid, kind) == data


def test_git_makes_the_same_index(
    packs: Path, tmp_path: Path, git: RealGit, hash_name: HashName, seed: int
) -> None:
    path, _ = write(packs, hash_name, samples(hash_name, seed))
    made = tmp_path / "made.idx"
    git("index-pack", f"--object-format={hash_name}", "-o", str(made), f"{path}.pack", cwd=tmp_path)
    assert made.read_bytes() == path.with_suffix(".idx").read_bytes()


def test_a_pack_is_named_by_its_checksum_and_kept(packs: Path, hash_name: HashName) -> None:
    path, oids = write(packs, hash_name, [("blob", b"hello\n")])
    size = 20 if hash_name == "sha1" else 32
    assert path.name == f"pack-{path.with_suffix('.pack').read_bytes()[-size:].hex()}"
    assert path.with_suffix(".keep").read_bytes() == KEEP_MARK
    [kept] = list_kept_packs(packs)
    assert kept == KeptPack(path, path.with_suffix(".pack").stat().st_size, 1)
    assert list_objects(kept, hash_name) == oids
    assert list(pack_problems(packs, hash_name)) == []


def test_an_object_twice_is_stored_once(packs: Path, hash_name: HashName) -> None:
    _, oids = write(packs, hash_name, [("blob", b"twice"), ("blob", b"twice"), ("blob", b"once")])
    assert len(set(oids)) == 2
    assert list_kept_packs(packs)[0].objects == 2


def test_the_same_objects_again_are_the_same_pack(packs: Path, hash_name: HashName) -> None:
    assert write(packs, hash_name, [("blob", b"x")]) == write(packs, hash_name, [("blob", b"x")])
    assert len(list(packs.iterdir())) == 3


def test_nothing_added_is_nothing_written(packs: Path, hash_name: HashName) -> None:
    with PackWriter(packs, hash_name) as writer:
        assert writer.publish() is None
    assert list(packs.iterdir()) == []


def test_an_error_leaves_nothing_behind(packs: Path, hash_name: HashName) -> None:
    with pytest.raises(KeyError), PackWriter(packs, hash_name) as writer:
        writer.add_delta(writer.add("blob", b"x"), Oid("ab" * 20), b"a base that is not here")
    assert list(packs.iterdir()) == []


def test_git_applies_a_chain_of_deltas(packs: Path, git: RealGit, hash_name: HashName, seed: int) -> None:
    rng = random.Random(seed)
    oids = [object_id("blob", b"%d" % n, hash_name) for n in range(600)]
    versions, entries = [], {}
    for n in range(30):
        for _ in range(rng.randint(1, 20)):
            entries[f"{rng.randrange(400):03}"] = Entry(FILE_MODE, rng.choice(oids))
        if n % 7 == 6:
            entries = dict(list(entries.items())[::2])
        versions.append(encode_tree(entries))
    with PackWriter(packs, hash_name) as writer:
        base, names = writer.add("tree", versions[-1]), {}
        for at in range(len(versions) - 2, -1, -1):
            name = object_id("tree", versions[at], hash_name)
            writer.add_delta(name, base, tree_delta(versions[at + 1], versions[at]))
            names[name], base = versions[at], name
        path = writer.publish()
    git("verify-pack", "-v", f"{path}.idx", cwd=packs)
    for name, data in names.items():
        assert content(packs, name, "tree") == data
    assert len(names) == 29


def apply(base: bytes, delta: bytes) -> bytes:
    """Apply a delta as gitformat-pack(5) describes it."""
    at = 0

    def size() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = delta[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    assert size() == len(base)
    expected, out = size(), bytearray()
    while at < len(delta):
        op = delta[at]
        at += 1
        assert op, "the instruction 0 is reserved"
        if not op & 0x80:
            out += delta[at : at + op]
            at += op
            continue
        values = [0] * 7
        for bit in range(7):
            if op & 1 << bit:
                values[bit] = delta[at]
                at += 1
        offset = int.from_bytes(bytes(values[:4]), "little")
        length = int.from_bytes(bytes(values[4:]), "little") or 0x10000
        assert offset + length <= len(base)
        out += base[offset : offset + length]
    assert len(out) == expected
    return bytes(out)


@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400))
def test_a_delta_makes_the_target(start: bytes, old: bytes, new: bytes, end: bytes) -> None:
    for base, target in (
        (start + old + end, start + new + end),
        (old, new),
        (start, start),
        (b"", new),
        (old, b""),
    ):
        assert apply(base, tree_delta(base, target)) == target


@pytest.mark.parametrize("size", [0xFFFF, 0x10000, 0x10001, 0x1FFFF, 300_000])
def test_a_delta_copies_long_runs(size: int, seed: int) -> None:
    base = random.Random(seed).randbytes(size)
    for target in (base + b"new", b"new" + base, base[:-1] + b"x", base[1:]):
        delta = tree_delta(base, target)
        assert apply(base, delta) == target
        assert len(delta) < 100


@given(st.lists(st.integers(1, 10_000), max_size=40), st.integers(0, 10))
def test_what_remains_is_a_progression(sizes: list[int], few: int) -> None:
    packs = [KeptPack(Path(f"pack-{n}"), size, 1) for n, size in enumerate(sorted(sizes))]
    chosen = choose_packs(packs, few)
    if len(packs) <= few:
        assert chosen == []
        return
    assert len(chosen) >= min(2, len(packs))
    assert chosen == packs[: len(chosen)]
    total = sum(pack.size_bytes for pack in chosen)
    for pack in packs[len(chosen) :]:
        assert pack.size_bytes >= 2 * total
        total += pack.size_bytes


def test_each_object_is_copied_a_few_times_in_a_repositorys_life() -> None:
    packs: list[KeptPack] = []
    copied = 0
    for n in range(3000):
        packs = sorted([*packs, KeptPack(Path(f"pack-{n}"), 1000, 1)], key=lambda pack: pack.size_bytes)
        chosen = choose_packs(packs, 24)
        if chosen:
            size = sum(pack.size_bytes for pack in chosen)
            copied += size
            packs = sorted(
                [*packs[len(chosen) :], KeptPack(Path(f"all-{n}"), size, 1)], key=lambda p: p.size_bytes
            )
        assert len(packs) <= 25
    assert copied <= 8 * 3000 * 1000


def test_full_packs_are_never_chosen() -> None:
    full = [KeptPack(Path(f"full-{n}"), 1 << 30, 20_000) for n in range(50)]
    assert choose_packs(full, 3) == []
    small = [KeptPack(Path(f"small-{n}"), 10, 1) for n in range(5)]
    assert choose_packs([*small, *full], 3) == small


def test_a_foreign_keep_and_a_pack_half_gone_are_not_gitmems(packs: Path, hash_name: HashName) -> None:
    foreign, _ = write(packs, hash_name, [("blob", b"theirs")])
    keep = foreign.with_suffix(".keep")
    keep.chmod(0o644)
    keep.write_bytes(b"fetch-pack 1 on somewhere\n")
    half, _ = write(packs, hash_name, [("blob", b"half")])
    half.with_suffix(".idx").unlink()
    ours, _ = write(packs, hash_name, [("blob", b"ours")])
    assert [pack.path for pack in list_kept_packs(packs)] == [ours]


def test_removing_a_pack_removes_all_of_it(packs: Path, git: RealGit, hash_name: HashName) -> None:
    path, _ = write(packs, hash_name, [("blob", b"x")])
    other, _ = write(packs, hash_name, [("blob", b"y")])
    remove_pack(path)
    assert {file.stem for file in packs.iterdir()} == {other.name}
    git("fsck", "--full", cwd=packs)


@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_problems_of_a_pack_are_told(packs: Path, hash_name: HashName, suffix: str) -> None:
    path, _ = write(packs, hash_name, [("blob", b"x")])
    other, _ = write(packs, hash_name, [("blob", b"y")])
    file = path.with_suffix(suffix)
    whole = file.read_bytes()
    file.chmod(0o644)
    for damaged in (
        whole[:-1],
        whole + b"\0",
        b"",
        whole[:10] + b"\xff" + whole[11:],
        other.with_suffix(suffix).read_bytes(),
    ):
        file.write_bytes(damaged)
        assert {Path(problem.name).stem for problem in pack_problems(packs, hash_name)} == {path.name}
    file.unlink()
    assert [(p.name, p.why) for p in pack_problems(packs, hash_name)] == [(str(file), "it is missing")]


def test_index_of_a_pack_beyond_two_gigabytes_is_read_by_others(tmp_path: Path, seed: int) -> None:
    made = random.Random(seed)
    rows = {made.randbytes(20): (at, made.getrandbits(32)) for at in (12, 2**31 - 1, 2**31, 2**40, 700)}
    path = tmp_path / "pack.idx"
    path.write_bytes(encode_index(rows, bytes(20), "sha1"))
    with closing(load_pack_index(path, SHA1)) as index:
        index.check()
        assert {name: (at, check) for name, at, check in index.iterentries()} == rows


@given(st.sampled_from([1, 2, 3, 4]), st.integers(0, 2**40), st.integers(1, 2**40))
def test_headers_of_objects_are_as_others_write_them(number: int, size: int, distance: int) -> None:
    assert encode_object_header(number, size) == bytes(pack_object_header(number, None, size, SHA1))
    ours = encode_object_header(OFS_DELTA, size) + encode_distance(distance)
    assert ours == bytes(pack_object_header(OFS_DELTA, distance, size, SHA1))
