"""A tree is canonical exactly where encoding its entries gives its bytes."""

from __future__ import annotations

import pytest

from gitmem.objects.encoding import decode_tree, encode_tree, is_canonical

_OID = bytes(range(20))


def tree(*entries: tuple[bytes, bytes]) -> bytes:
    return b"".join(mode + b" " + name + b"\0" + _OID for mode, name in entries)


@pytest.mark.parametrize(
    "data",
    [
        tree((b"40000", b"aa"), (b"40000", b"bb")),
        tree((b"100644", b"aa"), (b"100644", b"bb")),
        tree((b"100644", b"FORMAT"), (b"40000", b"sessions")),
        tree((b"40000", b"bb"), (b"40000", b"aa")),
        tree((b"040000", b"aa"), (b"40000", b"bb")),
        tree((b"040000", b"aa"), (b"040000", b"bb")),
        tree((b"100644", b"b"), (b"100644", b"aa")),
        tree((b"40000", b"a"), (b"100644", b"a.b")),
        tree((b"100644", b"a.b"), (b"40000", b"a")),
        tree((b"120000", b"aa"), (b"120000", b"bb")),
        tree((b"100644", b"\xff\xfe"), (b"100644", b"\xff\xff")),
    ],
)
def test_a_tree_is_canonical_where_it_is_what_git_writes(data: bytes) -> None:
    entries = decode_tree(data, 20, "a tree")
    assert is_canonical(entries, data) == (encode_tree(entries) == data)
