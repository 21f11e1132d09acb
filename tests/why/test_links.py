"""From commits to checkpoints: which evidence comes first, and how far it is followed."""

from __future__ import annotations

from collections.abc import Sequence

from gitmem.checkpoints.table import Row
from gitmem.model.ids import Oid, RecordId
from gitmem.model.records import Author, Rewrite, Trigger
from gitmem.objects.encoding import Commit, Signature
from gitmem.why.links import Evidence, Links

WHO = Signature("Ada", "ada@example.org", 0)


class Asked:
    """Answers as git would, and notes that it was asked."""

    def __init__(self, patch: str | None = None, branch: tuple[Oid, ...] = ()) -> None:
        self.patch, self.branch = patch, branch
        self.count = 0

    def patch_ids(self, commits: Sequence[Oid]) -> dict[Oid, str]:
        self.count += 1
        return dict.fromkeys(commits, self.patch) if self.patch else {}

    def commits_of_branch(self, tip: Oid, merged: Oid) -> tuple[Oid, ...]:
        return self.branch


def oid(n: int) -> Oid:
    return Oid(f"{n:040x}")


def row(
    n: int,
    head: int | None,
    trigger: Trigger = "post-commit",
    *,
    tree: int | None = None,
    rewrites: tuple[tuple[int, int], ...] = (),
    patches: tuple[str, ...] = (),
    branch: str | None = "main",
) -> Row:
    """Return a checkpoint of second n."""
    return Row(
        name=RecordId(f"{n:064x}"),
        at_ms=n * 1000,
        trigger=trigger,
        author=Author("Ada"),
        head=None if head is None else oid(head),
        branch=branch,
        tree=None if tree is None else oid(tree),
        rewrites=tuple(Rewrite(oid(old), oid(new)) for old, new in rewrites),
        patches=patches,
        message="",
        change_count=0,
        session_count=1,
    )


def commit(message: str = "gate", tree: int = 99) -> Commit:
    return Commit(oid(tree), (), WHO, WHO, message)


def stages(rows: list[Row], asked: Asked | None = None, message: str = "gate") -> dict[Evidence, list[int]]:
    """Return the moments of the checkpoints about commit 7, by evidence."""
    newest_first = sorted(rows, key=lambda row: -row.at_ms)
    found: dict[Evidence, list[int]] = {}
    links = Links(newest_first, asked or Asked())
    for stage in (*links.near(oid(7), commit(message)), *links.by_patch([oid(7)]).values()):
        for link in stage:
            found.setdefault(link.evidence, []).append(link.row.at_ms // 1000)
    return found


def test_checkpoint_made_with_the_commit_comes_before_those_made_at_it() -> None:
    rows = [
        row(1, 7, "post-checkout"),
        row(2, 7, "manual"),
        row(3, 7),
        row(4, 7, "pre-commit"),  # about what comes next
        row(5, 7, "rewind"),
        row(6, 8),
    ]
    assert stages(rows) == {"commit": [3, 1, 2]}


def test_rewrites_are_followed_to_all_that_a_commit_was_made_from() -> None:
    rows = [
        row(1, 1),
        row(2, 2),
        row(3, 3),
        row(4, 5, "post-rewrite", rewrites=((1, 4), (2, 4))),
        row(5, 6, "post-rewrite", rewrites=((4, 7), (3, 7), (7, 1))),  # a ring, which git never writes
    ]
    assert stages(rows) == {"rewrite": [3, 1, 2]}


def test_message_names_what_was_picked_or_squashed() -> None:
    rows = [row(1, 1), row(2, 2), row(3, 3), row(4, 3, "post-rewrite", rewrites=((3, 2),))]
    picked = f"gate\n\n(cherry picked from commit {oid(2)})\n"
    assert stages(rows, message=picked) == {"message": [2, 3, 4]}
    squashed = (
        f"Squashed commit of the following:\n\ncommit {oid(1)}\nAuthor: Ada\n\n    see commit {oid(3)}\n"
    )
    assert stages(rows, message=squashed) == {"message": [1]}


def test_git_is_not_asked_where_no_checkpoint_has_a_patch() -> None:
    asked = Asked("f" * 40)
    assert stages([row(1, 2, tree=99)], asked) == {"tree": [1]}
    assert asked.count == 0


def test_git_is_asked_once_for_all_commits() -> None:
    asked = Asked("f" * 40)
    links = Links([row(2, 2, patches=("f" * 40,), branch=None)], asked)
    assert set(links.by_patch([oid(7), oid(8)])) == {oid(7), oid(8)}
    assert links.by_patch([]) == {}
    assert asked.count == 1


def test_patch_of_a_branch_leads_to_its_commits_and_what_they_were_made_from() -> None:
    rows = [
        row(1, 1, branch="feature"),
        row(2, 2, branch="feature"),
        row(3, 3, "post-rewrite", rewrites=((2, 3),), branch="feature"),
        row(4, 3, "pre-push", patches=("a" * 40, "f" * 40), branch="feature"),
        row(5, 5),
    ]
    assert stages(rows, Asked("f" * 40, (oid(3), oid(1)))) == {"patch": [4, 3, 1, 2]}
    # Its commits are gone: the checkpoints of the branch know them.
    assert stages(rows, Asked("f" * 40)) == {"patch": [4, 3, 2, 1]}


def test_moment_before_is_that_of_the_branchs_last_commit() -> None:
    rows = [
        row(9, 9),
        row(8, 8, branch="other"),
        row(7, 7),
        row(6, 7),
        row(5, 5, "manual"),
        row(4, 4),
        row(3, 3),
    ]
    links = Links(rows, Asked())
    assert links.before(rows[2]) == 4000
    assert links.before(rows[0]) == 7000
    assert links.before(rows[-1]) is None
