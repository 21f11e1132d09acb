"""The catalogue as a whole: none of its rules is idle, each leaves alone what nearly is its secret."""

from __future__ import annotations

import re
import tomllib
from random import Random

import pytest

from gitmem.model.settings import Level
from gitmem.redaction.engine import Engine
from gitmem.redaction.kinds import SECRET_KINDS
from gitmem.redaction.matching import Judge, ReadyRule
from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, LEFT, Rule, floor
from tests.redaction.compiling import CATALOGUE, FILES, GENERIC, entries
from tests.redaction.generators.contexts import PGPASS
from tests.redaction.shapes import SHAPES, Shape

MADE = {shape.name: shape for shape in (*SHAPES, PGPASS) if shape.name}
RULES = {rule.name: rule for rule in BUILT_IN.rules}
TABLES = {
    table["name"]: table
    for file in FILES
    for vendor in tomllib.loads((CATALOGUE / f"{file}.toml").read_text("utf-8"))["vendor"]
    for table in vendor["rules"]
}
BY_THEMSELVES = [
    name for name, table in TABLES.items() if "form" in table and not {"names", "before"} & table.keys()
]
"""Rules of tokens whose own text gives them away."""

EXACT_END = re.compile(r"<(?:\[[^\]]+\]|[a-z0-9]+) \d+>$")
CHECKSUMS = ("base58check", "base32-crc16", "bech32")
SEEDS = 6


def lead_of(form: str) -> str:
    """Return the text that a form begins with, of words the first; empty where characters come first."""
    lead = ""
    for literal, words, alphabet in re.findall(r"([^<]+)|<([^<> ]*\|[^<>]*)>|(<[^>]+>)", form):
        if alphabet:
            break
        lead += literal or words.split("|")[0]
    return lead


def finds(name: str, text: str) -> bool:
    return any(ReadyRule(0, RULES[name]).matches(text.encode(), Judge()))


def placed(shape: Shape, secret: str) -> str:
    return f"{'' if shape is PGPASS else ' '}{shape.before}{secret}{shape.behind}"


def test_no_rule_is_subsumed_by_the_others() -> None:
    engine = Engine(BUILT_IN)
    names = [rule.name for rule in BUILT_IN.rules]
    idle = []
    for name in names:
        shape, alone = MADE[name], False
        for seed in range(SEEDS):
            secret = shape.secret(Random(f"{name}/{seed}"))
            text = placed(shape, secret)
            start = len(text[: text.rindex(secret)].encode())
            found = {
                names[match.rank]
                for match in engine.matches(text.encode())
                if match.start <= start and match.end >= start + len(secret.encode())
            }
            alone = alone or found == {name}
        if not alone:
            idle.append(name)
    assert not idle


def test_catalogue_is_of_the_size_that_the_documentation_says() -> None:
    assert 300 <= len(RULES) == len(BUILT_IN.rules) <= 420
    assert len(SECRET_KINDS) >= 220
    assert sum("names" in table for table in TABLES.values()) <= 60


def test_every_rule_says_whose_it_is_and_where_that_is_said() -> None:
    told = [entry for file in FILES for entry in entries(file)]
    assert [entry.rule for entry in told] == list(BUILT_IN.rules)
    assert all(len(entry.title) > 2 and len(entry.source) > 6 for entry in told)


def test_vendors_rules_are_asked_before_those_that_guess() -> None:
    assert FILES[-len(GENERIC) :] == ("web", "assignments")
    assert BUILT_IN.rules[-1].kind.startswith("assigned-")


@pytest.mark.parametrize("name", BY_THEMSELVES)
def test_what_nearly_is_a_token_stays(name: str) -> None:
    form, shape = TABLES[name]["form"], MADE[name]
    secret = shape.secret(Random(3))
    assert finds(name, secret)
    lead = lead_of(form)
    if lead:
        assert not finds(name, secret[: len(lead) + 2]), "two characters of it"
        for written in ("xxxxxxxx" * 6, "your-token-here", "YOUR_API_KEY", "..." * 8, "*" * 40):
            assert not finds(name, lead + written), "what documentation writes"
    if secret[0].isalnum() and RULES[name].pattern.startswith(LEFT):
        assert not finds(name, f"q{secret}"), "the end of a longer word"
    if EXACT_END.search(form):
        assert not finds(name, f"{secret[:-1]} "), "one character short"
    if EXACT_END.search(form):
        assert not finds(name, f"{secret[:-3]} {secret[-2:]}"), "another character near its end"


def test_wrong_checksum_decides_where_the_form_says_little() -> None:
    checked = [rule for rule in BUILT_IN.rules if rule.check in CHECKSUMS]
    assert len(checked) >= 5
    for rule in checked:
        shape = MADE[rule.name]
        secret = shape.secret(Random(5))
        for place in range(10, 20):
            other = "7" if secret[place] != "7" else "6"
            wrong = secret[:place] + other + secret[place + 1 :]
            assert not finds(rule.name, placed(shape, wrong)), rule.name
        assert finds(rule.name, placed(shape, secret)), rule.name


def test_floor_is_all_but_the_guesses() -> None:
    assert set(floor()) <= set(BUILT_IN.rules)
    assert SECRET_KINDS - {rule.kind for rule in floor()} == {"assigned-password", "assigned-secret"}


GREEDY = Rule("user-rule", "[a-z]{3}", "[a-z]{3}[^ ]{0,9}", group="user", name="user:greedy")


@pytest.mark.parametrize("level", ["public", "team", "private", "ephemeral"])
@pytest.mark.parametrize(
    "policy",
    [Policy(), Policy(frozenset({"email", "home"}), keeps_payloads=True), Policy(user_rules=(GREEDY,))],
    ids=["nothing chosen", "everything kept", "a greedy rule"],
)
def test_no_choice_and_no_rule_of_a_users_own_weakens_the_floor(level: Level, policy: Policy) -> None:
    rules = rule_set(level, policy)
    assert set(floor()) <= set(rules.rules)
    redactor = Redactor(bytes(32), rules)
    for rule in floor()[::4]:
        shape = MADE[rule.name]
        secret = shape.secret(Random(1))
        assert secret.encode() not in redactor.line(placed(shape, secret).encode()), rule.name
