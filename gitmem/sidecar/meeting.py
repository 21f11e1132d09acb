"""The sidecar as its clients meet it: a socket, somebody of our own behind it, and a greeting.

Nothing is sent before it is known that the other end belongs to the user, and is of this installation.
"""

from __future__ import annotations

# The module below `socket`, which wraps hundreds of constants first: that takes longer than a whole search.
import _socket
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import gitmem
from gitmem.sidecar.folders import SOCKET_NAME, is_there
from gitmem.sidecar.starting import home
from gitmem.sidecar.wire import RETIRE, NotUnderstood, decode_greeting

_CONNECT_TIMEOUT_S: Final = 0.25
_GREETING_TIMEOUT_S: Final = 1.0
_RETIRE_TIMEOUT_S: Final = 10.0
_ANSWER_TIMEOUT_S: Final = 900.0
"""No answer may take longer: of a million turns an index is made in a few minutes."""

_PIECE_BYTES: Final = 1 << 16
_GREETING_BYTES: Final = 1 << 13


class Meeting(NamedTuple):
    """Where the sidecar is met, by whom, and for how many minutes one that we start stays unasked."""

    folder: Path
    uid: int
    idle_minutes: int


class Absent(Exception):
    """Nobody can be asked there; with `may_start` because no sidecar, or another gitmem's, was there."""

    def __init__(self, why: str, *, may_start: bool, wait_s: int = 0) -> None:
        self.why, self.may_start, self.wait_s = why, may_start, wait_s
        super().__init__(why)


class Connection:
    """A sidecar that has greeted us; `lines` are what it says, the last one perhaps cut short."""

    def __init__(self, endpoint: _socket.socket, said: bytearray) -> None:
        self._endpoint, self._said = endpoint, said

    def send(self, line: bytes) -> None:
        """Send a message; that nobody takes it is no error: what the other end said is still to be read."""
        try:
            self._endpoint.sendall(line)
        except OSError:
            self._endpoint.settimeout(_GREETING_TIMEOUT_S)

    def lines(self) -> Iterator[bytes]:
        """Yield lines as they come, until the other end has no more to say or takes too long over it."""
        while True:
            end = self._said.find(b"\n") + 1
            if end:
                line = bytes(self._said[:end])
                del self._said[:end]
                yield line
            elif not _receive(self._endpoint, self._said):
                return

    def close(self) -> None:
        """Hang up."""
        self._endpoint.close()


def meet(meeting: Meeting) -> Connection:
    """Connect to the sidecar of this user and installation.

    Raises:
        Absent: There is none; one of another installation has been asked to retire.
        SidecarRefused: Somebody else could have a hand in it.
    """
    path = meeting.folder / SOCKET_NAME
    if not is_there(meeting.folder, meeting.uid) or not _is_own_socket(path, meeting.uid):
        raise Absent("no socket", may_start=True)
    endpoint = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        _connect(endpoint, path, meeting.uid)
        said = bytearray()
        _greeted(endpoint, said)
        endpoint.settimeout(_ANSWER_TIMEOUT_S)
    except BaseException:
        endpoint.close()
        raise
    return Connection(endpoint, said)


def retire(meeting: Meeting) -> bool:
    """Ask the sidecar to end, of whichever installation it is; return whether one was there."""
    path = meeting.folder / SOCKET_NAME
    if not is_there(meeting.folder, meeting.uid) or not _is_own_socket(path, meeting.uid):
        return False
    endpoint = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        _connect(endpoint, path, meeting.uid)
        endpoint.settimeout(_RETIRE_TIMEOUT_S)
        endpoint.sendall(RETIRE)
        while endpoint.recv(_PIECE_BYTES):
            pass
    except (Absent, OSError):
        return False
    finally:
        endpoint.close()
    return True


def _is_own_socket(path: Path, uid: int) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    # One that is not ours cannot be there without our doing; its folder is ours alone.
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == uid


def _connect(endpoint: _socket.socket, path: Path, uid: int) -> None:
    endpoint.settimeout(_CONNECT_TIMEOUT_S)
    try:
        endpoint.connect(os.fsencode(path))
    except (ConnectionRefusedError, FileNotFoundError) as error:
        raise Absent("it has ended", may_start=True) from error
    except OSError as error:  # too many are waiting, or it does not take them
        raise Absent(error.strerror or str(error), may_start=False) from error
    peer = peer_uid(endpoint)
    if peer not in (None, uid):
        raise Absent("it belongs to another user", may_start=False)


def peer_uid(endpoint: _socket.socket) -> int | None:
    """Return the user at the other end, None where the system does not tell."""
    if not hasattr(_socket, "SO_PEERCRED"):
        return None
    credentials = endpoint.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)  # struct ucred: pid, uid, gid


def _greeted(endpoint: _socket.socket, said: bytearray) -> None:
    """Read a greeting into nothing, and what follows it into `said`."""
    endpoint.settimeout(_GREETING_TIMEOUT_S)
    while b"\n" not in said:
        if len(said) > _GREETING_BYTES or not _receive(endpoint, said):
            raise Absent("it does not greet", may_start=False)
    end = said.index(b"\n") + 1
    try:
        greeting = decode_greeting(bytes(said[:end]))
    except NotUnderstood as error:
        raise Absent(f"it greets with nonsense: {error}", may_start=False) from error
    del said[:end]
    if (greeting.version, greeting.home) != (gitmem.__version__, home()):
        with suppress(OSError):  # it is ending already, as somebody else has asked it to
            endpoint.sendall(RETIRE)
        raise Absent("it is another gitmem's", may_start=True, wait_s=10)


def _receive(endpoint: _socket.socket, into: bytearray) -> bool:
    """Append what has come; False at the end, or where it takes too long."""
    try:
        piece = endpoint.recv(_PIECE_BYTES)
    except OSError:
        return False
    into += piece
    return bool(piece)
