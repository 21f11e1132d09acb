"""A clone's log: chained, folded, repaired, written by many at once, and never in the way of reading."""

from __future__ import annotations

import multiprocessing
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitmem.auditing.entries import BEGINNING, Entry, follow
from gitmem.auditing.journal import Journal
from gitmem.auditing.log import ACTIONS, MOST_READ_BYTES, Log
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.store import AuditKeyDamaged, AuditUnwritten
from gitmem.model.settings import Audited

START_MS = 1_767_323_045_000


class Desk:
    """A log in a folder, and a clock that is turned by hand."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.state, self.user = folder / "state", folder / "user"
        self.random = random.Random(seed)
        self.now_ms = START_MS
        self.warnings: list[str] = []

    def log(self, by: str = "person", keeps: Audited = "all") -> Log:
        return Log(
            self.state,
            self.user,
            by=by,
            now_ms=lambda: self.now_ms,
            random_bytes=self.random.randbytes,
            keeps=keeps,
            warn=self.warnings.append,
        )

    @property
    def journal(self) -> Journal:
        log = self.log()
        return Journal(log.folder, log.identity().device)

    def entries(self) -> list[Entry]:
        """Return what stands in the log, which must be one chain."""
        self.log().settle()
        journal = self.journal
        return follow(journal.lines(), BEGINNING, journal.device, "the log")[0]

    def actions(self) -> list[str]:
        return [entry.action for entry in self.entries()]


@pytest.fixture
def desk(tmp_path: Path, seed: int) -> Desk:
    return Desk(tmp_path, seed)


def test_what_is_noted_is_one_chain(desk: Desk) -> None:
    for action in ACTIONS:
        desk.log().note(action)
    assert sorted(desk.actions()) == sorted(ACTIONS)


def test_an_entry_says_who_what_when_and_why(desk: Desk) -> None:
    log = desk.log("agent:codex")
    log.note("level", "session:" + "5e" * 32, reason="GDPR-17", detail={"to": "public", "from": "team"})
    [entry] = desk.entries()
    assert (entry.by, entry.action, entry.subject) == ("agent:codex", "level", "session:" + "5e" * 32)
    assert (entry.at, entry.reason) == ("2026-01-02T03:04:05.000Z", "GDPR-17")
    assert entry.detail == {"from": "team", "to": "public"}
    assert (entry.actor, entry.device) == (log.identity().actor, log.identity().device)


def test_reading_alike_within_a_minute_is_one_entry(desk: Desk) -> None:
    for _ in range(1000):
        desk.log().note("search", detail={"sessions": 3})
        desk.now_ms += 59
    [entry] = desk.entries()
    assert entry.detail == {"sessions": 3000, "times": 1000, "until": "2026-01-02T03:05:03.941Z"}


def test_reading_apart_stays_apart(desk: Desk) -> None:
    desk.log().note("search")
    desk.log("agent:codex").note("search")
    desk.log().note("show", "session:" + "5e" * 32)
    desk.log().note("show", "session:" + "6f" * 32)
    desk.now_ms += 60_000
    desk.log().note("search")
    assert desk.actions() == ["search", "search", "show", "show", "search"]


def test_reading_stands_before_what_was_done_after_it(desk: Desk) -> None:
    desk.log().note("search")
    desk.log().note("push")
    desk.log().note("search")
    assert desk.actions() == ["search", "push", "search"]


def test_what_waits_to_be_folded_is_bounded(desk: Desk) -> None:
    for _ in range(2500):
        desk.log().note("search")
        desk.now_ms += 60_000
    waiting = (desk.log().folder / "reads").stat().st_size
    assert waiting <= MOST_READ_BYTES
    assert len(desk.entries()) == 2500


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_reading_that_was_cut_short_spoils_no_other(desk: Desk, cut: int) -> None:
    desk.log().note("search")
    path = desk.log().folder / "reads"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-cut])
    desk.log().note("show")
    assert desk.actions() == ["search", "show"]


@pytest.mark.parametrize(
    "line", ["1", "[]", "{}", '"fives"', '["Search","person","memory",1,{}]', "[[],1,{},2,3]"]
)
def test_what_is_no_reading_is_passed_over(desk: Desk, line: str) -> None:
    desk.log().note("search")
    with (desk.log().folder / "reads").open("a") as file:
        file.write("\n" + line)
    assert desk.actions() == ["search"]


def test_it_keeps_as_much_as_the_setting_says(desk: Desk) -> None:
    for keeps in ("nothing", "changes"):
        desk.log(keeps=keeps).note("search")  # type: ignore[arg-type]
        desk.log(keeps=keeps).note("push")  # type: ignore[arg-type]
    assert desk.actions() == ["push"]


def test_nothing_is_made_where_nothing_is_kept(desk: Desk) -> None:
    desk.log(keeps="nothing").note("push")
    desk.log(keeps="nothing").settle()
    assert not desk.state.exists()
    assert not desk.user.exists()


def test_reading_goes_on_where_it_cannot_be_noted(desk: Desk) -> None:
    desk.state.write_bytes(b"in the way")
    desk.log().note("search")
    desk.log().note("capture")
    assert len(desk.warnings) == 2
    assert "search could not be noted" in desk.warnings[0]


@pytest.mark.parametrize("action", [name for name, handling in ACTIONS.items() if handling == "owed"])
def test_what_is_owed_and_cannot_be_noted_must_not_be_done(desk: Desk, action: str) -> None:
    desk.state.write_bytes(b"in the way")
    with pytest.raises(AuditUnwritten) as caught:
        desk.log().note(action)
    assert caught.value.action == action
    assert desk.warnings == []


@pytest.mark.parametrize("torn", [b"{", b'{"action":"se', b"\x00" * 50, b"x" * 100])
def test_an_entry_that_was_cut_short_is_put_aside_and_told_of(desk: Desk, torn: bytes) -> None:
    desk.log().note("push")
    path = desk.journal.path
    with path.open("ab") as file:
        file.write(torn)
    desk.log().note("pull")
    assert desk.actions() == ["push", "repair", "pull"]
    assert desk.entries()[1].detail == {"torn-bytes": len(torn), "unreadable": 0}
    assert (path.parent / "torn").read_bytes() == torn + b"\n"


def test_a_log_that_nobody_can_read_is_put_aside_and_told_of(desk: Desk) -> None:
    desk.log().note("push")
    path = desk.journal.path
    path.write_bytes(b"no entry at all\n")
    desk.log().note("pull")
    assert desk.actions() == ["repair", "pull"]
    assert (path.parent / "unreadable-1").read_bytes() == b"no entry at all\n"


@pytest.mark.parametrize(
    "detail",
    [{"title": "Flaky login"}, {"path": "src/a.py"}, {"who": "ada@example.org"}, {"Query": 1}, {"n": -1}],
)
def test_content_fits_into_no_entry(desk: Desk, detail: dict[str, int | str]) -> None:
    with pytest.raises(ValueError, match="no reader would take"):
        desk.log().note("push", detail=detail)
    assert desk.actions() == []


def test_a_session_that_not_all_may_know_of_has_a_pseudonym(desk: Desk) -> None:
    session = "5e" * 32
    assert desk.log().session(session, "team") == f"session:{session}"
    sealed = desk.log().session(session, "private")
    assert re.fullmatch("sealed:[0-9a-f]{32}", sealed)
    assert sealed == desk.log().session(session, "ephemeral") != desk.log().session("6f" * 32, "private")


def test_nobody_else_reads_what_is_local(desk: Desk) -> None:
    desk.log().note("search")
    desk.log().note("push")
    files = [path for path in [*desk.state.rglob("*"), *desk.user.rglob("*")] if path.stat().st_size]
    assert len(files) > 3
    folder = desk.log().folder
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in files if folder not in path.parents)


def test_a_key_that_is_damaged_is_named(desk: Desk) -> None:
    desk.log().note("push")
    (desk.user / "audit-identity").write_bytes(b"no key")
    with pytest.raises(AuditKeyDamaged):
        desk.log().identity()
    with pytest.raises(AuditUnwritten):
        desk.log().note("push")


def test_a_kill_between_writing_and_dropping_folded_readings_doubles_none(desk: Desk) -> None:
    for action in ("search", "show", "why"):
        desk.log().note(action)
    waiting = (desk.log().folder / "reads").read_bytes()
    assert desk.actions() == ["search", "show", "why"]
    (desk.log().folder / "reads.taken").write_bytes(waiting)
    journal = desk.journal
    for kept in range(3, -1, -1):
        journal.replace(journal.lines()[:kept])
        (desk.log().folder / "reads.taken").write_bytes(waiting)
        desk.log().note("search")
        assert desk.actions() == ["search", "show", "why", "search"]


def _note_many(state: Path, user: Path, number: int) -> None:
    log = Log(
        state,
        user,
        by=f"agent:{number}x".replace(str(number), "abcdefgh"[number]),
        now_ms=lambda: START_MS,
        random_bytes=random.Random(number).randbytes,
    )
    for n in range(25):
        log.note("capture", detail={"n": n})
        log.note("search")


def test_eight_processes_write_one_chain(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who reads waits for no more than a moment, which among eight others on a busy machine may not be enough.
    for wait in ("_READ_WAIT_S", "_LOCK_WAIT_S"):
        monkeypatch.setattr(f"gitmem.auditing.log.{wait}", 120.0)
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_note_many, args=(desk.state, desk.user, number)) for number in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    entries = desk.entries()
    for by in {entry.by for entry in entries}:
        written = [entry.detail["n"] for entry in entries if entry.by == by and entry.action == "capture"]
        assert written == list(range(25))
    searches = sum(int(entry.detail.get("times", 1)) for entry in entries if entry.action == "search")
    assert searches == 200


def test_errors_of_the_audit_say_what_to_do() -> None:
    def kinds() -> Iterator[GitmemError]:
        yield AuditUnwritten("push", "the disk is full")
        yield AuditKeyDamaged("/x", 32)

    for error in kinds():
        assert error.hint
