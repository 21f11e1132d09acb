"""What an import stores as a transcript grows, shrinks, is replaced, or is met again elsewhere."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitmem.format.memory import Memory
from gitmem.git.storage import GitStorage
from tests.importing import samples
from tests.importing.conftest import KEY, Importer, only_text, texts

Open = Callable[[], Memory]


def heads(memory: Memory, stream: str = "") -> list[tuple[int, int, int]]:
    """Return lines, captures on the way and generation of every head of the only session."""
    [folder] = memory.folders()
    stored = memory.load(folder)
    return [(head.lines, len(stored.captures), head.generation) for head in stored.heads()[stream]]


def test_a_transcript_comes_back_line_for_line(take: Importer, memory: Open, tmp_path: Path) -> None:
    content = samples.lines(0, 400)
    take(samples.write(tmp_path / "a.jsonl", content))
    assert only_text(memory()) == content


def test_importing_twice_commits_nothing(take: Importer, memory: Open, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 40))
    take(path)
    before = memory().commit
    report = take(path)
    assert (report.unchanged, report.commits, memory().commit) == (1, [], before)


@pytest.mark.parametrize("forgotten", ["positions", "mtime", "elsewhere"])
def test_importing_twice_commits_nothing_without_the_position_either(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path, forgotten: str
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 40))
    document = samples.write(tmp_path / "b.json", samples.gemini(30, "2026-03-01T11:00:00Z"))
    take(path, document)
    before = memory().commit
    match forgotten:
        case "positions":
            shutil.rmtree(storage.repository.state_dir / "sources")
        case "mtime":
            path.touch()
            document.touch()
        case _:
            path = path.rename(tmp_path / "moved.jsonl")
            document = document.rename(tmp_path / "moved.json")
    report = take(path, document)
    assert (report.unchanged, memory().commit) == (2, before)


@pytest.mark.parametrize("has_position", [True, False])
def test_a_grown_file_stores_only_what_is_new(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path, has_position: bool
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 40))
    take(path)
    path.write_bytes(samples.lines(0, 50))
    if not has_position:
        shutil.rmtree(storage.repository.state_dir / "sources")
    report = take(path)
    assert report.lines == 10
    assert len(report.grown_sessions) == 1
    assert heads(memory()) == [(50, 2, 0)]
    assert only_text(memory()) == samples.lines(0, 50)


def test_many_small_captures_read_back_as_one(take: Importer, memory: Open, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for n in range(1, 90):
        samples.write(path, samples.lines(0, n))
        take(path)
    assert heads(memory()) == [(89, 89, 0)]
    assert only_text(memory()) == samples.lines(0, 89)


def test_a_truncated_last_line_is_kept_and_completed_later(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    content = samples.lines(0, 10)
    path = samples.write(tmp_path / "a.jsonl", content[:-30])
    take(path)
    assert only_text(memory()) == content[:-30]
    path.write_bytes(content + samples.line(10))
    report = take(path)
    assert report.lines == 2
    assert only_text(memory()) == content + samples.line(10)
    assert heads(memory()) == [(11, 2, 0)]


def test_a_growing_file_is_captured_up_to_its_last_whole_line(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    content = samples.lines(0, 10)
    path = samples.write(tmp_path / "a.jsonl", content[:-30])
    take(path, whole=False)
    assert only_text(memory()) == samples.lines(0, 9)
    path.write_bytes(content)
    take(path, whole=False)
    assert only_text(memory()) == content


def test_a_transcript_that_shrank_starts_a_generation_and_loses_nothing(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 30))
    take(path)
    before = memory()
    path.write_bytes(samples.lines(0, 20))
    take(path)
    assert heads(memory()) == [(20, 2, 1)]
    assert only_text(memory()) == samples.lines(0, 20)
    assert only_text(before) == samples.lines(0, 30)


def test_a_transcript_that_was_replaced_starts_a_generation(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 30))
    take(path)
    replaced = samples.lines(0, 12) + samples.lines(100, 130)
    path.write_bytes(replaced)
    report = take(path)
    assert report.lines == 30
    assert heads(memory()) == [(42, 2, 1)]
    assert only_text(memory()) == replaced


def test_a_rewritten_document_costs_what_changed(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    sizes = []
    for n in range(7):
        content = samples.gemini(1000 + n, f"2026-03-01T11:00:{n:02}Z")
        take(samples.write(path, content))
        assert only_text(memory()) == content
        sizes.append(sum(p.stat().st_size for p in storage.repository.common_dir.rglob("*.pack")))
    [(_, captures, generation)] = heads(memory())
    assert (captures, generation) == (7, 6)
    grown = [b - a for a, b in itertools.pairwise(sizes)]
    assert max(grown) < len(content) / 50, grown


def test_an_older_copy_of_a_transcript_changes_nothing(take: Importer, memory: Open, tmp_path: Path) -> None:
    take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 30)))
    before = memory().commit
    older = samples.write(tmp_path / "older.jsonl", samples.lines(0, 20))
    assert take(older).unchanged == 1
    assert memory().commit == before
    older.write_bytes(samples.lines(0, 30))
    assert take(older).unchanged == 1
    assert memory().commit == before


def test_a_copy_that_went_on_elsewhere_is_a_second_head(take: Importer, memory: Open, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.jsonl", samples.lines(0, 20))
    take(path)
    path.write_bytes(samples.lines(0, 30))
    take(path)
    other = samples.lines(0, 25) + samples.lines(200, 220)
    take(samples.write(tmp_path / "copy.jsonl", other))
    assert sorted(texts(memory())) == sorted([samples.lines(0, 30), other])
    [folder] = memory().folders()
    assert [head.generation for head in memory().load(folder).heads()[""]] == [0, 0]


def test_equal_keys_with_different_beginnings_are_two_sessions(
    take: Importer, memory: Open, tmp_path: Path
) -> None:
    take(samples.write(tmp_path / "a.jsonl", samples.lines(0, 20)))
    take(samples.write(tmp_path / "b.jsonl", samples.lines(50, 70)))
    folders = list(memory().folders())
    assert len(folders) == 2
    assert len({memory().load(folder).key for folder in folders}) == 1
    assert folders[0].session[:40] == folders[1].session[:40]


def test_two_copies_in_one_import_are_one_session(take: Importer, memory: Open, tmp_path: Path) -> None:
    first = samples.write(tmp_path / "a.jsonl", samples.lines(0, 20))
    second = samples.write(tmp_path / "b.jsonl", samples.lines(0, 26))
    report = take(first, second, first)
    assert (len(report.new_sessions), report.unchanged) == (1, 1)
    assert heads(memory()) == [(26, 2, 0)]


def test_other_rules_and_another_key_store_no_line_again(
    take: Importer, memory: Open, storage: GitStorage, tmp_path: Path, secret: str
) -> None:
    content = samples.lines(0, 10) + samples.line(10, message={"role": "user", "content": f"key {secret}"})
    path = samples.write(tmp_path / "a.jsonl", content)
    assert take(path).replaced.total() == 1
    shutil.rmtree(storage.repository.state_dir / "sources")
    path.write_bytes(content + samples.line(11))
    report = take(path, key=KEY[::-1])
    assert report.lines == 1
    assert secret.encode() not in only_text(memory())
    assert len(only_text(memory()).splitlines()) == 12


def test_subagents_are_streams_of_their_session(take: Importer, memory: Open, tmp_path: Path) -> None:
    main = samples.write(tmp_path / f"{samples.NAME}.jsonl", samples.lines(0, 10))
    side = b"".join(samples.line(n, isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(5))
    below = samples.write(tmp_path / samples.NAME / "subagents" / "agent-ab12.jsonl", side)
    report = take(below, main)
    assert (len(report.new_sessions), len(report.commits)) == (1, 1)
    [folder] = memory().folders()
    streams = memory().load(folder).heads()
    assert list(streams) == ["", "agent-ab12"]
    assert only_text(memory(), "agent-ab12") == side


def test_a_subagent_whose_session_comes_later_is_joined(take: Importer, memory: Open, tmp_path: Path) -> None:
    side = b"".join(samples.line(n, isSidechain=True, agentId="ab12", uuid=f"s-{n}") for n in range(5))
    take(samples.write(tmp_path / samples.NAME / "subagents" / "agent-ab12.jsonl", side))
    take(samples.write(tmp_path / f"{samples.NAME}.jsonl", samples.lines(0, 10)))
    [folder] = memory().folders()
    assert list(memory().load(folder).heads()) == ["", "agent-ab12"]


def test_a_long_session_is_committed_in_batches(take: Importer, memory: Open, tmp_path: Path) -> None:
    content = b"".join(samples.line(n, pad="x" * 900) for n in range(6000))
    report = take(samples.write(tmp_path / "a.jsonl", content), batch_bytes=2_000_000)
    assert len(report.commits) > 2
    assert heads(memory())[0][0] == 6000
    assert only_text(memory()) == content
