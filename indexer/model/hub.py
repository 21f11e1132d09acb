"""A published file of the model from a hub, over HTTP: bounded, and gone on with where it was cut short."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

import gitmem
from gitmem.model.errors.searching import ModelNotFetched, ModelRefused
from indexer.model.pinned import NAME, Pinned

DEFAULT_HUB: Final = "https://huggingface.co"

_TIMEOUT_S: Final = 30.0
_PIECE_BYTES: Final = 1 << 18
_PARTIAL: Final = 206


def download(hub: str, pinned: Pinned, on_bytes: Callable[[int], object]) -> bytes:
    """Return the body of a file on a hub, of its right length and not yet compared with its hash.

    A body that ends early is gone on with, as long as every try brings some of it. `on_bytes` is told how
    much there is. Proxies are those that the environment names.

    Raises:
        ModelNotFetched: The hub cannot be reached, does not have it, or keeps cutting it short.
        ModelRefused: What it gives is longer.
    """
    if not hub.startswith(("http://", "https://")):
        raise ModelNotFetched(hub, "expected an address that begins with https:// or http://")
    url = f"{hub.rstrip('/')}/sentence-transformers/{NAME}/resolve/main/{pinned.name}"
    body = bytearray()
    while len(body) < pinned.size_bytes:
        before = len(body)
        why = _try(url, body, pinned, on_bytes)
        if len(body) <= before:
            cut = f"{before:,} of {pinned.size_bytes:,} bytes came"
            raise ModelNotFetched(url, f"{why}; {cut}" if before else why)
    return bytes(body)


def _try(url: str, body: bytearray, pinned: Pinned, on_bytes: Callable[[int], object]) -> str:
    """Ask for what is missing of a body and append it; return why it ended, if it ended early."""
    request = urllib.request.Request(url, headers={"User-Agent": f"gitmem/{gitmem.__version__}"})  # noqa: S310
    if body:
        request.add_header("Range", f"bytes={len(body)}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (checked by download)
            if body and not _goes_on(answer, len(body)):
                return "it gives whole files only, and cuts them short"
            while piece := answer.read(_PIECE_BYTES):
                body += piece
                if len(body) > pinned.size_bytes:
                    raise ModelRefused(url, f"{pinned.name} is longer than {pinned.size_bytes:,} bytes")
                on_bytes(len(body))
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return _plainly(error.reason)
    except (OSError, http.client.HTTPException) as error:
        return _plainly(error)
    return "it cuts the file short"


def _plainly(error: BaseException | str) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error) or type(error).__name__


def _goes_on(answer: http.client.HTTPResponse, start: int) -> bool:
    return answer.status == _PARTIAL and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
