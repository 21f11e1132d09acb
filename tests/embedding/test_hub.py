"""Downloads from a hub: whole, cut short, elsewhere, too long, or not at all."""

from __future__ import annotations

import socket
import threading

import pytest

from gitmem.model.errors.searching import ModelNotFetched, ModelRefused
from indexer.model import hub as hub_module
from indexer.model.hub import download
from indexer.model.pinned import Pinned
from tests.embedding.hubs import FOLDER, Hub, served

BODY = bytes(range(256)) * 4000
FILE = Pinned("model.safetensors", len(BODY), "")


def test_file_comes_whole_and_says_how_far_it_is() -> None:
    told: list[int] = []
    with served(Hub({FILE.name: BODY})) as hub:
        assert download(hub.address + "/", FILE, told.append) == BODY
    assert hub.asked == [(FOLDER + FILE.name, None)]
    assert told == sorted(told)
    assert told[-1] == len(BODY)


def test_redirect_is_followed() -> None:
    with served(Hub({FILE.name: BODY}, "redirects")) as hub:
        assert download(hub.address, FILE, lambda done: None) == BODY
    assert [path for path, _ in hub.asked] == [FOLDER + FILE.name, "/elsewhere/" + FILE.name]


def test_body_that_is_cut_short_is_gone_on_with() -> None:
    with served(Hub({FILE.name: BODY}, "cuts", cut_bytes=300_000)) as hub:
        assert download(hub.address, FILE, lambda done: None) == BODY
    ranges = [asked for _, asked in hub.asked]
    assert ranges == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_body_that_cannot_be_gone_on_with_is_named() -> None:
    with (
        served(Hub({FILE.name: BODY}, "cuts whole files", cut_bytes=300_000)) as hub,
        pytest.raises(ModelNotFetched, match=r"300,000 of 1,024,000 bytes"),
    ):
        download(hub.address, FILE, lambda done: None)
    assert len(hub.asked) == 2


def test_empty_body_ends_it() -> None:
    with (
        served(Hub({FILE.name: BODY}, "stalls at once")) as hub,
        pytest.raises(ModelNotFetched, match="cuts the file short"),
    ):
        download(hub.address, FILE, lambda done: None)
    assert len(hub.asked) == 1


def test_body_that_runs_on_is_refused_before_it_ends() -> None:
    with (
        served(Hub({FILE.name: BODY * 4}, "runs on")) as hub,
        pytest.raises(ModelRefused, match="is longer than 1,024,000 bytes"),
    ):
        download(hub.address, FILE, lambda done: None)


@pytest.mark.parametrize(
    ("hub", "why"), [(Hub({}), "404 Not Found"), (Hub({FILE.name: BODY}, "fails"), "503 Service Unavailable")]
)
def test_answer_that_is_no_file_is_named(hub: Hub, why: str) -> None:
    with served(hub), pytest.raises(ModelNotFetched, match=why) as caught:
        download(hub.address, FILE, lambda done: None)
    assert caught.value.hint.startswith("gitmem model install PATH:")


def test_nobody_there_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        with pytest.raises(ModelNotFetched, match="Connection refused"):
            download(f"http://127.0.0.1:{taken.getsockname()[1]}", FILE, lambda done: None)


def test_silence_is_not_waited_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ModelNotFetched, match="timed out"):
        download(f"http://127.0.0.1:{server.getsockname()[1]}", FILE, lambda done: None)


@pytest.mark.parametrize("hub", ["file:///etc", "ftp://127.0.0.1", "127.0.0.1", ""])
def test_other_than_http_is_refused(hub: str) -> None:
    with pytest.raises(ModelNotFetched, match="https://"):
        download(hub, FILE, lambda done: None)


def test_answer_that_is_no_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-nothing\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(ModelNotFetched):
            download(f"http://127.0.0.1:{server.getsockname()[1]}", FILE, lambda done: None)
        thread.join()
