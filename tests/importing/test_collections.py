"""Sessions of a collection: found, taken in as renditions, and known again as they grow or are written anew."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from gitmem.redaction.redactor import Redactor
from gitmem.transcripts.agent import Listing
from gitmem.transcripts.opencode_database import OpencodeDatabase
from gitmem.verbs import scanned
from gitmem.verbs.finding import named_sources
from gitmem.verbs.importing import import_sources
from gitmem.verbs.intake import Intake, Report, Source
from gitmem.verbs.known_collections import RACY_NS, KnownCollection, stamp_of
from gitmem.verbs.scanning import Scan, scan
from gitmem.verbs.sealing import HereSealer
from tests.importing.conftest import KEY, REF, WHO, only_text, texts
from tests.transcripts.test_opencode_database import make_database, put, session

LATER_NS = 4_000_000_000_000_000_000

Take = Callable[..., Report]


@pytest.fixture
def database(home: Path) -> Path:
    path = home / ".local/share/opencode/opencode.db"
    path.parent.mkdir(parents=True)
    return path


def change(database: Path, *documents: dict[str, Any]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for document in documents:
            put(connection, document)


def taken(storage: GitStorage, sources: list[Source], **fields: Any) -> Report:
    redactor = Redactor(KEY)
    state = storage.repository.state_dir
    intake = Intake(storage, REF, state, WHO, redactor, KEY, HereSealer(redactor), "gitmem test")
    return import_sources(intake._replace(**fields), sources)


@pytest.fixture
def look(storage: GitStorage, repository: Path, home: Path) -> Callable[..., Scan]:
    """Scan for a repository's sessions, or those of other working trees, and settle what was found."""

    def look(*tops: Path, now_ns: int = LATER_NS, settled: bool = True, **options: Any) -> Scan:
        found = scan(storage.repository.state_dir, tops or (repository,), home, {}, now_ns, **options)
        if settled:
            found.settle([])
        return found

    return look


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return the marks since which databases have been listed, as they are."""
    since_of: list[str | None] = []
    sessions = OpencodeDatabase.sessions

    def noting(self: OpencodeDatabase, path: Path, since: str | None) -> Listing:
        since_of.append(since)
        return sessions(self, path, since)

    monkeypatch.setattr(OpencodeDatabase, "sessions", noting)
    return since_of


@pytest.fixture
def capture(storage: GitStorage, repository: Path, home: Path) -> Take:
    """Scan for what has grown of the repository's sessions, and take it in."""

    def capture(**fields: Any) -> Report:
        found = scan(storage.repository.state_dir, [repository], home, {}, LATER_NS)
        report = taken(storage, list(found.grown), **fields)
        found.settle([refused.path for refused in report.refused])
        return report

    return capture


def of(repository: Path, own: str, *texts: str, updated: int = 1) -> dict[str, Any]:
    document = session(own, *texts, updated=updated)
    document["info"]["directory"] = str(repository)
    return document


def test_sessions_of_a_database_are_captured_where_they_began(
    capture: Take, database: Path, repository: Path, memory: Callable[[], Memory]
) -> None:
    ours = [of(repository, "ses_1", "tide one"), of(repository / "src", "ses_2", "tide two")]
    make_database(database, [*ours, session("ses_3", "not ours")])
    report = capture()
    assert (len(report.new_sessions), report.files) == (2, 2)
    found = sorted(texts(memory()))
    assert [text.count(b"\n") for text in found] == [2, 2]
    assert b"tide one" in found[0]
    assert b"tide two" in found[1]
    assert capture().files == 0


def test_only_what_is_new_of_a_session_is_stored(
    capture: Take, database: Path, repository: Path, memory: Callable[[], Memory]
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), of(repository, "ses_2", "other")])
    capture()
    change(database, of(repository, "ses_1", "one", "two", updated=50_000))
    report = capture()
    assert (report.files, len(report.grown_sessions), report.lines) == (1, 1, 2)
    [folder] = [one for one in memory().folders() if memory().load(one).key.native_id == "ses_1"]
    stored = memory().load(folder)
    [head] = stored.heads()[""]
    assert stored.captures[head.capture].keep == 1
    assert b"".join(memory().text(folder, head)).count(b"\n") == 3


