"""gitmem and its indexer understand each other, and what is no answer is an error with a hint."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.model.errors.base import GitmemError, UsageError
from gitmem.model.errors.searching import SidecarBroken, SidecarFailed
from gitmem.query.filters import Filters
from gitmem.sidecar import client
from gitmem.sidecar.client import ask
from gitmem.sidecar.wire import NotUnderstood, Place, Request, Verb, decode_request, encode_request
from tests.conftest import IMPORTED_FROM
from tests.indexer.memories import Filled, said

PLACE = Place("/top", "/top/.git", "refs/heads/gitmem", "top", "team")
texts = st.lists(st.text(), max_size=3).map(tuple)
moments = st.none() | st.integers(-(2**62), 2**62)


@given(
    st.builds(
        Request,
        verb=st.sampled_from(get_args(Verb)),
        places=st.just((PLACE,)),
        queries=texts,
        filters=st.builds(
            Filters, agents=texts, files=texts, errors=st.booleans(), since_ms=moments, until_ms=moments
        ),
        mode=st.sampled_from(["hybrid", "lexical", "semantic"]),
        group=st.sampled_from(["turn", "session"]),
        limit=st.integers(1, 10_000),
        facets=st.just(("agent",)),
        passage=st.integers(0),
        model_dir=st.none() | st.text(),
        now_ms=st.integers(0),
        catch_up_ms=st.integers(0),
        has_progress=st.booleans(),
    )
)
def test_request_arrives_as_it_was_sent(request_: Request) -> None:
    line = encode_request(request_)
    assert line.count(b"\n") == 1
    assert decode_request(line) == request_


def test_arguments_that_are_no_text_arrive_too() -> None:
    request = Request("search", (PLACE,), queries=(b"caf\xe9".decode("utf-8", "surrogateescape"),))
    assert decode_request(encode_request(request)) == request


GOOD = json.loads(encode_request(Request("search", (PLACE,))))


@pytest.mark.parametrize(
    "change",
    [
        {"gitmem": 1},
        {"gitmem": None},
        {"verb": "demolish"},
        {"places": []},
        {"places": [{**GOOD["places"][0], "ref": 7}]},
        {"queries": "one"},
        {"queries": [1]},
        {"filters": {"agents": "one"}},
        {"filters": {"colour": ["red"]}},
        {"filters": {"since_ms": "now"}},
        {"filters": {"errors": 1}},
        {"mode": "psychic"},
        {"group": "none"},
        {"limit": 0},
        {"limit": True},
        {"has_progress": 1},
        {"surprise": 1},
    ],
)
def test_request_of_another_form_is_not_understood(change: Mapping[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        decode_request(json.dumps({**GOOD, **change}).encode())


@given(st.binary())
def test_bytes_that_are_no_request_are_not_understood(line: bytes) -> None:
    with pytest.raises(NotUnderstood):
        decode_request(line)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes a program of a few lines the indexer."""

    def answer_with(program: str) -> None:
        monkeypatch.setattr(client, "_START", program)

    return answer_with


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import sys; sys.exit(4)", "ended with status 4"),
        ("raise SystemError('the mast broke')", "the mast broke"),
        ("print('hello')", "nonsense"),
        ("print('[1]')", "nonsense"),
        ("print('{\"answer\": 7}')", "nonsense"),
        ("print('{\"answer\": {}}')", "ended with status 0"),
        ("import sys; sys.stdout.write('{\"answer\": {')", "ended with status 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with status -9"),
    ],
)
def test_process_that_gives_no_answer_is_an_error_with_a_hint(
    answering: Any, environ: Mapping[str, str], program: str, why: str
) -> None:
    answering(program)
    with pytest.raises(SidecarFailed, match=why) as failed:
        list(ask(Request("search", (PLACE,), queries=("x" * 1_000_000,)), environ))
    assert failed.value.exit_code == 1
    assert "gitmem index rebuild" in failed.value.hint


def test_bug_of_the_indexer_is_no_expected_failure(answering: Any, environ: Mapping[str, str]) -> None:
    answering("import sys; print('Traceback\\nSystemError: the mast broke', file=sys.stderr); sys.exit(3)")
    heard: list[str] = []
    with pytest.raises(SidecarBroken, match="a bug of its own: SystemError: the mast broke") as broken:
        list(ask(Request("search", (PLACE,)), environ, on_said=heard.append))
    assert broken.value.exit_code == 3
    assert "rebuild" not in broken.value.hint
    assert heard == ["Traceback\nSystemError: the mast broke"]


