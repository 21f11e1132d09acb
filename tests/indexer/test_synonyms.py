"""Words that stand for each other are found by each other, and count less than what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

import indexer
from gitmem.query.filters import Filters
from indexer.finding.synonyms import load
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, names_of, said

OURS = Path(indexer.__file__).parent / "finding" / "synonyms.txt"


def test_our_list_is_made_of_groups_in_which_each_word_stands_once() -> None:
    lines = [line.partition("#")[0].strip() for line in OURS.read_text("utf-8").splitlines()]
    groups = [line.split(", ") for line in lines if line]
    assert len(groups) > 50
    for group in groups:
        assert len(group) >= 2, group
        assert len(set(group)) == len(group), group
        assert all(word == " ".join(word.lower().split()) and "-" not in word[:1] for word in group), group
    assert len({frozenset(group) for group in groups}) == len(groups)


def test_our_list_is_in_order() -> None:
    groups = [line for line in OURS.read_text("utf-8").splitlines() if not line.startswith("#")]
    first = [line.partition(",")[0] for line in groups]
    assert first == sorted(first)


def test_each_word_of_a_group_has_all_others(tmp_path: Path) -> None:
    words = own(tmp_path, "Keel,  rudder , helm  # of a boat\n\n# a comment\nkeel, bottom of a boat\n")
    assert words["keel"] == ("rudder", "helm", "bottom of a boat")
    assert words["helm"] == ("keel", "rudder")
    assert words["bottom of a boat"] == ("keel",)
    assert "a comment" not in words


def test_own_groups_stand_beside_ours_and_before_them(tmp_path: Path) -> None:
    ours = load(None)["database"]
    words = own(tmp_path, "database, ledger\n")
    assert words["database"] == ("ledger", *ours)[:8]
    assert words["ledger"] == ("database",)


def test_own_list_takes_words_out_of_our_groups_alone(tmp_path: Path) -> None:
    assert "auth" in load(None)["login"]
    words = own(tmp_path, "-auth\nauth, harbour master\n")
    assert "auth" not in words["login"]
    assert words["auth"] == ("harbour master",)


def test_line_with_one_word_says_nothing(tmp_path: Path) -> None:
    assert own(tmp_path, "alone\n,\n , ,\n#\n") == load(None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\0\x80, \x81\n\0",
        b"\0" * 4096,
        b"x," * 3_000_000,
        b"\n".join(b"a%d, keel" % n for n in range(200_000)),
    ],
)
def test_file_that_is_no_list_does_no_harm(
    memory: Filled, search: Asked, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "synonyms.txt"
    path.write_bytes(content)
    memory.add("one", [said("the keel")])
    assert names_of(search("keel", synonyms=str(path))) == ["one#0"]
    assert all(len(others) <= 8 for others in load(path).values())


def test_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none.txt", tmp_path / "folder", tmp_path / "none" / "synonyms.txt"):
        assert load(path) == load(None)


def test_synonym_is_found_and_marked(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the credentials are kept below")])
    (hit,) = search("creds")["hits"]
    assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["credentials"]
    assert "corrected" not in search("creds")


def test_synonym_counts_less_than_the_word_itself(memory: Filled, search: Asked) -> None:
    memory.add("other", [said("the database is slow on that machine"), said("nothing")])
    memory.add("itself", [said("the db is slow on that machine")])
    assert names_of(search("db")) == ["itself#0", "other#0"]
    assert names_of(search("database")) == ["other#0", "itself#0"]
    best, second = (hit["score"] for hit in search("db")["hits"])
    assert second < best / 2


def test_synonym_of_several_words_is_a_phrase(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("from the command line")])
    memory.add("two", [said("the line of command")])
    assert names_of(search("cli")) == ["one#0"]


def test_synonym_is_neither_required_nor_taken_for_phrases_and_beginnings(
    memory: Filled, search: Asked
) -> None:
    memory.add("one", [said("the database")])
    for query in ('"db"', "db*"):
        assert search(query)["hits"] == []
    assert names_of(search("database -db")) == ["one#0"]


def test_own_synonyms_are_read_again_when_they_change(memory: Filled, search: Asked, tmp_path: Path) -> None:
    path = tmp_path / "synonyms.txt"
    memory.add("one", [said("the keel"), said("the mast")])
    assert search("rudder", synonyms=str(path))["hits"] == []
    for content, found in [
        ("rudder, keel\n", ["one#0"]),
        ("rudder, mast\n", ["one#1"]),
        ("# none\n", []),
    ]:
        replacement = tmp_path / "new"
        replacement.write_text(content)
        replacement.replace(path)
        assert names_of(search("rudder", synonyms=str(path))) == found


def test_filters_hold_for_what_is_found_by_another_name(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the database"), said("a database", "assistant")])
    assert names_of(search("db", Filters(roles=("assistant",)))) == ["one#1"]


def own(folder: Path, content: str) -> dict[str, tuple[str, ...]]:
    path = folder / "synonyms.txt"
    path.write_text(content)
    return dict(load(path))
