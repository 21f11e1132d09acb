"""Texts to vectors: the installed model, opened, and used from as many threads as there are cores.

A session of one thread is shared by threads of ours, a batch each: no pool spins while nothing is asked, and
no core waits for another within a batch. A vector does not depend on the texts beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gitmem.model.errors.searching import ModelMissing, SemanticLibraryMissing
from indexer.model.installed import GRAPH_FILE, folder_of, load
from indexer.model.pinned import DIMENSIONS, MOST_CHARACTERS, MOST_TOKENS, model_id

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_LIBRARIES: Final = ("numpy", "onnxruntime", "tokenizers")

_SORTED_TOGETHER: Final = 2048
"""Texts whose tokens are held at a time, and which are sorted by length: a batch needs little padding."""

_BATCH_TOKENS: Final = 512
"""Of a batch, padding included, at about 32 kB each. More than 4 texts of 96 tokens gain nothing, and from 16
on the values in between leave the cache: 144 texts a CPU-second where there were 178."""

_MOST_THREADS: Final = 6
"""With batches of that size, what keeps all of them below 100 MB."""

_ERRORS_ALONE: Final = 3


class Embedder:
    """The model, open; one may be used from several threads at once.

    `id` names the model together with all that its vectors depend on.
    """

    dimensions: Final = DIMENSIONS

    def __init__(self, session: Any, tokenizer: Tokenizer, threads: int) -> None:
        self.id = model_id()
        self._session, self._tokenizer, self._threads = session, tokenizer, threads

    @classmethod
    def open(cls, model_dir: Path, threads: int | None = None) -> Embedder:
        """Open the installed model; `threads` are as many as there are cores unless given.

        Raises:
            ModelMissing: None is installed; nothing is downloaded here.
            ModelDamaged: Its files are not what was installed.
            SemanticLibraryMissing: A library that it needs is not installed.
        """
        contents = load(model_dir)
        require_libraries(_LIBRARIES)
        # By its path: bytes that it is given the runtime keeps, 23 MB of them, beside what it makes of them.
        return cls.of(folder_of(model_dir) / GRAPH_FILE, contents.tokenizer, threads)

    @classmethod
    def of(cls, graph: bytes | Path, tokenizer_json: bytes, threads: int | None = None) -> Embedder:
        """Open a graph with its tokenizer.

        Raises:
            ModelMissing: It was removed a moment ago.
        """
        import tokenizers

        tokenizer = tokenizers.Tokenizer.from_buffer(tokenizer_json)
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(_open_session(graph), tokenizer, min(threads or cores, _MOST_THREADS))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Turn texts into vectors.

        Of each text the first 256 tokens count, the two around it included.

        Returns:
            float32, shape (len(texts), 384), rows of length 1, in the order given.
        """
        import numpy as np

        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        for start in range(0, len(texts), _SORTED_TOGETHER):
            tokens = [self._tokens(text) for text in texts[start : start + _SORTED_TOGETHER]]
            self._embed(tokens, vectors[start : start + _SORTED_TOGETHER])
        return vectors

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Turn one text into a vector of shape (384,), as `embed` does."""
        vector: NDArray[np.float32] = self._run([self._tokens(text)])[0]
        return vector

    def knows(self, word: str) -> bool:
        """Tell whether a word, in lower case, is one that the model has a token of its own for."""
        return self._tokenizer.token_to_id(word) is not None

    def _embed(self, tokens: Sequence[Sequence[int]], vectors: NDArray[np.float32]) -> None:
        batches = list(_batches([len(each) for each in tokens]))

        def work(rows: list[int]) -> None:
            vectors[rows] = self._run([tokens[row] for row in rows])

        if self._threads == 1 or len(batches) == 1:
            for rows in batches:
                work(rows)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
            for _ in pool.map(work, batches):
                pass  # to raise what a batch has raised

    def _tokens(self, text: str) -> Sequence[int]:
        # Half a surrogate pair, which JSON may spell, is no character that a tokenizer could know.
        whole = text[:MOST_CHARACTERS].encode("utf-8", "replace").decode()
        ids: list[int] = self._tokenizer.encode(whole).ids
        return ids

    def _run(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import numpy as np

        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        vectors: NDArray[np.float32]
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return vectors


def _open_session(graph: bytes | Path) -> Any:
    """Open a graph in the runtime, for one thread at a time or several that each run a batch."""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import NoSuchFile

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # plans for a shape that comes again, and shapes seldom do
    options.log_severity_level = _ERRORS_ALONE
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except NoSuchFile:
        raise ModelMissing from None


def require_libraries(names: Sequence[str]) -> None:
    """Make sure that libraries are installed, without loading them.

    Raises:
        SemanticLibraryMissing: One of them is not.
    """
    from importlib.util import find_spec

    for name in names:
        if find_spec(name) is None:
            raise SemanticLibraryMissing(name)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of texts that go together, the longest first, so that none comes late and alone."""
    batch: list[int] = []
    for n in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch
