"""Whoever else sits where the sidecar should be, and whoever comes to it, harms neither searches nor it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import gitmem
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.searching import SidecarBroken, SidecarRefused
from gitmem.sidecar import meeting
from gitmem.sidecar.folders import meeting_folder
from gitmem.sidecar.starting import home
from gitmem.sidecar.wire import MAX_REQUEST_BYTES, Greeting, encode, encode_greeting, encode_request
from tests.conftest import CommandLine
from tests.indexer.memories import Filled
from tests.sidecar.conftest import DEADLINE_S, Client, Sidecars, until
from tests.sidecar.programs import BUGGY, QUICK

NOBODY = 65534
GREETING = encode_greeting(Greeting(gitmem.__version__, home(), 1))
END = encode({"end": True})

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def imposed(sidecars: Sidecars) -> Iterator[Callable[..., None]]:
    """Return what puts something else where the sidecar should be: it says these bytes to everybody."""
    listener = socket.socket(socket.AF_UNIX)
    threads: list[threading.Thread] = []
    done = threading.Event()

    def talk(says: bytes, hears: bool, hangs: bool) -> None:
        while not done.is_set():
            try:
                endpoint, _ = listener.accept()
            except TimeoutError:
                continue
            with endpoint, suppress(OSError):
                endpoint.settimeout(DEADLINE_S)
                endpoint.sendall(says[: says.find(b"\n") + 1 or None])
                if hears:
                    endpoint.recv(1 << 20)
                endpoint.sendall(says[says.find(b"\n") + 1 :] if b"\n" in says else b"")
                if hangs:
                    endpoint.recv(1 << 20)

    def impose(says: bytes, *, hears: bool = True, hangs: bool = False) -> None:
        sidecars.folder.mkdir(mode=0o700)
        listener.bind(str(sidecars.socket))
        listener.listen()
        listener.settimeout(0.05)
        threads.append(threading.Thread(target=talk, args=(says, hears, hangs)))
        threads[0].start()

    yield impose
    done.set()
    for thread in threads:
        thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("says", "hears"),
    [
        (b"", False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"\0" * 100_000, False),
        (b"[]\n", False),
        (b'{"gitmem": "two"}\n', False),
        (GREETING, False),
        (GREETING, True),
        (GREETING + b"nonsense\n", True),
        (GREETING + b'{"surprise":1}\n', True),
        (GREETING + b'{"answer":7}\n', True),
        (GREETING + b'{"answer":{"hits":[', True),
        (GREETING + b"\xff\xfe" * 100_000, True),
        (
            GREETING
            + encode({"refused": {"kind": "ForeignOwner", "message": "x", "hint": "", "exit_code": 1}}),
            True,
        ),
    ],
)
def test_sidecar_that_talks_nonsense_is_done_without(
    client: Client, imposed: Callable[..., None], says: bytes, hears: bool
) -> None:
    imposed(says, hears=hears)
    assert client.found() == 1
    assert (client.processes, client.starts) == (1, 0)


def test_sidecar_of_another_gitmem_that_is_ending_already_is_absent() -> None:
    ours, other = socket.socketpair()
    with ours, other:
        other.sendall(encode_greeting(Greeting("0.0.1", home(), 1)))
        other.close()
        with pytest.raises(meeting.Absent) as raised:
            meeting._greeted(ours, bytearray())
    assert raised.value.may_start


def test_sidecar_that_says_nothing_is_not_waited_for(
    client: Client, imposed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meeting, "_GREETING_TIMEOUT_S", 0.2)
    imposed(b"", hears=False, hangs=True)
    assert client.found() == 1
    assert client.processes == 1


def test_answers_that_a_dying_sidecar_leaves_out_are_given_all_the_same(
    client: Client, imposed: Callable[..., None]
) -> None:
    imposed(GREETING + encode({"answer": {"query": "anchor", "hits": [], "by": "the other"}}))
    answers = client("anchor", "buoy", "anchor")
    assert [answer["query"] for answer in answers] == ["anchor", "buoy", "anchor"]
    assert [answer.get("by") for answer in answers] == ["the other", None, None]
    assert client.processes == 1


def test_all_answers_without_an_end_are_all_answers(client: Client, imposed: Callable[..., None]) -> None:
    imposed(GREETING + encode({"answer": {"query": "anchor", "hits": []}}))
    assert client("anchor") == [{"query": "anchor", "hits": []}]
    assert client.processes == 0


def test_expected_failure_of_a_sidecar_is_one(client: Client, imposed: Callable[..., None]) -> None:
    refused = {"kind": "ModelMissing", "message": "no model", "hint": "gitmem model", "exit_code": 1}
    imposed(GREETING + encode({"refused": refused}) + END)
    with pytest.raises(GitmemError, match="no model") as raised:
        client("anchor")
    assert raised.value.hint == "gitmem model"
    assert client.processes == 0


def test_bug_is_told_to_the_one_who_met_it_and_the_sidecar_lives_on(
    client: Client, sidecars: Sidecars
) -> None:
    process = sidecars.start(program=BUGGY)
    with pytest.raises(SidecarBroken, match="ZeroDivisionError"):
        client("bug")
    assert client.found() == 1
    assert client.processes == 0
    assert process.poll() is None
    until(lambda: "ZeroDivisionError at" in sidecars.log(), "it is noted")
    assert "what was asked for" not in sidecars.log()
    assert "in fail" in sidecars.log()


@as_root
@pytest.mark.parametrize("what", ["socket", "folder"])
def test_what_belongs_to_another_user_is_not_talked_to(
    client: Client, imposed: Callable[..., None], sidecars: Sidecars, what: str
) -> None:
    imposed(GREETING + encode({"answer": {"hits": ["forged"]}}))
    os.chown(sidecars.socket if what == "socket" else sidecars.folder, NOBODY, NOBODY)
    assert client.found() == 1
    assert (client.processes, client.starts) == (1, what == "socket")
    assert any("another user" in notice for notice in client.notices) == (what == "folder")


@as_root
def test_process_of_another_user_is_not_talked_to(client: Client, sidecars: Sidecars) -> None:
    sidecars.folder.mkdir(mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(sidecars.socket))
    # Whose process it is, the system says by who listens.
    program = (
        "import os, socket, sys\n"
        "listener = socket.socket(fileno=int(sys.argv[1]))\n"
        f"os.setuid({NOBODY})\n"
        "listener.listen()\n"
        "while True:\n"
        f"    with listener.accept()[0] as endpoint: endpoint.sendall({GREETING!r})\n"
    )
    number = listener.fileno()
    process = subprocess.Popen([sys.executable, "-c", program, str(number)], pass_fds=[number])
    try:
        until(lambda: _listens(sidecars.socket), "it listens")
        assert client.found() == 1
        assert (client.processes, client.starts) == (1, 0)
    finally:
        process.kill()
        process.wait()
        listener.close()


@as_root
def test_client_of_another_user_is_not_talked_to(sidecars: Sidecars) -> None:
    sidecars.start()
    for folder in (sidecars.folder, *sidecars.folder.parents):
        if folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    sidecars.socket.chmod(0o666)
    program = (
        "import os, socket, sys\n"
        f"os.setuid({NOBODY})\n"
        "with socket.socket(socket.AF_UNIX) as endpoint:\n"
        "    endpoint.connect(sys.argv[1])\n"
        "    print('connected', endpoint.recv(1000))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, sidecars.socket], capture_output=True, text=True, check=True
    )
    assert told.stdout == "connected b''\n"
    assert sidecars.greeting() is not None


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("link", "it is a link"),
        ("file", "it is no folder"),
        ("open to all", "others may enter it"),
    ],
)
def test_folder_that_others_have_a_hand_in_is_refused(
    client: Client, sidecars: Sidecars, tmp_path: Path, how: str, why: str
) -> None:
    if how == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        sidecars.folder.symlink_to(tmp_path / "elsewhere")
    elif how == "file":
        sidecars.folder.write_bytes(b"")
    else:
        sidecars.folder.mkdir()
        sidecars.folder.chmod(0o750)
    assert client.found() == 1
    assert (client.processes, client.starts) == (1, 0)
    assert any(why in notice for notice in client.notices)
    assert sidecars.launch().wait(DEADLINE_S) == 1
    assert "could not" in sidecars.log()
    assert how != "open to all" or list(sidecars.folder.iterdir()) == []


def test_folder_that_cannot_be_made_costs_a_search_nothing(client: Client, sidecars: Sidecars) -> None:
    sidecars.environ["XDG_RUNTIME_DIR"] = "/proc/self"
    assert client.found() == 1
    assert sidecars.launch().wait(DEADLINE_S) == 1
    assert "could not make" in sidecars.log()


def test_place_with_a_long_path_is_not_used(environ: dict[str, str], tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    assert meeting_folder({"XDG_RUNTIME_DIR": str(long)}, 7) == Path("/tmp/gitmem-7")
    assert meeting_folder({"XDG_RUNTIME_DIR": "relative"}, 7) == Path("/tmp/gitmem-7")
    assert meeting_folder({"XDG_RUNTIME_DIR": str(tmp_path / "none"), "TMPDIR": "/x"}, 7) == Path(
        "/x/gitmem-7"
    )
    with pytest.raises(SidecarRefused, match="too long"):
        meeting_folder({"TMPDIR": str(long)}, 7)


def test_search_does_without_where_there_is_no_place(
    memory: Filled, sidecars: Sidecars, run: CommandLine, tmp_path: Path
) -> None:
    nowhere = {**sidecars.environ, "XDG_RUNTIME_DIR": "", "TMPDIR": str(tmp_path / ("x" * 100))}
    (tmp_path / ("x" * 100)).mkdir()
    assert "anchor" in run("search", "anchor", cwd=memory.top, environ=nowhere).stdout
    assert "too long" in run("index", "stop", cwd=memory.top, environ=nowhere, status=1).stderr


@pytest.mark.parametrize(
    "sends",
    [
        b"",
        b"no request\n" * 3,
        b'{"gitmem": 2, "verb": "search"',
        b"\0\xff\n",
        b"[" * 100_000 + b"\n",
        b"x" * (MAX_REQUEST_BYTES + 100),
    ],
    ids=["nothing", "nonsense", "half", "bytes", "deep", "too much"],
)
def test_client_that_talks_nonsense_harms_nobody(client: Client, sidecars: Sidecars, sends: bytes) -> None:
    process = sidecars.start(program=QUICK)
    with sidecars.connect() as endpoint:
        with suppress(BrokenPipeError, ConnectionResetError):
            endpoint.sendall(sends)
        assert client.found() == 1
        with suppress(ConnectionResetError):
            while endpoint.recv(1 << 16):
                pass  # until it hangs up
    assert client.found() == 1
    assert client.processes == 0
    assert process.poll() is None


def test_client_that_sends_without_end_is_told_and_cut_off(sidecars: Sidecars) -> None:
    process = sidecars.start(program=QUICK)
    piece, sent = b"x" * (1 << 20), 0
    with sidecars.connect() as endpoint, suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(100):
            endpoint.sendall(piece)
            sent += len(piece)
    assert sent < 2 * MAX_REQUEST_BYTES
    peak = next(
        line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line
    )
    assert int(peak.split()[1]) < 200_000
    assert process.poll() is None


def test_clients_beyond_the_most_are_sent_away_and_help_themselves(
    client: Client, sidecars: Sidecars
) -> None:
    sidecars.start(program=QUICK)
    held = [sidecars.connect() for _ in range(8)]
    for endpoint in held:
        endpoint.recv(1000)
    assert client.found() == 1
    for endpoint in held:
        while endpoint.recv(1000):
            pass
        endpoint.close()
    until(lambda: sidecars.greeting() is not None, "there is room again")
    client.processes = 0
    assert client.found() == 1
    assert client.processes == 0


def test_request_that_is_too_long_for_a_sidecar_is_not_sent(client: Client, sidecars: Sidecars) -> None:
    sidecars.start()
    queries = ("anchor", "x " * (MAX_REQUEST_BYTES // 2))
    assert [len(answer["hits"]) for answer in client(*queries)] == [1, 0]
    assert client.processes == 1


def test_request_of_another_form_is_refused_and_the_next_one_answered(
    client: Client, sidecars: Sidecars
) -> None:
    sidecars.start()
    request = json.loads(encode_request(client.request()))
    with sidecars.connect() as endpoint:
        said: Any = endpoint.makefile("rb")
        said.readline()
        for change in (
            {"gitmem": 1},
            {"verb": "unlearn"},
            {"places": [{}]},
            {"places": [7]},
            {"surprise": 1},
        ):
            endpoint.sendall(encode({**request, **change}))
            assert json.loads(said.readline())["refused"]["kind"] == "NotUnderstood"
            assert said.readline() == END
        endpoint.sendall(encode(request))
        assert len(json.loads(said.readline())["answer"]["hits"]) == 1


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as endpoint:
        try:
            endpoint.connect(str(path))
        except OSError:
            return False
    return True
