"""Rule files: what is refused, and by which name; nothing that is misspelt passes for a rule that works."""

from __future__ import annotations

import pytest

from gitmem.model.errors.withholding import RuleRefused
from gitmem.redaction.loading import LONGEST_EXPRESSION, LONGEST_FILE, MOST_RULES, load_entries
from gitmem.redaction.matching import Judge, ReadyRule
from gitmem.redaction.rules import BUILT_IN
from tests.redaction.compiling import CATALOGUE, FILES

VENDOR = '[[vendor]]\ntitle = "Acme"\nsource = "docs.acme.example, tokens"\n'


def loaded(rule: str, before: str = VENDOR) -> str:
    """Return a rule file with one rule."""
    return f"{before}[[vendor.rules]]\n{rule}\n"


GOOD = 'name = "acme-token"\nkind = "npm-token"\nform = "acme_<alnum 20>"'


def test_rule_is_loaded_with_what_its_vendor_says() -> None:
    (entry,) = load_entries(loaded(GOOD), "acme.toml")
    assert (entry.title, entry.source) == ("Acme", "docs.acme.example, tokens")
    rule = entry.rule
    assert (rule.name, rule.kind, rule.group, rule.check) == ("acme-token", "npm-token", "secret", "")
    found = ReadyRule(0, rule).matches(b"x acme_" + b"q7" * 10 + b" y", Judge())
    assert [(match.start, match.end) for match in found] == [(2, 27)]


def test_what_is_built_in_passes_the_same_checks() -> None:
    rules = [
        entry.rule
        for name in FILES
        for entry in load_entries((CATALOGUE / f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    ]
    assert rules == list(BUILT_IN.rules)


def test_every_file_of_the_catalogue_is_loaded() -> None:
    assert {path.stem for path in CATALOGUE.glob("*.toml")} == set(FILES)


def pattern(text: str, core: str = "acme_[a-z]{4}", more: str = "") -> str:
    return f"name = \"acme\"\nkind = \"npm-token\"\ncore = '''{core}'''\npattern = '''{text}'''\n{more}"


REFUSED = {
    "is no TOML": "[[vendor",
    "is no table: there are": "[other]\n",
    "is no list of tables": 'vendor = "acme"',
    "'rules' is no list of tables": VENDOR + 'rules = "all of them"',
    "none of title, source and rules": VENDOR + 'url = "x"\n',
    "'fragments' is no table": 'fragments = "x"\n',
    "fragment 'a' is no text": "[fragments]\na = 1\n",
    "refers to 'b', which is none": '[fragments]\na = "{{b}}"\n',
    "'ptatern' is no field": loaded(GOOD + '\nptatern = "x"'),
    "its name is missing": loaded('kind = "npm-token"\nform = "acme_<alnum 20>"'),
    "its name is missing, or": loaded(GOOD.replace("acme-token", "Acme Token")),
    "its name is int: expected a text": loaded(GOOD.replace('"acme-token"', "1")),
    "its form is list: expected a text": loaded(GOOD.replace('"acme_<alnum 20>"', '["acme_<alnum 20>"]')),
    "its names is no list of texts": loaded(GOOD + "\nnames = [1]"),
    "is no kind that a placeholder may have": loaded(GOOD.replace("npm-token", "acme-secret")),
    "is no check: there are": loaded(GOOD + '\ncheck = "luck"'),
    "has no title or no source": loaded(GOOD, '[[vendor]]\ntitle = "Acme"\n'),
    "neither a form nor a pattern": loaded('name = "acme"\nkind = "npm-token"'),
    "a form and a pattern": loaded(GOOD + '\npattern = "x"'),
    "a pattern needs a core": loaded('name = "acme"\nkind = "npm-token"\npattern = "acme_[a-z]{9}"'),
    "neither names nor text before it": loaded(pattern("acme_[a-z]{9}", more='before = "x"')),
    "names and text before it": loaded(GOOD + '\nnames = ["acme"]\nbefore = "Acme "'),
    "has no slot": loaded(GOOD.replace("<alnum 20>", "key")),
    "is no slot: expected": loaded(GOOD.replace("<alnum 20>", "<alnum>")),
    "is no alphabet": loaded(GOOD.replace("alnum 20", "runes 20")),
    "a bracket that is no slot's": loaded(GOOD.replace("<alnum 20>", "<alnum 20>>")),
    "a count out of range": loaded(GOOD.replace("20", "0")),
    "count out of range: 1": loaded(GOOD.replace("20", "9000")),
    "no literal text for a search": loaded(GOOD.replace("acme_", "")),
    "its literal text may be escaped": loaded(GOOD.replace("acme_", "/")),
    "its pattern is no RE2": loaded(pattern("(?=acme_)[a-z]{9}")),
    "pattern is no RE2": loaded(pattern(r"(acme_)\\1".replace("\\\\", "\\"))),
    "its core is no RE2": loaded(pattern("acme_[a-z]{9}", core="acme_[")),
    "its skip is no RE2": loaded(GOOD + '\nskip = "("'),
    "pattern is no RE2 ": loaded(pattern("(?!)")),
    "its pattern matches where there is nothing": loaded(pattern("(?:acme_)?[a-z]*")),
    "its core matches where there is nothing": loaded(pattern("acme_[a-z]{9}", core="(?:acme)*")),
    "its joins matches where there is nothing": loaded(GOOD + "\njoins = '''[a-z]*'''"),
    "its pattern finds what is no secret": loaded(pattern("[a-z]{3,}", core="[a-z]{3}")),
    "its core finds nothing": loaded(pattern("acme_[a-z]{9}", core="[^\\x00-\\xff]")),
    "its pattern finds nothing": loaded(pattern("acme_[^\\x00-\\xff]{9}")),
    "more than one group": loaded(pattern("(acme)_([a-z]{9})")),
    "is no fragment: there are": loaded(pattern("acme_{{rune}}{9}")),
    "its pattern is longer than": loaded(pattern("acme_" + "[a-z]" * (LONGEST_EXPRESSION // 5))),
    "another rule of the file has the same name": loaded(GOOD) + "[[vendor.rules]]\n" + GOOD,
    f"where {LONGEST_FILE} may be": "#" * (LONGEST_FILE + 1),
    f"where {MOST_RULES} may be": VENDOR
    + "".join(
        "[[vendor.rules]]\n" + GOOD.replace("acme-token", f"acme-{n}") + "\n" for n in range(MOST_RULES + 1)
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_hostile_rule_file_is_refused_by_name(why: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        load_entries(REFUSED[why], "acme.toml")
    assert why.strip() in str(refused.value)
    assert "acme" in refused.value.name


def test_rule_file_of_nested_brackets_is_refused_and_not_followed() -> None:
    with pytest.raises(RuleRefused, match="is no TOML"):
        load_entries("x = " + "[" * 100_000, "acme.toml")


def test_expression_that_would_not_fit_is_refused() -> None:
    with pytest.raises(RuleRefused, match="is no RE2"):
        load_entries(loaded(pattern("acme_(?:(?:[a-z]{1,1000}){1,1000}){1,1000}")), "acme.toml")
