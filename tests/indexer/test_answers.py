"""What an answer counts and completes, how it is narrowed in time and by fields, and when it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitmem.model.times import to_ms, to_text
from gitmem.query.filters import Filters
from gitmem.query.moments import parse_since
from gitmem.sidecar.wire import FACETS, Request
from indexer.lexical import Damaged
from indexer.requests.answer import answer
from indexer.requests.shelf import Shelf
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said
from tests.indexer.test_filters import busy, found_by  # noqa: F401 (a fixture)

NOW_MS = to_ms("2026-06-01T00:00:00Z")


def counted_plainly(answer: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Count what a listing of all shows: the oracle."""
    hits = answer["hits"]
    of: dict[str, Callable[[dict[str, Any]], str | None]] = {
        **{name: (lambda hit, name=name: hit[name]) for name in FACETS},
        "month": lambda hit: hit["at"] and hit["at"][:7],
        # Kept in lower case, for tools are asked for in any case.
        "tool": lambda hit: hit["tool"] and hit["tool"].lower(),
    }
    return {name: dict(Counter(value for hit in hits if (value := take(hit)))) for name, take in of.items()}


def test_answer_says_how_many_authors_are_unknown_where_only_the_known_are_asked_for(
    busy: Filled,  # noqa: F811
    search: Asked,
) -> None:
    by = {hit["captured_by"] for hit in search("mooring", limit=99)["hits"]}
    assert len(by) > 1
    assert "strangers" not in search("mooring")
    assert search("mooring", Filters(trusted=("nobody@example.org",)))["strangers"] == len(by)
    assert search("mooring", Filters(trusted=(sorted(by)[0],)))["strangers"] == len(by) - 1
    assert "strangers" not in search("mooring", Filters(trusted=("*", f"!{sorted(by)[0]}")))


@pytest.mark.parametrize(
    "filters",
    [
        Filters(agents=("generic",)),
        Filters(roles=("tool",)),
        Filters(levels=("public", "team")),
        Filters(tags=("urgent",)),
        Filters(errors=True),
        Filters(agents=("codex",)),
    ],
)
def test_facets_agree_with_a_plain_count(busy: Filled, search: Asked, filters: Filters) -> None:  # noqa: F811
    busy.add("undated", [said("no time at all"), called("Grep", "c"), gave("c", "nothing")], branch="main")
    counted = search("", filters, facets=FACETS)
    assert {name: dict(sorted(values.items())) for name, values in counted["facets"].items()} == {
        name: dict(sorted(values.items())) for name, values in counted_plainly(counted).items()
    }
    for values in counted["facets"].values():
        assert list(values.values()) == sorted(values.values(), reverse=True)


def test_facets_count_all_that_match_and_not_what_is_shown(busy: Filled, search: Asked) -> None:  # noqa: F811
    few = search("mooring", limit=2, facets=("role", "author"))
    everything = search("mooring", facets=("role", "author"))
    assert len(few["hits"]) == 2
    assert few["facets"] == everything["facets"]
    assert sum(few["facets"]["role"].values()) == 30
    assert few["facets"]["role"] == {"assistant": 12, "user": 12, "tool": 6}
    assert list(few["facets"]) == ["role", "author"]
    by_session = search("mooring", group="session", facets=("role", "author"))
    assert by_session["facets"] == everything["facets"]


def test_facets_of_nothing_are_empty(busy: Filled, search: Asked) -> None:  # noqa: F811
    for query in ("", "...", "zzzzqqqq", '"turn mooring result"'):
        assert search(query, facets=FACETS)["facets"] == {name: {} for name in FACETS}
    assert "facets" not in search("mooring")


def test_facets_follow_a_phrase_that_was_searched_for_as_words(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("revert the depth sounder")])
    found = search('revert "sounder of depth"', facets=("role",))
    assert found["relaxed"] is True
    assert found["facets"] == {"role": {"user": 1}}


def test_most_frequent_word_completes_first(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("anchor anchorage"), said("Anchor again"), said("ancient anchors, an anchor")])
    assert completed(search, "anch") == ["anchor", "anchorage", "anchors"]
    assert completed(search, "ANCH") == ["anchor", "anchorage", "anchors"]
    assert completed(search, "anch", limit=1) == ["anchor"]
    assert completed(search, "raise the anci") == ["ancient"]
    assert completed(search, "a")[:2] == ["anchor", "again"]


