"""A published chain, damaged or forged in every way: it is found, and named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.auditing.chains import FORMAT, MAX_PIECE_ENTRIES, Chain, Piece, chain_at, open_chain, read_entries
from gitmem.auditing.checking import Checked, check
from gitmem.auditing.entries import BEGINNING, Deed, Entry, Head, chain, decode, encode, name_of
from gitmem.auditing.listing import Wanted, newest
from gitmem.auditing.log import Log
from gitmem.auditing.publishing import publish
from gitmem.format import codec
from gitmem.model.errors.store import AuditRefused, ObjectDamaged
from gitmem.model.ids import Oid
from gitmem.model.refs import audit_ref
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Commit, Signature, encode_commit, encode_tree
from gitmem.objects.encoding import Entry as TreeEntry
from gitmem.objects.inprocess import InProcessStorage
from gitmem.objects.storage import add_all
from gitmem.objects.trees import read_tree, walk

DEVICE = "5e" * 16
ACTOR = "ac" * 16
REF = audit_ref(DEVICE)
WHO = Signature("gitmem", "gitmem", 1_767_323_045)


def deeds(number: int, action: str = "capture") -> list[Deed]:
    return [
        Deed(action, f"2026-01-02T03:04:{n % 60:02}.000Z", "person", {"n": n}, "", "memory")
        for n in range(number)
    ]


def lines_of(number: int) -> list[bytes]:
    return chain(deeds(number), BEGINNING, DEVICE, ACTOR)[0]


class Forge:
    """A chain in a store, any part of which can be replaced."""

    def __init__(self, folder: Path) -> None:
        self.storage = InProcessStorage()
        self.log = Log(
            folder / "state",
            folder / "user",
            by="person",
            now_ms=lambda: 0,
            random_bytes=random.Random(1).randbytes,
        )
        self.files: dict[str, TreeEntry] = {"FORMAT": self.blob(FORMAT)}

    def blob(self, data: bytes, mode: int = FILE_MODE) -> TreeEntry:
        return TreeEntry(mode, add_all(self.storage, [("blob", data)])[0])

    def piece(self, first: int, lines: list[bytes], text: bytes | None = None, head: str = "") -> str:
        """Put a piece in, and return its path."""
        text = b"".join(line + b"\n" for line in lines) if text is None else text
        entry = self.blob(codec.compress(text))
        last = first + len(lines) - 1
        path = "/".join(Piece(first, last, head or name_of(lines[-1]), "0" * 32, entry.oid).path)
        self.files[path] = entry
        return path

    def put(self, ref: str = REF) -> Oid:
        """Commit what there is to a ref."""
        top: dict[str, TreeEntry] = {}
        folders: dict[str, dict[str, TreeEntry]] = {}
        for path, entry in self.files.items():
            folder, slash, name = path.partition("/")
            if slash:
                folders.setdefault(folder, {})[name] = entry
            else:
                top[folder] = entry
        for folder, entries in folders.items():
            top[folder] = TreeEntry(TREE_MODE, add_all(self.storage, [("tree", encode_tree(entries))])[0])
        [tree] = add_all(self.storage, [("tree", encode_tree(top))])
        [commit] = add_all(self.storage, [("commit", encode_commit(Commit(tree, (), WHO, WHO, "x\n")))])
        self.storage.move_ref(ref, commit, self.storage.read_ref(ref), "test")
        return commit

    def kinds(self) -> list[str]:
        self.put()
        return [finding.kind for finding in check(self.storage, self.log, Checked())]

    def opened(self) -> Chain:
        found = open_chain(self.storage, DEVICE, self.put())
        list(read_entries(found))
        return found


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def test_a_chain_that_holds_is_read(forge: Forge) -> None:
    lines = lines_of(5)
    forge.piece(1, lines[:2])
    forge.piece(3, lines[2:3])
    forge.piece(4, lines[3:])
    assert forge.kinds() == []
    assert [entry.detail for entry in read_entries(forge.opened())] == [{"n": n} for n in range(5)]


def test_every_byte_of_a_piece_that_is_flipped_is_found(forge: Forge) -> None:
    lines = lines_of(3)
    path = forge.piece(1, lines)
    text = b"".join(line + b"\n" for line in lines)
    blob = codec.compress(text)
    same = 0
    for n in range(len(blob)):
        flipped = blob[:n] + bytes([blob[n] ^ (1 << n % 8)]) + blob[n + 1 :]
        forge.files[path] = forge.blob(flipped)
        if not forge.kinds():
            # A bit that says nothing: the same text comes out.
            assert codec.decompress(flipped, "it", 1 << 20) == text
            same += 1
    assert same <= 2


def test_every_byte_of_the_text_that_is_flipped_is_found(forge: Forge) -> None:
    lines = lines_of(2)
    text = b"".join(line + b"\n" for line in lines)
    path = forge.piece(1, lines)
    for n in range(len(text)):
        flipped = text[:n] + bytes([text[n] ^ (1 << n % 7)]) + text[n + 1 :]
        forge.files[path] = forge.blob(codec.compress(flipped))
        assert forge.kinds() == ["unreadable"], (n, text[n : n + 1])


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:2] + lines[3:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines[:2], lines[1], *lines[2:]],
        lambda lines: [
            *lines[:3],
            chain(deeds(1, "forget"), Head(3, name_of(lines[2])), DEVICE, ACTOR)[0][0],
            lines[4],
        ],
        lambda lines: lines_of(3) + chain(deeds(2), BEGINNING, "6f" * 16, ACTOR)[0],
        lambda lines: [line.replace(b"person", b"agent") for line in lines],
    ],
    ids=["first removed", "one removed", "swapped", "doubled", "replaced", "another device's", "rewritten"],
)
def test_entries_that_were_tampered_with_are_found(
    forge: Forge, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    lines = lines_of(5)
    changed = change(lines)
    forge.piece(1, changed, head=name_of(lines[-1]))
    assert forge.kinds() == ["unreadable"]


def test_a_piece_that_is_gone_is_found(forge: Forge) -> None:
    lines = lines_of(6)
    paths = [forge.piece(n + 1, lines[n : n + 2]) for n in (0, 2, 4)]
    for path in paths[:2]:
        kept = forge.files.pop(path)
        assert forge.kinds() == ["unreadable"]
        forge.files[path] = kept


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("000000000/x", FILE_MODE),
        ("000000000/../../../.git/config", FILE_MODE),
        ("README.md", FILE_MODE),
        ("000000000/000000000004-000000000004-" + "a" * 64 + "-" + "b" * 32, 0o120000),
        ("000000000/000000000004-000000000004-" + "a" * 64 + "-" + "b" * 32, 0o160000),
        ("000000000/000000000004-000000000004-" + "a" * 64 + "-" + "b" * 32, 0o100755),
        ("000000001/000000000004-000000000004-" + "a" * 64 + "-" + "b" * 32, FILE_MODE),
        ("000000000/000000000004-000000000003-" + "a" * 64 + "-" + "b" * 32, FILE_MODE),
        ("000000000/000000000004-000000009004-" + "a" * 64 + "-" + "b" * 32, FILE_MODE),
        ("000000000/000000000006-000000000006-" + "a" * 64 + "-" + "b" * 32, FILE_MODE),
        ("000000000/\x1b[2J", FILE_MODE),
    ],
)
def test_what_does_not_belong_into_a_chain_is_refused(forge: Forge, path: str, mode: int) -> None:
    forge.piece(1, lines_of(3))
    forge.files[path] = TreeEntry(mode, forge.files["FORMAT"].oid)
    assert forge.kinds() == ["unreadable"]


@pytest.mark.parametrize("content", [b"1\n", b"", b"0", b"x" * 1000])
def test_another_format_is_refused(forge: Forge, content: bytes) -> None:
    forge.piece(1, lines_of(3))
    forge.files["FORMAT"] = forge.blob(content)
    assert forge.kinds() == ["unreadable"]


def test_a_chain_without_a_format_is_refused(forge: Forge) -> None:
    forge.piece(1, lines_of(3))
    del forge.files["FORMAT"]
    assert forge.kinds() == ["unreadable"]


def test_a_bomb_is_not_unfolded(forge: Forge) -> None:
    lines = lines_of(1)
    forge.piece(1, lines, text=bytes(300 << 20))
    assert forge.kinds() == ["damaged"]


def test_a_chain_that_claims_too_many_entries_is_refused_unread(forge: Forge) -> None:
    for n in range(1001):
        first = n * MAX_PIECE_ENTRIES + 1
        piece = Piece(first, first + MAX_PIECE_ENTRIES - 1, "a" * 64, "0" * 32, forge.files["FORMAT"].oid)
        forge.files["/".join(piece.path)] = forge.files["FORMAT"]
    forge.put()
    [found] = check(forge.storage, forge.log, Checked())
    assert found.kind == "unreadable"
    assert "more than 1000000" in found.why


def test_a_ref_that_is_no_devices_is_named(forge: Forge) -> None:
    forge.piece(1, lines_of(1))
    forge.put("refs/gitmem/audit/laptop")
    assert [finding.kind for finding in check(forge.storage, forge.log, Checked())] == ["misnamed"]


def test_what_can_be_read_of_a_damaged_chain_is_listed(forge: Forge) -> None:
    lines = lines_of(6)
    forge.piece(1, lines[:2])
    path = forge.piece(3, lines[2:4])
    forge.piece(5, lines[4:])
    forge.files[path] = forge.blob(b"damaged")
    forge.put()
    refused: list[AuditRefused] = []
    rows = list(newest(forge.storage, forge.log, Wanted(), refused.append))
    assert [row.entry.number for row in rows] == [6, 5]
    assert len(refused) == 1


ENTRY = Entry(
    "push", ACTOR, "2026-01-02T03:04:05.678Z", "person", {"a": 1, "b": "x"}, DEVICE, 2, "0" * 64, "", "memory"
)


def test_an_entry_reads_back_as_it_was_written() -> None:
    assert decode(encode(ENTRY), "it") == ENTRY


def test_an_entry_is_canonical_json_with_its_keys_in_order() -> None:
    line = encode(ENTRY._replace(detail={"b": "x", "a": 1}))
    assert line == encode(ENTRY)
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"push"', '"push" '),
        ('"push"', '"Push"'),
        ('"push"', '"pu\\u0073h"'),
        ('"push"', '"pu\x1b[2Jsh"'),
        ('"push"', '"pu/sh"'),
        ('"a":1', '"a":01'),
        ('"a":1', '"a":1.0'),
        ('"a":1', '"a":-1'),
        ('"a":1', '"a":9999999999999999'),
        ('"a":1', '"a":null'),
        ('"a":1', '"a":[1]'),
        ('"a":1,"b":"x"', '"b":"x","a":1'),
        ('"a":1', '"a":2,"a":1'),
        ('"a":1', ",".join(f'"a{n:02}":1' for n in range(16))),
        ('"b":"x"', '"b":"two words"'),
        ('"b":"x"', '"b":"ada@example.org"'),
        ('"number":2', '"number":02'),
        ('"number":2', '"number":0'),
        ('"number":2', '"number":2,"extra":1'),
        ("2026-01-02", "2026-13-02"),
        ("2026-01-02", "2026-02-30"),
        ("03:04:05", "24:04:05"),
        ("03:04:05", "03:04:61"),
        ("2026-", "0000-"),
        ("{", "{ "),
        ("{", "\ufeff{"),
        ("}", "}\r"),
        ('"memory"', '"memory:zz"'),
        ('"memory"', '"../../etc"'),
        ('"person"', '"agent:Codex"'),
        (DEVICE, DEVICE.upper()),
    ],
)
def test_what_is_not_an_entry_in_canonical_form_is_refused(old: str, new: str) -> None:
    line = encode(ENTRY).decode()
    assert old in line
    with pytest.raises(AuditRefused):
        decode(line.replace(old, new, 1).encode(), "it")


def test_a_time_to_come_is_taken_as_it_is(forge: Forge) -> None:
    deed = Deed("push", "9999-12-31T23:59:59.999Z", "person", {}, "", "memory")
    forge.piece(1, chain([deed], BEGINNING, DEVICE, ACTOR)[0])
    assert forge.kinds() == []


def test_a_long_log_is_published_in_pieces(forge: Forge) -> None:
    for n in range(2500):
        forge.log.note("capture", detail={"n": n})
    [published] = publish(forge.storage, forge.log, "origin")
    found = chain_at(forge.storage, forge.log.identity().device, published.ref)
    assert found is not None
    assert [piece.last for piece in found.pieces] == [1000, 2000, 2500]
    assert [entry.detail["n"] for entry in read_entries(found)] == list(range(2500))
    assert len([*walk(forge.storage, found.root)]) == 4
    assert "FORMAT" in read_tree(forge.storage, found.root)
    journal = forge.log.folder / forge.log.identity().device / "log"
    assert journal.read_bytes() == b""
    # Once more changes nothing.
    assert publish(forge.storage, forge.log, "origin") == [published]


def test_a_piece_that_is_no_blob_is_named(forge: Forge) -> None:
    lines = lines_of(1)
    path = forge.piece(1, lines)
    [tree] = add_all(forge.storage, [("tree", b"")])
    forge.files[path] = TreeEntry(FILE_MODE, tree)
    with pytest.raises(ObjectDamaged):
        forge.opened()
    assert forge.kinds() == ["damaged"]
