"""Words and vectors are kept up apart from each other, and what failed is tried again."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gitmem import disk
from gitmem.model.errors.store import DiskRefused
from gitmem.sidecar import known
from gitmem.sidecar.client import Relayed, ask
from gitmem.sidecar.folders import state_folder
from gitmem.sidecar.wire import Place, Request
from indexer.service.log import Log
from indexer.service.upkeep import Upkeep, Work
from indexer.upkeep import state
from tests.conftest import IMPORTED_FROM, RealGit
from tests.indexer.memories import Filled, said
from tests.sidecar.conftest import Client, Sidecars, children_of, processes_of, until
from tests.sidecar.programs import HELD, QUICK
from tests.sidecar.test_keeping import is_current

PLACE = Place("/top", "/top/.git", "refs/heads/gitmem", "top", "team")


def vectors_of(memory: Filled, model_dir: Path) -> tuple[int, int]:
    """Return how many vectors there are, and how many texts have none, by whom nobody asks to change it."""
    request = Request("status", (memory.place,), model_dir=str(model_dir))
    (answer,) = ask(request, memory.environ)
    return answer["vectors"], answer["unembedded"]  # type: ignore[return-value]


@pytest.fixture
def sidecar_with_model(sidecars: Sidecars, model_dir: Path) -> Sidecars:
    """Return sidecars that find a model without being told."""
    sidecars.environ["GITMEM_MODEL_DIR"] = str(model_dir)
    return sidecars


def test_embedding_that_failed_is_tried_again(
    client: Client, sidecar_with_model: Sidecars, model_dir: Path
) -> None:
    blocked = client.memory.repository.common_dir / "gitmem" / "index" / "vectors"
    blocked.write_bytes(b"")
    sidecar_with_model.start(program=QUICK)
    client("anchor", model_dir=str(model_dir), mode="lexical")
    until(lambda: sidecar_with_model.log().count("failed at embedding: DiskRefused") > 1, "it failed twice")
    blocked.unlink()
    until(lambda: vectors_of(client.memory, model_dir) == (2, 0), "all is embedded")


def test_commit_is_indexed_while_others_and_itself_are_embedded(
    client: Client, sidecar_with_model: Sidecars, model_dir: Path, home: Path, tmp_path: Path, git: RealGit
) -> None:
    git("init", "--quiet", str(tmp_path / "other"), cwd=tmp_path)
    git.commit(tmp_path / "other")
    other = Filled(tmp_path / "other", client.memory.environ)
    other.add("one", [said("another anchor")])
    sidecar_with_model.start(program=HELD)
    for each in (client, Client(sidecar_with_model, other)):
        each("anchor", model_dir=str(model_dir), mode="lexical")
    until((home / "embeds").exists, "one of them is embedded")
    # A few by the sidecar itself, and more than that by a child.
    for memory, count in ((client.memory, 1), (other, 1), (client.memory, 9), (other, 9)):
        for n in range(count):
            memory.add(f"later {count} {n}", [said(f"a sextant of {count} and {n}")])
        until(lambda m=memory: is_current(m), "the index has come after")  # type: ignore[misc]
    assert vectors_of(client.memory, model_dir)[0] == vectors_of(other, model_dir)[0] == 0
    (home / "go").touch()
    until(lambda: vectors_of(client.memory, model_dir) == (12, 0), "the first is embedded")
    until(lambda: vectors_of(other, model_dir) == (11, 0), "so is the other one")


def test_model_that_is_installed_later_is_used_without_anybody_asking(
    client: Client, sidecars: Sidecars, model_dir: Path, tmp_path: Path
) -> None:
    later = tmp_path / "models"
    sidecars.environ["GITMEM_MODEL_DIR"] = str(later)
    sidecars.start(program=QUICK)
    client("anchor")
    assert vectors_of(client.memory, model_dir) == (0, 2)
    later.symlink_to(model_dir)
    until(lambda: vectors_of(client.memory, model_dir) == (2, 0), "all is embedded")


def test_child_is_started_only_for_what_is_not_embedded(
    client: Client, sidecar_with_model: Sidecars, model_dir: Path, home: Path
) -> None:
    list(ask(Request("update", (client.memory.place,), model_dir=str(model_dir)), client.memory.environ))
    known.remember(state_folder(sidecar_with_model.environ), client.memory.place)
    sidecar_with_model.start(program=HELD)
    client("anchor")
    client.memory.add("later", [said("a sextant")])
    until(lambda: (home / "embeds").exists() and (home / "embeds").read_text(), "what came is embedded")
    loaded = state.load(state.root_of(client.memory.repository.common_dir))
    assert isinstance(loaded, state.State)
    assert (home / "embeds").read_text() == f"{loaded.commit}\n"
    assert vectors_of(client.memory, model_dir) == (2, 1)


@pytest.mark.parametrize("verb", ["update", "rebuild"])
def test_killed_command_leaves_no_indexer_and_is_not_slowed_down(
    memory: Filled, environ: Mapping[str, str], home: Path, verb: str
) -> None:
    with disk.locked(state.lock_of(state.root_of(memory.repository.common_dir)), 0):
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gitmem", "index", verb],
            cwd=memory.top,
            env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        )
        until(lambda: _waits(process.pid), "an indexer waits for the lock")
        (indexer,) = children_of(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, indexer) == os.getpriority(os.PRIO_PROCESS, 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not processes_of(home), "it has ended")


def test_child_of_a_sidecar_gives_way_to_everybody_else(
    client: Client, sidecar_with_model: Sidecars, home: Path
) -> None:
    process = sidecar_with_model.start(program=HELD)
    client("anchor")
    until((home / "embeds").exists, "it embeds")
    (child,) = children_of(process.pid)
    assert os.getpriority(os.PRIO_PROCESS, child) == os.getpriority(os.PRIO_PROCESS, process.pid) + 10


def test_first_requests_of_all_kinds_at_once_are_answered_as_by_a_process(
    client: Client, sidecar_with_model: Sidecars, model_dir: Path
) -> None:
    words = ["anchor", "buoy", "sextant", "rudder"]
    client.memory.add("two", [said("the sextant is found"), said("where is the rudder")])
    list(ask(Request("update", (client.memory.place,), model_dir=str(model_dir)), client.memory.environ))
    asked = [(words[n // 2 % 4], "hybrid" if n % 2 else "lexical") for n in range(16)]

    def search(word: str, mode: str) -> tuple[dict[str, Any], ...]:
        answers = client(word, model_dir=str(model_dir), mode=mode)
        return tuple({**answer, "took_ms": 0} for answer in answers)

    expected = {each: search(*each) for each in set(asked)}
    assert {answers[0]["mode"] for answers in expected.values()} == {"hybrid", "lexical"}
    client.processes = 0
    sidecar_with_model.start()
    together = threading.Barrier(len(asked))
    found: dict[int, Any] = {}

    def ask_too(n: int) -> None:
        together.wait()
        found[n] = search(*asked[n])

    threads = [threading.Thread(target=ask_too, args=(n,)) for n in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.get(n) for n in range(len(asked))] == [expected[each] for each in asked]
    assert client.processes == 0
    assert "failed" not in sidecar_with_model.log()


def test_service_loads_nothing_that_loads_numpy_unasked(environ: Mapping[str, str]) -> None:
    program = (
        "import pkgutil, sys, importlib, indexer.service\n"
        "names = [each.name for each in pkgutil.iter_modules(indexer.service.__path__)]\n"
        "for name in names: importlib.import_module(f'indexer.service.{name}')\n"
        "import indexer.upkeep.embedding, indexer.model.installed, indexer.model.pinned\n"
        "print(len(names), sorted({'numpy', 'onnxruntime', 'hnswlib', 'tokenizers'} & set(sys.modules)))\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        capture_output=True,
        text=True,
        check=True,
    )
    count, _, loaded = finished.stdout.strip().partition(" ")
    assert int(count) > 8
    assert loaded == "[]"


def _upkeep(tmp_path: Path, do: Callable[[Place], object], mark: Callable[[Place], object]) -> Upkeep:
    work = Work("mending", 1, mark=mark, is_due=lambda place: True, do=do)
    return Upkeep(work, threading.Event(), Log(tmp_path / "log", 1))


def test_pause_grows_to_a_most_and_ends_with_another_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    tried: list[float] = []
    mark = ["one"]
    errors: list[Exception] = [DiskRefused("write", "/x", "full")]

    def fail(place: Place) -> None:
        tried.append(now_s[0])
        if errors:
            raise errors[0]

    kept_up = _upkeep(tmp_path, fail, lambda place: mark[0])

    def look(at_s: float) -> None:
        now_s[0] = at_s
        kept_up.look(PLACE)
        for thread in threading.enumerate():
            if thread.name == "mending":
                thread.join()

    for second in range(4000):
        look(float(second))
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600][: len(pauses)]
    assert len(pauses) > 9
    tried.clear()
    mark[0] = "two"
    look(4000.0)
    errors[:] = [Relayed("ObjectDamaged", "text", hint="")]
    mark[0] = "three"
    look(4001.0)
    errors[:] = [ZeroDivisionError()]
    mark[0] = "four"
    look(4002.0)
    errors.clear()
    look(4002.0 + 601)
    look(9999.0)
    assert tried == [4000, 4001, 4002, 4603]
    said_ = (tmp_path / "log").read_text()
    for kind in ("DiskRefused", "ObjectDamaged", "builtins.ZeroDivisionError"):
        assert f"failed at mending: {kind}" in said_
    mark[0] = "five"
    errors[:] = [DiskRefused("write", "/x", "full")]
    look(10_000.0)
    look(10_006.0)
    assert tried[-2:] == [10_000, 10_006]


def _waits(pid: int) -> bool:
    """Tell whether a process has a child that has loaded what it needs and waits."""
    return any(b"gitmem/index/lexical/lock" in _open_files(child) for child in children_of(pid))


def _open_files(pid: int) -> bytes:
    found = []
    folder = Path(f"/proc/{pid}/fd")
    for name in os.listdir(folder):  # noqa: PTH208 (names are all that is wanted)
        try:
            found.append(os.fsencode((folder / name).readlink()))
        except OSError:
            continue  # closed meanwhile
    return b"\n".join(found)
