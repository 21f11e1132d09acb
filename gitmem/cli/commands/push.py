"""`gitmem push`: send a remote's memory what it lacks."""

from __future__ import annotations

import gc
from typing import Final

from gitmem.cli.context import Context
from gitmem.cli.declared import AS_JSON, NO_SIGN, Declared, only_word
from gitmem.model.backports import load_msgspec


def push(context: Context, words: tuple[str, ...], /, *, no_sign: bool, as_json: bool) -> int:
    """Send a remote what it lacks, of all the levels that it was given."""
    context.seek_repository()  # what follows takes some time to load
    load_msgspec()
    from gitmem.cli.levels_text import describe_levels, levels_as_json
    from gitmem.cli.sharing import opened_sharing
    from gitmem.cli.sharing_levels import push_levels

    remote = only_word(words, "REMOTE")
    gc.freeze()
    gc.enable()  # there may be much to move
    with opened_sharing(context, signs=not no_sign) as sharing:
        shared = push_levels(context, sharing, remote)
        if as_json:
            context.output.json(levels_as_json(sharing, shared))
        else:
            describe_levels(context, sharing, shared)
    return 0


command: Final = Declared(
    name="push",
    about="""\
Send the memory to REMOTE, after pulling what others have sent there.

Without REMOTE it is the one that `gitmem init --share` chose; nothing goes to one that nobody named.
A remote gets the levels that it was given (remote.<name>.gitmem), and what it gets is looked through once
more, with today's rules. Its memory only ever moves forward, and nothing else of yours is sent.
Where you sign commits (commit.gpgsign, gitmem.sign), what is sent is signed.
""",
    words="[REMOTE]",
    options=(NO_SIGN, AS_JSON),
    examples=("gitmem push", "gitmem push origin", "gitmem push --json"),
    run=push,
)
