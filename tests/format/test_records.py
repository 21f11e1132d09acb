"""Records: one spelling each, and whatever is spelled otherwise is refused by name."""

from __future__ import annotations

import hashlib
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.format import codec
from gitmem.format.records import MAX_RECORD_BYTES, encode, key_digest, name_of, seal, session_id, unseal
from gitmem.model import records as model
from gitmem.model.errors.store import ObjectDamaged, RecordRefused
from gitmem.model.ids import RecordId, SegmentId, SessionId, SessionKey
from gitmem.model.records import (
    Author,
    Capture,
    Checkpoint,
    CodePosition,
    Note,
    PathChange,
    Position,
    Record,
    Register,
    Rewrite,
    SegmentEntry,
    Session,
    Tombstone,
)

ID = "ab" * 32
OID = "cd" * 20
AT = "2026-02-03T06:34:50.123Z"
ADA = Author("Ada", "ada@example.org")
SESSION = Session("claude-code", "0c1d", ID)

EVERY_KIND: list[Record] = [
    SESSION,
    Capture(
        session=SessionId(ID),
        at=AT,
        author=ADA,
        by="gitmem 0",
        redaction="rules-1",
        segments=(SegmentEntry(SegmentId(ID), 3, 120),),
        keep=7,
        parents=(RecordId(ID),),
        stream="agent-1",
        shape="document",
        code=CodePosition(OID, "main"),
    ),
    Capture(SessionId(ID), AT, ADA, "gitmem 0", "rules-1", ()),
    Register(ID, "title", "A title", 1, AT, ADA),
    Register(ID, "tags", ("a", "b"), 2, AT, ADA),
    Register(ID, "level", "private", 2, AT, ADA),
    Register(ID, "hidden", True, 3, AT, ADA),
    Register(ID, "state", None, 3, AT, ADA),
    Checkpoint(AT, ADA, "post-commit"),
    Checkpoint(
        AT, ADA, "post-rewrite", OID, "main", OID, "index", (PathChange("a/b.py", 3, -1),), 2,
        (Position(SessionId(ID), "", 9),), (Rewrite(OID, "ef" * 20),), ("ab" * 20,), "m"
    ),
    Note("decision", "Use one lock.", AT, ADA, "codex", AT, (RecordId(ID),), (Position(SessionId(ID), "", 9),), ("a.py",)),
    Tombstone(ID, "team", AT, ADA, "asked to", "-----BEGIN SSH SIGNATURE-----"),
]  # fmt: skip


def read(plain: bytes, expected: type[Record] = Register) -> Record:
    """Read plaintext under the name that it has by its bytes."""
    name = hashlib.sha256(plain).hexdigest()
    return unseal(codec.compress(plain), name, "somewhere", expected)


def register(**changed: Any) -> bytes:
    """Write a register's plaintext with some fields changed, without asking the format."""
    fields = {"kind": "register", "target": ID, "name": "title", "value": "x", "clock": 1, "at": AT, "author": {"name": "Ada"}}  # fmt: skip
    return json.dumps(fields | changed, separators=(",", ":")).encode()


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: type(record).__name__)
def test_a_record_of_every_kind_comes_back(record: Record) -> None:
    name, blob = seal(record)
    assert unseal(blob, name, "x", type(record)) == record


def test_every_kind_of_record_is_among_those_tried() -> None:
    kinds = {kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Record)}
    assert {type(record) for record in EVERY_KIND} == kinds - {Record}


def test_plaintext_is_one_line_of_json_with_keys_in_order_and_defaults_left_out() -> None:
    assert encode(SESSION) == (
        b'{"kind":"session","agent":"claude-code","native_id":"0c1d","beginning":"' + ID.encode() + b'"}'
    )
    assert encode(Capture(SessionId(ID), AT, Author("Zoë"), "g", "r", (SegmentEntry(SegmentId(ID), 1, 2),))) == (
        f'{{"kind":"capture","session":"{ID}","at":"{AT}","author":{{"name":"Zoë"}},"by":"g","redaction":"r",'
        f'"segments":[["{ID}",1,2]]}}'
    ).encode()  # fmt: skip


