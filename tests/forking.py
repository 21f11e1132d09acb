"""The real `gitmem` in a process of its own, forked from one that has its modules loaded.

Loading them is most of what a short command takes, and more than that where lines are counted. What is forked
begins in `gitmem.__main__` and ends as any process does: by itself, by an exception or by a signal. Another
interpreter is started by `CommandLine` in `tests.conftest` for what depends on how it was.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_LENGTH = struct.Struct(">I")
_STATUS = struct.Struct(">i")
_RUN_BY_ITSELF = "gitmem.__main__"
_OF_EXTRA_MCP = "gitmem.serving"
_PIECE_BYTES = 1 << 16


class Ended(NamedTuple):
    """How a process ended: `status` is negative after a signal, as `subprocess` has it."""

    status: int
    stdout: bytes
    stderr: bytes


class Forks:
    """The process that has everything loaded; it ends with this object, or with the process that holds it."""

    def __init__(self, imported_from: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gitmem-")
        self._address = str(Path(self._folder.name, "forks"))
        # A home of nobody's: who looks for what a test has left is to find none of us.
        environ = {**os.environ, "PYTHONPATH": str(imported_from), "HOME": self._folder.name}
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(self, args: Sequence[str], cwd: Path, stdin: bytes, environ: Mapping[str, str]) -> Ended:
        """Run `gitmem` in a forked process, and wait until it has ended and both streams are closed."""
        asked = json.dumps([list(args), str(cwd), dict(environ)]).encode()
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(self._address)
            ours, theirs = _pipes()
            try:
                socket.send_fds(channel, [_LENGTH.pack(len(asked))], theirs)
            finally:
                for fd in theirs:
                    os.close(fd)
            channel.sendall(asked)
            stdout, stderr = _communicate(*ours, stdin)
            status = _read(channel, _STATUS.size)
        assert status, "what gitmem is forked from is gone"
        return Ended(_STATUS.unpack(status)[0], stdout, stderr)

    def close(self) -> None:
        """End it; whatever has been forked goes on."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()


def _pipes() -> tuple[list[int], list[int]]:
    """Return our ends of three pipes, and those of a process's standard input, output and error."""
    (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err) = os.pipe(), os.pipe(), os.pipe()
    return [ours_in, ours_out, ours_err], [theirs_in, theirs_out, theirs_err]


def _communicate(to: int, stdout: int, stderr: int, left: bytes) -> tuple[bytes, bytes]:
    """Write and read until all three ends are closed, which closes ours."""
    read: dict[int, bytearray] = {stdout: bytearray(), stderr: bytearray()}
    os.set_blocking(to, False)
    with selectors.DefaultSelector() as waiting:
        for fd in read:
            waiting.register(fd, selectors.EVENT_READ)
        waiting.register(to, selectors.EVENT_WRITE)
        while waiting.get_map():
            for key, _ in waiting.select():
                if key.fd == to:
                    try:
                        left = left[os.write(to, left[:_PIECE_BYTES]) :] if left else left
                    except BrokenPipeError:
                        left = b""
                    is_over = not left
                else:
                    piece = os.read(key.fd, _PIECE_BYTES)
                    read[key.fd] += piece
                    is_over = not piece
                if is_over:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
    return bytes(read[stdout]), bytes(read[stderr])


def _read(channel: socket.socket, size: int) -> bytes:
    """Read so many bytes, or nothing where the other side is gone before."""
    got = b""
    while len(got) < size:
        piece = channel.recv(size - len(got))
        if not piece:
            return b""
        got += piece
    return got


def _serve(address: str) -> None:
    """Fork for everything that is asked, until standard input is closed; each forked process returns."""
    load()
    os.fsync = lambda fd: None  # as in `tests.killing`, which is not to be loaded here
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, socket.socket] = {}
    _count_anew()
    gc.collect()
    gc.freeze()  # what is shared stays so, however often it is counted
    os.write(1, b"ready\n")
    while True:
        ready = select.select([0, listener, woken], [], [])[0]
        if 0 in ready:
            os._exit(0)
        if woken in ready:
            os.read(woken, _PIECE_BYTES)
            _reap(running)
        if listener not in ready:
            continue
        channel = listener.accept()[0]
        length, streams = _receive(channel)
        asked = _read(channel, length)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, before)
            for fd, stream in enumerate(streams):
                os.dup2(stream, fd)
            for open_one in (channel, listener, *running.values()):
                open_one.close()
            os.closerange(3, max(woken, wake, *streams) + 1)
            _become(*json.loads(asked))
            return
        running[pid] = channel
        for stream in streams:
            os.close(stream)


def _count_anew() -> None:
    """Write the lines that were counted by now, so that what is forked does not write them again."""
    if (coverage := sys.modules.get("coverage")) is not None and (
        here := coverage.Coverage.current()
    ) is not None:
        here.save()


def _receive(channel: socket.socket) -> tuple[int, list[int]]:
    """Return the length of what is asked, and the three streams."""
    data, streams, _, _ = socket.recv_fds(channel, _LENGTH.size, 3)
    return _LENGTH.unpack(data)[0], streams


def _reap(running: dict[int, socket.socket]) -> None:
    """Tell of each process that has ended how it did."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as channel:
            channel.sendall(_STATUS.pack(os.waitstatus_to_exitcode(status)))


def _become(args: list[str], cwd: str, environ: dict[str, str]) -> None:
    """Take on what a process of its own would have been started with."""
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.chdir(cwd)
    tempfile.tempdir = None
    for fd, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        before = getattr(sys, name)
        stream = os.fdopen(fd, mode, encoding=before.encoding, errors=before.errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["gitmem", *args]
    if (pygit2 := sys.modules.get("pygit2")) is not None:
        _look_for_configuration(pygit2, environ)


def _look_for_configuration(pygit2: Any, environ: Mapping[str, str]) -> None:
    """Have libgit2 look for the user's configuration again, as it does when it is loaded."""
    level, found = pygit2.enums.ConfigLevel, pygit2.settings.search_path
    home = environ.get("HOME", "")
    found[level.GLOBAL] = home
    found[level.XDG] = str(Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config")) / "git")


def load() -> None:
    """Load every module of gitmem whose extra is installed, and with them what they stand on."""
    import gitmem

    has_mcp = importlib.util.find_spec("mcp") is not None
    for module in pkgutil.walk_packages(gitmem.__path__, "gitmem."):
        if module.name == _RUN_BY_ITSELF or (not has_mcp and module.name.startswith(_OF_EXTRA_MCP)):
            continue
        importlib.import_module(module.name)


if __name__ == "__main__":
    _serve(sys.argv[1])
    runpy.run_module("gitmem", run_name="__main__", alter_sys=True)
