"""Which rules a session is redacted with: by its level, and by what its repository's users chose.

Invariant: a choice only adds rules. At every level all secrets go, and what is too sensitive to be shared
(cards, account numbers, numbers that states give); whatever somebody sets, no set is smaller than that.
"""

from __future__ import annotations

from typing import NamedTuple, assert_never

from gitmem.model.settings import Level, PersonalChoice, Settings
from gitmem.redaction.personal import ALWAYS, BY_CHOICE
from gitmem.redaction.rules import BUILT_IN, Rule, RuleSet


class Policy(NamedTuple):
    """What may be chosen: personal data that a team does without, whether images stay, rules of one's own."""

    personal: frozenset[PersonalChoice] = frozenset()
    keeps_payloads: bool = False
    user_rules: tuple[Rule, ...] = ()


def policy_of(settings: Settings, user_rules: tuple[Rule, ...] = ()) -> Policy:
    """Return what a repository's settings say."""
    return Policy(settings.personal, settings.payloads, user_rules)


def rule_set(level: Level, policy: Policy) -> RuleSet:
    """Return the rules of a level.

    What is private is redacted as a team's: it is sealed, but to keys that get lost, and for readers who are
    added later. What is ephemeral is not written; were it ever, then as what everybody may see.
    """
    match level:
        case "public" | "ephemeral":
            chosen = frozenset(BY_CHOICE)
            takes_payloads = True
        case "team" | "private":
            chosen = policy.personal
            takes_payloads = not policy.keeps_payloads
        case _:
            assert_never(level)
    personal = tuple(rule for kind, rules in BY_CHOICE.items() if kind in chosen for rule in rules)
    return RuleSet((*BUILT_IN.rules, *ALWAYS, *personal, *policy.user_rules), takes_payloads)
