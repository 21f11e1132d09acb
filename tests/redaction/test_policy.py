"""By level and choice rules are added, and none is ever taken away."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from gitmem.model.settings import LEVELS, PERSONAL_CHOICES, PersonalChoice, Settings
from gitmem.redaction.personal import ALWAYS, PERSONAL
from gitmem.redaction.policy import Policy, policy_of, rule_set
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, Rule

KEY = bytes(range(32))
LINE = b"ada@lovelace.io +14158675309 8.8.4.4 /home/ada/x 4111111111111111 536-90-4399 DE89370400440532013000"


def every_choice() -> list[frozenset[PersonalChoice]]:
    sizes = range(len(PERSONAL_CHOICES) + 1)
    return [frozenset(kinds) for kinds in chain(*(combinations(PERSONAL_CHOICES, n) for n in sizes))]


@pytest.mark.parametrize("level", LEVELS)
def test_floor_is_in_every_set_whatever_is_chosen(level: str) -> None:
    own = Rule("user-rule", "abc", "abc", group="user", name="abc")
    floor = {*BUILT_IN.rules, *ALWAYS}
    for personal in every_choice():
        for policy in (Policy(personal), Policy(personal, True), Policy(personal, False, (own,))):
            rules = rule_set(level, policy)  # type: ignore[arg-type]
            assert floor <= set(rules.rules)
            assert set(policy.user_rules) <= set(rules.rules)


def test_public_loses_all_personal_data_and_every_payload_whatever_is_chosen() -> None:
    for policy in (Policy(), Policy(keeps_payloads=True)):
        rules = rule_set("public", policy)
        assert set(PERSONAL) <= set(rules.rules)
        assert rules.takes_payloads


def test_team_and_private_lose_what_is_sensitive_and_what_was_chosen() -> None:
    for level in ("team", "private"):
        kept = Redactor(KEY, rule_set(level, Policy())).line(LINE)  # type: ignore[arg-type]
        assert kept.startswith(b"ada@lovelace.io +14158675309 8.8.4.4 /home/ada/x [gm:card:")
        assert kept.count(b"[gm:") == 3
        without = Redactor(KEY, rule_set(level, Policy(frozenset({"email", "home"})))).line(LINE)  # type: ignore[arg-type]
        assert without.startswith(b"[gm:email:")
        assert b"/home/[gm:home:" in without
        assert b" +14158675309 8.8.4.4 " in without


def test_payloads_stay_only_where_a_team_says_so() -> None:
    assert rule_set("team", Policy()).takes_payloads
    assert not rule_set("team", Policy(keeps_payloads=True)).takes_payloads
    assert not rule_set("private", Policy(keeps_payloads=True)).takes_payloads
    assert rule_set("ephemeral", Policy(keeps_payloads=True)).takes_payloads


def test_fingerprint_follows_level_and_choice() -> None:
    sets = [rule_set("team", Policy(chosen)) for chosen in every_choice()]
    sets += [rule_set("team", Policy(keeps_payloads=True))]
    assert len({rules.fingerprint for rules in sets}) == len(sets)


def test_secrets_are_named_before_personal_data() -> None:
    line = b"https://x:hunter2secret@lovelace.io/ /home/ada"
    assert b"//x:[gm:url-password:" in Redactor(KEY, rule_set("public", Policy())).line(line)


def test_policy_is_what_the_settings_say() -> None:
    own = (Rule("user-rule", "abc", "abc", group="user", name="abc"),)
    settings = Settings(personal=frozenset({"ip"}), payloads=True)
    assert policy_of(settings, own) == Policy(frozenset({"ip"}), True, own)
