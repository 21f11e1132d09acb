"""Search by meaning, with the real model: exact, filtered, kept up to date, and embedded once."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gitmem import disk
from gitmem.model.errors.searching import ModelDamaged, NothingEmbedded, SemanticLibraryMissing
from gitmem.model.errors.store import DiskRefused
from gitmem.query.filters import Filters
from gitmem.verbs import reading
from indexer.model.embedder import Embedder
from indexer.model.installed import GRAPH_FILE, folder_of
from indexer.model.pinned import model_id
from indexer.requests.answer import answer
from indexer.requests.shelf import Shelf
from indexer.upkeep import embedding, state
from indexer.upkeep.documents import meant_by
from indexer.vectors.store import Vectors
from indexer.vectors.writing import build_graphs
from tests.indexer.conftest import Asked
from tests.indexer.memories import Filled, called, gave, names_of, said

TOPICS = (
    "the harbour floods at spring tide",
    "retry the request with backoff after a timeout",
    "the login page rejects valid passwords",
    "colours of the chart are too pale to read",
    "the database migration drops a column",
    "translate the error messages into German",
    "a memory leak in the image cache",
    "sort sessions by the time of their last turn",
)
EIGHT_BITS = 0.004  # what a vector's rounding may change of a score; see docs/decisions/vectors.md
ENDINGS = ("I think", "please look", "as we saw yesterday", "again", "in production", "since the upgrade")


@pytest.fixture
def meaning(search: Asked, model_dir: Path) -> Callable[..., dict[str, Any]]:
    """Return what asks with the model, after the index and its vectors have been brought up."""

    def ask(query: str, filters: Filters = Filters(), **more: Any) -> dict[str, Any]:  # noqa: B008
        update(search, model_dir)
        return search(query, filters, **{"model_dir": str(model_dir), "mode": "hybrid", **more})

    return ask


def update(search: Asked, model_dir: Path, verb: Any = "update") -> dict[str, Any]:
    request = search.request(verb, model_dir=str(model_dir))
    (found,) = answer(request, search.memory.environ, search)
    return found


def fill(memory: Filled, seed: int, sessions: int = 6, turns: int = 12) -> None:
    rng = random.Random(seed)
    for number in range(sessions):
        lines = []
        for n in range(turns):
            text = f"{rng.choice(TOPICS)}, {rng.choice(ENDINGS)} {rng.randrange(9)}"
            if n % 4 == 3:
                lines += [called("Bash", f"c{n}", command=text), gave(f"c{n}", text)]
            else:
                lines.append(said(text, "assistant" if n % 2 else "user"))
        memory.add(f"s{number}", lines, branch="main" if number % 2 else "fix")


def texts_of(memory: Filled) -> dict[tuple[str, int], str]:
    """Read what each turn means straight from the store."""
    found = {}
    with closing(memory.storage()) as storage:
        opened = memory.memory(storage)
        for folder in opened.folders():
            key = opened.load(folder).key
            for turn in reading.transcript(opened, folder).turns:
                text = meant_by(turn.role, turn.kind, turn.text, turn.author)
                if text:
                    found[f"{key.native_id}#{turn.ordinal}", turn.ordinal] = text
    return found


def exact_scores(memory: Filled, model_dir: Path, query: str) -> dict[str, float]:
    """Score every text with the model alone, best first: the oracle. Equal texts count once."""
    texts = list(dict.fromkeys(texts_of(memory).values()))
    embedder = Embedder.open(model_dir)
    scores = embedder.embed(texts).astype(np.float64) @ embedder.embed_query(query).astype(np.float64)
    return {texts[n]: float(scores[n]) for n in np.argsort(-scores, kind="stable")}


def snippets(answer: dict[str, Any]) -> Sequence[str]:
    return [hit["snippet"] for hit in answer["hits"]]


def test_other_words_for_the_same_are_found_and_the_answer_says_how(
    memory: Filled, meaning: Callable[..., dict[str, Any]]
) -> None:
    memory.add("one", [said("the landlord wants the rent by Friday")])
    memory.add("two", [said("the kitten sleeps on the sofa")])
    answer = meaning("a cat naps")
    assert answer["mode"] == "hybrid"
    assert answer["indexed"]["vectors"] == 2
    assert names_of(answer)[0] == "two#0"
    assert names_of(meaning("a cat naps", mode="lexical")) == []
    assert meaning("a cat naps", mode="semantic")["mode"] == "semantic"


def test_search_by_meaning_is_an_exact_scan(
    memory: Filled, meaning: Callable[..., dict[str, Any]], model_dir: Path, seed: int
) -> None:
    fill(memory, seed)
    for query in ("water in the port", "cannot sign in", "too much RAM is used"):
        expected = exact_scores(memory, model_dir, query)
        found = meaning(query, mode="semantic", limit=10)["hits"]
        assert [hit["score"] for hit in found] == pytest.approx(
            [expected[hit["snippet"]] for hit in found], abs=EIGHT_BITS
        )
        assert [expected[hit["snippet"]] for hit in found] == pytest.approx(
            list(expected.values())[:10], abs=EIGHT_BITS
        )


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        (Filters(branches=("fix",)), lambda hit: hit["branch"] == "fix"),
        (Filters(roles=("assistant",)), lambda hit: hit["role"] == "assistant"),
        (Filters(sessions=("generic/s3",)), lambda hit: hit["session"] == "generic/s3"),
        (Filters(without=("generic/s3",)), lambda hit: hit["session"] != "generic/s3"),
    ],
)
@pytest.mark.parametrize("one_by_one", [20_000, 1])
def test_filters_hold_before_meaning_is_ranked(
    memory: Filled,
    meaning: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    filters: Filters,
    holds: Callable[[dict[str, Any]], bool],
    one_by_one: int,
) -> None:
    monkeypatch.setattr("indexer.finding.legs._SCORED_ONE_BY_ONE", one_by_one)
    fill(memory, seed)
    everything = meaning("cannot sign in", mode="semantic", limit=1000)["hits"]
    # A text that fits is found wherever it stands, so the oracle looks at all turns and not at distinct texts.
    expected = {hit["snippet"] for hit in everything if holds(hit)}
    found = meaning("cannot sign in", filters, mode="semantic", limit=1000)["hits"]
    assert found
    assert all(map(holds, found))
    assert expected <= {hit["snippet"] for hit in found}
    ordered = [hit["snippet"] for hit in everything]
    assert [hit["snippet"] for hit in found] == sorted(
        (hit["snippet"] for hit in found), key=lambda snippet: ordered.index(snippet)
    )


def test_word_that_is_left_out_is_not_found_by_meaning_either(
    memory: Filled, meaning: Callable[..., dict[str, Any]]
) -> None:
    memory.add("one", [said("a kitten sleeps"), said("a kitten naps"), said("a puppy sleeps")])
    assert "naps" not in " ".join(snippets(meaning("small animal asleep -naps")))
    assert set(snippets(meaning('"a kitten" asleep'))) == {"a kitten sleeps", "a kitten naps"}


def test_speaker_is_part_of_what_is_meant(memory: Filled, meaning: Callable[..., dict[str, Any]]) -> None:
    memory.add("one", [said("I like sailing", author="Grace"), said("I like sailing", author="Linus")])
    found = meaning("What does Linus enjoy?", mode="semantic")
    assert found["indexed"]["vectors"] == 2
    assert found["hits"][0]["author"] == "Linus"


def test_text_that_is_gone_is_not_found_and_its_vector_goes(
    memory: Filled, search: Asked, meaning: Callable[..., dict[str, Any]], model_dir: Path
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    two = memory.add("two", [said("a cat on a sofa"), said("the kitten sleeps")])
    assert meaning("cat", mode="semantic")["indexed"]["vectors"] == 2
    memory.remove(two)
    asked: dict[str, Any] = {"model_dir": str(model_dir), "mode": "semantic"}
    assert snippets(search("cat", **asked)) == ["the kitten sleeps"]
    assert update(search, model_dir)["vectors"] == 1
    folder = embedding.folder_of(memory.repository.common_dir, model_id())
    assert Vectors.open(folder, model_id(), with_graphs=False).count == 1


def test_vectors_of_what_is_gone_go_without_a_model_too(
    memory: Filled, search: Asked, model_dir: Path, tmp_path: Path
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    two = memory.add("two", [said("a cat on a sofa")])
    assert update(search, model_dir)["vectors"] == 2
    memory.remove(two)
    update(search, tmp_path / "no model")
    folder = embedding.folder_of(memory.repository.common_dir, model_id())
    assert Vectors.open(folder, model_id(), with_graphs=False).count == 1


def test_vectors_of_what_was_taken_out_by_one_that_was_killed_go_too(
    memory: Filled, search: Asked, model_dir: Path
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    two = memory.add("two", [said("a cat on a sofa")])
    assert update(search, model_dir)["vectors"] == 2
    memory.remove(two)

    def kill(effect: disk.Effect, path: Path) -> None:
        if effect == "rename" and path.name == "state.json":
            raise KeyboardInterrupt

    with disk.observe(kill), pytest.raises(KeyboardInterrupt):
        update(search, model_dir)
    assert update(search, model_dir)["vectors"] == 1


def test_text_is_embedded_once_whatever_happens_to_the_index(
    memory: Filled, search: Asked, model_dir: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    embedded: list[str] = []
    embed = Embedder.embed
    monkeypatch.setattr(
        Embedder, "embed", lambda self, texts: (embedded.extend(texts), embed(self, texts))[1]
    )
    fill(memory, seed)
    update(search, model_dir)
    distinct = set(texts_of(memory).values())
    assert sorted(embedded) == sorted(distinct)
    embedded.clear()
    update(search, model_dir, "rebuild")
    assert embedded == []
    memory.add("new", [said("something that nobody said before"), said(next(iter(distinct)))])
    update(search, model_dir)
    assert embedded == ["something that nobody said before"]


def test_embedding_that_was_interrupted_goes_on_where_it_was(
    memory: Filled, search: Asked, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "PIECE_TEXTS", 4)
    memory.add("one", [said(f"turn {n} about {TOPICS[n % len(TOPICS)]}") for n in range(20)])
    published = 0

    def refuse(effect: disk.Effect, path: Path) -> None:
        nonlocal published
        if effect == "rename" and "vectors" in path.parts and path.name == "state.json":
            published += 1
            if published > 2:
                raise DiskRefused("write", str(path), "No space left on device")

    with disk.observe(refuse), pytest.raises(DiskRefused):
        update(search, model_dir)
    status = update(search, model_dir, "status")
    assert (status["vectors"], status["unembedded"]) == (8, 12)
    # What is there is searched meanwhile, and the rest by its words.
    answer = search("turn 19 about", model_dir=str(model_dir), mode="hybrid")
    assert answer["indexed"]["vectors"] == 8
    assert "turn 19" in snippets(answer)[0]
    embedded: list[str] = []
    embed = Embedder.embed
    monkeypatch.setattr(
        Embedder, "embed", lambda self, texts: (embedded.extend(texts), embed(self, texts))[1]
    )
    assert update(search, model_dir)["unembedded"] == 0
    assert len(embedded) == 12


def test_progress_tells_how_many_texts_are_embedded(
    memory: Filled, search: Asked, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "PIECE_TEXTS", 4)
    memory.add("one", [said(f"turn {n}") for n in range(10)])
    update(search, model_dir)
    assert search.progressed[-3:] == [(0, 10), (4, 10), (8, 10)]


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_index_made_anew_answers_as_one_that_grew(
    memory: Filled, search: Asked, model_dir: Path, seed: int, mode: str
) -> None:
    rng = random.Random(seed)
    added = []
    for number in range(8):
        lines = [said(f"{rng.choice(TOPICS)} {rng.randrange(5)}") for _ in range(rng.randrange(1, 6))]
        name = f"s{rng.randrange(4)}"
        added.append(memory.add(name, lines, keep=None if rng.random() < 0.7 else 0))
        if number == 5:
            memory.remove(added[rng.randrange(len(added))])
            memory.captures.clear()
            memory.lines.clear()
        update(search, model_dir)
    asked: dict[str, Any] = {"model_dir": str(model_dir), "mode": mode, "limit": 8}
    queries = ("water in the port", "cannot sign in", TOPICS[1], "memory")
    grown = [search(query, **asked) for query in queries]
    update(search, model_dir, "rebuild")
    for query, before in zip(queries, grown, strict=True):
        now = search(query, **asked)
        assert names_of(now) == names_of(before)


def test_answers_through_graphs_are_those_of_an_exact_scan(
    memory: Filled, search: Asked, model_dir: Path, seed: int
) -> None:
    fill(memory, seed, sessions=20, turns=20)
    update(search, model_dir)
    folder = embedding.folder_of(memory.repository.common_dir, model_id())
    assert build_graphs(folder, model_id(), crossover=0) > 0
    shelf = Shelf(stays=True)
    hits = kept = 0
    for query in (*TOPICS, "water in the port", "cannot sign in"):
        expected = list(exact_scores(memory, model_dir, query))[:10]
        request = search.request("search", queries=(query,), model_dir=str(model_dir), mode="semantic")
        (found,) = answer(request._replace(limit=10), memory.environ, search, shelf)
        kept += len(set(snippets(found)) & set(expected))
        hits += len(expected)
    (opened,) = shelf._opened.values()
    assert opened.vectors is not None
    assert opened.vectors.without_graph == 0
    assert kept / hits >= 0.95


def test_model_of_which_a_byte_changed_is_not_used(
    memory: Filled, search: Asked, model_dir: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "models"
    shutil.copytree(model_dir, mine)
    memory.add("one", [said("the kitten sleeps")])
    update(search, mine)
    graph = folder_of(mine) / GRAPH_FILE
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.chmod(0o600)
    graph.write_bytes(content)
    found = search("kitten", model_dir=str(mine), mode="hybrid")
    assert found["mode"] == "lexical"
    assert names_of(found) == ["one#0"]
    assert any("words alone" in notice for notice in search.notices)
    with pytest.raises(ModelDamaged) as damaged:
        search("kitten", model_dir=str(mine), mode="semantic")
    assert damaged.value.hint.startswith("gitmem model install")
    memory.add("two", [said("a puppy sleeps")])
    assert update(search, mine)["unembedded"] == 1
    shelf = Shelf()
    request = search.request("search", queries=("kitten",), model_dir=str(mine), mode="hybrid")
    (answer_by_words,) = answer(request, memory.environ, search, shelf)
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    (mended,) = answer(request, memory.environ, search, shelf)
    assert (answer_by_words["mode"], mended["mode"]) == ("lexical", "hybrid")


def test_without_the_libraries_a_model_is_of_no_use_and_words_are(
    memory: Filled, search: Asked, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    update(search, model_dir)

    def refuse(names: Sequence[str]) -> None:
        raise SemanticLibraryMissing(names[0])

    monkeypatch.setattr("indexer.model.embedder.require_libraries", refuse)
    memory.add("two", [said("a kitten purrs")])
    found = search("kitten", model_dir=str(model_dir), mode="hybrid")
    assert (found["mode"], len(found["hits"])) == ("lexical", 2)
    with pytest.raises(SemanticLibraryMissing) as missing:
        search("kitten", model_dir=str(model_dir), mode="semantic")
    assert missing.value.hint.startswith("pip install '.[semantic]'")
    state_now = update(search, model_dir)
    assert (state_now["state"], state_now["vectors"]) == ("current", 0)
    assert sum("words alone" in notice for notice in search.notices) == 2


def test_search_by_meaning_before_anything_is_embedded_says_what_to_do(
    memory: Filled, search: Asked, model_dir: Path
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    with pytest.raises(NothingEmbedded) as nothing:
        search("kitten", model_dir=str(model_dir), mode="semantic")
    assert nothing.value.hint.startswith("gitmem index update")
    assert search("kitten", model_dir=str(model_dir), mode="hybrid")["mode"] == "lexical"


def test_damaged_vectors_are_made_again(
    memory: Filled, search: Asked, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add("one", [said("the kitten sleeps"), said("a puppy barks")])
    update(search, model_dir)
    folder = embedding.folder_of(memory.repository.common_dir, model_id())
    (block,) = [path for path in folder.iterdir() if path.stat().st_size > 700 and path.suffix != ".json"]
    content = bytearray(block.read_bytes())
    content[-1] ^= 1
    block.chmod(0o600)
    block.write_bytes(content)
    status = update(search, model_dir, "status")
    assert (status["vectors"], status["unembedded"]) == (0, 2)
    assert update(search, model_dir)["vectors"] == 2


def test_index_of_vectors_deleted_underneath_is_made_again(
    memory: Filled, search: Asked, model_dir: Path
) -> None:
    memory.add("one", [said("the kitten sleeps")])
    update(search, model_dir)
    shutil.rmtree(state.root_of(memory.repository.common_dir).parent)
    assert names_of(search("kitten", model_dir=str(model_dir))) == ["one#0"]
    assert update(search, model_dir)["vectors"] == 1
