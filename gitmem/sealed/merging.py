"""Uniting the two sides of one sealed session: what stands here, and what a remote has.

What becomes of it, by number as in the tests; "opens" is said of this user's keys:

1. both point at the same, or theirs is nothing: "same"
2. nothing here: "new there", as far as it is what gitmem seals and, where it opens, belongs
3. both open, and theirs has all of ours: "grown there"
4. both open, and ours has all of theirs: "grown here"
5. both open, and each has something: "united", on top of both, or of the one with the newer key
6. theirs does not open: "grown there" or "grown here" where one goes on from the other, else "apart"
7. theirs is not what gitmem seals, or nothing of it belongs: "refused"
8. theirs is another session under the same name: "apart"
9. it was shed on one side: "shed there" or "shed here"; ours stays

The newer key is the one with the higher number, of equal ones the greater object id: it was wrapped anew, for
somebody was added, or made anew, for somebody was removed. But a key that this user made counts for more than
one that somebody else did: whoever was removed could seal what they know once more, to have the rest added.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from gitmem.format import layout
from gitmem.format.outcomes import Refusal
from gitmem.format.union import union
from gitmem.model.errors.store import ObjectDamaged, ObjectMissing, SealDamaged, StoreError
from gitmem.model.ids import Oid
from gitmem.model.refs import key_ref, sealed_ref
from gitmem.objects import trees
from gitmem.objects.history import is_ancestor
from gitmem.objects.storage import Storage
from gitmem.sealed.keeping import read_key
from gitmem.sealed.ring import Ring
from gitmem.sealed.sessions import Opened, SealedSession, check_shape, open_session
from gitmem.sealed.storage import SealedStorage
from gitmem.sealed.tips import Tips
from gitmem.sealed.virtual import write_root
from gitmem.sealed.writing import Move, Writing, move_all

Outcome = Literal[
    "same",
    "new there",
    "grown there",
    "grown here",
    "united",
    "apart",
    "refused",
    "shed there",
    "shed here",
]


class Merged(NamedTuple):
    """What two sides come to.

    `tips` is what the refs of the session are to point at: published already, and moved there by
    `adopt(base, name, merged.tips, ours)`. Where nothing of theirs is taken they are ours; `why` says more.
    `refused` lists what of theirs, or of ours, did not belong there.
    """

    outcome: Outcome
    tips: Tips
    why: str = ""
    refused: tuple[Refusal, ...] = ()


def merge(base: Storage, ring: Ring, name: str, ours: Tips, theirs: Tips) -> Merged:
    """Unite what is sealed under one name here and there; publishes what it makes, and moves no ref.

    `Tips(None, None)` is a side that has nothing.

    Raises:
        SealDamaged: Ours is not what gitmem seals, and theirs does not make up for it.
        ObjectMissing: An object of ours is not here.
    """
    theirs = Tips(theirs.key or ours.key, theirs.content or ours.content)
    if ours == theirs or theirs.content is None:
        return Merged("same", ours)
    if theirs.key is None:
        return Merged("refused", ours, "its key did not come with it")
    try:
        kept = read_key(base, name, theirs.key)
        check_shape(base, name, theirs.content)
        other = open_session(base, ring, name, theirs)
        if other is None and ours.key is not None:
            other = _opened_by_ours(base, ring, name, Tips(ours.key, theirs.content))
    except (SealDamaged, ObjectMissing) as error:
        return Merged("refused", ours, str(error))
    shed = _shed(base, name, ours, is_shed_there=kept.envelope is None)
    if shed is not None:
        return shed
    if ours.content is None:
        mine = None
    else:
        try:
            mine = open_session(base, ring, name, ours)
        except SealDamaged:
            if other is None:
                raise
            mine = None  # as if nothing were here: theirs is whole
        else:
            if mine is None or other is None or other.session is None:
                return _forward_only(base, name, ours, theirs)
    if other is None:
        return Merged("new there", theirs)
    return _unite(base, ring, mine, other, ours)


def adopt(base: Storage, name: str, tips: Tips, expected: Tips) -> None:
    """Point the refs of a sealed session at what a merge came to, the key first.

    Raises:
        RefMoved: One of them is no longer where it was expected.
    """
    rows = (
        (key_ref(name), tips.key, expected.key),
        (sealed_ref(name), tips.content, expected.content),
    )
    moves = [Move(ref, new, old) for ref, new, old in rows if new is not None and new != old]
    move_all(base, moves, "gitmem: take in what was sealed elsewhere")


def _shed(base: Storage, name: str, ours: Tips, *, is_shed_there: bool) -> Merged | None:
    is_shed_here = ours.key is not None and read_key(base, name, ours.key).envelope is None
    if is_shed_here:
        return Merged("same" if is_shed_there else "shed here", ours)
    if is_shed_there:
        why = "it was taken out there" if ours.content else ""
        return Merged("shed there" if ours.content else "same", ours, why)
    return None


def _opened_by_ours(base: Storage, ring: Ring, name: str, tips: Tips) -> Opened | None:
    """Open their content with our key, where theirs is for others; None where it is sealed with another."""
    try:
        return open_session(base, ring, name, tips)
    except SealDamaged:
        return None


def _forward_only(base: Storage, name: str, ours: Tips, theirs: Tips) -> Merged:
    key = _newer_key(base, name, ours.key, theirs.key)
    if is_ancestor(base, ours.content, theirs.content):
        return Merged("grown there", Tips(key, theirs.content))
    if is_ancestor(base, theirs.content, ours.content):
        return Merged("grown here", Tips(key, ours.content))
    return Merged("apart", ours, "neither goes on from the other, and no key here opens both")


def _newer_key(base: Storage, name: str, ours: Oid | None, theirs: Oid | None) -> Oid | None:
    found = [(read_key(base, name, key).number, key) for key in (ours, theirs) if key is not None]
    return max(found)[1] if found else None


def _unite(base: Storage, ring: Ring, mine: Opened | None, other: Opened, ours: Tips) -> Merged:
    here, there = mine.session if mine else None, other.session
    if there is None or (here is not None and here.session != there.session):
        return Merged("apart", ours, "another session is sealed under this name there")
    plain = SealedStorage(base, ring)
    try:
        with plain.begin() as united:
            result = union(plain, united, _root(plain, here), _root(plain, there))
            united.publish()
        entry = trees.find(plain, result.root, layout.session_folder(there.session))
    except (ObjectDamaged, StoreError) as error:
        return Merged("refused", ours, str(error))
    if entry is None:
        return Merged("refused", ours, "nothing of it belongs there", result.refused)
    if mine is None or here is None:
        if entry.oid == there.folder:
            return Merged("new there", other.tips, "", result.refused)
        return Merged("new there", _sealed(base, ring, plain, other, entry.oid), "", result.refused)
    return _settle(base, ring, plain, mine, other, entry.oid)._replace(refused=result.refused)


def _settle(
    base: Storage, ring: Ring, plain: SealedStorage, mine: Opened, other: Opened, folder: Oid
) -> Merged:
    """Choose, of two sides that open, whose key and whose content goes on, and seal what that lacks."""
    assert mine.session is not None
    assert other.session is not None
    here, there = mine.session, other.session
    is_theirs_newer = _standing(other) > _standing(mine)
    outcome: Outcome = "united"
    if folder == there.folder:
        outcome = "grown there"
    elif folder == here.folder:
        outcome = "grown here"
    if mine.secret != other.secret:
        if mine.known.is_own or other.known.is_own:
            first = other if is_theirs_newer else mine
            return Merged(outcome, _sealed(base, ring, plain, first, folder))
        if outcome == "united":
            return Merged("apart", mine.tips, "both sides grew, and neither key is one that was made by you")
        return Merged(outcome, other.tips if outcome == "grown there" else mine.tips)
    key = other.tips.key if is_theirs_newer else mine.tips.key
    if folder == here.folder and is_ancestor(base, there.content, here.content):
        return Merged("grown here", Tips(key, here.content))
    # Equal content that was sealed twice: theirs is what the remote has already.
    if folder == there.folder and (folder == here.folder or is_ancestor(base, here.content, there.content)):
        return Merged("grown there", Tips(key, there.content))
    tips = _sealed(base, ring, plain, mine, folder, parents=(there.content,))
    return Merged(outcome, Tips(key, tips.content))


def _standing(opened: Opened) -> tuple[bool, int, str]:
    """Return what decides between two keys: one's own counts for more than any that others make."""
    return opened.known.is_own, opened.number, opened.tips.key or ""


def _sealed(
    base: Storage,
    ring: Ring,
    plain: SealedStorage,
    held: Opened,
    folder: Oid,
    parents: tuple[Oid, ...] = (),
) -> Tips:
    """Seal what a session lacks of a folder, on top of it and of other commits; often that is nothing."""
    assert held.session is not None
    if held.session.folder == folder and not parents:
        return held.tips
    with base.begin() as batch:
        writing = Writing(base, ring, plain, batch)
        writing.put(held.session.session, folder, held, parents)
        batch.publish()
    return writing.tips[held.name]


def _root(plain: SealedStorage, session: SealedSession | None) -> Oid | None:
    """Return the root of a memory of one session, which `plain` can then read."""
    if session is None:
        return None
    with plain.begin() as batch:
        root = write_root(batch, {session.session: session.folder})
        batch.publish()
    plain.hold(session)
    return root
