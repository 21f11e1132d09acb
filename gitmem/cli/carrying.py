"""Carrying the memory beside the user's own `git push` and `git pull`, by a process that nobody waits for.

It asks nobody anything, does one thing at a time, ends at last, and sets off nothing of its own kind. What
keeps a remote from being reached is that remote's state, as after `gitmem sync`, and fails nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from gitmem.checkpoints import wishes
from gitmem.cli.context import Context
from gitmem.git.process import REDIRECTING
from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.sharing import RemoteUnreachable
from gitmem.model.errors.store import StoreBusy

if TYPE_CHECKING:
    from gitmem.checkpoints.wishes import Wish

_RECURSE: Final = "gitmem.recursesubmodules"
_LONGEST_S: Final = 1800
"""For one remote; a first push may be hundreds of megabytes."""
_CODE_WAIT_S: Final = 600.0
_LOOKED_EVERY_S: Final = 0.2

_WITHOUT_QUESTIONS: Final = {
    "GITMEM_HOOKS": "false",
    "GIT_TERMINAL_PROMPT": "0",
    # Nor a window of the user's desktop, which any of these may open.
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "force",
    "GCM_INTERACTIVE": "never",
}

_START: Final = """\
import sys
home = sys.argv.pop(1)
if home not in sys.path:
    sys.path.append(home)
from gitmem.cli.main import main
sys.exit(main())
"""


def carry(context: Context) -> None:
    """Fulfil what wishes there are, and those that come meanwhile, unless another process is at it.

    Raises:
        DiskRefused: The disk does not let it.
    """
    state_dir = context.repository.state_dir
    if not context.settings.carry:
        wishes.remove_all(state_dir)
    if not wishes.waiting(state_dir):
        return
    _leave_terminal(context)
    quiet = _quiet(context)
    while waiting := wishes.waiting(state_dir):
        # What comes after the last look, and finds the lock held, is found by the next one here.
        try:
            with wishes.held(state_dir):
                for wish in waiting:
                    _wait_for_code(wish)
                    wishes.remove(state_dir, wish)
                    _fulfil(quiet, wish)
                _carry_submodules(quiet)
        except StoreBusy:
            return


def start_carrying(context: Context) -> None:
    """Have a process of its own fulfil what wishes there are, after a command that somebody waits for."""
    if not wishes.waiting(context.repository.state_dir):
        return
    from gitmem.sidecar.starting import command

    nowhere = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
    os.posix_spawn(
        sys.executable,
        command("capture", "--spool", "-C", str(context.start), program=_START),
        {name: value for name, value in context.environ.items() if name not in REDIRECTING},
        file_actions=[nowhere, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)],
    )


def _quiet(context: Context) -> Context:
    """Return a context for the same place in which no git asks anybody, or sets off hooks of gitmem's.

    It knows nothing of the repository that a hook was started in, and reads the settings anew.
    """
    quiet = context.again()
    quiet.environ = {**context.environ, **_WITHOUT_QUESTIONS}
    quiet.move(context.start)
    return quiet


def _leave_terminal(context: Context) -> None:
    """Give up the terminal that git was started from: an older ssh asks there, whatever it is told."""
    if not context.is_interactive:
        with suppress(PermissionError):  # we lead a group of processes, as a shell's job does
            os.setsid()


def _wait_for_code(wish: Wish) -> None:
    """Wait until git is done with the code: into an empty remote the memory must not go first."""
    from gitmem.checkpoints.draining import is_process

    deadline = time.monotonic() + _CODE_WAIT_S
    while wish.action == "push" and is_process(wish.pid) and time.monotonic() < deadline:
        time.sleep(_LOOKED_EVERY_S)


def _fulfil(context: Context, wish: Wish) -> None:
    from gitmem.cli.catching_up import catch_up
    from gitmem.cli.opening import unite
    from gitmem.cli.sharing import opened_sharing
    from gitmem.cli.sharing_levels import pull_levels, push_levels

    if wish.remote not in {remote.name for remote in context.settings.remotes}:
        return  # nobody has chosen it any more
    # What goes wrong is noted as the remote's state by what is called here, and nobody reads what we print.
    with suppress(GitmemError), _bounded(wish.remote), opened_sharing(context) as sharing:
        if wish.action == "push":
            # Unsigned, whatever the user's commits are: nobody is here who could be asked for a key.
            push_levels(context, sharing, wish.remote)
        else:
            pull_levels(context, sharing, wish.remote)
        catch_up(context, unite)  # so that the next command finds that nothing has moved


def _carry_submodules(context: Context) -> None:
    """Sync submodules, too, where somebody has asked for that: it may be a hundred remotes for each push."""
    if not (_RECURSE in context.repository.config and context.settings.recurse_submodules):
        return
    from gitmem.cli.syncing import sync_all

    with suppress(GitmemError):  # of each it is noted what came of it
        sync_all(context, is_top_done=True, signs=False)


@contextmanager
def _bounded(remote: str) -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        raise RemoteUnreachable(remote, f"it was not done within {_LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(_LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
