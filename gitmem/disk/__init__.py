"""Every effect that gitmem has on a disk: no other room writes, renames or removes a file.

That makes one list of the points at which a crash can happen, and `observe` lets a test stop the process
at each of them. A file is published by one rename, so a reader sees the old one or the new one, whole.
"""

from gitmem.disk.effects import UNPUBLISHED, Effect, announce, observe, refusing
from gitmem.disk.files import (
    NewFile,
    append,
    claim_file,
    copy_file,
    keep_beside,
    make_private,
    remove_file,
    rename_file,
    replace_file,
    replace_locked,
    rewrite_file,
    shorten,
    shred_file,
)
from gitmem.disk.folders import (
    claim_folder,
    keep_private,
    make_folder,
    make_private_folder,
    remove_below,
    remove_empty_folder,
    remove_folder,
    workroom,
)
from gitmem.disk.locks import locked, locked_by_folder
from gitmem.disk.owned import OwnedFolder

__all__ = [
    "UNPUBLISHED",
    "Effect",
    "NewFile",
    "OwnedFolder",
    "announce",
    "append",
    "claim_file",
    "claim_folder",
    "copy_file",
    "keep_beside",
    "keep_private",
    "locked",
    "locked_by_folder",
    "make_folder",
    "make_private",
    "make_private_folder",
    "observe",
    "refusing",
    "remove_below",
    "remove_empty_folder",
    "remove_file",
    "remove_folder",
    "rename_file",
    "replace_file",
    "replace_locked",
    "rewrite_file",
    "shorten",
    "shred_file",
    "workroom",
]
