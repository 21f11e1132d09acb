"""What `gitmem verify --signatures` says: who signed what, and how much of a memory no signature covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gitmem.cli.context import Context
from gitmem.cli.opening import opened_storage, shared_refs
from gitmem.cli.output import Output, Styled
from gitmem.cli.rendering import iso, local_time
from gitmem.cli.text import one_line
from gitmem.model.errors.store import NoMemory
from gitmem.model.refs import short_name

if TYPE_CHECKING:
    from gitmem.git.signing import State, Verdict
    from gitmem.sharing.signatures import Survey

_DIGITS: Final = 9
_TARGET_DIGITS: Final = 12
_SHOWN: Final = 20
_TROUBLE: Final[tuple[State, ...]] = ("bad", "revoked", "expired", "unknown", "untrusted")


def verify_signatures(context: Context, *, as_json: bool) -> bool:
    """Print what git says of all signatures of what others see, and tell whether none is amiss.

    Raises:
        NoMemory: There is nothing that others see.
    """
    from gitmem.git.signing import check_commits
    from gitmem.sharing.erasers import certify
    from gitmem.sharing.signatures import survey

    repository, git = context.repository, context.git
    with opened_storage(context) as storage:
        refs = shared_refs(context, storage)
        if not refs:
            raise NoMemory(context.settings.memory_ref)
        surveys = [
            survey(
                storage,
                ref,
                lambda oids: check_commits(repository, git, oids),
                lambda tombstones: certify(repository, git, tombstones),
            )
            for ref in refs
        ]
    holds = not any(found.count("bad") or _lacks(context, found) for found in surveys)
    if as_json:
        memories = [_as_json(found) for found in surveys]
        context.output.json({"ok": holds, "required": context.settings.require_signed, "memories": memories})
    else:
        for found in surveys:
            _say(context.output, found, lacks=_lacks(context, found))
    return holds


def _lacks(context: Context, found: Survey) -> bool:
    """Whether there is too little that is signed, by the settings."""
    from gitmem.model.settings import level_at
    from gitmem.sharing.signing import signs

    settings, level = context.settings, level_at(found.ref)
    is_meant = settings.require_signed and (level == "team" or signs(settings, level))
    return is_meant and found.uncovered > 0


def _say(output: Output, found: Survey, *, lacks: bool) -> None:
    output.say(Styled(one_line(short_name(found.ref)), "strong"))
    by_signer: dict[tuple[State, str], list[int]] = {}
    for commit in found.commits:
        by_signer.setdefault((commit.verdict.state, _who(commit.verdict)), []).append(commit.at_s)
    for (state, who), moments in sorted(by_signer.items()):
        output.say(
            "  ",
            _styled(state),
            f" {one_line(who)}: {_count(len(moments), 'commit')}, last {local_time(max(moments) * 1000)}",
        )
    amiss = [commit for commit in found.commits if commit.verdict.state == "bad"]
    for commit in amiss[:_SHOWN]:
        output.say(
            "  ", Styled("bad", "bad"), f" commit {commit.commit[:_DIGITS]} {one_line(commit.committer)}"
        )
    if len(amiss) > _SHOWN:
        output.say(f"  and {len(amiss) - _SHOWN:,} more; --json: names them all")
    for name, tombstone, verdict in found.tombstones:
        told = f"tombstone {name[:_TARGET_DIGITS]} of {tombstone.target[:_TARGET_DIGITS]}: {_who(verdict)}"
        output.say("  ", _styled(verdict.state), " ", one_line(told))
    if found.unsigned:
        output.say(f"  {_count(found.unsigned, 'tombstone')} without a signature")
    covers = Styled("covered", "good")
    if found.uncovered:
        covers = Styled("not covered", "bad" if lacks else "dim")
    output.say(
        "  ",
        covers,
        f": {found.uncovered:,} of {found.records:,} records by no good signature; "
        f"{_count(len(found.commits), 'commit')} signed, {found.others:,} not",
    )


def _styled(state: State) -> Styled:
    return Styled(state, "good" if state == "good" else "bad")


def _who(verdict: Verdict) -> str:
    return verdict.signer or " ".join(verdict.keys[:1]) or "somebody"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _as_json(found: Survey) -> dict[str, Any]:
    return {
        "ref": found.ref,
        "records": found.records,
        "uncovered": found.uncovered,
        "commits": [
            {
                "commit": each.commit,
                "committer": each.committer,
                "at": iso(each.at_s * 1000),
                **_verdict_as_json(each.verdict),
            }
            for each in found.commits
        ],
        "commits_unsigned": found.others,
        "tombstones": [
            {"tombstone": name, "target": tombstone.target, **_verdict_as_json(verdict)}
            for name, tombstone, verdict in found.tombstones
        ],
        "tombstones_unsigned": found.unsigned,
        "counts": {state: found.count(state) for state in ("good", *_TROUBLE)},
    }


def _verdict_as_json(verdict: Verdict) -> dict[str, Any]:
    return {"state": verdict.state, "signer": verdict.signer or None, "keys": list(verdict.keys)}
