"""What is derived of sessions: kept, read again only where something changed, bounded, and never needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitmem.format import layout
from gitmem.format.memory import Folder, Memory
from gitmem.objects.inprocess import InProcessStorage
from gitmem.verbs import picking
from gitmem.why import edits, touched
from gitmem.why.edits import SessionEdits, placed, remember
from gitmem.why.lines import HASH_BYTES, NO_PATH, has_hash, line_hash, name_hash, said
from tests.reading.book import Book, answered, called
from tests.reading.book import said as message


@pytest.fixture
def book() -> Book:
    return Book(InProcessStorage())


def wrote(n: int, path: str, *lines: str) -> str:
    return called(n, "Write", file_path=f"/home/ada/tides/{path}", content="\n".join(lines))


def derived(book: Book, state_dir: Path | None = None) -> SessionEdits:
    memory = book.memory()
    [folder] = memory.folders()
    return remember(memory, folder, memory.load(folder), state_dir)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the sessions that are read whole."""
    seen: list[str] = []
    derive = edits._derive

    def noting(memory: Memory, folder: Folder, *rest: object) -> SessionEdits:
        seen.append(folder.session)
        return derive(memory, folder, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(edits, "_derive", noting)
    return seen


def test_edits_have_their_turn_path_moment_and_prompt(book: Book) -> None:
    book.capture(
        [
            message(0, "user", "mend the gate"),
            message(1, "assistant", "I will"),
            wrote(2, "src/gate.py", "one", "two"),
            answered(3, "done"),
            called(4, "Bash", command="cat > lock.py <<'EOF'\nthree\nEOF"),
        ]
    )
    found = derived(book)
    assert found.paths == ("src/gate.py", "lock.py")
    first, second = found.turns
    assert (first.ordinal, first.line, first.prompt, first.at_ms, first.is_shell) == (
        2,
        2,
        0,
        1_772_000_002_000,
        False,
    )
    assert first.added == line_hash("one") + line_hash("  two ")
    assert (second.path, second.is_shell, second.added) == (1, True, line_hash("three"))
    assert found.names == b"".join(sorted((name_hash("x/gate.py"), name_hash("lock.py"))))


def test_edit_that_failed_is_left_out_and_a_command_that_failed_is_not(book: Book) -> None:
    book.capture(
        [
            wrote(0, "gate.py", "one"),
            answered(1, "no such file", is_error=True),
            called(2, "Bash", command="cat > gate.py <<'EOF'\ntwo\nEOF\nmake"),
            answered(3, "Exit code 2", is_error=True),
        ]
    )
    assert [turn.added for turn in derived(book).turns] == [line_hash("two")]


def test_lines_of_a_session_are_bounded(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "MAX_LINES", 3)
    book.capture([wrote(0, "a.py", "one", "two"), wrote(1, "a.py", "three", "four", "five")])
    found = derived(book)
    assert sum(len(turn.added) for turn in found.turns) == 3 * HASH_BYTES
    assert found.left_out == 2


def test_session_too_large_to_be_held_is_read_turn_by_turn(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.capture([message(0, "user", "mend the gate"), wrote(1, "a.py", "one")])
    whole = derived(book)
    monkeypatch.setattr(picking, "HELD_BYTES", 10)
    assert derived(book) == whole


def test_session_of_an_unknown_agent_has_written_nothing(book: Book) -> None:
    book.capture(["{}"], agent="a-newer-one")
    assert derived(book).turns == ()


def test_what_is_derived_is_read_again_only_if_the_text_changed(
    book: Book, tmp_path: Path, reads: list[str]
) -> None:
    session, capture = book.capture([wrote(0, "a.py", "one")])
    first = derived(book, tmp_path)
    assert derived(book, tmp_path) == first
    book.register(session, "title", "Mended")
    assert derived(book, tmp_path) == first
    assert len(reads) == 1
    book.capture([wrote(1, "a.py", "two")], parents=(capture,), keep=1)
    assert len(derived(book, tmp_path).turns) == 2
    assert len(reads) == 2


def test_damaged_file_is_derived_anew(book: Book, tmp_path: Path, reads: list[str]) -> None:
    book.capture([wrote(0, "a.py", "one")])
    first = derived(book, tmp_path)
    [file] = [path for path in (tmp_path / "cache" / "edits").rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-3])
    assert derived(book, tmp_path) == first
    assert len(reads) == 2


def test_table_reads_what_changed_and_nothing_else(book: Book, tmp_path: Path, reads: list[str]) -> None:
    one, _ = book.capture([wrote(0, "a.py", "one")], "one", beginning="1")
    two, capture = book.capture([wrote(0, "b.py", "one")], "two", beginning="2")
    told: list[tuple[int, int]] = []
    rows = touched.touchers(book.memory(), tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2)]
    assert {row.names for row in rows.values()} == {name_hash("a.py"), name_hash("b.py")}
    assert touched.touchers(book.memory(), tmp_path) == rows
    assert len(reads) == 2
    book.register(one, "title", "Mended")
    book.register(one, "hidden", True)
    book.capture([wrote(1, "c.py", "one")], "two", beginning="2", parents=(capture,), keep=1)
    rows = touched.touchers(book.memory(), tmp_path)
    assert (rows[one].title, rows[one].hidden) == ("Mended", True)
    assert has_hash(rows[two].names, name_hash("c.py"))
    assert rows == touched.touchers(book.memory(), None)
    assert reads[2:] == [two, *sorted((one, two))]


