"""What an erasure has still to do, noted in the clone's own folder: histories, and then objects by id."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from gitmem import disk
from gitmem.model.ids import Oid

_NAME: Final = "erasing"
_TIP, _GONE = b"tip ", b"gone "


class Noted(NamedTuple):
    """Tips of histories that are replaced; and, once that is known, the raw ids of all that is to go."""

    tips: tuple[Oid, ...] = ()
    gone: frozenset[bytes] = frozenset()


def read_note(state_dir: Path) -> Noted:
    """Return what is noted; nothing where nothing is to be done."""
    try:
        lines = (state_dir / _NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return Noted()
    return Noted(
        tuple(Oid(line.removeprefix(_TIP).decode()) for line in lines if line.startswith(_TIP)),
        frozenset(
            bytes.fromhex(line.removeprefix(_GONE).decode()) for line in lines if line.startswith(_GONE)
        ),
    )


def note(state_dir: Path, noted: Noted) -> None:
    """Put down what is to be done in place of what was; it is on the disk when this returns."""
    lines = [_TIP + oid.encode() + b"\n" for oid in noted.tips]
    lines += [_GONE + name.hex().encode() + b"\n" for name in sorted(noted.gone)]
    disk.replace_file(state_dir / _NAME, b"".join(lines), mode=0o600)


def forget_note(state_dir: Path) -> None:
    """Say that all is done."""
    disk.remove_file(state_dir / _NAME)