def test_strings_escape_what_json_must_and_nothing_else() -> None:
    every = "".join(map(chr, range(0x20))) + '"\\/<>&\x7f\u2028é😀'
    plain = encode(Register(ID, "title", every, 1, AT, ADA))
    written = plain[plain.index(b'"value":') + 8 : plain.index(b',"clock"')].decode()
    short = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    assert written == '"' + "".join(short.get(c, f"\\u{ord(c):04x}" if c < " " else c) for c in every) + '"'


def test_a_record_is_named_by_its_plaintext_and_a_session_by_its_key_and_beginning() -> None:
    note = EVERY_KIND[10]
    assert name_of(note, encode(note)) == hashlib.sha256(encode(note)).hexdigest()
    expected = hashlib.sha256(b"claude-code/0c1d").hexdigest()[:40] + ID[:24]
    assert name_of(SESSION, encode(SESSION)) == session_id(SESSION) == expected
    assert key_digest(SessionKey("claude-code", "0c1d")) == expected[:40]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(string.hexdigits, max_size=3))
def test_any_native_id_comes_back(native_id: str, more: str) -> None:
    record = Session("generic", native_id + more, ID)
    name, blob = seal(record)
    assert unseal(blob, name, "x", Session) == record


def test_a_record_under_another_name_is_refused() -> None:
    for record in EVERY_KIND:
        _, blob = seal(record)
        with pytest.raises(RecordRefused, match="named"):
            unseal(blob, "00" * 32, "x", type(record))


def test_a_record_of_another_kind_is_refused() -> None:
    for record in EVERY_KIND:
        name, blob = seal(record)
        other: type[Record] = Tombstone if isinstance(record, Note) else Note
        with pytest.raises(RecordRefused, match=f"expected a {other.__name__.lower()}, found a"):
            unseal(blob, name, "x", other)


@pytest.mark.parametrize(
    "plain",
    [
        register() + b"\n",
        b" " + register(),
        register().replace(b'":', b'": '),
        register(author={"name": "Ada", "email": ""}),
        register(author={"name": "Ada", "phone": "1"}),
        register(value="\u00e9"),  # written as an escape
        register().replace(b'"value":"x"', b'"value":"\\/"'),
        register().replace(b'"kind":"register",', b"")[:-1] + b',"kind":"register"}',
        register().replace(b'"clock":1', b'"clock":2,"clock":1'),
        register().replace(b'"kind":"register"', b'"kind":"register","kind":"register"'),
        register().replace(b'"clock":1', b'"clock":-0'),
    ],
    ids=["line end", "space before", "spaces", "default", "nested", "escape", "slash", "order", "twice", "two kinds", "-0"],
)  # fmt: skip
def test_json_that_says_the_same_in_another_way_is_refused(plain: bytes) -> None:
    with pytest.raises(RecordRefused, match="canonical"):
        read(plain)


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"kind":' * 50_000,
        register()[:-1],
        register(kind="nonsense"),
        register(kind=7),
        register(more=1),
        register(clock=-1),
        register(clock=1.5),
        register(clock=1e3),
        register(clock=2**53),
        register(clock=10**400),
        register(clock=True),
        register(clock="1"),
        register(target="AB" * 32),
        register(target="ab" * 31),
        register(target=ID + "\n"),
        register(target="../" * 21 + "a"),
        register(name="nonsense"),
        register(at="yesterday"),
        register(at="2026-02-03T06:34:50Z"),
        register(at="2026-02-03T06:34:50.123+00:00"),
        register(at=AT + "\n"),
        register(author="Ada"),
        register(author=None),
        register(value=7),
        register(value={"a": 1}),
        register(value=[1]),
        register().replace(b'"x"', b'"\xff"'),
        register().replace(b'"x"', b'"\\ud800"'),
        register().replace(b'"x"', b"NaN"),
        b"\xef\xbb\xbf" + register(),
    ],
)
def test_what_is_no_record_is_refused(plain: bytes) -> None:
    with pytest.raises(RecordRefused, match="not a record"):
        read(plain)


@pytest.mark.parametrize(
    "changed",
    [
        {"at": "2026-02-30T06:34:50.123Z"},
        {"at": "2026-02-03T24:34:50.123Z"},
        {"at": "0000-02-03T06:34:50.123Z"},
        {"value": True},
        {"value": ["a"]},
        {"name": "tags", "value": "a"},
        {"name": "hidden", "value": "yes"},
        {"name": "level", "value": "secret"},
        {"name": "state", "value": False},
    ],
    ids=str,
)
def test_values_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RecordRefused, match=r"no moment|cannot be|no level"):
        read(register(**changed))


