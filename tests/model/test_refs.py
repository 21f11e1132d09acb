"""Names of refs: what a setting may ask for, and where a remote's memory is kept track of."""

from __future__ import annotations

import pytest

from gitmem.model import refs
from gitmem.model.errors.arguments import BadSetting


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (None, "refs/heads/gitmem"),
        ("memory", "refs/heads/memory"),
        ("refs/heads/a/b", "refs/heads/a/b"),
        ("refs/gitmem/team", "refs/gitmem/team"),
    ],
)
def test_a_short_name_is_a_branch(setting: str | None, name: str) -> None:
    assert refs.memory_ref(setting) == name


@pytest.mark.parametrize(
    "setting",
    [
        "refs/tags/x",
        "refs/gitmem/remotes/origin/team",
        "a..b/../c",
        "a b",
        "x.lock",
        "refs/heads/",
        "a//b",
        "a:b",
    ],
)
def test_a_name_that_cannot_be_a_memory_is_refused(setting: str) -> None:
    with pytest.raises(BadSetting):
        refs.memory_ref(setting)


@pytest.mark.parametrize("ref", ["refs/heads/gitmem", "refs/heads/a/b", "refs/gitmem/team"])
@pytest.mark.parametrize("remote", ["origin", "a/b", "gitmem"])
def test_a_tracking_ref_tells_its_remote(ref: str, remote: str) -> None:
    tracking = refs.tracking_ref(remote, ref)
    assert tracking.startswith(refs.tracking_prefix(ref))
    assert refs.remote_of(tracking, ref) == remote
    assert refs.remote_of(tracking + "s", ref) is None
    assert refs.fetch_refspec(remote, ref) == f"+{ref}:{tracking}"
    assert refs.push_refspec("1" * 40, ref) == f"{'1' * 40}:{ref}"


def test_another_branch_of_a_remote_is_no_tracking_ref() -> None:
    assert refs.remote_of("refs/remotes/origin/main", "refs/heads/gitmem") is None
    assert refs.short_name("refs/heads/gitmem") == "gitmem"


def test_a_ref_of_a_sealed_session_tells_its_name_and_no_other_does() -> None:
    name = "0a" * 32
    assert refs.sealed_name(refs.sealed_ref(name)) == refs.sealed_name(refs.key_ref(name)) == name
    for other in (
        name,
        refs.sealed_ref(name[1:]),
        refs.sealed_ref(name.upper()),
        refs.key_ref(name + "/x"),
        refs.key_ref(name) + "\n",
        refs.tracking_ref("origin", refs.sealed_ref(name)),
        refs.PRIVATE_REF,
    ):
        assert refs.sealed_name(other) is None


@pytest.mark.parametrize("ref", ["refs/heads/gitmem", "refs/gitmem/team"])
def test_a_lasting_refspec_brings_a_memory_to_its_tracking_ref(ref: str) -> None:
    assert refs.maps(refs.lasting_refspec("origin", ref), ref, refs.tracking_ref("origin", ref))


@pytest.mark.parametrize(
    ("refspec", "does"),
    [
        ("+refs/heads/*:refs/remotes/origin/*", True),
        ("refs/heads/gitmem:refs/remotes/origin/gitmem", True),
        ("refs/heads/git*em:refs/remotes/origin/git*em", True),
        ("+refs/heads/main:refs/remotes/origin/main", False),
        ("+refs/heads/gitmemgitmem*:refs/remotes/origin/gitmemgitmem*", False),
        ("+refs/heads/*:refs/remotes/other/*", False),
        ("+refs/*:refs/*", False),
        ("refs/heads/gitmem", False),
        ("^refs/heads/gitmem", False),
        ("", False),
    ],
)
def test_what_a_refspec_brings_where_is_known(refspec: str, does: bool) -> None:
    assert refs.maps(refspec, "refs/heads/gitmem", "refs/remotes/origin/gitmem") is does


def test_a_ref_is_gitmems_or_the_users() -> None:
    memory, remotes = refs.memory_ref(None), {"origin", "team/one"}
    own = [memory, refs.PUBLIC_REF, refs.audit_ref("d"), refs.sealed_ref("0a" * 32)]
    own += [refs.tracking_ref(remote, memory) for remote in remotes]
    users = ["refs/heads/main", "refs/heads/gitmem-mine", "refs/tags/gitmem", "refs/remotes/origin/main"]
    users += [refs.tracking_ref("gone", memory), refs.tracking_ref("origin/team", memory)]
    assert [refs.is_own(name, memory, remotes) for name in own] == [True] * len(own)
    assert [refs.is_own(name, memory, remotes) for name in users] == [False] * len(users)
