"""Whatever happens to the index's files, and whenever its process is killed, the next search is right."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitmem.sidecar.client import ask
from gitmem.sidecar.wire import Request, encode_request
from indexer.upkeep import state as states
from tests.conftest import IMPORTED_FROM
from tests.indexer.memories import Filled, names_of, said
from tests.killing import chosen_points

QUERIES = ("anchor", "buoy chart", "deck")
START = f"import sys; sys.path.insert(0, {str(IMPORTED_FROM)!r}); from indexer.__main__ import main; sys.exit(main())"


def search(memory: Filled, notices: list[str] | None = None) -> list[Any]:
    """Ask in a process of its own, since a damaged file may take it down."""
    request = Request("search", (memory.place,), queries=QUERIES, limit=1000, catch_up_ms=60_000)
    kept: list[str] = []
    answers: list[Any] = list(ask(request, memory.environ, on_notice=kept.append))
    assert len(answers) == len(QUERIES)
    if notices is not None:
        notices[:] = kept
    return [(names_of(answer), answer["indexed"]["behind"]) for answer in answers]


@pytest.fixture
def filled(memory: Filled) -> Filled:
    for n in range(3):
        memory.add(f"s{n}", [said(f"anchor {n} {m}, buoy, chart {n}") for m in range(20)])
    return memory


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def overwrite(path: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


@pytest.mark.parametrize("harm", [remove, empty, cut_in_half, overwrite])
def test_index_whose_file_is_harmed_is_made_anew(
    filled: Filled, harm: Callable[[Path], None], tmp_path: Path
) -> None:
    expected = search(filled)
    root = states.root_of(filled.repository.common_dir)
    shutil.copytree(root, tmp_path / "whole")
    files = sorted(
        path.relative_to(root) for path in root.rglob("*") if path.is_file() and path.stat().st_size
    )
    assert len(files) >= 8
    for name in [files[n] for n in chosen_points(len(files))]:
        shutil.rmtree(root)
        shutil.copytree(tmp_path / "whole", root)
        harm(root / name)
        assert search(filled) == expected, name
        assert search(filled) == expected, name


def test_index_that_is_gone_is_made_anew_without_a_word(filled: Filled) -> None:
    expected = search(filled)
    shutil.rmtree(filled.repository.common_dir / "gitmem" / "index")
    notices = ["not asked yet"]
    assert search(filled, notices) == expected
    assert notices == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"schema": "1"}',
        b"\xff" * 100,
        b"[" * 100_000,
    ],
)
def test_state_that_says_nothing_is_taken_for_damage(filled: Filled, content: bytes) -> None:
    expected = search(filled)
    (states.root_of(filled.repository.common_dir) / "state.json").write_bytes(content)
    notices: list[str] = []
    assert search(filled, notices) == expected
    assert notices == ["made the search index anew: it was damaged"]


def test_state_of_another_version_is_no_damage(filled: Filled) -> None:
    expected = search(filled)
    path = states.root_of(filled.repository.common_dir) / "state.json"
    path.write_bytes(b'{"schema": 1, "of": "which nothing else is known"}')
    notices: list[str] = []
    assert search(filled, notices) == expected
    assert notices == ["made the search index anew: another version of gitmem made it"]


def test_state_that_names_another_folder_leads_nowhere(filled: Filled, tmp_path: Path) -> None:
    expected = search(filled)
    path = states.root_of(filled.repository.common_dir) / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "folder": "../../.."}))
    assert search(filled) == expected


def test_killed_at_any_moment_the_next_search_is_right(filled: Filled, seed: int) -> None:
    dice = random.Random(seed)
    update = encode_request(Request("update", (filled.place,)))
    rebuild = encode_request(Request("rebuild", (filled.place,)))
    started = time.monotonic()
    run(rebuild, filled)
    whole_s = time.monotonic() - started
    was_killed = 0
    for n in range(12):
        filled.add(f"s{n % 4}", [said(f"anchor {n} {m}, deck {n}") for m in range(10)])
        process = start(dice.choice([update, rebuild]), filled)
        pause_s = dice.uniform(0, whole_s)
        time.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        was_killed += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            whole_s = pause_s  # the machine has become faster than it was
    assert was_killed
    found = search(filled)
    run(rebuild, filled)
    assert search(filled) == found
    assert len(found[0][0]) == 60 + 120
    assert len(list(states.root_of(filled.repository.common_dir).glob("turns-*"))) == 1


def test_two_that_search_at_once_are_both_right(filled: Filled) -> None:
    request = encode_request(
        Request("search", (filled.place,), queries=QUERIES, limit=1000, catch_up_ms=60_000)
    )
    for n in range(3):
        filled.add(f"s{n}", [said(f"anchor again {n}")])
        several = [start(request, filled) for _ in range(4)]
        answers = [process.communicate()[0].splitlines() for process in several]
        counts = {len(json.loads(lines[0])["answer"]["hits"]) for lines in answers}
        assert counts == {60 + n + 1}


def start(request: bytes, memory: Filled) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-E", "-P", "-c", START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=memory.environ,
    )
    assert process.stdin is not None
    process.stdin.write(request)
    process.stdin.flush()
    process.stdin.close()
    process.stdin = None
    return process


def run(request: bytes, memory: Filled) -> None:
    process = start(request, memory)
    stdout, _ = process.communicate()
    assert process.returncode == 0
    assert json.loads(stdout.splitlines()[-1]) == {"end": True}
