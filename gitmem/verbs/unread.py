"""What readers could not use of sessions, for each agent and version: where a format drifts, it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from gitmem.verbs.summaries import Summary


@dataclass
class Unread:
    """What of the sessions of one agent, as of one version of it, was kept and not understood.

    `affected` of its `sessions` have any of that. `counts` names each kind, `unknown <name>` those records
    whose type no reader knows. A session counts for the version that it began under.
    """

    agent: str
    version: str | None
    sessions: int = 0
    affected: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def unread(summaries: Iterable[Summary]) -> list[Unread]:
    """Sum up what sessions say, the most of it first; agents of which all was understood are left out.

    Nothing is read for it but the summaries.
    """
    found: dict[tuple[str, str | None], Unread] = {}
    for summary in summaries:
        key = (summary.agent, summary.agent_version)
        group = found.setdefault(key, Unread(*key))
        group.sessions += 1
        tally = summary.tally
        here = Counter({f"unknown {kind!r}": number for kind, number in tally.unknown.items()})
        here.update({"not JSON": tally.not_json, "cut short": tally.cut_short, "not UTF-8": tally.bad_utf8})
        group.affected += any(here.values())
        group.counts.update(here)
    groups = [group for group in found.values() if group.affected]
    for group in groups:
        group.counts = Counter(dict(sorted((+group.counts).items())))  # without what there is none of
    return sorted(groups, key=lambda group: (-group.counts.total(), group.agent, group.version or ""))
