"""A hub on loopback that serves the model's files, and what hubs do when they do not serve them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

FOLDER = "/sentence-transformers/all-MiniLM-L6-v2/resolve/main/"

Manner = Literal["plain", "redirects", "cuts", "cuts whole files", "stalls at once", "fails", "runs on"]


@dataclass
class Hub:
    """`files` by name; `manner` is how it answers; `asked` are the paths and ranges that it was asked for.

    It cuts a body short after `cut_bytes`, at every try.
    """

    files: Mapping[str, bytes]
    manner: Manner = "plain"
    cut_bytes: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


@contextmanager
def served(hub: Hub) -> Iterator[Hub]:
    """Serve a hub on a free port, until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, hub)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, hub: Hub) -> None:
    asked = request.headers.get("Range")
    hub.asked.append((request.path, asked))
    request.close_connection = True
    name = request.path.rpartition("/")[2]
    if hub.manner == "redirects" and request.path.startswith(FOLDER):
        request.send_response(302)
        request.send_header("Location", f"/elsewhere/{name}")
        request.send_header("Content-Length", "0")
        request.end_headers()
    elif hub.manner == "fails":
        request.send_error(503)
    elif name not in hub.files or not request.path.startswith((FOLDER, "/elsewhere/")):
        request.send_error(404)
    else:
        _send(request, hub, hub.files[name], asked)


def _send(request: BaseHTTPRequestHandler, hub: Hub, content: bytes, asked: str | None) -> None:
    start = 0
    if asked and hub.manner != "cuts whole files":
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        assert match
        start = int(match[1])
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        request.send_response(200)
    if hub.manner != "runs on":
        request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    body = content[start:]
    if hub.manner in ("cuts", "cuts whole files"):
        body = body[: hub.cut_bytes]
    elif hub.manner == "stalls at once":
        body = b""
    elif hub.manner == "runs on":
        body *= 2
    request.wfile.write(body)
