"""zstd, with every bound that untrusted input needs; no other module knows the library.

A frame is decoded only if it declares its size, and the size and the window are within bounds: zstandard
ignores `max_output_size` where a frame declares more, and 10 KB can unfold to 300 MB.
"""

from __future__ import annotations

import threading

import zstandard

from gitmem.model.errors.store import ObjectDamaged

LEVEL = 9
MAX_WINDOW_BYTES = 8 << 20
_TRAILER_MAGIC = (0x184D2A5E).to_bytes(4, "little")
"""A skippable frame (RFC 8878, 3.1.2): any zstd decoder passes over it."""


_LONG_BYTES = 512 << 10
_LONG_TABLES = {"hash_log": 20, "chain_log": 19}
"""What the level chooses for long texts is twice as much, for 0.05 % less: asking the system for
such tables and giving them back, for each segment, takes longer than they save."""


def compress(plain: bytes, prefix: bytes = b"") -> bytes:
    """Return one zstd frame that declares its size.

    `prefix` is text that the decoder will have at hand too: what repeats it costs next to nothing.
    """
    tables = _LONG_TABLES if len(prefix) + len(plain) > _LONG_BYTES else {}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        source_size=len(plain),
        dict_size=len(prefix),
        write_content_size=True,
        write_checksum=False,
        **tables,
    )
    return zstandard.ZstdCompressor(
        compression_params=parameters, dict_data=_raw_dictionary(prefix)
    ).compress(plain)


def decompress(frame: bytes, name: str, limit: int, prefix: bytes = b"") -> bytes:
    """Decode one zstd frame of at most `limit` bytes of plaintext; `name` says which in an error.

    Raises:
        ObjectDamaged: It is no such frame, is cut short, has something behind it, or exceeds the bounds.
    """
    header = _read_header(frame, name)
    size = header.content_size
    if size > limit:
        raise ObjectDamaged(name, f"it declares {size} bytes, more than {limit}")
    # zstd itself lets a frame that is here as a whole have any window.
    if header.window_size > MAX_WINDOW_BYTES:
        raise ObjectDamaged(name, f"its window has {header.window_size} bytes, more than {MAX_WINDOW_BYTES}")
    decoder = _decompressor(prefix).decompressobj(write_size=max(1, size))
    try:
        plain = decoder.decompress(frame)
    except zstandard.ZstdError as error:
        raise ObjectDamaged(name, f"its zstd frame does not decode: {error}") from None
    if not decoder.eof or decoder.unused_data:
        raise ObjectDamaged(name, "its zstd frame is cut short or has something behind it")
    if len(plain) != size:
        raise ObjectDamaged(name, f"it declares {size} bytes and holds {len(plain)}")
    return plain


_kept = threading.local()
"""Each thread's own decompressor, which no two may use at once: to make one takes longer than most frames."""


def _decompressor(prefix: bytes) -> zstandard.ZstdDecompressor:
    if prefix:
        return zstandard.ZstdDecompressor(dict_data=_raw_dictionary(prefix), max_window_size=MAX_WINDOW_BYTES)
    try:
        return _kept.plain  # type: ignore[no-any-return]
    except AttributeError:
        _kept.plain = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        return _kept.plain  # type: ignore[no-any-return]


def attach_trailer(frame: bytes, payload: bytes) -> bytes:
    """Put a payload behind a frame, as a skippable frame that ends in the payload's length (one byte)."""
    body = payload + bytes((len(payload),))
    return frame + _TRAILER_MAGIC + len(body).to_bytes(4, "little") + body


def detach_trailer(blob: bytes, name: str) -> tuple[bytes, bytes]:
    """Return a frame and the payload put behind it; `name` says which blob in an error.

    Raises:
        ObjectDamaged: It does not end in a trailer.
    """
    size = blob[-1] + 1 if blob else 0
    head = _TRAILER_MAGIC + size.to_bytes(4, "little")
    start = len(blob) - size - len(head)
    if start <= 0 or blob[start : start + len(head)] != head:
        raise ObjectDamaged(name, "it does not end in a trailer")
    return blob[:start], blob[start + len(head) : -1]


def declared_size(frame: bytes, name: str) -> int:
    """Return how many bytes of plaintext a frame says that it holds, without decoding it.

    Raises:
        ObjectDamaged: It is no zstd frame, or does not say.
    """
    return _read_header(frame, name).content_size


def _read_header(frame: bytes, name: str) -> zstandard.FrameParameters:
    if not frame.startswith(zstandard.FRAME_HEADER):
        raise ObjectDamaged(name, "not a zstd frame")
    try:
        header = zstandard.get_frame_parameters(frame)
    except zstandard.ZstdError as error:
        raise ObjectDamaged(name, f"not a zstd frame: {error}") from None
    if header.content_size == zstandard.CONTENTSIZE_UNKNOWN:
        raise ObjectDamaged(name, "its zstd frame does not declare a size")
    return header


def _raw_dictionary(prefix: bytes) -> zstandard.ZstdCompressionDict | None:
    if not prefix:
        return None
    return zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
