"""Texts to vectors: order, length, odd texts, threads; and models that are not what was installed."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gitmem.model.errors.searching import ModelDamaged, ModelMissing, SemanticLibraryMissing
from indexer.model import embedder as embedders
from indexer.model.embedder import Embedder
from indexer.model.installed import FACTS_FILE, GRAPH_FILE, TOKENIZER_FILE, folder_of, load
from tests.conftest import IMPORTED_FROM
from tests.embedding.sentences import LONG, SENTENCES


@pytest.fixture(scope="module")
def embedder(model_dir: Path) -> Embedder:
    return Embedder.open(model_dir)


@pytest.fixture
def copied(model_dir: Path, tmp_path: Path) -> Path:
    """Return a folder for models with a model that a test may damage."""
    shutil.copytree(folder_of(model_dir), folder_of(tmp_path))
    return tmp_path


def test_vectors_are_unit_float32_rows(embedder: Embedder) -> None:
    vectors = embedder.embed(SENTENCES)
    assert (vectors.dtype, vectors.shape) == (np.float32, (len(SENTENCES), Embedder.dimensions))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_rows_are_in_the_order_given_whatever_stands_beside_them(embedder: Embedder, seed: int) -> None:
    texts = list(SENTENCES) * 3
    random.Random(seed).shuffle(texts)
    together = embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        alone = embedder.embed_query(text)
        assert alone.shape == (384,)
        assert float(alone @ vector) > 0.9999


def test_more_texts_than_are_sorted_together_keep_their_order(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = embedder.embed(SENTENCES)
    monkeypatch.setattr(embedders, "_SORTED_TOGETHER", 7)
    assert (embedder.embed(SENTENCES) * expected).sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_one_thread_gives_what_many_give(model_dir: Path, embedder: Embedder) -> None:
    one, many = (Embedder.open(model_dir, threads=n).embed(SENTENCES) for n in (1, 4))
    assert (one * many).sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_threads_may_share_one(embedder: Embedder) -> None:
    expected = embedder.embed(SENTENCES)
    found: dict[int, float] = {}

    def work(n: int) -> None:
        found[n] = float((embedder.embed(SENTENCES) * expected).sum(axis=1).min())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert min(found.values()) > 0.9999


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "\x00\x1b[31m", "\ud800 half a pair", "a" * 100_000, "漢" * 10_000, " " * 10_000 + "x"],
    ids=["empty", "blank", "lines", "controls", "surrogate", "one word", "one script", "late"],
)
def test_odd_text_has_a_vector(embedder: Embedder, text: str) -> None:
    assert np.linalg.norm(embedder.embed_query(text)) == pytest.approx(1, abs=1e-5)


def test_text_counts_up_to_its_256th_token(embedder: Embedder) -> None:
    beginning = "word " * 254
    assert (embedder.embed_query(beginning) == embedder.embed_query(beginning + "anchor")).all()
    assert (embedder.embed_query("word " * 253) != embedder.embed_query("word " * 253 + "anchor")).any()


def test_batches_are_bounded_and_take_every_text_once(seed: int) -> None:
    lengths = [random.Random(f"{seed}:{n}").randint(2, 256) for n in range(500)]
    batches = list(embedders._batches(lengths))
    assert sorted(n for batch in batches for n in batch) == list(range(500))
    assert all(max(lengths[n] for n in batch) * len(batch) <= 512 for batch in batches)
    assert len(batches) < 1.2 * sum(lengths) / 512 + 1


def test_meaning_is_found(embedder: Embedder) -> None:
    vectors = embedder.embed(["The port shuts at night.", "A recipe for bread.", LONG])
    nearest = (vectors @ embedder.embed_query("When does the harbour close?")).argmax()
    assert nearest == 0


def test_id_is_short_and_the_same_for_every_install(embedder: Embedder, copied: Path) -> None:
    assert Embedder.open(copied).id == embedder.id
    assert len(embedder.id) == 16
    assert json.loads((folder_of(copied) / FACTS_FILE).read_text())["id"] == embedder.id


def test_nothing_installed_is_named(tmp_path: Path) -> None:
    for model_dir in (tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(ModelMissing) as caught:
            Embedder.open(model_dir)
        assert caught.value.hint.startswith("gitmem model install:")


def _change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "one byte changed": _change_a_byte,
    "truncated": _truncate,
    "empty": lambda path: os.truncate(path, 0),
    "missing": Path.unlink,
    "a folder": _make_a_folder,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [GRAPH_FILE, TOKENIZER_FILE])
def test_damaged_file_is_named_and_not_used(copied: Path, name: str, damage: str) -> None:
    DAMAGE[damage](folder_of(copied) / name)
    with pytest.raises(ModelDamaged) as caught:
        Embedder.open(copied)
    assert name in caught.value.path
    assert caught.value.hint.startswith("gitmem model install:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 1, "id": "c042", "files": {}}',
        '{"version": 2, "id": "c042", "files": {}}',
    ],
    ids=["empty", "cut", "no object", "deep", "no id", "other id", "other version"],
)
def test_facts_that_say_something_else_are_damage(copied: Path, text: str) -> None:
    (folder_of(copied) / FACTS_FILE).write_text(text)
    with pytest.raises(ModelDamaged):
        load(copied)


def test_facts_without_their_files_are_damage(copied: Path) -> None:
    path = folder_of(copied) / FACTS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": {}}))
    with pytest.raises(ModelDamaged):
        load(copied)


@pytest.mark.parametrize("damage", ["missing", "a folder"])
def test_folder_without_facts_is_damage(copied: Path, damage: str) -> None:
    DAMAGE[damage](folder_of(copied) / FACTS_FILE)
    with pytest.raises(ModelDamaged):
        load(copied)


def test_model_that_is_removed_while_it_is_opened_is_missing(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_and_lose(model_dir: Path) -> object:
        contents = load(model_dir)
        shutil.rmtree(folder_of(model_dir))
        return contents

    monkeypatch.setattr(embedders, "load", load_and_lose)
    with pytest.raises(ModelMissing):
        Embedder.open(copied)


@pytest.mark.parametrize("library", ["numpy", "onnxruntime", "tokenizers"])
def test_library_that_is_not_installed_is_named(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SemanticLibraryMissing) as caught:
        Embedder.open(model_dir)
    assert caught.value.library == library
    assert caught.value.hint.startswith("pip install '.[semantic]':")


def test_importing_it_loads_no_library() -> None:
    program = (
        "import sys, indexer.model.embedder as e; print(sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    assert "'indexer'" in finished.stdout
    for name in ("numpy", "onnx", "onnxruntime", "tokenizers", "safetensors", "subprocess"):
        assert f"'{name}'" not in finished.stdout, name


def test_no_thread_is_left_that_could_spin(model_dir: Path) -> None:
    program = (
        "import os, sys, numpy, onnxruntime\n"
        "from pathlib import Path\n"
        "from indexer.model.embedder import Embedder\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "Embedder.open(Path(sys.argv[1]), threads=2).embed(['one', 'two words ' * 200, 'three'] * 4)\n"
        "print(len(os.listdir('/proc/self/task')) - before)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program, str(model_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=True,
    )
    assert finished.stdout == "0\n"
