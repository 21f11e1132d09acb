"""Fan-out folders that are compared row by row differ and unite as their entries do."""

from __future__ import annotations

import random

import pytest

from gitmem.model.ids import Oid
from gitmem.objects import fanout
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry, decode_tree, encode_tree


def folder(rng: random.Random, oid_size: int) -> dict[str, Entry]:
    names = rng.sample([f"{n:02x}" for n in range(256)], rng.randint(1, 256))
    return {name: Entry(TREE_MODE, Oid(rng.randbytes(oid_size).hex())) for name in names}


@pytest.mark.parametrize("oid_size", [20, 32])
def test_two_folders_differ_and_unite_as_dictionaries_do(seed: int, oid_size: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        here = folder(rng, oid_size)
        there = {**{name: here[name] for name in here if rng.random() < 0.9}, **folder(rng, oid_size)}
        found = fanout.compare(encode_tree(here), encode_tree(there), oid_size)
        assert found is not None
        assert found.here == {name: entry for name, entry in here.items() if there.get(name) != entry}
        assert found.there == {name: entry for name, entry in there.items() if here.get(name) != entry}
        united = fanout.unite(found.common, {**found.here, **found.there})
        assert united == encode_tree({**here, **there})
        assert decode_tree(united, oid_size, "x") == {**here, **there}


def test_what_git_would_not_write_as_a_fan_out_folder_is_left_to_others(seed: int) -> None:
    rng = random.Random(seed)
    entries = folder(rng, 20)
    good = encode_tree(entries)
    rows = [good[at : at + 29] for at in range(0, len(good), 29)]
    oid = rng.randbytes(20)
    bad = [
        b"",
        good[:-1],
        good + b"4",
        b"".join(reversed([*rows, b"40000 zz\0" + oid])),
        b"".join([*rows, rows[-1][:9] + oid]),
        b"".join([rows[0][:9] + min(oid, rows[0][9:]), *rows]),
        encode_tree({**entries, "a": Entry(TREE_MODE, Oid("ab" * 20))}),
        encode_tree({**entries, "AB": Entry(TREE_MODE, Oid("ab" * 20))}),
        encode_tree({**entries, "ab": Entry(FILE_MODE, Oid("ab" * 20))}),
        encode_tree({**entries, "ab": Entry(0o160000, Oid("ab" * 20))}),
        good.replace(b"40000 ", b"040000 "),
    ]
    for data in bad:
        assert fanout.compare(good, data, 20) is None
        assert fanout.compare(data, good, 20) is None
    assert fanout.compare(good, good, 32) is None
