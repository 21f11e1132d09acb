"""How sessions and turns are shown: names that work, nothing that acts on a terminal or a page."""

from __future__ import annotations

import html
import io
import random
import re
from html.parser import HTMLParser

import pytest

from gitmem.cli import markdown
from gitmem.cli.output import Output
from gitmem.cli.rendering import People, ago, iso, local_time, say_summary, short_names, turn_as_json
from gitmem.model.ids import SessionId
from gitmem.model.turns import ToolCall, ToolResult, Turn
from gitmem.verbs import reading
from gitmem.verbs.listing import Summaries
from gitmem.verbs.summaries import Summary
from tests.reading.book import START_MS, Book, answered, called, said, talk, thought

HOSTILE = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\u202egnp.exe\x9b31m\r\nnext\x00"
DAY_MS = 86_400_000


def shown(turns: list[Turn], *, full: bool = False, whole: frozenset[int] = frozenset()) -> str:
    stream = io.BytesIO()
    output = Output(stream, io.BytesIO(), {})
    people = People(output, full=full, whole=whole)
    people.show(turns)
    people.say_what_was_folded()
    return stream.getvalue().decode()


def turns_of(book: Book, session: SessionId) -> list[Turn]:
    folder = book.memory().find(session)
    assert folder is not None
    return reading.transcript(book.memory(), folder).turns


def summaries_of(book: Book) -> tuple[Summary, ...]:
    return Summaries(book.memory(), None).all().summaries


def is_clean(text: str) -> bool:
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text)


# --- names --------------------------------------------------------------------------------------------


def test_every_short_name_finds_its_session_and_no_other(book: Book, seed: int) -> None:
    rng = random.Random(seed)
    names = ["0f3a81c2-one", "0f3a81c2-two", "0f3a81c2-twofold", "x", "x" * 8, "x" * 9, "x" * 5000]
    names += ["a b", "a/../b", "a#1", "$(reboot)", "-rf", HOSTILE, "ü", "'", '"', "*", "\ufeff"]
    names += ["".join(rng.choice("ab") for _ in range(rng.randint(1, 14))) for _ in range(60)]
    for native_id in sorted(set(names)):
        book.capture([], native_id)
    book.capture([], "x", agent="codex")
    book.capture([], "x", beginning="another")
    summaries = summaries_of(book)
    found = short_names(summaries)
    assert len(set(found.values())) == len(summaries) > 50
    for session, name in found.items():
        assert reading.resolve(book.memory(), name).session == session, name
        assert re.fullmatch(r"[^\s'\"$*#;|&()]+", name), name
        assert len(name) < 300


def test_a_short_name_is_short(book: Book) -> None:
    session, _ = book.capture([], "0f3a81c2-aaaa-bbbb")
    assert short_names(summaries_of(book)) == {session: "claude-code/0f3a81c2"}


# --- times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("past_ms", "words"),
    [
        (0, "just now"),
        (59_999, "just now"),
        (60_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (3 * DAY_MS, "3 d ago"),
        (7 * DAY_MS, "2026-02-18"),
        (-DAY_MS, "2026-02-26"),
    ],
)
def test_when_something_was_is_said_as_people_do(past_ms: int, words: str) -> None:
    assert ago(START_MS - past_ms, START_MS) == words


@pytest.mark.parametrize("at_ms", [-(2**63), -62_135_596_800_000, 253_402_300_799_999, 2**63])
def test_no_moment_is_too_far_to_be_shown(at_ms: int) -> None:
    assert local_time(at_ms)
    assert iso(at_ms) is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", iso(at_ms) or "")


# --- people -------------------------------------------------------------------------------------------


def test_people_see_words_whole_tools_in_a_line_and_thinking_not_at_all(book: Book) -> None:
    session, _ = book.capture(
        [
            said(0, "user", "look\nat this"),
            thought(1, "hmm"),
            called(2, "Bash", command="ls -l"),
            answered(3, "Exit code 2\nls: no", is_error=True),
            said(4, "assistant", "nothing there"),
        ]
    )
    assert shown(turns_of(book, session)) == (
        "\n#0 user  2026-02-25 06:13\n  look\n  at this\n"
        "#2 → Bash ls -l\n"
        "#3 ← failed with 2 Exit code 2  (+1 lines)\n"
        "\n#4 assistant  06:13, claude-model-1\n  nothing there\n"
        "\n1 preamble or thought left out; --full shows all\n"
    )


def test_what_was_asked_for_and_all_of_it_with_full_is_shown_whole(book: Book) -> None:
    session, _ = book.capture([thought(0, "hmm"), called(1, "Bash", command="ls"), answered(2, "a\nb\nc")])
    turns = turns_of(book, session)
    assert "hmm" in shown(turns, full=True)
    assert "  a\n  b\n  c\n" in shown(turns, full=True)
    assert "  a\n  b\n  c\n" in shown(turns, whole=frozenset({2}))
    assert "hmm" not in shown(turns, whole=frozenset({2}))


def test_a_subagent_and_the_other_end_of_a_fork_have_a_heading(book: Book) -> None:
    session, base = book.capture(talk(2))
    book.capture([said(10, "user", "here"), said(11, "user", "too")], parents=(base,), keep=2)
    _, other = book.capture([said(20, "user", "there")], parents=(base,), keep=2)
    book.capture([said(30, "user", "below")], stream="agent-7")
    text = shown(turns_of(book, session))
    assert f"── the session itself, as it went on elsewhere ({other[:8]}) ──" in text
    assert f"#@{other[:8]}:0 user" in text
    assert "── agent-7 ──\n\n#agent-7:0 user" in text
    stream = io.BytesIO()
    [summary] = summaries_of(book)
    say_summary(Output(stream, io.BytesIO(), {}), summary, "known")
    assert "it went on in 2 places at once" in stream.getvalue().decode()


