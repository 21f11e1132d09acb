"""A user's own rules: used when they prove themselves, refused with a reason otherwise, and never harmful."""

from __future__ import annotations

import json
import string
from pathlib import Path
from random import Random

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.model.errors.withholding import RuleRefused
from gitmem.redaction.cores import NoCore, shape_of
from gitmem.redaction.policy import Policy, rule_set
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.userrules import MOST_RULES, UserRule, declared, proven, user_rules
from tests.conftest import RealGit
from tests.redaction.planting import PLACEHOLDER

KEY = bytes(range(32))


def rule(pattern: str, *samples: str, counters: tuple[str, ...] = ()) -> UserRule:
    return UserRule("acme", pattern, samples, counters)


@pytest.mark.parametrize(
    ("pattern", "text", "kept"),
    [
        (r"acme_([a-z0-9]{24})", "acme_" + "a1" * 12, "acme_"),
        (r"(?i)\bcorp-[0-9]{6}\b", "CORP-123456", ""),
        (r'"employee": "([A-Z]{2}[0-9]{6})"', '"employee": "AB123456"', '"employee": "'),
        (r"(?:foo|bar|bazinga)-[0-9]{8}", "bazinga-12345678", ""),
        (r"ticket#[^\s]{5,9}", "ticket#a/b\\c", ""),
        (r"name=(\w+ \w{3,});", "name=Ada Lovelace;", "name="),
    ],
)
@pytest.mark.parametrize("layers", [0, 1, 2, 3])
def test_rule_finds_its_text_at_any_depth_of_json(pattern: str, text: str, kept: str, layers: int) -> None:
    made = proven(rule(pattern, text))
    line = text
    for _ in range(layers):
        line = json.dumps({"text": line})
    redacted = Redactor(KEY, rule_set("team", Policy(user_rules=(made,)))).line(line.encode())
    told = redacted.decode()
    for _ in range(layers):
        told = json.loads(told)["text"]
    assert told.startswith(f"{kept}[gm:user-rule:"), told


@pytest.mark.parametrize(
    ("declaration", "why"),
    [
        (rule(""), "no pattern"),
        (rule("acme_[0-9]{9}"), "no sample"),
        (rule("acme_[0-9]{9}", "acme"), "nothing in its sample 1"),
        (rule("acme_[0-9]{9}", "acme_123456789", counters=("no", "acme_123456789")), "counter-sample 2"),
        (rule("acme_(", "x"), "missing )"),
        (rule(r"(acme)\1", "acmeacme"), "RE2 does not take it"),
        (rule(r"acme(?=x)", "acmex"), "RE2 does not take it"),
        (rule(r"acme(?<!x)", "acmex"), "RE2 does not take it"),
        (rule("acme{1001}", "acme"), "RE2 does not take it"),
        (rule("((((a{10}){10}){10}){10})", "a"), "RE2 does not take it"),
        (rule(".*", "x"), "no three characters"),
        (rule("^acme-[0-9]{9}", "acme-123456789"), "a line holds many texts"),
        (rule("acme-[0-9]{9}$", "acme-123456789"), "a line holds many texts"),
        (rule("", "x"), "no pattern"),
        (rule("a*", "x"), "no three characters"),
        (rule("(?s).+", "x"), "no three characters"),
        (rule("(a+)+", "aaaa"), "no three characters"),
        (rule(r"\w+", "x"), "no three characters"),
        (rule(r"[^\s]{20,}", "x" * 20), "no three characters"),
        (rule(r'"[^"]*"', '"x"'), "no three characters"),
        (rule(r"/home/\w+", "/home/x"), ""),
        (rule("[[:alpha:]]{30}", "x" * 30), "is not understood"),
        (rule(r"\QACME\E", "ACME"), "is not understood"),
        (rule("acme{,9}", "acme"), "is not understood"),
        (rule("acme(x*)", "acmexxxx"), "shorter than 4"),
        (rule("(acme)(corp)", "acmecorp"), "several groups"),
        (rule("acmé-[0-9]{9}", "acmé-123456789"), "ASCII"),
        (rule("acme" * 200, "acme"), "at most 500"),
        (rule("(?:quick|slow) brown", "quick brown"), "ordinary text"),
        (rule("assistant", "assistant"), "ordinary text"),
        (rule(r"gm:user-rule:[a-z2-7]+", "gm:user-rule:abcdefg"), "ordinary text"),
        (rule("(?i:sessionid)", "sessionId"), "ordinary text"),
    ],
)
def test_rule_that_cannot_be_used_is_refused_with_a_reason(declaration: UserRule, why: str) -> None:
    if not why:
        proven(declaration)
        return
    with pytest.raises(RuleRefused) as refused:
        proven(declaration)
    assert why in refused.value.why
    assert refused.value.exit_code == 2
    assert refused.value.hint.startswith("gitmem redact test")


