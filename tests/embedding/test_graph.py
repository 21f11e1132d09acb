"""The graph against the model's definition in float64, on the real weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load
from tokenizers import Tokenizer

from indexer.model import install
from indexer.model.embedder import Embedder
from indexer.model.graph import build
from indexer.model.installed import Contents, facts_of
from tests.embedding.installed import FILES
from tests.embedding.reference import Array, Reference
from tests.embedding.sentences import SENTENCES


@pytest.fixture(scope="module")
def unquantised(published_model: Path) -> Embedder:
    weights, tokenizer = ((published_model / name).read_bytes() for name in FILES)
    return Embedder.of(build(load(weights), is_quantised=False), tokenizer)


def test_unquantised_graph_is_the_model(published_model: Path, unquantised: Embedder) -> None:
    texts = SENTENCES[::3]
    assert len(texts[-1]) > 1500
    exact = exactly(texts, published_model)
    assert np.abs(unquantised.embed(texts) - exact).max() < 1e-5


def test_quantised_graph_stays_near_the_model(model_dir: Path, unquantised: Embedder) -> None:
    cosines = (Embedder.open(model_dir).embed(SENTENCES) * unquantised.embed(SENTENCES)).sum(axis=1)
    assert cosines.mean() > 0.995
    assert cosines.min() > 0.98


def test_order_of_neighbours_survives_quantisation(model_dir: Path, unquantised: Embedder) -> None:
    expected, nearest = (
        (vectors @ vectors.T - 2 * np.eye(len(vectors))).argmax(axis=1)
        for vectors in (each.embed(SENTENCES) for each in (unquantised, Embedder.open(model_dir)))
    )
    assert (expected == nearest).mean() > 0.9


def test_install_is_tried_out_against_exact_cosines(published_model: Path) -> None:
    exact = exactly(install._TRIED, published_model)
    pairs = np.triu_indices(len(exact), 1)
    assert (exact @ exact.T)[pairs] == pytest.approx(install._COSINES, abs=0.001)


def test_installed_files_take_less_than_24_megabytes(model_dir: Path) -> None:
    [folder] = [path for path in model_dir.iterdir() if path.is_dir()]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 24_000_000


def test_facts_of_equal_contents_are_equal() -> None:
    assert facts_of(Contents(b"graph", b"{}")) == facts_of(Contents(b"graph", b"{}"))


def exactly(texts: Sequence[str], published_model: Path) -> Array:
    tokenizer = Tokenizer.from_file(str(published_model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    reference = Reference(published_model / "model.safetensors")
    return np.array([reference.embed(tokenizer.encode(text).ids) for text in texts])