def test_nothing_completes_nothing(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the anchor, 潮汐表")])
    for text in ("", " ", "zzz", "...", "\0", "\udcff", "anchor\udcff"):
        assert completed(search, text) in ([], ["anchor"])
    assert completed(search, "潮") == ["潮"]


def test_words_of_removed_sessions_are_no_trouble(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("the anchorage")])
    memory.add("two", [said("the anchor")])
    assert completed(search, "anchor") == ["anchor", "anchorage"]
    memory.remove(one)
    assert completed(search, "anchor")[0] == "anchor"
    assert search("anchorage")["hits"] == [] or "corrected" in search("anchorage")


def test_completion_makes_a_damaged_index_anew(memory: Filled, search: Asked) -> None:
    memory.add("one", [said("the anchor")])
    assert completed(search, "anch") == ["anchor"]
    folder = memory.repository.common_dir / "gitmem/index/lexical"
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "state.json":
            path.write_bytes(b"\0" * path.stat().st_size)
    assert completed(search, "anch") == ["anchor"]


def test_damage_that_shows_only_while_it_is_read_is_survived(
    memory: Filled, search: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("the anchor")])
    completed(search, "anch")
    from indexer.lexical import LexicalIndex

    real, failed = LexicalIndex.words_beginning, []

    def once(self: LexicalIndex, beginning: str, limit: int) -> list[tuple[str, int]]:
        if not failed:
            failed.append(True)
            raise Damaged("a test")
        return real(self, beginning, limit)

    monkeypatch.setattr(LexicalIndex, "words_beginning", once)
    assert completed(search, "anch") == ["anchor"]
    assert failed


def test_memory_as_it_was_has_what_had_been_captured_by_then(memory: Filled, search: Asked) -> None:
    moments = []
    for n in range(4):
        memory.add("one", [said(f"anchor {n}", at=f"2026-01-0{4 - n}T00:00:00Z")])
        moments.append(int(memory.now * 1000))
    for n, moment in enumerate(moments):
        then = Filters(as_of_ms=moment)
        assert sorted(names_of(search("anchor", then))) == [f"one#{m}" for m in range(n + 1)]
        assert len(search("", then)["hits"]) == n + 1
    assert search("anchor", Filters(as_of_ms=moments[0] - 1))["hits"] == []


def test_sessions_that_are_excepted_are_not_there(memory: Filled, search: Asked) -> None:
    one = memory.add("one", [said("an anchor")])
    memory.add("once", [said("the anchor")])
    memory.add("two", [said("this anchor")])
    assert sorted(names_of(search("anchor", Filters(without=("generic/one",))))) == ["once#0", "two#0"]
    assert names_of(search("anchor", Filters(without=("generic/on",)))) == ["two#0"]
    assert sorted(names_of(search("anchor", Filters(without=(one[:12],))))) == ["once#0", "two#0"]
    assert len(search("anchor", Filters(without=("none", "")))["hits"]) == 3
    assert search("anchor", Filters(without=("generic/", "codex/")))["hits"] == []
    assert names_of(search("anchor", Filters(sessions=("generic/o",), without=("generic/one",)))) == [
        "once#0"
    ]
    assert names_of(search("anchor", Filters(without=("generic/on",)), group="session")) == ["two#0"]


def test_newer_turns_rank_higher_where_that_is_asked_for(memory: Filled, search: Asked) -> None:
    memory.add("old", [said("the anchor, the anchor", at="2025-01-01T00:00:00Z")])
    memory.add("new", [said("one anchor among many other words of that day", at="2026-05-30T00:00:00Z")])
    assert names_of(search("anchor")) == ["old#0", "new#0"]
    assert names_of(search("anchor", is_recent=True, now_ms=NOW_MS)) == ["new#0", "old#0"]
    assert names_of(search("anchor", is_recent=True, now_ms=NOW_MS, group="session")) == ["new#0", "old#0"]


