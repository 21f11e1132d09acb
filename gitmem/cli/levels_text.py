"""How pull, push and sync of several levels are told, to people and to programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.context import Context
from gitmem.cli.output import Styled
from gitmem.cli.sharing import describe_pull, describe_push, pull_as_json, push_as_json
from gitmem.cli.sharing_levels import Shared, Synced
from gitmem.cli.text import count, one_line
from gitmem.sharing.pulling import Pulled, Sharing
from gitmem.verbs.contact import trouble_of

if TYPE_CHECKING:
    from gitmem.sealed.merging import Outcome
    from gitmem.sharing.sealed import SealedPulled, SealedPushed

_SHOWN_REFUSALS: Final = 20
_CAME: Final[frozenset[Outcome]] = frozenset({"new there", "grown there", "united"})


def describe_levels(context: Context, sharing: Sharing, shared: Shared, *, is_dry: bool = False) -> None:
    """Print what came of a pull or push of several levels, or of a dry pull would, for people."""
    for level, part in (("team", shared.team), ("public", shared.public)):
        if part is None or (level == "public" and isinstance(part, Pulled) and part.how == "no memory there"):
            continue
        if level == "public" and shared.team is not None:
            context.output.say(Styled("public:", "dim"))
        at = sharing if level == "team" else sharing._replace(level="public")
        if isinstance(part, Pulled):
            describe_pull(context, at, part, is_dry=is_dry)
        else:
            describe_push(context, at, part)
    if shared.private is not None:
        _describe_sealed(context, shared.private)
    if shared.followed is not None and shared.followed.is_something:
        from gitmem.cli.forgetting_text import say_followed

        say_followed(context, shared.followed)
    for warning in shared.warnings:
        context.output.warn(one_line(warning))


def describe_synced(context: Context, sharing: Sharing, synced: Synced) -> None:
    """Print what came of a sync with one remote, for people; what went wrong goes to standard error."""
    for part in (_without_what_was_sent(synced), synced.pushed):
        if part is not None:
            describe_levels(context, sharing, part)
    if synced.error is not None:
        context.output.warn(one_line(str(synced.error)))
        if not synced.is_offline:
            context.output.warn(Styled("hint:", "dim"), " ", one_line(synced.error.hint))


def _without_what_was_sent(synced: Synced) -> Shared | None:
    """Return what was pulled; what held the erased then is not told of if it was looked for again later."""
    pulled, later = synced.pulled, synced.pushed and synced.pushed.followed
    if pulled is None or pulled.followed is None or later is None or later.cleared is None:
        return pulled
    cleared = pulled.followed.cleared
    if cleared is None:
        return pulled
    told = cleared._replace(held_by=()) if cleared.objects else None
    return pulled._replace(followed=pulled.followed._replace(cleared=told))


def synced_as_json(sharing: Sharing, synced: Synced) -> dict[str, Any]:
    """Return what came of a sync with one remote, for programs."""
    error = synced.error
    return {
        "remote": synced.remote,
        "state": trouble_of(error) if error else "synced",
        "why": str(error) if error else None,
        "pulled": levels_as_json(sharing, synced.pulled) if synced.pulled else None,
        "pushed": levels_as_json(sharing, synced.pushed) if synced.pushed else None,
    }


def levels_as_json(sharing: Sharing, shared: Shared) -> dict[str, Any]:
    """Return what came of a pull or push of several levels, for programs."""
    answer: dict[str, Any] = {"remote": shared.remote}
    for level, part in (("team", shared.team), ("public", shared.public)):
        if part is None:
            continue
        told = pull_as_json(sharing, part) if isinstance(part, Pulled) else push_as_json(sharing, part)
        answer |= told if level == "team" else {level: told}
    if shared.private is not None:
        answer["private"] = _sealed_as_json(shared.private)
    if shared.followed is not None and shared.followed.cleared is not None:
        from gitmem.cli.forgetting_text import followed_as_json

        answer |= followed_as_json(shared.followed)
    return answer


def _describe_sealed(context: Context, part: SealedPulled | SealedPushed) -> None:
    from gitmem.sharing.sealed import SealedPulled, SealedPushed

    output = context.output
    pulled = part if isinstance(part, SealedPulled) else part.pulled
    came = sum(number for outcome, number in pulled.outcomes.items() if outcome in _CAME)
    if came:
        output.say(f"private: {count(came, 'sealed session')} from {pulled.remote}")
    if isinstance(part, SealedPushed):
        output.say(f"private: {count(part.sent, 'sealed session')} sent to {part.remote}")
    for name, why in pulled.refused[:_SHOWN_REFUSALS]:
        output.warn(Styled("kept out:", "bad"), " ", one_line(f"{name[:12]}: {why}"))


def _sealed_as_json(part: SealedPulled | SealedPushed) -> dict[str, Any]:
    from gitmem.sharing.sealed import SealedPulled

    pulled = part if isinstance(part, SealedPulled) else part.pulled
    told: dict[str, Any] = {
        "outcomes": dict(sorted(pulled.outcomes.items())),
        "refused": [{"name": name, "why": why} for name, why in pulled.refused],
    }
    return told if isinstance(part, SealedPulled) else {"sent": part.sent, "pulled": told}
