"""Signing as commands use it: what a push is given, and what erasing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitmem.cli.context import Context
from gitmem.model.errors.withholding import MayNotErase

if TYPE_CHECKING:
    from gitmem.model.ids import Oid
    from gitmem.model.records import Tombstone
    from gitmem.model.settings import Level
    from gitmem.objects.storage import Storage

Sign = Callable[["Level", str, "Oid"], "Oid"]


def signer_of(context: Context, storage: Storage, *, signs: bool) -> Sign:
    """Return what signs a tip that is about to be sent, where the user wants that.

    Without `signs` it signs nothing, and lets nothing pass that has to be signed and is not.
    """
    from gitmem.sharing import signing

    settings = context.settings

    def sign(level: Level, ref: str, tip: Oid) -> Oid:
        from gitmem.cli.opening import writer_of

        is_wanted = signing.signs(settings, level)
        if signs and is_wanted:
            writer = writer_of(context, level)
            return signing.sign_tip(storage, context.repository, context.git, writer, ref, tip)
        if settings.require_signed and (is_wanted or level == "team"):
            signing.require_signed(storage, ref, tip)
        return tip

    return sign


def signed_tombstone(context: Context, tombstone: Tombstone) -> Tombstone:
    """Return a tombstone with the user's signature, where they sign, or the settings say who may erase.

    Raises:
        SigningFailed: git does not sign.
        MayNotErase: The settings name others, whose clones would bring back what is erased here.
    """
    from gitmem.cli.accepting import erasures_of
    from gitmem.sharing.erasers import sign_if_wanted, sign_tombstone

    repository, git, settings = context.repository, context.git, context.settings
    if not settings.erasers:
        return sign_if_wanted(repository, git, settings, tombstone)
    signed = sign_tombstone(repository, git, tombstone)
    why = erasures_of(context)(signed)
    if why:
        raise MayNotErase(why)
    return signed
