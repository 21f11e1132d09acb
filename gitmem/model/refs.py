"""Every ref name and refspec of gitmem, and no other module spells one."""

from __future__ import annotations

import re
from collections.abc import Container

from gitmem.model.errors.arguments import BadSetting

DEFAULT_MEMORY_REF = "refs/heads/gitmem"
"""A branch, so that a plain clone brings it along and the default refspec fetches it."""

PRIVATE_NAMESPACE = "refs/gitmem/"
"""All else stands here: beside a branch `gitmem`, git allows none below it."""

PUBLIC_REF = "refs/gitmem/public"
"""The memory of what everybody may see."""

PRIVATE_REF = "refs/gitmem/private"
"""What a private memory is called by those who can open it. git has no such ref: its sessions are sealed,
each on a ref of its own below this name."""

SEALED_NAMESPACE = "refs/gitmem/private/"
KEYS_NAMESPACE = "refs/gitmem/keys/"
AUDIT_NAMESPACE = "refs/gitmem/audit/"

MAIN_OF_ORIGIN = "refs/remotes/origin/HEAD"
"""The main branch of where a clone is from, as git remembers it."""

_SEALED_NAME = re.compile(r"[0-9a-f]{64}\Z")
_RESERVED = (PUBLIC_REF, PRIVATE_REF, SEALED_NAMESPACE, KEYS_NAMESPACE, AUDIT_NAMESPACE)
TRACKING_NAMESPACE = "refs/gitmem/remotes/"
"""Where refs of remotes are fetched to that are no branches."""
_HEADS = "refs/heads/"


def memory_ref(setting: str | None) -> str:
    """Return the full name of the memory ref that a setting asks for; a short name means a branch.

    Raises:
        BadSetting: It is neither a branch nor below refs/gitmem/.
    """
    if not setting:
        return DEFAULT_MEMORY_REF
    name = setting if setting.startswith("refs/") else _HEADS + setting
    if name.startswith(TRACKING_NAMESPACE) or not name.startswith((_HEADS, PRIVATE_NAMESPACE)):
        raise BadSetting("gitmem.ref", setting, "a branch or a ref below refs/gitmem/")
    if any((name + "/").startswith(own.removesuffix("/") + "/") for own in _RESERVED):
        raise BadSetting("gitmem.ref", setting, "a name that gitmem does not use for anything else")
    if any(part in ("", ".", "..") or part.endswith(".lock") for part in name.split("/")) or any(
        c in name for c in " ~^:?*[\\\x7f"
    ):
        raise BadSetting("gitmem.ref", setting, "a name that git accepts for a ref")
    return name


def sealed_ref(name: str) -> str:
    """Return the ref of a sealed session's content."""
    return SEALED_NAMESPACE + name


def key_ref(name: str) -> str:
    """Return the ref of a sealed session's key."""
    return KEYS_NAMESPACE + name


def sealed_name(ref: str) -> str | None:
    """Return which sealed session a ref of content or of a key is about; None where it is no such ref."""
    for namespace in (SEALED_NAMESPACE, KEYS_NAMESPACE):
        name = ref.removeprefix(namespace)
        if name != ref and _SEALED_NAME.match(name):
            return name
    return None


def tracking_ref(remote: str, ref: str) -> str:
    """Return where `ref` of a remote is fetched to: never onto the local ref itself.

    A branch goes where the remote's default refspec puts it too; anything else below refs/gitmem/remotes/.
    """
    if ref.startswith(_HEADS):
        return f"refs/remotes/{remote}/{ref.removeprefix(_HEADS)}"
    return f"{TRACKING_NAMESPACE}{remote}/{ref.removeprefix(PRIVATE_NAMESPACE)}"


def tracking_prefix(ref: str) -> str:
    """Return what all tracking refs of a ref begin with, whatever the remote."""
    return "refs/remotes/" if ref.startswith(_HEADS) else TRACKING_NAMESPACE


def remote_of(tracking: str, ref: str) -> str | None:
    """Return whose tracking ref of `ref` this is; None where it is of another ref."""
    rest = tracking.removeprefix(tracking_prefix(ref))
    name = rest.removesuffix("/" + ref.removeprefix(_HEADS).removeprefix(PRIVATE_NAMESPACE))
    return name if name != rest and tracking == tracking_ref(name, ref) else None


def is_own(name: str, ref: str, remotes: Container[str]) -> bool:
    """Whether a ref is gitmem's, given the memory's and the names of the remotes; all else is the user's."""
    return name == ref or name.startswith(PRIVATE_NAMESPACE) or (remote_of(name, ref) or "") in remotes


def fetch_refspec(remote: str, ref: str) -> str:
    """Return the refspec of one fetch, of a ref, or of all below a namespace that ends with a slash.

    Forced, since a tracking ref mirrors whatever the remote has.
    """
    every = "*" if ref.endswith("/") else ""
    return f"+{ref}{every}:{tracking_ref(remote, ref)}{every}"


def lasting_refspec(remote: str, ref: str) -> str:
    """Return the refspec by which every fetch brings a memory to its tracking ref, for a configuration.

    With a star, because git fails a whole fetch where the remote has no ref of a name that it is given.
    """
    return f"+{ref}*:{tracking_ref(remote, ref)}*"


def maps(refspec: str, ref: str, tracking: str) -> bool:
    """Tell whether a fetch by a refspec brings a remote's ref to a tracking ref."""
    source, colon, target = refspec.removeprefix("+").partition(":")
    if "*" not in source:
        return (source, target) == (ref, tracking) and bool(colon)
    before, _, after = source.partition("*")
    is_long_enough = len(ref) >= len(before) + len(after)
    if not (is_long_enough and ref.startswith(before) and ref.endswith(after)):
        return False
    return target.replace("*", ref[len(before) : len(ref) - len(after)], 1) == tracking


def audit_ref(device: str) -> str:
    """Return the ref of a device's audit."""
    return AUDIT_NAMESPACE + device


def audit_of(tracking: str) -> tuple[str, str] | None:
    """Return whose tracking ref this is, and of which device's audit; None where it is of something else."""
    rest = tracking.removeprefix(TRACKING_NAMESPACE)
    remote, slash, device = rest.rpartition("/" + AUDIT_NAMESPACE.removeprefix(PRIVATE_NAMESPACE))
    return (remote, device) if slash and rest != tracking else None


def audit_tracking(remote: str) -> str:
    """Return what the refs begin with to which a remote's audits are fetched; a device's id follows."""
    return tracking_ref(remote, AUDIT_NAMESPACE)


def push_refspec(oid: str, ref: str) -> str:
    """Return the refspec of one push; never forced, and never written to a configuration."""
    return f"{oid}:{ref}"


def short_name(ref: str) -> str:
    """Return a ref as people say it."""
    return ref.removeprefix(_HEADS)
