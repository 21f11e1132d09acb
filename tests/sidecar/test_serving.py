"""One sidecar for a user: started once, asked by many, ended when it should be, and never two."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gitmem.sidecar.meeting import retire
from gitmem.sidecar.wire import encode, encode_request
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit
from tests.indexer.memories import Filled, said
from tests.sidecar.conftest import DEADLINE_S, Client, Sidecars, until
from tests.sidecar.programs import JUMPING, OTHER_HOME, OTHER_VERSION, QUICK, SLOW


def test_sidecar_answers_as_a_process_does(client: Client, sidecars: Sidecars) -> None:
    alone = client("anchor", "buoy", "nothing such")
    sidecars.start()
    client.processes = 0
    together = client("anchor", "buoy", "nothing such")
    for answer in (*alone, *together):
        del answer["took_ms"]
    assert together == alone
    assert (client.processes, client.starts) == (0, 1)


def test_several_repositories_are_answered_by_a_sidecar_as_by_a_process(
    client: Client, sidecars: Sidecars, memory: Filled, tmp_path: Path, git: RealGit
) -> None:
    git("init", "--quiet", str(tmp_path / "other"), cwd=tmp_path)
    git.commit(tmp_path / "other")
    without = memory.place._replace(common_dir=str(tmp_path / "other" / ".git"), name="none yet")
    sidecars.start()
    assert [hit["repo"] for hit in client(places=(memory.place, without))[0]["hits"]] == ["repository"]
    assert client.processes == 0
    other = Filled(tmp_path / "other", memory.environ)
    other.add("two", [said("an anchor of iron")])
    places = (memory.place, other.place)
    first = client("anchor", "anchro", places=places, facets=("repo",))
    assert client.processes == 1  # which has made the index that was missing
    second = client("anchor", "anchro", places=places, facets=("repo",))
    assert client.processes == 1
    for answer in (*first, *second):
        del answer["took_ms"]
    assert first == second
    assert {hit["repo"] for hit in first[0]["hits"]} == {"repository", "other"}
    assert first[1]["corrected"] == {"anchro": "anchor"}


def test_socket_is_the_users_alone(sidecars: Sidecars) -> None:
    sidecars.start()
    assert stat.S_IMODE(sidecars.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(sidecars.socket.stat().st_mode) == 0o600


def test_search_starts_a_sidecar_for_the_next_one(
    memory: Filled, sidecars: Sidecars, run: CommandLine
) -> None:
    first = run("search", "anchor", cwd=memory.top, environ=sidecars.environ)
    until(sidecars.greeting, "a sidecar greets")
    greeting = sidecars.greeting()
    second = run("search", "anchor", cwd=memory.top, environ=sidecars.environ)
    assert first.stdout == second.stdout
    assert greeting == sidecars.greeting()
    run("index", "stop", cwd=memory.top, environ=sidecars.environ)
    until(lambda: not sidecars.socket.exists(), "it has ended")
    run("index", "stop", cwd=memory.top, environ=sidecars.environ, status=1)


def test_setting_keeps_sidecars_away(memory: Filled, sidecars: Sidecars, run: CommandLine) -> None:
    run("search", "anchor", cwd=memory.top, environ={**sidecars.environ, "GITMEM_SIDECAR": "false"})
    assert not sidecars.folder.exists()


@pytest.mark.parametrize("count", [2, 20])
def test_of_several_that_start_at_once_one_serves(sidecars: Sidecars, count: int) -> None:
    processes = [sidecars.launch() for _ in range(count)]
    until(lambda: sum(process.poll() is None for process in processes) == 1, "one is left")
    assert sorted(process.poll() or 0 for process in processes) == [0] * count
    until(sidecars.greeting, "it serves")
    (left,) = (process for process in processes if process.poll() is None)
    greeting = sidecars.greeting()
    assert greeting is not None
    assert greeting.pid == left.pid
    assert left.poll() is None


def test_socket_of_a_dead_process_is_replaced(client: Client, sidecars: Sidecars) -> None:
    sidecars.start().kill()
    until(lambda: not sidecars.is_locked(), "it is dead")
    assert sidecars.socket.exists()
    assert client.found() == 1
    assert (client.processes, client.starts) == (1, 1)
    sidecars.start()
    assert client.found() == 1
    assert client.processes == 1


def test_sidecar_ends_when_nobody_asks(sidecars: Sidecars) -> None:
    process = sidecars.launch(idle_minutes=0.001, program=QUICK)
    assert process.wait(DEADLINE_S) == 0
    assert not sidecars.socket.exists()
    assert "ends: nobody asks" in sidecars.log()


@pytest.mark.parametrize("how", ["removed", "replaced", "folder removed"])
def test_sidecar_ends_when_nobody_can_find_it(sidecars: Sidecars, how: str) -> None:
    process = sidecars.start(program=QUICK)
    if how == "replaced":
        sidecars.socket.rename(sidecars.folder / "other")
        sidecars.socket.write_bytes(b"")
    else:
        sidecars.socket.unlink()
    if how == "folder removed":
        (sidecars.folder / "sidecar.lock").unlink()
        sidecars.folder.rmdir()
    assert process.wait(DEADLINE_S) == 0
    assert "ends: its socket is gone" in sidecars.log()
    assert sidecars.socket.exists() == (how == "replaced")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_it_and_leaves_nothing(sidecars: Sidecars, number: signal.Signals) -> None:
    process = sidecars.start()
    process.send_signal(number)
    assert process.wait(DEADLINE_S) == 0
    assert not sidecars.socket.exists()
    assert not sidecars.is_locked()


def test_retired_sidecar_answers_those_who_wait(client: Client, sidecars: Sidecars) -> None:
    process = sidecars.start(program=SLOW)
    with sidecars.connect() as endpoint:
        said_ = endpoint.makefile("rb")
        said_.readline()
        endpoint.sendall(encode_request(client.request()))
        until(lambda: retire(sidecars.meeting), "it was asked to retire")
        assert b'"answer"' in said_.readline()
        assert said_.readline() == b'{"end":true}\n'
        assert said_.readline() == b""
    assert process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("program", [OTHER_VERSION, OTHER_HOME], ids=["version", "installation"])
def test_sidecar_of_another_gitmem_is_retired_and_replaced(
    memory: Filled, sidecars: Sidecars, run: CommandLine, program: str
) -> None:
    other = sidecars.start(program=program)
    assert "anchor" in run("search", "anchor", cwd=memory.top, environ=sidecars.environ).stdout
    assert other.wait(DEADLINE_S) == 0
    until(sidecars.greeting, "another one serves")
    greeting = sidecars.greeting()
    assert greeting is not None
    assert greeting.pid != other.pid
    assert (greeting.version, greeting.home) != ("0.0.1", "/other")


def test_many_clients_at_once_all_get_their_own_answers(client: Client, sidecars: Sidecars) -> None:
    words = [f"word{n}" for n in range(24)]
    for n, word in enumerate(words):
        client.memory.add(f"session {n}", [said(f"a {word} of its own")])
    client("anchor")
    sidecars.start()
    wrong: list[Any] = []

    def search(start: int) -> None:
        for n in range(start, start + 8):
            word = words[n % len(words)]
            (answer,) = client(word)
            if [hit["session"] for hit in answer["hits"]] != [f"generic/session {n % len(words)}"]:
                wrong.append((word, answer))

    threads = [threading.Thread(target=search, args=(3 * n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert client.processes == 1


def test_one_connection_takes_request_after_request(client: Client, sidecars: Sidecars) -> None:
    sidecars.start()
    with sidecars.connect() as endpoint:
        said_ = endpoint.makefile("rb")
        said_.readline()
        for _ in range(3):
            endpoint.sendall(b"no request\n" + encode_request(client.request("anchor", "buoy")))
            kinds = [next(iter(json.loads(said_.readline()))) for _ in range(5)]
            assert kinds == ["refused", "end", "answer", "answer", "end"]


def test_what_git_says_to_a_hook_bends_no_sidecar(client: Client, sidecars: Sidecars) -> None:
    sidecars.environ["GIT_DIR"] = "/nowhere"
    sidecars.start()
    del sidecars.environ["GIT_DIR"]
    client.memory.add("two", [said("another anchor")])
    assert client.found() == 2
    assert client.processes == 0


def test_search_among_other_objects_is_answered_by_a_process(client: Client, sidecars: Sidecars) -> None:
    sidecars.start()
    sidecars.environ["GIT_OBJECT_DIRECTORY"] = str(client.memory.top / ".git" / "objects")
    assert client.found() == 1
    assert client.processes == 1


def test_watching_in_a_terminal_takes_over_and_ends_by_an_interrupt(
    memory: Filled, sidecars: Sidecars, tmp_path: Path
) -> None:
    before = sidecars.start()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "gitmem", "index", "watch"],
        cwd=tmp_path,
        env={**sidecars.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        stderr=subprocess.PIPE,
    )
    sidecars.started.append(process)
    assert before.wait(DEADLINE_S) == 0
    assert process.stderr is not None
    assert b"sidecar.sock" in process.stderr.readline()
    greeting = sidecars.greeting()
    assert greeting is not None
    assert greeting.pid == process.pid
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == b"ends: SIGINT\n"
    process.stderr.close()
    assert process.wait(DEADLINE_S) == 0


def test_log_says_when_and_nothing_of_what(client: Client, sidecars: Sidecars) -> None:
    process = sidecars.start()
    client("anchor secretive")
    process.terminate()
    process.wait(DEADLINE_S)
    lines = sidecars.log().splitlines()
    assert len(lines) == 2
    assert "serves, as gitmem" in lines[0]
    assert lines[1].endswith("ends: SIGTERM")
    assert "anchor" not in sidecars.log()


def test_sidecar_holds_on_to_nothing_of_who_started_it(sidecars: Sidecars) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    from gitmem.sidecar.starting import start_detached

    start_detached(sidecars.environ, 5)
    os.close(writer)
    until(sidecars.greeting, "it serves")
    greeting = sidecars.greeting()
    assert greeting is not None
    assert os.getsid(greeting.pid) == greeting.pid
    assert Path(f"/proc/{greeting.pid}/cwd").readlink() == Path("/")
    assert {Path(f"/proc/{greeting.pid}/fd/{n}").readlink() for n in range(3)} == {Path(os.devnull)}
    assert os.read(reader, 1) == b""
    os.close(reader)
    os.kill(greeting.pid, signal.SIGTERM)
    os.waitpid(greeting.pid, 0)


def test_retire_is_understood_whatever_version_says_it(sidecars: Sidecars) -> None:
    process = sidecars.start()
    with sidecars.connect() as endpoint:
        endpoint.sendall(encode({"retire": True}))
        assert process.wait(DEADLINE_S) == 0


def test_clock_that_jumps_ends_nothing(client: Client, sidecars: Sidecars) -> None:
    process = sidecars.start(idle_minutes=1, program=JUMPING)
    for _ in range(5):
        assert client.found() == 1
    assert process.poll() is None
    assert client.processes == 0


def test_memory_without_an_index_is_left_to_a_process_and_answered_from_then_on(
    client: Client, sidecars: Sidecars
) -> None:
    shutil.rmtree(client.memory.repository.common_dir / "gitmem" / "index")
    sidecars.start()
    assert client.found() == 1
    assert client.processes == 1
    assert client.found() == 1
    assert client.processes == 1


def test_search_by_a_sidecar_loads_next_to_nothing(memory: Filled, sidecars: Sidecars) -> None:
    sidecars.start()
    program = (
        "import sys\n"
        "from gitmem.cli.context import context_of_process\n"
        "from gitmem.cli.main import run\n"
        "assert run(['search', 'anchor'], context_of_process()) == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-S", "-c", program],
        cwd=memory.top,
        capture_output=True,
        text=True,
        env={**sidecars.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    assert "'gitmem'" in finished.stderr
    for name in ("click", "dataclasses", "datetime", "indexer", "inspect", "selectors", "shutil", "socket"):
        assert f"'{name}'" not in finished.stderr, name
    for name in ("subprocess", "tempfile", "threading", "unicodedata", "hashlib"):
        assert f"'{name}'" not in finished.stderr, name
