"""`gitmem pull`: bring in what a remote's memory has."""

from __future__ import annotations

import gc
from typing import Final

from gitmem.cli.context import Context
from gitmem.cli.declared import AS_JSON, Declared, Option, only_word
from gitmem.model.backports import load_msgspec
from gitmem.model.errors.base import UsageError


def pull(
    context: Context,
    words: tuple[str, ...],
    /,
    *,
    dry_run: bool,
    since: str | None,
    whole: bool,
    as_json: bool,
) -> int:
    """Bring in what a remote has, of all the levels that it was given."""
    context.seek_repository()  # what follows takes some time to load
    load_msgspec()
    from gitmem.cli.levels_text import describe_levels, levels_as_json
    from gitmem.cli.sharing import opened_sharing
    from gitmem.cli.sharing_levels import preview_levels, pull_levels

    remote = only_word(words, "REMOTE")
    gc.freeze()
    gc.enable()  # there may be much to move
    if (since is not None) + whole + dry_run > 1:
        hint = "gitmem pull -h: shows how it is used"
        raise UsageError("--since, --whole and --dry-run exclude each other", hint=hint)
    if since is not None:
        from gitmem.cli.leanness import keep_days

        context = keep_days(context, remote, since)
    if whole:
        from gitmem.cli.leanness import pull_whole

        context = pull_whole(context, remote)
    with opened_sharing(context) as sharing:
        shared = (preview_levels if dry_run else pull_levels)(context, sharing, remote)
        if as_json:
            context.output.json(levels_as_json(sharing, shared))
        else:
            describe_levels(context, sharing, shared, is_dry=dry_run)
    return 0


command: Final = Declared(
    name="pull",
    about="""\
Bring in what the memory of REMOTE has, and unite it with the one here.

Without REMOTE it is the one that `gitmem init --share` chose. Nothing that is here goes; what the remote
has and does not belong into a memory is kept out and named. With --dry-run it is fetched and told of, and
the memory stays as it is; of what is private nothing is said then.

With --since the text of sessions to which nothing was added for so long stays with REMOTE, and is fetched
when somebody reads one. What is pulled later is pulled in the same way.
""",
    words="[REMOTE]",
    options=(
        Option(("--dry-run",), "dry_run", "Only say what would come of it.", kind="flag"),
        Option(
            ("--since",),
            "since",
            "Fetch the text of the last 30d, 6mo, ... alone, from now on.",
            metavar="AGE",
        ),
        Option(("--whole",), "whole", "Fetch what --since left out, and all from now on.", kind="flag"),
        AS_JSON,
    ),
    examples=(
        "gitmem pull",
        "gitmem pull origin",
        "gitmem pull --dry-run",
        "gitmem pull --since 30d origin",
        "gitmem pull --whole",
    ),
    run=pull,
)
