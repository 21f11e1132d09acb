"""Whether a remote and this clone have the same memories already: one question to the remote tells.

Most syncs of many submodules find nothing to do; what a pull and a push would ask is asked here at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gitmem.git import transport
from gitmem.git.transport import Remote
from gitmem.model.ids import Oid
from gitmem.model.refs import (
    KEYS_NAMESPACE,
    PUBLIC_REF,
    SEALED_NAMESPACE,
    tracking_ref,
)
from gitmem.model.settings import Settings
from gitmem.objects.storage import Storage
from gitmem.sharing.choosing import levels_of

_SEALED: Final = (SEALED_NAMESPACE, KEYS_NAMESPACE)


def is_settled(remote: Remote, storage: Storage, settings: Settings) -> bool:
    """Tell whether neither a pull from a remote nor a push to it has anything to bring.

    Audits are not looked at: each sync that moves something writes to one, and they would never come to rest.
    They go along with the next one that does.

    Raises:
        RemoteUnreachable: The remote does not answer, or does not let us in.
    """
    levels = levels_of(settings, remote.name)
    refs = {"team": settings.memory_ref, "public": PUBLIC_REF}
    single = [ref for level, ref in refs.items() if level in levels]
    below = list(_SEALED) if "private" in levels else []
    asked = [*single, *(f"{prefix}*" for prefix in below)]
    lines = transport.ask(remote, ["--refs", "--end-of-options", remote.name, *asked])
    theirs = {name: Oid(oid) for oid, _, name in (line.partition("\t") for line in lines)}
    for ref in single:
        here, tracking = storage.read_ref(ref), storage.read_ref(tracking_ref(remote.name, ref))
        if not (theirs.get(ref) == tracking == here):
            return False
    return all(_below(theirs, prefix) == _below(storage.list_refs(prefix), prefix) for prefix in below)


def _below(refs: Mapping[str, Oid], prefix: str) -> dict[str, Oid]:
    return {ref.removeprefix(prefix): oid for ref, oid in refs.items() if ref.startswith(prefix)}
