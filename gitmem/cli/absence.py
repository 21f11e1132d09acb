"""What of a memory is not here, and fetching a session when somebody reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitmem.cli.context import Context

if TYPE_CHECKING:
    from gitmem.format.absent import Absent, Bring
    from gitmem.model.ids import SessionId
    from gitmem.objects.storage import Storage


def absent_of(context: Context, storage: Storage | None = None) -> Callable[[str], Absent]:
    """Return what says what is absent of the memory at a ref; given a storage, reading one fetches it."""
    from gitmem.verbs.absence import absent_at

    state_dir = context.repository.state_dir
    return absent_at(state_dir, None if storage is None else lambda ref: _bring(context, storage, ref))


def _bring(context: Context, storage: Storage, ref: str) -> Bring:
    def bring(session: SessionId) -> None:
        from gitmem.git.lean import lean_remotes
        from gitmem.git.transport import find_remote
        from gitmem.verbs.absence import bring

        names = lean_remotes(context.repository)
        remote = None
        if names:
            silence_s = None if context.is_interactive else context.settings.timeout_s or None
            remote = find_remote(context.repository, context.git, names[0], silence_s=silence_s)
            context.output.warn(f"fetching session {session[:12]} from {remote.name}")
        bring(storage, remote, context.repository.state_dir, ref, session)

    return bring
