"""A web server around `git http-backend`, on loopback, for tests and benchmarks."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

_CHUNK = 65536


class Server(ThreadingHTTPServer):
    """Serves the repositories below a folder; only to `login` (`user:password`), if there is one.

    `protocols` is what clients said of their versions, `stalls` keeps every answer back.
    """

    daemon_threads = True

    def __init__(self, folder: Path, login: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.login = folder, login
        self.protocols: list[str] = []
        self.requests: list[str] = []
        self.stalls = threading.Event()
        self.goes_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(folder: Path, login: str | None = None) -> Iterator[Server]:
    """Run a server for as long as the context lasts."""
    with Server(folder, login) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.goes_on.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name there)
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _serve(self, body: bytes) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.server.protocols.append(self.headers.get("Git-Protocol", ""))
        if self.server.stalls.is_set():
            self.server.goes_on.wait()
        if not self._may_come_in():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="memories"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "ada",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        process = subprocess.Popen(
            [shutil.which("git") or "git", "http-backend"],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            writer = threading.Thread(target=_write, args=(process.stdin, body))
            writer.start()
            self._answer(process.stdout)
            writer.join()

    def _answer(self, output: IO[bytes]) -> None:
        status, headers = 200, []
        while line := output.readline().rstrip(b"\r\n"):
            name, _, value = line.decode().partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while chunk := output.read1(_CHUNK):  # type: ignore[attr-defined]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def _may_come_in(self) -> bool:
        if self.server.login is None:
            return True
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(given).decode() == self.server.login

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = bytearray()
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)


def _write(stream: IO[bytes], body: bytes) -> None:
    try:
        stream.write(body)
        stream.close()
    except BrokenPipeError:
        return  # it did not want to read all of it