def test_message_that_is_written_anew_in_the_middle_is_seen(
    capture: Take, database: Path, repository: Path, memory: Callable[[], Memory]
) -> None:
    # As long as before, and longer than what a position looks at of both ends.
    filler = [f"tide {n} " + "ebb and flow " * 500 for n in range(40)]
    make_database(database, [of(repository, "ses_1", *filler)])
    capture()
    change(
        database,
        of(repository, "ses_1", *filler[:20], filler[20].replace("ebb", "EBB"), *filler[21:], updated=9),
    )
    assert capture().lines == 21
    assert only_text(memory()).count(b"EBB") == 500


def test_nothing_unredacted_is_left_beside_the_memory(
    capture: Take, database: Path, repository: Path, storage: GitStorage, secret: str
) -> None:
    make_database(database, [of(repository, "ses_1", f"use {secret}")])
    assert capture().replaced
    state = storage.repository.state_dir
    left = [path for path in state.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert left == []
    assert not (state / "renditions").exists()


def test_session_that_was_refused_is_tried_again(
    capture: Take, database: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), of(repository, "ses_2", "two")])
    rendition = OpencodeDatabase.rendition

    def failing(self: OpencodeDatabase, path: Path, identity: Any) -> Any:
        if identity.native_id == "ses_1":
            raise OSError(5, "Input/output error")
        return rendition(self, path, identity)

    with monkeypatch.context() as patched:
        patched.setattr(OpencodeDatabase, "rendition", failing)
        report = capture()
    assert [refused.path.name for refused in report.refused] == ["ses_1"]
    assert len(report.new_sessions) == 1
    assert len(capture().new_sessions) == 1
    assert capture().files == 0


def test_database_is_imported_by_its_name(
    storage: GitStorage, database: Path, memory: Callable[[], Memory]
) -> None:
    ids = ["ses_1", "ses/../2", "ses 3#x"]
    make_database(database, [session(own, f"of {n}") for n, own in enumerate(ids)])
    report = taken(storage, list(named_sources([database], None)))
    assert not report.refused
    assert sorted(memory().load(folder).key.native_id for folder in memory().folders()) == sorted(ids)
    assert taken(storage, list(named_sources([database.parent], None))).unchanged == 3


def test_many_sessions_need_no_room_for_all_at_once(
    capture: Take, database: Path, repository: Path, storage: GitStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_database(database, [of(repository, f"ses_{n:03}", "tide " * 50) for n in range(40)])
    renditions = storage.repository.state_dir / "renditions"
    rendition, most = OpencodeDatabase.rendition, []

    def counting(self: OpencodeDatabase, path: Path, identity: Any) -> Any:
        most.append(len(list(renditions.iterdir())))
        return rendition(self, path, identity)

    monkeypatch.setattr(OpencodeDatabase, "rendition", counting)
    assert len(capture(batch_sources=5).new_sessions) == 40
    assert 1 < max(most) <= 12


def test_database_that_has_no_tables_yet_is_looked_at_again(
    capture: Take, database: Path, repository: Path
) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE first (id)")
    assert capture().files == 0
    make_database(database, [of(repository, "ses_1", "one")])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(capture().new_sessions) == 1


def grown(found: Scan) -> list[str]:
    return [source.path.name for source in found.grown]


def test_a_collection_in_which_nothing_changed_is_not_looked_into(
    look: Callable[..., Scan],
    database: Path,
    repository: Path,
    listings: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), session("ses_2", "not ours")])
    assert grown(look()) == ["ses_1"]
    listings.clear()
    unpacked: list[KnownCollection] = []
    sessions = KnownCollection.sessions
    monkeypatch.setattr(KnownCollection, "sessions", lambda self: unpacked.append(self) or sessions(self))
    found = look()
    assert (grown(found), listings, unpacked) == ([], [], [])
    assert [one.path.name for one in found.ours] == ["ses_1"]
    assert len(unpacked) == 1


def test_only_where_sessions_of_elsewhere_began_is_remembered(
    look: Callable[..., Scan], database: Path, repository: Path, storage: GitStorage
) -> None:
    make_database(database, [of(repository, "ses_1"), *(session(f"ses_not_ours_{n}") for n in range(9))])
    look()
    content = scanned.path_in(storage.repository.state_dir).read_bytes()
    assert b"ses_1" in content
    assert b"ses_not_ours" not in content
    assert content.count(b"/home/ada/tideline") == 1