FIELDS = [
    ("agent:generic", Filters(agents=("generic",))),
    ("agent:codex", Filters(agents=("codex",))),
    ("branch:fix/leak", Filters(branches=("fix/leak",))),
    ('author:"Bo van Sample"', Filters(authors=("Bo van Sample",))),
    ("role:tool", Filters(roles=("tool",))),
    ("role:tool role:user", Filters(roles=("tool", "user"))),
    ("session:generic/s1", Filters(sessions=("generic/s1",))),
    ("file:src/app.py", Filters(files=("src/app.py",))),
    ("tool:Edit", Filters(tools=("Edit",))),
    ("tag:urgent", Filters(tags=("urgent",))),
    ("level:public", Filters(levels=("public",))),
    ("repo:repository", Filters(repos=("repository",))),
    ("repo:other", Filters(repos=("other",))),
    ("is:error", Filters(errors=True)),
    ("since:29d", Filters(since_ms=parse_since("29d", NOW_MS))),
    ("until:2026-05-02", Filters(until_ms=to_ms("2026-05-02T23:59:59.999Z"))),
    ("role:user is:error", Filters(roles=("user",), errors=True)),
]


@pytest.mark.parametrize("words", ["", "mooring"])
def test_field_narrows_as_the_option_of_its_name(busy: Filled, search: Asked, words: str) -> None:  # noqa: F811
    everything = found_by(search, words, Filters(repos=("repository",)))
    for field, filters in FIELDS:
        asked = Asked(busy)
        expected = found_by(search, words, filters)
        found = names(asked(f"{field} {words}", now_ms=NOW_MS))
        assert found == expected, field
        if " " not in field.replace("Bo van Sample", ""):
            assert names(asked(f"{words} -{field}", now_ms=NOW_MS)) == everything - expected, field


def test_fields_and_options_must_both_hold(busy: Filled, search: Asked) -> None:  # noqa: F811
    both = names(search("mooring role:user", Filters(branches=("main",))))
    assert both == found_by(search, "mooring", Filters(roles=("user",), branches=("main",)))
    assert both
    assert search("mooring agent:generic", Filters(agents=("codex",)))["hits"] == []


@pytest.mark.parametrize("value", ["\udcff", "a\udcffb", "\0", "", " ", "\u202e", "潮", "x" * 70_000])
def test_any_value_of_a_filter_is_answered(busy: Filled, search: Asked, value: str) -> None:  # noqa: F811
    search("mooring")
    for name in ("agents", "repos", "branches", "authors", "sessions", "files", "tools", "tags", "without"):
        search("mooring", Filters(**{name: (value,)}))  # type: ignore[arg-type]
    assert search.notices == []


@pytest.fixture
def keeping(memory: Filled, search: Asked) -> Callable[..., dict[str, Any]]:
    shelf = Shelf()

    def ask(query: str, **changes: Any) -> dict[str, Any]:
        (found,) = answer(
            search.request("search", queries=(query,), **changes), memory.environ, search, shelf
        )
        return found

    return ask


def test_same_question_twice_has_the_same_answer_until_the_memory_goes_on(
    memory: Filled, keeping: Callable[..., dict[str, Any]]
) -> None:
    memory.add("one", [said("the anchor")])
    first, second = keeping("anchor"), keeping("anchor")
    for each in (first, second):
        each.pop("took_ms")
    assert first == second
    memory.add("two", [said("an anchor")])
    third = keeping("anchor")
    assert len(third["hits"]) == 2
    assert third["indexed"] != first["indexed"]


