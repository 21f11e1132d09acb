"""What events call for at remotes, and that no wish is lost between those who leave them and those who fulfil them."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

from gitmem import disk
from gitmem.checkpoints import wishes
from gitmem.checkpoints.events import Event
from gitmem.checkpoints.wishes import Wish, wishes_of
from gitmem.cli.checkpointing import drained
from gitmem.cli.context import Context
from gitmem.model.records import Trigger
from tests.checkpoints import stubs
from tests.conftest import RealGit

ZEROS = "0" * 40
CHOSEN = ("hub", "origin")


def event(hook: Trigger, *args: str, pid: int = 7) -> Event:
    return Event("1-1-1", 0, hook, pid, Path("/"), Path("/.git"), args=args)


def test_a_push_calls_for_one_to_the_same_remote_if_that_was_chosen() -> None:
    assert wishes_of([event("pre-push", "origin")], CHOSEN) == [Wish("push", "origin", 7)]
    assert wishes_of([event("pre-push", "fork"), event("pre-push")], CHOSEN) == []


def test_what_may_be_a_pull_calls_for_one_from_each() -> None:
    both = [Wish("pull", "hub", 7), Wish("pull", "origin", 7)]
    assert wishes_of([event("post-merge", "0")], CHOSEN) == both
    assert wishes_of([event("post-rewrite", "rebase")], CHOSEN) == both
    assert wishes_of([event("post-checkout", ZEROS, "1" * 40, "1")], CHOSEN) == both
    others = [event("post-rewrite", "amend"), event("post-checkout", "1" * 40, "2" * 40, "1")]
    assert wishes_of([*others, event("post-checkout"), event("post-commit")], CHOSEN) == []


def test_many_events_make_one_wish() -> None:
    events = [event("pre-push", "hub", pid=n) for n in range(9)] + [event("post-merge", "0")] * 9
    found = wishes_of(events, ("hub",))
    assert found == [Wish("push", "hub", 8), Wish("pull", "hub", 7)]


def test_a_wish_that_is_left_while_it_is_fulfilled_is_there_after(tmp_path: Path) -> None:
    wanted = [Wish("push", "a/b c\udcff", 1), Wish("pull", "hub", 2)]
    wishes.leave(tmp_path, wanted)
    wishes.leave(tmp_path, wanted)
    assert sorted(wishes.waiting(tmp_path)) == sorted(wanted)
    for wish in wanted:
        wishes.remove(tmp_path, wish)
        wishes.remove(tmp_path, wish)
    assert wishes.waiting(tmp_path) == []
    wishes.leave(tmp_path, wanted[:1])
    assert wishes.waiting(tmp_path) == wanted[:1]


def test_what_is_no_wish_is_passed_over(tmp_path: Path) -> None:
    assert wishes.waiting(tmp_path) == []
    wishes.leave(tmp_path, [Wish("push", "hub", 1)])
    for n, content in enumerate(("", "push", "push\nhub", "push\nhub\nx\n", "rob\nhub\n1\n")):
        (tmp_path / "carry" / f"other-{n}").write_text(content)
    assert wishes.waiting(tmp_path) == [Wish("push", "hub", 1)]
    wishes.remove_all(tmp_path)
    assert wishes.waiting(tmp_path) == []


def test_a_wish_stands_before_the_event_that_it_comes_of_goes(
    git: RealGit, repository: Path, spool: Path, tmp_path: Path
) -> None:
    git("remote", "add", "hub", str(tmp_path / "hub"), cwd=repository)
    git("config", "remote.hub.gitmem", "team", cwd=repository)
    head = git("rev-parse", "HEAD", cwd=repository)
    for n in range(3):
        stubs.leave(spool, "pre-push", cwd=repository, head=head, args=["hub"], pid=n + 1)
    wanted: list[int] = []

    def look(effect: disk.Effect, path: Path) -> None:
        if path.suffix == ".event" and path.parent == spool:
            wanted.append(len(wishes.waiting(spool.parent)))

    with disk.observe(look):
        drained(context_at(repository), carries=True)
    assert wanted == [1, 1, 1]
    [wish] = wishes.waiting(spool.parent)
    assert (wish.action, wish.remote) == ("push", "hub")


def context_at(top: Path) -> Context:
    context = Context(
        environ=dict(os.environ),
        stdin=BytesIO(),
        stdout=BytesIO(),
        stderr=BytesIO(),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    context.move(top)
    return context