def test_sessions_are_ours_from_the_day_that_the_place_is_where_they_began(
    look: Callable[..., Scan], database: Path, repository: Path, tmp_path: Path, listings: list[str | None]
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    make_database(database, [of(repository, "ses_1"), of(other, "ses_2"), of(other / "src", "ses_3")])
    assert grown(look()) == ["ses_1"]
    assert grown(look(repository, other)) == ["ses_2", "ses_3"]
    assert grown(look(repository, other)) == []
    assert listings == [None, None]
    found = look()  # what is not ours any more is not forgotten
    assert [one.path.name for one in found.ours] == ["ses_1"]
    assert grown(look(repository, other)) == []


def test_a_session_that_moves_elsewhere_is_no_more_ours(
    look: Callable[..., Scan], database: Path, repository: Path
) -> None:
    make_database(database, [of(repository, "ses_1"), of(repository, "ses_2")])
    look()
    change(database, session("ses_1", updated=9))
    assert [one.path.name for one in look().ours] == ["ses_2"]


def test_a_collection_as_fresh_as_the_look_at_it_is_listed_again(
    look: Callable[..., Scan], database: Path, repository: Path, listings: list[str | None]
) -> None:
    make_database(database, [of(repository, "ses_1", "one")])
    now_ns = stamp_of(database).latest_ns
    look(now_ns=now_ns)
    # Whether it was written to within the tick of the write before, nothing shows.
    assert grown(look(now_ns=now_ns)) == []
    assert len(listings) == 2
    look(now_ns=now_ns + 2 * RACY_NS)
    look(now_ns=now_ns + 3 * RACY_NS)
    assert len(listings) == 3


def test_what_is_written_ahead_of_a_database_alone_is_seen(
    look: Callable[..., Scan], database: Path, repository: Path
) -> None:
    make_database(database, [of(repository, "ses_1", "one")])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        look()
        before = database.read_bytes()
        put(connection, of(repository, "ses_1", "one", "two", updated=50_000))
        connection.commit()
        assert database.read_bytes() == before
        assert grown(look()) == ["ses_1"]
        assert grown(look()) == []


@pytest.mark.parametrize("way", ["replaced", "overwritten"])
def test_a_database_of_equal_size_and_time_is_seen_to_be_another(
    look: Callable[..., Scan], database: Path, repository: Path, way: str
) -> None:
    make_database(database, [of(repository, "ses_1", "one")])
    look()
    before, content = database.stat(), database.read_bytes()
    change(database, of(repository, "ses_1", "two", updated=2))
    other = database.read_bytes()
    assert len(other) == len(content)
    if way == "replaced":
        beside = database.with_name("beside")
        beside.write_bytes(other)
        os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
        beside.replace(database)
    else:
        database.write_bytes(other)
        os.utime(database, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = database.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert grown(look()) == ["ses_1"]


def test_what_a_killed_scan_had_found_is_found_again(
    look: Callable[..., Scan], database: Path, repository: Path
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), of(repository, "ses_2", "two")])
    look(settled=False)
    assert grown(look()) == ["ses_1", "ses_2"]
    change(database, of(repository, "ses_2", "two", "three", updated=50_000))
    look(settled=False)
    assert grown(look()) == ["ses_2"]
    assert grown(look()) == []


def test_anew_all_sessions_of_a_collection_have_grown(
    look: Callable[..., Scan], database: Path, repository: Path
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), of(repository, "ses_2", "two")])
    look()
    assert grown(look(anew=True)) == ["ses_1", "ses_2"]
    assert grown(look()) == []


def test_of_a_collection_that_was_forgotten_all_is_found_again(
    look: Callable[..., Scan], database: Path, repository: Path, storage: GitStorage
) -> None:
    make_database(database, [of(repository, "ses_1", "one"), session("ses_2")])
    look()
    scanned.forget_missing(storage.repository.state_dir)
    assert b"ses_1" not in scanned.path_in(storage.repository.state_dir).read_bytes()
    assert grown(look()) == ["ses_1"]
    assert grown(look()) == []