def test_nothing_hostile_reaches_a_terminal(book: Book) -> None:
    turns = [
        Turn(0, "user", "message", HOSTILE, 0, id=HOSTILE, author=HOSTILE, model=HOSTILE, at_ms=START_MS),
        Turn(1, "assistant", "tool_call", HOSTILE, 1, stream=HOSTILE, call=ToolCall("t", HOSTILE)),
        Turn(2, "tool", "tool_result", HOSTILE, 2, stream=HOSTILE, result=ToolResult("t", True)),
        Turn(3, "system", "notice", HOSTILE, 3, stream=HOSTILE),
    ]
    for text in (shown(turns), shown(turns, full=True)):
        assert "next" in text
        assert is_clean(text)
    session, _ = book.capture([said(0, "user", HOSTILE, gitBranch=HOSTILE, cwd=HOSTILE)], HOSTILE)
    book.register(session, "title", HOSTILE)
    book.register(session, "tags", (HOSTILE,))
    stream = io.BytesIO()
    [summary] = summaries_of(book)
    say_summary(Output(stream, io.BytesIO(), {}), summary, "known")
    assert is_clean(stream.getvalue().decode())


def test_a_turn_as_json_has_its_id_and_time_even_where_they_are_unknown() -> None:
    assert turn_as_json(Turn(3, "user", "message", "hello", 9)) == {
        "ordinal": 3,
        "stream": "",
        "id": None,
        "at": None,
        "role": "user",
        "kind": "message",
        "text": "hello",
        "line": 9,
    }


# --- Markdown -----------------------------------------------------------------------------------------


def test_markdown_that_somebody_wrote_stays_markdown() -> None:
    text = "# Plan\n\n- *one* & `two`\n- [three](https://example.org/a?b=c&d)\n\n```py\nif a < b: <ok>\n```\n\n1 < 2\n"
    assert markdown.disarmed(text) == text.replace("# Plan", "### Plan")  # below those of turns


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        r"\<script>alert(1)</script>",
        "`` <script>alert(1)</script> ` ``",
        "`unclosed\n` <script>alert(1)</script> `",
        "- list\n\n  ```\n<script>alert(1)</script>\n  ```",
        "> ```\n<script>alert(1)</script>",
        "~~~\n```\n~~~\n<script>alert(1)</script>",
        "```\n````\n<script>alert(1)</script>",
        "``` a`b\n<script>alert(1)</script>",
        "<!-- <script>alert(1)</script>",
        "![x](http://tracker.example/p.png)",
        r"\![x](http://tracker.example/p.png)",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        r"[a](javascript\:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](java&#115;cript&colon;alert(1))",
        "[a]\n\n[a]: javascript:alert(1)",
        "` [a](&#106;avascript:alert(1)) `",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
    ],
)
def test_nothing_in_markdown_acts_on_a_page(text: str) -> None:
    page = _page_of(markdown.disarmed(text))

    class Watch(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            raise AssertionError(f"{tag} {attrs} from {text!r}: {page!r}")

        def handle_comment(self, data: str) -> None:
            raise AssertionError(f"a comment from {text!r}: {page!r}")

    Watch(convert_charrefs=False).feed(page)
    assert not re.search(r"!\[", page)
    assert not re.search(r"(javascript|data)\\*:", html.unescape(page), re.IGNORECASE)


def test_a_hostile_line_costs_no_more_than_its_length() -> None:
    line = " ".join("`" * (n % 7 + 1) for n in range(200_000))
    assert "&lt;b>" in markdown.disarmed(line + "<b>")


def test_what_a_tool_said_cannot_close_its_fence(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(200):
        text = "".join(rng.choice(["`", "``", "```", "````", "\n", "~~~", "x", " "]) for _ in range(40))
        lines = markdown.fenced(text).split("\n")
        fence = lines[0].removesuffix("text")
        assert [n for n, line in enumerate(lines) if line.startswith(fence)] == [0, len(lines) - 2]


def test_a_title_or_name_is_no_markup() -> None:
    assert markdown.escape("# <b>*x*</b>\n[a](b)") == r"\# \<b\>\*x\*\</b\> \[a\](b)"
    assert markdown.code_span("a`b``") == "``` a`b`` ```"
    assert markdown.code_span("x") == "`x`"
    assert markdown.code_span("") == ""


def test_a_document_has_a_section_for_each_turn_that_is_not_folded(book: Book) -> None:
    session, _ = book.capture(
        [
            said(0, "user", "look"),
            thought(1, "hmm"),
            called(2, "Bash", command="ls"),
            answered(3, "\n".join(f"line {n}" for n in range(60))),
            said(4, "assistant", "  \n"),
        ]
    )
    [summary] = summaries_of(book)
    short = "".join(markdown.document(summary, turns_of(book, session)))
    assert re.findall("^## .*", short, re.MULTILINE) == [
        "## 0: user (2026-02-25T06:13:20Z)",
        "## 2: assistant, tool call (2026-02-25T06:13:22Z)",
        "## 3: tool, tool result (2026-02-25T06:13:23Z)",
    ]
    assert "… and 20 lines more" in short
    assert short.startswith("# look\n\n- Session: `claude-code/0f3a81c2-one`\n")
    whole = "".join(markdown.document(summary, turns_of(book, session), full=True))
    assert "hmm" in whole
    assert "line 59" in whole


def _page_of(text: str) -> str:
    """Return what a renderer would pass on as it stands: all but fences, which stand in the first column."""
    page, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r"(`{3,}|~{3,})([^`]*)$", line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            page.append(line)
    assert not fence
    return "\n".join(page)
