"""What was captured here need not be looked at again before it is sent; all else has to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.format import layout, records
from gitmem.format.memory import Memory, open_memory
from gitmem.git.storage import GitStorage
from gitmem.model.records import Capture, Register, SegmentEntry
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, Rule, RuleSet, mark_of
from gitmem.sharing.vouching import is_captured_here, note_captured, was_by_other_rules
from gitmem.verbs.committing import commit
from tests.conftest import RealGit
from tests.importing.conftest import KEY, REF, WHO, Importer

MARK = Redactor(KEY).mark
Capturing = Callable[[str, int], Memory]


def write(path: Path, turns: int) -> Path:
    rows = [{"session": {"id": path.stem, "started_at": "2026-05-08T13:56:00Z"}}]
    rows += [{"id": f"{n}", "role": "user", "text": f"turn {n}"} for n in range(turns)]  # type: ignore[misc]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def capture(storage: GitStorage, take: Importer, tmp_path: Path) -> Capturing:
    """Capture a session of so many turns, note that, and return the memory."""

    def capture(name: str, turns: int) -> Memory:
        report = take(write(tmp_path / f"{name}.jsonl", turns), agent="generic", whole=False)
        assert len(report.commits) == 1, report
        note_captured(storage, REF, storage.repository.state_dir, Redactor(KEY), report.commits)
        return open_memory(storage, REF)

    return capture


def test_what_was_captured_here_leads_from_what_a_remote_has(storage: GitStorage, capture: Capturing) -> None:
    state = storage.repository.state_dir
    empty = open_memory(storage, REF)
    steps = [empty, capture("one", 2), capture("two", 3), capture("one", 4), capture("one", 6)]
    for memory in steps:
        assert is_captured_here(steps[-1], memory.root, state, MARK)
    assert not is_captured_here(steps[-1], None, state, MARK), "nobody captured what the memory begins with"


@pytest.mark.parametrize(
    "other",
    [
        mark_of(KEY, BUILT_IN.fingerprint, [b"a value that is known only now"]),
        mark_of(KEY, RuleSet((Rule("user-rule", "sluice", "sluice", group="user"),)).fingerprint, []),
        mark_of(bytes(32), BUILT_IN.fingerprint, []),
    ],
)
def test_other_rules_values_or_keys_look_at_it_again(
    storage: GitStorage, capture: Capturing, other: str
) -> None:
    before = open_memory(storage, REF).root
    memory = capture("one", 2)
    assert not is_captured_here(memory, before, storage.repository.state_dir, other)


def test_what_anybody_else_adds_is_looked_at(storage: GitStorage, capture: Capturing) -> None:
    state, before = storage.repository.state_dir, open_memory(storage, REF).root
    memory = capture("one", 2)
    [folder] = memory.folders()
    title = Register(folder.session, "title", "Of something", 1, WHO.now(), WHO.author)
    name, blob = records.seal(title)
    with storage.begin() as batch:
        changes = {layout.session_register_path(folder.session, name): batch.add("blob", blob)}
        commit(storage, REF, WHO, "Title\n", changes, batch)
    assert not is_captured_here(open_memory(storage, REF), before, state, MARK)
    after = open_memory(storage, REF).root
    assert is_captured_here(capture("one", 4), after, state, MARK), (
        "a remote that has it lacks only a capture"
    )
    assert not is_captured_here(open_memory(storage, REF), before, state, MARK)


def test_record_that_only_says_it_was_redacted_is_not_believed(
    storage: GitStorage, capture: Capturing
) -> None:
    state = storage.repository.state_dir
    memory = capture("one", 2)
    [folder] = memory.folders()
    [head] = memory.load(folder).heads()[""]
    segments = tuple(SegmentEntry(span.segment, span.line_ends, 1) for span in head.spans)
    by = Redactor(KEY).fingerprint
    forged = Capture(folder.session, WHO.now(), WHO.author, "gitmem test", by, segments)
    name, blob = records.seal(forged)
    with storage.begin() as batch:
        commit(
            storage,
            REF,
            WHO,
            "Capture\n",
            {layout.capture_path(folder.session, name): batch.add("blob", blob)},
            batch,
        )
    assert not is_captured_here(open_memory(storage, REF), memory.root, state, MARK)


def test_commit_that_does_more_than_capture_is_not_noted(
    storage: GitStorage, capture: Capturing, git: RealGit
) -> None:
    state = storage.repository.state_dir
    memory = capture("one", 2)
    [folder] = memory.folders()
    with storage.begin() as batch:
        gone = commit(storage, REF, WHO, "Gone\n", {layout.session_path(folder.session): None}, batch)
    note_captured(storage, REF, state, Redactor(KEY), [gone])
    assert not is_captured_here(open_memory(storage, REF), memory.root, state, MARK)


def test_other_rules_than_those_of_the_last_capture_are_told(storage: GitStorage, capture: Capturing) -> None:
    state = storage.repository.state_dir
    fingerprint = Redactor(KEY).fingerprint
    assert not was_by_other_rules(open_memory(storage, REF), state, "other")
    memory = capture("one", 2)
    assert was_by_other_rules(memory, state, "other")
    assert not was_by_other_rules(memory, state, fingerprint)


def test_damaged_note_means_a_second_look(storage: GitStorage, capture: Capturing) -> None:
    state, before = storage.repository.state_dir, open_memory(storage, REF).root
    memory = capture("one", 2)
    [table] = (state / "cache").glob("captured-*")
    table.write_bytes(table.read_bytes()[:-1])
    assert not is_captured_here(memory, before, state, MARK)