def test_group_that_takes_no_part_replaces_nothing() -> None:
    made = proven(rule("acme-(?:key|id=([0-9]{6}))", "acme-id=123456"))
    redactor = Redactor(KEY, rule_set("team", Policy(user_rules=(made,))))
    assert redactor.line(b"x acme-key acme-key y") == b"x acme-key acme-key y"
    assert redactor.line(b"x acme-key acme-id=123456").startswith(b"x acme-key acme-id=[gm:user-rule:")


def test_refusal_does_not_show_a_sample() -> None:
    sample = "canary-" + "9f" * 12
    for declaration in (rule("acme_[0-9]{9}", sample), rule("canary-.*", sample, counters=(sample,))):
        with pytest.raises(RuleRefused) as refused:
            proven(declaration)
        assert "9f" not in f"{refused.value}{refused.value!r}{refused.value.__cause__!r}"


def test_thousands_of_rules_are_refused() -> None:
    config = {f"gitmem.redact.r{n}.pattern": (f"acme{n}_[0-9]{{9}}",) for n in range(5000)}
    with pytest.raises(RuleRefused, match=str(MOST_RULES)):
        user_rules(config)


@pytest.mark.parametrize(
    "key", ["gitmem.redact.pattern", "gitmem.redact.A b.pattern", "gitmem.redact.x.kind"]
)
def test_declaration_in_another_form_is_refused(key: str) -> None:
    with pytest.raises(RuleRefused):
        declared({key: ("x",)})


def test_other_settings_declare_nothing() -> None:
    assert user_rules({"gitmem.level": ("team",), "core.pager": ("less",)}) == ()


def test_rules_are_read_from_gits_configuration_and_not_from_a_committed_file(
    repository: Path, git: RealGit, environ: dict[str, str]
) -> None:
    (repository / ".gitmem.toml").write_text('level = "team"\n')
    git("config", "gitmem.redact.acme.pattern", "acme_[0-9]{9}", cwd=repository)
    git("config", "--add", "gitmem.redact.acme.sample", "see acme_123456789", cwd=repository)
    git("config", "--add", "gitmem.redact.acme.sample", "acme_987654321", cwd=repository)
    git("config", "--global", "gitmem.redact.of-all.pattern", "everywhere-[0-9]{9}", cwd=repository)
    git("config", "--global", "gitmem.redact.of-all.sample", "everywhere-123456789", cwd=repository)
    rules = user_rules(discover(repository, Git(environ)).config)
    assert [made.name for made in rules] == ["user:acme", "user:of-all"]
    assert {made.kind for made in rules} == {"user-rule"}


def test_users_rule_takes_nothing_away_from_the_floor(seed: int) -> None:
    own = proven(rule(r"acme[^\n]{0,40}", "acme is here"))
    token = "gh" + "p_" + "".join(Random(seed).choices(string.ascii_letters + string.digits, k=36))
    for line in (f"acme {token}", f"{token} acme", f"acme {token} acme {token}"):
        redacted = Redactor(KEY, rule_set("team", Policy(user_rules=(own,)))).line(line.encode())
        assert token.encode() not in redacted
        assert PLACEHOLDER.search(redacted)


SAFE = st.sampled_from(list("abcXYZ019 _-.=:#"))
PIECES = st.recursive(
    SAFE.map(lambda c: c if c.isalnum() or c in " _-=:#" else f"\\{c}")
    | st.sampled_from(["[a-f]", "[^x]", r"\d", r"\w", ".", '"', "/", r"\s", r"\b", "(?i:k)"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: f"(?:{''.join(parts)})")
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})")
        | st.tuples(inner, st.sampled_from(["?", "+", "*", "{2}", "{1,3}", "{2,}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        )
    ),
    max_leaves=12,
)


@given(st.lists(PIECES, min_size=1, max_size=5).map("".join), st.randoms(use_true_random=False))
def test_core_stands_in_the_json_of_whatever_the_pattern_matches(pattern: str, rng: Random) -> None:
    whole = f"key-{pattern}-end"
    try:
        shape = shape_of(whole)
    except NoCore:
        return
    compiled, core = re2.compile(whole), re2.compile(shape.core)
    for _ in range(20):
        text = "key-" + "".join(rng.choices('abcfkKXYZ019 _-.=:#"/\n\\', k=rng.randrange(9))) + "-end"
        if compiled.search(text):
            assert core.search(json.dumps(json.dumps(text))), (whole, text, shape.core)
