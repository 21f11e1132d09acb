"""Documents that sessions become: what others read of them, and what is read back."""

from __future__ import annotations

import json
import re
import stat
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from gitmem.handing_over.about import About
from gitmem.handing_over.agent_trace import ranges_of
from gitmem.handing_over.atif import trajectory
from gitmem.handing_over.neutral import neutral
from gitmem.handing_over.records import encoded
from gitmem.model.ids import MAIN_STREAM, SessionKey
from gitmem.model.turns import Turn
from gitmem.transcripts.atif import AGENT as ATIF
from gitmem.transcripts.read import Transcript, read
from tests.conftest import RealGit
from tests.handing_over.conftest import OWN_ID, QUESTION, Gitmem, abroad
from tests.journeys.people import Coder
from tests.transcripts.fixture import Fixture, all_fixtures

FIXTURES = {fixture.name: fixture for fixture in all_fixtures()}
HOSTILE = (
    "</pre></article><script>alert(1)</script><img src=x onerror=alert(1)>"
    "\x1b]0;title\x07\x1b[2J\u202e``` ![x](http://127.0.0.1/x) [y](javascript:alert(1)) & &lt;"
)


def about(transcript: Transcript) -> About:
    return About(SessionKey("a", "b"), transcript.header.title or "", transcript.header, ("Ada",), "known")


def said(turns: list[Turn]) -> list[tuple[object, ...]]:
    """Return what has to be the same whatever form it went through."""
    return [
        (
            *(turn.role, turn.kind, turn.text, turn.id, turn.at_ms, turn.author, turn.tokens, turn.result),
            *(turn.cwd, turn.branch, turn.model if turn.role == "assistant" else None),
            (turn.call.id, turn.call.name, turn.call.input) if turn.call else None,
        )
        for turn in turns
        if turn.stream == MAIN_STREAM
    ]


@pytest.mark.parametrize("name", FIXTURES)
def test_the_neutral_form_says_the_same_when_it_is_read_again(name: str) -> None:
    fixture: Fixture = FIXTURES[name]
    before = fixture.read()
    lost: Counter[str] = Counter()
    lines = b"".join(neutral(about(before), before.turns, lost))
    after = read("generic", [(MAIN_STREAM, [lines])])
    assert said(after.turns) == said(before.turns)
    assert after.tally.unknown == {}
    assert lost["turns of subagents and forks"] == len(before.turns) - len(said(before.turns))


@pytest.mark.parametrize("name", FIXTURES)
def test_a_trajectory_says_the_same_when_it_is_read_again(name: str, tmp_path: Path) -> None:
    before = FIXTURES[name].read()
    path = tmp_path / "one.trajectory.json"
    path.write_bytes(encoded(trajectory(about(before), before.turns, Counter())))
    assert ATIF.collection is not None
    listed = ATIF.collection.sessions(path, None).sessions
    streams = [(one.identity.stream, ATIF.collection.rendition(path, one.identity)) for one in listed]
    after = read("atif", streams)

    def texts(turns: list[Turn]) -> Counter[tuple[str, str, str, str]]:
        return Counter(
            (turn.stream, turn.role, turn.kind, turn.text) for turn in turns if turn.role != "system"
        )

    assert texts(after.turns) == texts(before.turns)
    assert after.tally.unknown == {}
    assert sum(turn.tokens.output for turn in after.turns if turn.tokens) == sum(
        turn.tokens.output for turn in before.turns if turn.tokens
    )
    steps = msgspec.json.decode(path.read_bytes())["steps"]
    assert [step["step_id"] for step in steps] == list(range(1, len(steps) + 1))
    for step in steps:
        calls = {call["tool_call_id"] for call in step.get("tool_calls", ())}
        results = step.get("observation", {"results": []})["results"]
        assert {each["source_call_id"] for each in results if "source_call_id" in each} <= calls


