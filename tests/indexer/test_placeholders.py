"""A search for `gm:` and a kind finds where something of that kind was redacted."""

from __future__ import annotations

import pytest

from gitmem.query.filters import Filters
from gitmem.redaction.placeholders import KINDS, payload_digest, payload_placeholder, placeholder
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said

KEY = bytes(range(32))


def stood(kind: str) -> str:
    return placeholder(KEY, kind, kind.encode()).decode()


@pytest.fixture
def redacted(memory: Filled) -> Filled:
    image = payload_placeholder("payload-png", 1234, payload_digest(KEY, "payload-png").digest()).decode()
    memory.add(
        "one",
        [
            said(f"export KEY={stood('aws-access-key')} before the deploy"),
            said(f"and the other is {stood('aws-secret-key')}"),
            said(f"aws gave a session {stood('aws-session-token')}"),
            said("the key of aws is lost, and gm knows no deploy of it"),
            said(f"mail {stood('email')} about it"),
            called("c1", "cat", file_path=".env"),
            gave("c1", f"TOKEN={stood('github-token')}\\nDEPLOY=1"),
            said(f"see {image}"),
        ],
    )
    return memory


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("gm:aws-access-key", ["one#0"]),
        ("gm:aws-key", ["one#0", "one#1"]),
        ("gm:AWS-Key", ["one#0", "one#1"]),
        ("gm:aws", ["one#0", "one#1", "one#2"]),
        ("gm:email", ["one#4"]),
        ("gm:github-token", ["one#6"]),
        ("gm:token", ["one#2", "one#6"]),
        ("gm:payload", ["one#7"]),
        ("gm:aws deploy", ["one#0", "one#1", "one#2"]),
        ("gm:aws -deploy", ["one#1", "one#2"]),
        ("key -gm:aws", ["one#3"]),
        ("gm:jwt", []),
        ("gm:key-aws", ["one#3"]),
    ],
)
def test_placeholders_are_found_by_kind_and_family(
    redacted: Filled, search: Asked, query: str, found: list[str]
) -> None:
    names = sorted(names_of(search(query)))
    if query == "gm:key-aws":  # no kind, so words
        assert set(found) <= set(names)
    else:
        assert names == found


def test_words_beside_it_rank_what_is_found(redacted: Filled, search: Asked) -> None:
    assert names_of(search("gm:aws deploy"))[0] == "one#0"


def test_whole_placeholder_finds_where_the_same_secret_stood(redacted: Filled, search: Asked) -> None:
    assert names_of(search(f'"{stood("aws-secret-key")}"')) == ["one#1"]


def test_filters_hold_for_placeholders_too(redacted: Filled, search: Asked) -> None:
    assert names_of(search("gm:aws", Filters(roles=("tool",)))) == []
    assert names_of(search("gm:github", Filters(roles=("tool",)))) == ["one#6"]


def test_every_kind_is_found_by_its_name(memory: Filled, search: Asked) -> None:
    kinds = sorted(KINDS)
    memory.add("all", [said(f"was {stood(kind)} here") for kind in kinds])
    for number, kind in enumerate(kinds):
        assert f"all#{number}" in names_of(search(f"gm:{kind}")), kind