def test_table_drops_what_is_gone_and_tries_again_what_was_damaged(book: Book, tmp_path: Path) -> None:
    one, _ = book.capture([wrote(0, "a.py", "one")], "one", beginning="1")
    two, capture = book.capture([wrote(0, "b.py", "one")], "two", beginning="2")
    path = layout.capture_path(two, capture)
    memory = book.memory()
    found = memory.load(Folder(two, memory.find(two).tree))  # type: ignore[union-attr]
    assert len(touched.touchers(memory, tmp_path)) == 2
    book.put(two, path, b"no record")
    assert set(touched.touchers(book.memory(), tmp_path)) == {one}
    assert set(touched.touchers(book.memory(), tmp_path)) == {one}
    book.put(one, layout.session_folder(one), None)
    assert touched.touchers(book.memory(), tmp_path) == {}
    assert found.id == two


@pytest.mark.parametrize(
    ("path", "cwd", "root", "expected"),
    [
        ("/home/ada/tides/src/a.py", "/home/ada/tides", "/home/ada/tides", "src/a.py"),
        ("a.py", "/home/ada/tides/src", "/home/ada/tides", "src/a.py"),
        ("../a.py", "/home/ada/tides/src", "/home/ada/tides", "a.py"),
        ("./src//a.py", None, None, "src/a.py"),
        ("/tmp/a.py", "/home/ada/tides", "/home/ada/tides", "/tmp/a.py"),
        ("C:\\tides\\src\\a.py", "C:\\tides", "C:\\tides", "src/a.py"),
        ("src\\a.py", "C:\\tides", "C:\\tides", "src/a.py"),
        ("file:///home/ada/a.py", "/x", "/home/ada", "a.py"),
        ("~/a.py", "/x", "/x", "~/a.py"),
        ("a.py", "/home/ada/tides", "/", "home/ada/tides/a.py"),
    ],
)
def test_path_counts_from_where_the_session_began(
    path: str, cwd: str | None, root: str | None, expected: str
) -> None:
    assert placed(path, cwd, root) == expected


def test_hash_is_found_at_its_place_only() -> None:
    one, two = b"\1" * 7 + b"\2", b"\2" * 8
    assert has_hash(one + two, two)
    assert not has_hash(one + b"\2" * 7 + b"\3", two)
    assert not has_hash(b"", NO_PATH)
    assert line_hash("   ") == b""


def test_line_of_a_notebook_is_what_was_said() -> None:
    assert said('    "x = \\"one\\"\\n",', "a.ipynb") == 'x = "one"\n'
    assert said('  "x', "a.ipynb") == '"x'
    assert said('  "x",', "a.py") == '"x",'


def test_fork_is_read_again_when_what_it_was_forked_from_has_changed(
    book: Book, tmp_path: Path, reads: list[str]
) -> None:
    fork = {"forkedFrom": {"sessionId": "one", "messageUuid": "m0"}}
    copied = message(0, "user", "mend the gate")
    own = message(5, "user", "and the lock", **fork)
    two, _ = book.capture([own, wrote(6, "b.py", "one")], "two", beginning="2")
    before = touched.touchers(book.memory(), tmp_path)[two]
    assert (before.forked_from, before.origins) == ("one", ())
    one, _ = book.capture([copied, wrote(1, "a.py", "one")], "one", beginning="1")
    after = touched.touchers(book.memory(), tmp_path)[two]
    assert len(after.origins) == 1
    assert reads == [two, one, two]


def test_damaged_table_is_made_anew(book: Book, tmp_path: Path) -> None:
    book.capture([wrote(0, "a.py", "one")])
    rows = touched.touchers(book.memory(), tmp_path)
    [file] = [path for path in (tmp_path / "cache").iterdir() if path.name.startswith("touched-")]
    file.write_bytes(file.read_bytes()[:-1])
    assert touched.touchers(book.memory(), tmp_path) == rows