@pytest.mark.parametrize(
    "session",
    [
        {"agent": ""},
        {"agent": "a/b"},
        {"agent": "a\nb"},
        {"native_id": ""},
        {"beginning": ""},
        {"beginning": "Z" * 64},
    ],
    ids=str,
)
def test_a_session_that_could_not_be_named_is_refused(session: dict[str, str]) -> None:
    fields = {"kind": "session", "agent": "codex", "native_id": "1", "beginning": ID} | session
    with pytest.raises(RecordRefused, match="not a record"):
        read(json.dumps(fields, separators=(",", ":")).encode(), Session)


@pytest.mark.parametrize(
    "entry", [["x", 1, 1], [ID, -1, 1], [ID, 1, -1], [ID, 1], [ID, 1, 1, 1], [ID, 1.0, 1], ID]
)
def test_a_capture_with_a_segment_that_cannot_be_is_refused(entry: object) -> None:
    fields = {"kind": "capture", "session": ID, "at": AT, "author": {"name": "A"}, "by": "g", "redaction": "r", "segments": [entry]}  # fmt: skip
    with pytest.raises(RecordRefused, match=r"not a record|canonical"):
        read(json.dumps(fields, separators=(",", ":")).encode(), Capture)


def test_a_record_cut_short_anywhere_is_refused() -> None:
    name, blob = seal(EVERY_KIND[1])
    for length in range(len(blob)):
        with pytest.raises(ObjectDamaged):
            unseal(blob[:length], name, "x", Capture)


def test_a_flip_anywhere_in_a_blob_changes_nothing_that_is_read() -> None:
    for record in EVERY_KIND:
        name, blob = seal(record)
        for at in range(len(blob)):
            damaged = bytearray(blob)
            damaged[at] ^= 1 << (at % 8)
            try:
                found = unseal(bytes(damaged), name, "x", type(record))
            except (ObjectDamaged, RecordRefused):
                continue
            assert found == record


def test_a_record_beyond_the_bound_is_refused_before_it_is_decoded() -> None:
    blob = codec.compress(b" " * (MAX_RECORD_BYTES + 1))
    with pytest.raises(ObjectDamaged, match="more than"):
        unseal(blob, ID, "x", Note)


@pytest.mark.parametrize(
    ("record", "longer"),
    [
        (Session("codex", "n" * 65_536, ID), Session("codex", "n" * 65_537, ID)),
        (
            Capture(SessionId(ID), AT, ADA, "g", "r", (), stream="s" * 4096),
            Capture(SessionId(ID), AT, ADA, "g", "r", (), stream="s" * 4097),
        ),
        (
            Register(ID, "title", "t" * 4096, 1, AT, ADA),
            Register(ID, "title", "t" * 4097, 1, AT, ADA),
        ),
        (
            Register(ID, "tags", ("t" * 1024,) * 100, 1, AT, ADA),
            Register(ID, "tags", ("t",) * 101, 1, AT, ADA),
        ),
        (Register(ID, "tags", ("t" * 1024,), 1, AT, ADA), Register(ID, "tags", ("t" * 1025,), 1, AT, ADA)),
    ],
    ids=["native id", "stream", "title", "number of tags", "tag"],
)
def test_a_name_beyond_its_bound_is_refused(record: Record, longer: Record) -> None:
    name, blob = seal(record)
    assert unseal(blob, name, "somewhere", type(record)) == record
    plain = encode(longer)
    with pytest.raises(RecordRefused, match="more than"):
        unseal(codec.compress(plain), name_of(longer, plain), "somewhere", type(longer))
    with pytest.raises(RecordRefused, match="more than"):
        seal(longer)


def test_a_capture_of_many_segments_fits_the_bound() -> None:
    entries = tuple(SegmentEntry(SegmentId(f"{n:064x}"), 1, 2) for n in range(50_000))
    record = Capture(SessionId(ID), AT, ADA, "g", "r", entries)
    name, blob = seal(record)
    assert unseal(blob, name, "x", Capture) == record


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((ObjectDamaged, RecordRefused)):
        unseal(data, ID, "x", Note)
    with pytest.raises(RecordRefused):
        read(data, Note)
