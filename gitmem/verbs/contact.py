"""When each remote was last reached, and what has kept it from being reached since.

Local state, of no weight: whoever cannot read it knows nothing of remotes, and a sync goes on without it.
Being offline is a state of a remote like any other; `status` tells of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from gitmem import disk
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.sharing import (
    FetchRefused,
    PushRaced,
    PushRefused,
    RemoteEmpty,
    RemoteUnreachable,
    SecretsFound,
)
from gitmem.model.errors.store import DiskRefused, FormatNewer, NotAMemory, StoreBusy
from gitmem.verbs import caching

Trouble = Literal["offline", "unfit", "newer", "refused", "empty", "withheld", "raced", "failed"]
"""What went wrong with a remote: it did not answer; its objects, or what its ref holds, could not be taken; a
newer gitmem wrote there; it refused; it has no branch yet; secrets kept a push back; others were faster; or
something here."""

_KIND: Final = "contact 1"
_WAIT_S: Final = 5.0
_TROUBLES: Final[tuple[tuple[type[GitmemError], Trouble], ...]] = (
    (RemoteUnreachable, "offline"),
    (FetchRefused, "unfit"),
    (NotAMemory, "unfit"),
    (FormatNewer, "newer"),
    (PushRefused, "refused"),
    (RemoteEmpty, "empty"),
    (SecretsFound, "withheld"),
    (PushRaced, "raced"),
)


class Contact(msgspec.Struct, frozen=True):
    """What is known of the way to a remote; moments are in milliseconds since 1970.

    `trouble` is what the last sync met, `since_ms` when the first of those in a row did that met the same,
    and `why` the words of the last; none where it went well.
    """

    reached_ms: int | None = None
    trouble: Trouble | None = None
    since_ms: int | None = None
    why: str = ""


NO_CONTACT: Final = Contact()
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, Contact])


def read_contacts(state_dir: Path) -> dict[str, Contact]:
    """Return what is known of each remote, by its name."""
    return caching.load(_path(state_dir), _KIND, _DECODER) or {}


def note_reached(state_dir: Path, remote: str, now_ms: int) -> None:
    """Remember that a remote was reached, and all went well."""
    _note(state_dir, remote, lambda _: Contact(reached_ms=now_ms))


def note_trouble(state_dir: Path, remote: str, error: GitmemError, now_ms: int) -> None:
    """Remember what kept a remote from being synced with."""
    trouble = trouble_of(error)

    def follow(before: Contact) -> Contact:
        is_same = before.trouble == trouble and before.since_ms is not None
        since_ms = before.since_ms if is_same else now_ms
        return Contact(before.reached_ms, trouble, since_ms, str(error))

    _note(state_dir, remote, follow)


def trouble_of(error: GitmemError) -> Trouble:
    """Return what an error means for a remote."""
    return next((trouble for kind, trouble in _TROUBLES if isinstance(error, kind)), "failed")


def _note(state_dir: Path, remote: str, change: Callable[[Contact], Contact]) -> None:
    with suppress(DiskRefused, StoreBusy), disk.locked(state_dir / "contact.lock", _WAIT_S):
        contacts = read_contacts(state_dir)
        contacts[remote] = change(contacts.get(remote, NO_CONTACT))
        caching.write_derived(_path(state_dir), _KIND, _ENCODER.encode(contacts))


def _path(state_dir: Path) -> Path:
    return state_dir / "contact"
