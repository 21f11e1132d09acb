"""Paths: every form that gitmem writes is accepted, and no other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.format import layout
from gitmem.format.layout import Place, check_entry, check_folder, place
from gitmem.model.errors.store import RecordRefused
from gitmem.model.ids import Oid, RecordId, SegmentId, SessionId
from gitmem.objects.encoding import FILE_MODE, TREE_MODE, Entry
from gitmem.objects.trees import Path

ID = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
OID = Oid("0" * 40)

EVERY_FORM: dict[str, Place] = {
    "FORMAT": Place("root", "FORMAT"),
    "README.md": Place("root", "README.md"),
    "netlify.toml": Place("root", "netlify.toml"),
    "vercel.json": Place("root", "vercel.json"),
    f"sessions/01/23/{ID[4:]}/session": Place("session", ID, ID),
    f"sessions/01/23/{ID[4:]}/captures/fe/{OTHER[2:]}": Place("capture", OTHER, ID),
    f"sessions/01/23/{ID[4:]}/segments/fe/{OTHER[2:]}": Place("segment", OTHER, ID),
    f"sessions/01/23/{ID[4:]}/registers/fe/{OTHER[2:]}": Place("register", OTHER, ID),
    f"notes/01/23/{ID[4:]}/note": Place("note", ID, ID),
    f"notes/01/23/{ID[4:]}/registers/fe/{OTHER[2:]}": Place("register", OTHER, ID),
    f"checkpoints/01/23/{ID[4:]}": Place("checkpoint", ID),
    f"tombstones/01/23/{ID[4:]}/{OTHER}": Place("tombstone", OTHER, ID),
}
SPELLED = re.compile(
    r"FORMAT|README\.md|netlify\.toml|vercel\.json"
    r"|checkpoints/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}"
    r"|tombstones/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[0-9a-f]{64}"
    r"|sessions/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/(session|(captures|segments|registers)/[0-9a-f]{2}/[0-9a-f]{62})"
    r"|notes/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/(note|registers/[0-9a-f]{2}/[0-9a-f]{62})"
)
PARTS = [
    "FORMAT", "README.md", "sessions", "notes", "checkpoints", "tombstones", "captures", "segments", "registers", "session", "note",
    "audit", "ab", "AB", "abc", "a", "", ".", "..", ".git", "a" * 60, "a" * 62, "a" * 64, "A" * 60, "a" * 60 + "\n", "ab\n",
    "\u0661\u0662", "\udc80", "con", "ab ", "ab\0",
]  # fmt: skip


def split(path: str) -> Path:
    return tuple(path.split("/"))


@pytest.mark.parametrize("path", EVERY_FORM)
def test_every_form_of_path_is_accepted(path: str) -> None:
    assert place(split(path)) == EVERY_FORM[path]
    assert check_entry(split(path), Entry(FILE_MODE, OID)) == EVERY_FORM[path]


@pytest.mark.parametrize("path", EVERY_FORM)
def test_every_folder_on_the_way_is_accepted(path: str) -> None:
    parts = split(path)
    for length in range(1, len(parts)):
        check_folder(parts[:length], Entry(TREE_MODE, OID))
    with pytest.raises(RecordRefused):
        check_folder(parts, Entry(TREE_MODE, OID))


def test_functions_that_write_paths_agree_with_reading_them() -> None:
    session, record = SessionId(ID), RecordId(OTHER)
    written = [
        layout.session_path(session),
        layout.capture_path(session, record),
        layout.segment_path(session, SegmentId(OTHER)),
        layout.session_register_path(session, record),
        layout.tombstone_path(ID, record),
    ]
    for path in written:
        assert place(path) == EVERY_FORM["/".join(path)]
    assert layout.session_path(session) == (*layout.session_folder(session), "session")


@pytest.mark.parametrize("mode", [0o100755, 0o100664, 0o120000, 0o160000, 0o040000, 0o100600, 0, 0o777])
def test_a_file_of_any_other_mode_is_refused(mode: int) -> None:
    for path in EVERY_FORM:
        with pytest.raises(RecordRefused, match="mode"):
            check_entry(split(path), Entry(mode, OID))


@pytest.mark.parametrize("mode", [0o100644, 0o120000, 0o160000, 0o040755, 0])
def test_a_folder_of_any_other_mode_is_refused(mode: int) -> None:
    with pytest.raises(RecordRefused):
        check_folder(("sessions", "ab"), Entry(mode, OID))


@pytest.mark.parametrize(
    "path",
    [
        "format",
        "FORMAT/x",
        "README.md\n",
        ".gitattributes",
        ".gitmodules",
        "sessions",
        "sessions/01/23",
        f"sessions/01/23/{ID[4:]}",
        f"sessions/01/23/{ID[4:]}/Session",
        f"sessions/01/23/{ID[4:]}/note",
        f"sessions/01/23/{ID[4:]}/captures/{OTHER}",
        f"sessions/01/23/{ID[4:]}/captures/fe/{OTHER[2:].upper()}",
        f"sessions/01/23/{ID[4:]}/captures/fe/{OTHER[2:]}/x",
        f"sessions/{ID[:4]}/{ID[4:]}/session",
        f"sessions/../23/{ID[4:]}/session",
        f"notes/01/23/{ID[4:]}/captures/fe/{OTHER[2:]}",
        f"notes/01/23/{ID[4:]}/session",
        f"checkpoints/01/23/{ID[4:]}/checkpoint",
        f"tombstones/01/{ID[2:]}",
        f"tombstones/01/23/{ID[4:]}0",
        f"/tombstones/01/23/{ID[4:]}",
        "",
    ],
)
def test_a_path_that_gitmem_does_not_write_is_refused_by_name(path: str) -> None:
    with pytest.raises(RecordRefused) as caught:
        place(split(path))
    assert caught.value.path == path


def test_a_name_with_a_slash_stands_for_no_folder_between() -> None:
    path = f"sessions/01/23/{ID[4:]}/captures/fe/{OTHER[2:]}"
    for parts in (("sessions/01", *split(path)[2:]), (*split(path)[:-2], f"fe/{OTHER[2:]}"), (path,)):
        with pytest.raises(RecordRefused):
            place(parts)
    for parts in (("sessions/01", "23"), ("sessions", "01/23"), ("sessions/01/23",)):
        with pytest.raises(RecordRefused):
            check_folder(parts, Entry(0o040000, OID))


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=8))
def test_a_path_is_accepted_if_and_only_if_it_is_spelled_so(parts: list[str]) -> None:
    path = "/".join(parts)
    if SPELLED.fullmatch(path) and all("/" not in part for part in parts):
        place(tuple(parts))
    else:
        with pytest.raises(RecordRefused):
            place(tuple(parts))


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=8))
def test_a_folder_is_opened_only_where_something_can_stand(parts: list[str]) -> None:
    beginnings = {split(path)[:length] for path in EVERY_FORM for length in range(1, len(split(path)))}
    shape = tuple(_shape(part) for part in parts)
    if shape in {tuple(_shape(part) for part in beginning) for beginning in beginnings}:
        check_folder(tuple(parts), Entry(TREE_MODE, OID))
    else:
        with pytest.raises(RecordRefused):
            check_folder(tuple(parts), Entry(TREE_MODE, OID))


def _shape(part: str) -> str:
    return f"hex {len(part)}" if re.fullmatch("[0-9a-f]{2}|[0-9a-f]{60}", part) else part
