"""What filters leave, alone and together, against a plain scan of the memory; and queries of every kind."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitmem.model.records import Author
from gitmem.model.times import to_ms
from gitmem.query.filters import Filters
from gitmem.query.trusting import from_texts
from gitmem.verbs import reading
from gitmem.verbs.naming import tags_of
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, said

AGENTS = ("generic",)
AUTHORS = (Author("Ada Example", "ada@example.org"), Author("Bo van Sample", "bo@example.org"))
FILES = ("src/app.py", "/home/ada/boat/src/app.py", "src/app.pyc", "docs/app.py", "boat/README.md")


@pytest.fixture
def busy(memory: Filled) -> Filled:
    """Return a memory in which every filter has something to find and something to leave out."""
    for n in range(6):
        lines = [{"session": {"id": f"s{n}", "started_at": f"2026-05-0{n + 1}T00:00:00Z"}}]
        for m in range(4):
            at = f"2026-05-0{n + 1}T0{m}:30:00Z"
            more = {"author": "Cy Guest"} if (n + m) % 5 == 0 else {}
            lines.append(said(f"turn {n} {m} mooring", "user" if m % 2 else "assistant", at=at, **more))
        lines.append(called(("Edit", "Bash")[n % 2], f"c{n}", file_path=FILES[n % len(FILES)], note=f"{n}"))
        lines.append(gave(f"c{n}", f"result {n} mooring", is_error=n % 3 == 0))
        session = memory.add(f"s{n}", lines, author=AUTHORS[n % 2], branch=("main", "fix/leak")[n % 2])
        if n % 2:
            memory.register(session, "tags", ("hull", "urgent") if n % 3 else ("hull",))
        if n == 4:
            memory.register(session, "level", "public")
    return memory


def plain_scan(memory: Filled, filters: Filters) -> set[tuple[str, int]]:
    """Read every turn of the memory and keep those that the filters ask for: the oracle."""
    found = set()
    with closing(memory.storage()) as storage:
        opened = memory.memory(storage)
        for folder in opened.folders():
            stored = opened.load(folder)
            (capture,) = stored.captures.values()
            assert capture.code is not None
            tags, level = tags_of(stored), stored.value("level") or "team"
            calls: dict[str | None, tuple[str, tuple[str, ...]]] = {}
            for turn in reading.transcript(opened, folder).turns:
                if turn.call:
                    calls[turn.call.id] = (turn.call.name, turn.call.files)
                of = turn.call.id if turn.call else turn.result.call_id if turn.result else None
                tool, files = calls.get(of, ("", ()))
                author = turn.author or f"{capture.author.name} {capture.author.email}"
                failed = turn.result is not None and turn.result.is_error
                holds = (
                    not filters.kinds  # these are turns
                    and (not filters.roles or turn.role in filters.roles)
                    and (not filters.agents or stored.record.agent in filters.agents)
                    and (not filters.repos or "repository" in filters.repos)
                    and (not filters.branches or capture.code.branch in filters.branches)
                    and (not filters.authors or any(who.lower() in author.lower() for who in filters.authors))
                    and (not filters.sessions or str(stored.key).startswith(filters.sessions))
                    and (not filters.tools or tool.lower() in [name.lower() for name in filters.tools])
                    and (not filters.tags or set(filters.tags) & set(tags))
                    and (not filters.levels or level in filters.levels)
                    and (not filters.errors or failed)
                    and (
                        not filters.files
                        or any(is_within(asked, path) for asked in filters.files for path in files)
                    )
                    and (filters.since_ms is None or (turn.at_ms or latest(n_of(stored))) >= filters.since_ms)
                    and (filters.until_ms is None or (turn.at_ms or latest(n_of(stored))) <= filters.until_ms)
                )
                holds = (
                    holds
                    and not (filters.without and str(stored.key).startswith(filters.without))
                    and (not filters.trusted or knows(filters.trusted, capture.author.email))
                    and (filters.as_of_ms is None or to_ms(capture.at) <= filters.as_of_ms)
                )
                if holds:
                    found.add((str(stored.key), turn.ordinal))
    return found


def knows(trusted: tuple[str, ...], address: str) -> bool:
    return from_texts(trusted).of(address) == "known"


def is_within(asked: str, path: str) -> bool:
    return f"/{asked.strip('/')}/" in f"/{path.strip('/')}/"


def n_of(stored: object) -> int:
    return int(str(stored.key)[-1])  # type: ignore[attr-defined]


def latest(n: int) -> int:
    return to_ms(f"2026-05-0{n + 1}T03:30:00Z")


DAY_MS = 86_400_000
FIRST_MS = 1_777_593_600_000  # 2026-05-01T00:00:00Z

one_of = st.sampled_from
CHOICES = st.builds(
    Filters,
    agents=st.lists(one_of(["generic", "codex"]), max_size=1).map(tuple),
    repos=st.lists(one_of(["repository", "other"]), max_size=1).map(tuple),
    branches=st.lists(one_of(["main", "fix/leak", "fix"]), max_size=2).map(tuple),
    authors=st.lists(one_of(["ada", "Bo van Sample", "guest", "example.org", "nobody"]), max_size=2).map(
        tuple
    ),
    roles=st.lists(one_of(["user", "assistant", "tool", "system"]), max_size=3).map(tuple),
    sessions=st.lists(one_of(["generic/s1", "generic/", "generic/s9", "codex/"]), max_size=1).map(tuple),
    files=st.lists(one_of(["src/app.py", "app.py", "src", "boat", "/home/ada", "ada/src"]), max_size=1).map(
        tuple
    ),
    tools=st.lists(one_of(["edit", "Bash", "grep"]), max_size=2).map(tuple),
    tags=st.lists(one_of(["hull", "urgent", "none"]), max_size=2).map(tuple),
    levels=st.lists(one_of(["team", "public", "private"]), max_size=2).map(tuple),
    without=st.lists(one_of(["generic/s3", "generic/s9"]), max_size=1).map(tuple),
    trusted=st.lists(one_of(["ada@example.org", "*@example.org", "!bo@*", "*", ""]), max_size=3).map(tuple),
    kinds=one_of([(), (), (), (), (), ("note",)]),
    errors=one_of([False, False, False, True]),
    as_of_ms=st.none() | st.integers(-3, 9).map(lambda n: 1_800_000_000_000 + 1000 * n),
    since_ms=st.none() | st.integers(FIRST_MS, FIRST_MS + 6 * DAY_MS),
    until_ms=st.none() | st.integers(FIRST_MS, FIRST_MS + 7 * DAY_MS),
)


def test_every_filter_alone_agrees_with_a_plain_scan(busy: Filled, search: Asked) -> None:
    alone = [
        Filters(agents=("generic",)),
        Filters(repos=("repository",)),
        Filters(branches=("fix/leak",)),
        Filters(authors=("bo van",)),
        Filters(roles=("tool",)),
        Filters(sessions=("generic/s2",)),
        Filters(files=("src/app.py",)),
        Filters(tools=("Edit",)),
        Filters(errors=True),
        Filters(tags=("urgent",)),
        Filters(levels=("public",)),
        Filters(levels=("team",)),
        Filters(since_ms=FIRST_MS + 4 * DAY_MS),
        Filters(until_ms=FIRST_MS + DAY_MS),
        Filters(without=("generic/s1",)),
        Filters(trusted=("ada@example.org",)),
        Filters(trusted=("*", "!bo@*")),
        Filters(as_of_ms=1_800_000_004_000),
    ]
    for filters in alone:
        expected = plain_scan(busy, filters)
        assert expected, filters
        assert found_by(search, "", filters) == expected, filters


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(filters=CHOICES, query=one_of(["", "mooring", "result", "turn -result"]))
def test_filters_together_agree_with_a_plain_scan(
    busy: Filled, search: Asked, filters: Filters, query: str
) -> None:
    expected = plain_scan(busy, filters)
    if query == "":
        expected = expected if filters != Filters() else set()
    elif query == "mooring":
        expected = {(key, at) for key, at in expected if at != 4}
    elif query == "result":
        expected = {(key, at) for key, at in expected if at == 5}
    else:
        expected = {(key, at) for key, at in expected if at < 4}
    assert found_by(search, query, filters) == expected


def found_by(search: Asked, query: str, filters: Filters) -> set[tuple[str, int]]:
    hits = search(query, filters)["hits"]
    found = {(hit["session"], hit["ordinal"]) for hit in hits}
    assert len(found) == len(hits)
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(query=st.text() | st.binary().map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_any_query_is_answered(busy: Filled, search: Asked, query: str) -> None:
    assert search(query)["query"] == query


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    parts=st.lists(
        one_of(['"', "-", "*", "mooring", "turn", "(", ":", "\\", "AND", "潮", "_", " ", "\0", "a/b", "xY"])
    )
)
def test_any_query_of_operators_is_answered(busy: Filled, search: Asked, parts: list[str]) -> None:
    query = "".join(parts)
    assert search(query)["query"] == query