@pytest.mark.parametrize("form", ["jsonl", "atif"])
def test_what_was_exported_is_imported(gitmem: Gitmem, home: Path, ada: Coder, form: str) -> None:
    before = gitmem("show", "--json", ada.session).json["turns"]
    path = home / "out" / ("one.jsonl" if form == "jsonl" else "one.trajectory.json")
    gitmem("export", "--format", form, "-o", str(path), ada.session)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    gitmem("import", str(path))
    again = f"{'generic' if form == 'jsonl' else 'atif'}/{OWN_ID}"
    after = gitmem("show", "--json", again).json
    assert after["title"] == QUESTION
    assert [turn["text"] for turn in after["turns"]] == [turn["text"] for turn in before]


class Page(HTMLParser):
    """Notes what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update(name for name, _ in attrs)
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"] or ""


def test_a_page_holds_text_and_nothing_that_acts(gitmem: Gitmem, ada: Coder) -> None:
    ada.hears(HOSTILE)
    ada.says(HOSTILE)
    ada.writes("x.txt", HOSTILE)
    gitmem("capture")
    gitmem("title", ada.session, HOSTILE)
    text = gitmem("export", "--format", "html", ada.session).stdout
    page = Page()
    page.feed(text)
    assert page.tags.keys() <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "dl",
        "dt",
        "dd",
        "article",
        "h2",
        "pre",
        "details",
        "summary",
    }
    assert page.attributes.keys() <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_markdown_is_disarmed_and_says_whom_it_is_of(gitmem: Gitmem, ada: Coder) -> None:
    ada.hears(HOSTILE)
    gitmem("capture")
    text = gitmem("export", ada.session).stdout
    assert "- Author: Ada Example" in text
    assert "<script" not in text
    assert "\x1b" not in text


def test_an_author_who_is_not_trusted_is_marked_in_every_form(
    gitmem: Gitmem, ada: Coder, repository: Path, git: RealGit
) -> None:
    git("config", "gitmem.distrust", "ada@example.org", cwd=repository)
    for form in ("markdown", "html", "jsonl", "atif"):
        assert "untrusted" in gitmem("export", "--format", form, ada.session).stdout
    assert "by Ada Example, who is untrusted here" in gitmem("resume", "--agent", "codex", ada.session).stderr


def test_several_sessions_go_into_a_folder(gitmem: Gitmem, home: Path, ada: Coder) -> None:
    gitmem("import", *map(str, abroad("codex")))
    names = [row["session"] for row in gitmem("sessions", "--json").json["sessions"]]
    assert len(names) == 2
    refused = gitmem("export", *names, status=2)
    assert "hint: gitmem export -h" in refused.stderr
    told = gitmem("export", "--format", "jsonl", "-o", f"{home}/out/", *names)
    assert "turns of subagents" in told.stderr
    written = sorted(path.name for path in (home / "out").iterdir())
    assert [name.split("-")[0] for name in written] == ["claude", "codex"]
    assert all(name.endswith(".jsonl") for name in written)


def test_a_trace_names_the_lines_that_a_session_wrote(
    gitmem: Gitmem, repository: Path, ada: Coder, git: RealGit
) -> None:
    path = repository / "tides.py"
    path.write_text(f"# by hand, and by nobody else at all\n{path.read_text()}")
    git("add", "-A", cwd=repository)
    git("commit", "--quiet", "-m", "tides", cwd=repository)
    trace = json.loads(gitmem("export", "--format", "agent-trace", ada.session).stdout)
    assert trace["version"] == "0.1.0"
    assert trace["vcs"] == {"type": "git", "revision": git("rev-parse", "HEAD", cwd=repository)}
    [file] = trace["files"]
    [conversation] = file["conversations"]
    assert file["path"] == "tides.py"
    assert conversation["url"] == f"gitmem://session/claude-code/{OWN_ID}"
    assert conversation["ranges"] == [{"start_line": 2, "end_line": 3}]


def test_where_nothing_is_known_there_is_no_trace(gitmem: Gitmem, ada: Coder) -> None:
    refused = gitmem("export", "--format", "agent-trace", ada.session, status=1)
    assert "no line at HEAD" in refused.stderr


def test_lines_make_ranges() -> None:
    assert ranges_of([5, 1, 2, 3, 7]) == [(1, 3), (5, 5), (7, 7)]
    assert ranges_of([]) == []