@pytest.mark.parametrize(("status", "kind"), [(1, GitmemError), (2, UsageError)])
def test_expected_failure_keeps_its_words_hint_and_exit_code(
    answering: Any, environ: Mapping[str, str], status: int, kind: type[GitmemError]
) -> None:
    refused = {"kind": "Some", "message": "could not", "hint": "gitmem doctor", "exit_code": status}
    answering(f"print({json.dumps(json.dumps({'refused': refused}))})")
    with pytest.raises(kind) as raised:
        list(ask(Request("search", (PLACE,)), environ))
    assert (str(raised.value), raised.value.hint, raised.value.exit_code) == (
        "could not",
        "gitmem doctor",
        status,
    )


def test_notices_and_progress_are_handed_on(answering: Any, environ: Mapping[str, str]) -> None:
    lines = [{"progress": [1, 2]}, {"notice": "made anew"}, {"answer": {"hits": []}}, {"end": True}]
    answering(f"print({json.dumps(chr(10).join(map(json.dumps, lines)))})")
    heard: list[object] = []
    answers = list(
        ask(
            Request("search", (PLACE,)),
            environ,
            on_notice=heard.append,
            on_progress=lambda done, total: heard.append((done, total)),
        )
    )
    assert (answers, heard) == ([{"hits": []}], [(1, 2), "made anew"])


def test_folder_named_indexer_and_pythonpath_are_not_run(
    memory: Filled, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("an anchor")])
    for folder in (memory.top, memory.top / "elsewhere"):
        (folder / "indexer").mkdir(parents=True)
        for name in ("__init__.py", "__main__.py"):
            (folder / "indexer" / name).write_text("raise SystemExit('the wrong one was run')")
    monkeypatch.chdir(memory.top)
    polluted = {**environ, "PYTHONPATH": str(memory.top / "elsewhere")}
    (answer,) = ask(Request("search", (memory.place,), queries=("anchor",)), polluted)
    assert len(answer["hits"]) == 1  # type: ignore[arg-type]


def test_one_process_answers_request_after_request(memory: Filled, environ: Mapping[str, str]) -> None:
    memory.add("one", [said("an anchor")])
    requests = [
        encode_request(Request("search", (memory.place,), queries=("anchor", "nothing"))),
        b"no request\n",
        encode_request(Request("search", (memory.place,), queries=("anchor",), mode="semantic")),
        encode_request(Request("status", (memory.place,))),
    ]
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "indexer"],
        input=b"".join(requests),
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    kinds = [next(iter(json.loads(line))) for line in finished.stdout.splitlines()]
    assert kinds == ["answer", "answer", "end", "refused", "end", "refused", "end", "answer", "end"]
    assert finished.stderr == b""


def test_current_index_is_asked_without_what_reads_a_memory(
    memory: Filled, environ: Mapping[str, str]
) -> None:
    memory.add("one", [said("an anchor")])
    list(ask(Request("update", (memory.place,)), environ))
    program = (
        "import sys; sys.argv[0] = 'x'\n"
        "from indexer.__main__ import main\n"
        "main()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        input=encode_request(Request("search", (memory.place,), queries=("anchor",))),
        capture_output=True,
        env={**environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    assert json.loads(finished.stdout.splitlines()[0])["answer"]["hits"]
    loaded = finished.stderr.decode()
    assert "'tantivy'" in loaded
    for name in ("msgspec", "pygit2", "zstandard", "dulwich", "numpy", "asyncio", "subprocess"):
        assert f"'{name}'" not in loaded, name


@pytest.mark.parametrize("how", ["loose", "packed", "symbolic", "linked worktree"])
def test_ref_is_read_wherever_git_keeps_it(memory: Filled, git: Any, how: str, tmp_path: Path) -> None:
    from gitmem.verbs.tips import Tip, read_tip

    memory.add("one", [said("an anchor")])
    ref, common = memory.ref, memory.repository.common_dir
    expected = git("rev-parse", ref, cwd=memory.top)
    if how == "packed":
        git("update-ref", "refs/heads/gitmem-not", "HEAD", cwd=memory.top)
        git("pack-refs", "--all", cwd=memory.top)
        assert not (common / ref).exists()
    elif how == "symbolic":
        git("symbolic-ref", "refs/heads/other", ref, cwd=memory.top)
        ref = "refs/heads/other"
    elif how == "linked worktree":
        git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"), cwd=memory.top)
    assert read_tip(common, ref, memory.environ) == Tip(expected, expected)
    assert read_tip(common, "refs/heads/none", memory.environ) is None