def test_answer_is_not_kept_beyond_a_change_of_synonyms(
    memory: Filled, keeping: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    memory.add("one", [said("the keel"), said("the mast")])
    path = tmp_path / "synonyms.txt"
    for n in range(6):
        (tmp_path / "new").write_text(f"rudder, {('keel', 'mast')[n % 2]}\n")
        (tmp_path / "new").replace(path)
        assert names_of(keeping("rudder", synonyms=str(path))) == [f"one#{n % 2}"]


def test_what_counts_back_from_now_is_asked_again_later(
    memory: Filled, keeping: Callable[..., dict[str, Any]]
) -> None:
    memory.add("one", [said("the anchor", at=to_text(NOW_MS))])
    hour = 3_600_000
    assert len(keeping("anchor since:2h", now_ms=NOW_MS + hour)["hits"]) == 1
    assert keeping("anchor since:2h", now_ms=NOW_MS + 3 * hour)["hits"] == []
    scores = [keeping("anchor", is_recent=True, now_ms=NOW_MS + n * 500 * hour)["hits"] for n in (1, 2)]
    assert scores[0][0]["score"] > scores[1][0]["score"]


TEXTS = st.sampled_from(["", "anchor", "Anchor", "anchor ", "chain"])
NAMES = st.lists(st.sampled_from(["a", "b", "a,b"]), max_size=2).map(tuple)
REQUESTS = st.builds(
    dict[str, Any],
    queries=TEXTS.map(lambda text: (text,)),
    filters=st.builds(
        Filters,
        **{
            name: NAMES
            for name in Filters._fields
            if name not in ("errors", "since_ms", "until_ms", "as_of_ms")
        },  # type: ignore[arg-type]
        errors=st.booleans(),
        since_ms=st.none() | st.integers(0, 1),
        until_ms=st.none() | st.integers(0, 1),
        as_of_ms=st.none() | st.integers(0, 1),
    ),
    group=st.sampled_from(["turn", "session"]),
    limit=st.sampled_from([1, 10]),
    facets=st.sampled_from([(), ("role",), ("role", "agent")]),
    is_recent=st.booleans(),
)


class Noting(Shelf):
    """A shelf that says by what answers are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[object] = []

    def keep_answer(self, key: object, answer: dict[str, object]) -> None:
        self.keys.append(key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    one=REQUESTS, change=REQUESTS, name=st.sampled_from(["queries", "filters", "group", "limit", "facets"])
)
def test_different_requests_never_share_an_answer(
    memory: Filled, search: Asked, one: dict[str, Any], change: dict[str, Any], name: str
) -> None:
    other = {**one, name: change[name]}
    first, second = key_of(search, one), key_of(search, other)
    assert (first == second) == (one == other)
    assert key_of(search, {**one, "is_recent": not one["is_recent"]}) != first


def test_each_part_of_a_request_makes_another_answer(
    memory: Filled, search: Asked, asking: Callable[[Filled], Asked]
) -> None:
    plain: dict[str, Any] = {"queries": ("anchor",)}
    (place,) = search.request("search").places
    changes: list[dict[str, Any]] = [
        {},
        {"queries": ("chain",)},
        {"group": "session"},
        {"limit": 3},
        {"passage": 100},
        {"facets": ("role",)},
        {"is_recent": True},
        {"mode": "lexical"},
        {"synonyms": "/nowhere/synonyms.txt"},
        {"places": (place._replace(name="other"),)},
        {"places": (place._replace(level="public"),)},
        {"places": (place, place._replace(name="other"))},
        *({"filters": Filters(**{name: ("x",)})} for name in Filters._fields[:11]),  # type: ignore[arg-type]
        {"filters": Filters(errors=True)},
        {"filters": Filters(firsthand=True)},
        *({"filters": Filters(**{name: 7})} for name in ("since_ms", "until_ms", "as_of_ms")),  # type: ignore[arg-type]
    ]
    keys = [key_of(search, {**plain, **change}) for change in changes]
    assert len(set(keys)) == len(keys)
    # What says nothing about the answer is no part of it.
    for change in ({"has_progress": True}, {"catch_up_ms": 5}, {"now_ms": 99}):
        assert key_of(search, {**plain, **change}) == keys[0]
    known = {"verb", "model_dir"} | {name for change in changes for name in change}
    assert set(Request._fields) - known == {"now_ms", "catch_up_ms", "has_progress"}


def key_of(search: Asked, changes: dict[str, Any]) -> object:
    shelf = Noting()
    list(answer(search.request("search", **changes), search.memory.environ, search, shelf))
    (key,) = shelf.keys
    return key


def completed(search: Asked, text: str, **changes: Any) -> list[str]:
    request = search.request("complete", queries=(text,), **changes)
    (found,) = answer(request, search.memory.environ, search)
    assert found["query"] == text
    counts = [each["turns"] for each in found["words"]]
    assert counts == sorted(counts, reverse=True)
    return [each["word"] for each in found["words"]]


def names(answer: dict[str, Any]) -> set[tuple[str, int]]:
    return {(hit["session"], hit["ordinal"]) for hit in answer["hits"]}
