"""Each repository of a superproject has authors of its own; whom the user named counts in all of them."""

from __future__ import annotations

import json

from gitmem.model.records import Author
from tests.conftest import CommandLine, RealGit
from tests.indexer.memories import Filled, said
from tests.submodules.conftest import Fleet

EVE = Author("Eve", "eve@example.org")


def test_sessions_and_hits_are_marked_by_who_is_known_where_they_are(
    fleet: Fleet, run: CommandLine, git: RealGit, environ: dict[str, str]
) -> None:
    for name, where in (("b", fleet.brig), ("c", fleet.cutter)):
        Filled(where, dict(environ)).add(name, [said(f"the harbour of {name}")], author=EVE)
    (fleet.brig / "deck").write_text("scrubbed\n")
    git("add", "deck", cwd=fleet.brig)
    git("commit", "--quiet", "-m", "scrub", f"--author={EVE.name} <{EVE.email}>", cwd=fleet.brig)
    git("push", "--quiet", "origin", "HEAD:main", cwd=fleet.brig)

    def marked() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        sessions = json.loads(run("sessions", "--json", cwd=fleet.top).stdout)["sessions"]
        hits = json.loads(run("search", "harbour", "--json", cwd=fleet.top).stdout)["hits"]
        known = json.loads(run("search", "harbour", "--json", "--trusted", cwd=fleet.top, status=None).stdout)
        by_name = [{each["session"][-1]: each["trust"] for each in found} for found in (sessions, hits)]
        return by_name[0], by_name[1], {each["session"][-1]: each["trust"] for each in known["hits"]}

    assert marked() == ({"b": "known", "c": "unknown"}, {"b": "known", "c": "unknown"}, {"b": "known"})
    assert run("sessions", cwd=fleet.cutter).stdout.count("unknown author") == 1
    git("config", "gitmem.trust", "*@example.org", cwd=fleet.top)
    everybody = {"b": "known", "c": "known"}
    assert marked() == (everybody, everybody, everybody)
