"""Pages: each thing once, whatever is captured, written or taken away between two of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mcp.conftest import Place
from tests.sharing.clones import Clone
from tests.sharing.samples import Scribe


def pages(place: Place, tool: str, of: str, most: int = 20, **asked: Any) -> list[str]:
    """Return the ids of all that a tool lists, page by page."""
    ids: list[str] = []
    told = place.told(tool, **asked)
    for _ in range(most):
        ids += [each["id"] for each in told.get(of, [])]
        if "cursor" not in told:
            return ids
        told = place.told(tool, **asked, cursor=told["cursor"])
    pytest.fail(f"there is no end: {ids}")


def test_sessions_from_before_1970_are_listed_once(place: Place) -> None:
    def change(scribe: Scribe) -> None:
        for n in range(5):
            session = scribe.begin(f"old{n}")
            line = {"role": "user", "text": "x", "at": f"1960-01-01T00:00:0{n}Z"}
            scribe.capture(session, json.dumps(line).encode() + b"\n")

    Clone(place.top).write(change)
    found = pages(place, "timeline", "sessions", limit=2)
    assert found == ["generic/tides", *(f"generic/old{n}" for n in (4, 3, 2, 1, 0))]


def test_notes_go_on_behind_the_last_one_though_it_is_gone(place: Place) -> None:
    written = []
    for n in range(7):
        place.now_ms += 1
        written.append(place.told("note_add", text=f"Buoy {n} is {'green' if n % 2 else 'red'}.")["id"])
    first = place.told("notes", limit=3)
    last = first["notes"][-1]["id"]
    place.told("note_add", text="All buoys are yellow now.", supersedes=[last])
    rest = place.told("notes", limit=3, cursor=first["cursor"])
    told = [note["id"] for note in (*first["notes"], *rest["notes"])]
    assert told == written[6:0:-1]


def test_due_notes_are_listed_once_in_the_order_that_they_are_due_in(place: Place) -> None:
    days = ["1965-01-01", "2025-01-01", "2026-01-01", "2024-05-05", "2025-01-01"]
    for n, day in enumerate(days):
        place.told("note_add", text=f"Look at buoy {n}, which is {n * n} m high.", due=day)
    found = pages(place, "notes", "notes", due=True, limit=2)
    assert len(found) == len(set(found)) == 5
    due = {note["id"]: note["due"][:10] for note in place.told("notes", due=True)["notes"]}
    assert [due[name] for name in found] == sorted(days)


def test_search_goes_on_behind_the_last_hit_though_better_ones_came(place: Place) -> None:
    for n in range(6):
        place.session(f"s{n}", [f"the capstan turns {'slowly ' * n}"])
    whole = [hit["id"] for hit in place.told("search", query="capstan")["hits"]]
    first = place.told("search", query="capstan", limit=3)
    place.told("note_add", text="Capstan, capstan: capstan.")
    assert place.told("search", query="capstan", limit=1)["hits"][0]["id"].startswith("note/")
    rest = place.told("search", query="capstan", limit=3, cursor=first["cursor"])
    assert [hit["id"] for hit in (*first["hits"], *rest["hits"])] == whole
    assert pages(place, "search", "hits", query="capstan", limit=2, by_session=True)
