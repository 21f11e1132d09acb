"""Kill a drain before every single effect that it has on the disk; run as a process of its own.

    python -m tests.checkpoints.kill_everywhere FOLDER begun|unborn

The process forks for each point, kills the child there, and then finds that `verify` and `git fsck --strict`
pass, and that the drain, run again, leaves exactly one checkpoint of every event. Prints the points.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path

from gitmem import disk
from gitmem.checkpoints import draining
from gitmem.cli.checkpointing import drained
from gitmem.cli.context import Context
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model.errors.base import GitmemError
from gitmem.verbs.inspecting import Counts
from gitmem.verbs.verifying import verify
from tests.checkpoints import stubs
from tests.checkpoints.conftest import REF, recorded
from tests.importing import samples
from tests.killing import chosen_points, in_child, wait_for_no_disk

NOW_NS = time.time_ns()
"""The clock stands still, so that every run has the same effects."""
TOP = Path("repository")
HOME = Path("home")


def main(folder: Path, name: str) -> None:
    """Kill everywhere, in a repository that has a memory, or in one where it is unborn."""
    wait_for_no_disk()
    draining.CHUNK = 4  # type: ignore[misc]
    kill_everywhere(folder / name, has_memory=name == "begun")


def kill_everywhere(folder: Path, *, has_memory: bool) -> None:
    """Kill a drain of one repository at each of its effects."""
    template, complete, here = folder / "template", folder / "complete", folder / "here"
    folder.mkdir()
    make_template(here, has_memory=has_memory)  # where all others will be: events name their directories
    here.rename(template)
    effects: list[tuple[disk.Effect, str]] = []
    shutil.copytree(template, here, symlinks=True)
    with disk.observe(lambda effect, path: effects.append((effect, path.name))):
        take(here)
    wanted = made(here)
    assert any(name == "kept" for _, name in effects), "a snapshot"
    assert wanted == {"post-commit": 5, "post-rewrite": 1, "pre-commit": 1, "stop": 1}, wanted
    here.rename(complete)
    points = chosen_points(len(effects))
    for point, effect in ((point, effects[point]) for point in points):
        shutil.copytree(template, here, symlinks=True)
        status = in_child(lambda point=point: killed_at(point, here))  # type: ignore[misc]
        assert os.WIFSIGNALED(status), f"point {point} {effect}: {status}"
        check(here, point, effect)
        take(here)
        check(here, point, effect)
        assert made(here) == wanted, f"point {point} {effect}: {made(here)}"
        left = sorted(path.name for path in (here / TOP / ".git/gitmem/spool").iterdir())
        assert left == ["bad.bad", "count"], f"point {point} {effect}: {left}"
        assert take(here) == (), f"point {point} {effect}"
        shutil.rmtree(here)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(e for e, _ in effects).items()))
    print(f"{folder.name}: killed before {len(points)} of {len(effects)} effects ({kinds}); then one each")


def make_template(here: Path, *, has_memory: bool) -> None:
    """Make a repository in which a session has grown and much has happened since the last drain."""
    top = here / TOP
    top.mkdir(parents=True)
    (here / HOME).mkdir()
    transcript = here / HOME / ".claude/projects/p/s.jsonl"
    samples.write(transcript, b"".join(samples.line(n, cwd=str(top)) for n in range(6)))
    git(top, "init", "-q")
    spool = stubs.make_spool(top / ".git")
    commit(top, "a", "1")
    if has_memory:
        stubs.leave(spool, "post-commit", cwd=top, head=head(top), pid=3, at_ns=moment(-1))
        take(here)
        os.truncate(transcript, 0)
        samples.write(transcript, b"".join(samples.line(n, cwd=str(top)) for n in range(30)))
    else:
        stubs.leave(spool, "post-commit", cwd=top, head=head(top), pid=3, at_ns=moment(-1), stem="first")
    for n in range(2):
        commit(top, "a", f"{n}")
        stubs.leave(spool, "pre-commit", cwd=top, head=head(top), pid=10 + n, at_ns=moment(2 * n))
        stubs.leave(spool, "post-commit", cwd=top, head=head(top), pid=10 + n, at_ns=moment(2 * n))
    old = head(top)
    git(top, "commit", "-q", "--amend", "-m", "better")
    stubs.leave(spool, "pre-commit", cwd=top, head=old, pid=20, at_ns=moment(8))
    stubs.leave(spool, "post-commit", cwd=top, head=head(top), pid=21, at_ns=moment(8))
    given = f"{old} {head(top)}\n".encode()
    stubs.leave(spool, "post-rewrite", cwd=top, head=head(top), args=["amend"], given=given, at_ns=moment(8))
    (top / "a").write_text("staged")
    git(top, "add", ".")
    stubs.leave(spool, "pre-commit", cwd=top, head=head(top), pid=stubs.dead_pid(), at_ns=moment(9))
    branch, at_ns = "refs/heads/side", moment(10)  # else it would add nothing
    values = {"head": head(top), "branch": branch, "agent": "claude-code"}
    stubs.leave(spool, "stop", cwd=top, given=b"{}", at_ns=at_ns, **values)
    stubs.leave(spool, "post-commit", cwd=top / "gone", git_dir="/nowhere/.git", at_ns=moment(11))
    commit(top, "a", "just now")
    for hook in ("pre-commit", "post-commit"):  # has a snapshot
        stubs.leave(spool, hook, cwd=top, head=head(top), pid=30, at_ns=NOW_NS - 1_000_000_000)
    for folder in (transcript.parent, *transcript.parent.parents[:2]):
        os.utime(folder, (1e9, 1e9))  # one that has just changed is listed, and remembered, again and again
    (spool / "bad.event").write_text("no event\n")
    (spool / "stale.tmp").write_text("gitmem-eve")
    os.utime(spool / "stale.tmp", (1, 1))


def take(here: Path) -> tuple[str, ...]:
    """Drain, and return what that made."""
    environ = {**os.environ, "HOME": str(here / HOME), "XDG_DATA_HOME": str(here / "data")}
    return take_at(here / TOP, environ)


def take_at(top: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Drain a repository in this process, and return what that made."""
    context = Context(
        environ=dict(environ),
        stdin=BytesIO(),
        stdout=BytesIO(),
        stderr=BytesIO(),
        now_ms=lambda: NOW_NS // 1_000_000,
    )
    context.move(top)
    return drained(context).checkpoints


def killed_at(point: int, here: Path) -> None:
    """Drain, and die before the effect of that number."""
    left = point

    def count(effect: disk.Effect, path: Path) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    with disk.observe(count):
        take(here)


def check(here: Path, point: int, effect: tuple[disk.Effect, str]) -> None:
    """Ask gitmem and git whether all that there is holds."""
    fsck = subprocess.run(
        ["git", "fsck", "--strict", "--full"], cwd=here / TOP, capture_output=True, text=True
    )
    assert fsck.returncode == 0, f"point {point} {effect}: {fsck.stderr}"
    found = Git(dict(os.environ))
    with closing(open_storage(discover(here / TOP, found), found)) as storage:
        if storage.read_ref(REF) is not None:
            findings = list(verify(storage, [REF], Counts(), full=True))
            assert not findings, f"point {point} {effect}: {findings}"


def made(here: Path) -> Counter[str]:
    """Count the checkpoints of a memory by what asked for them."""
    found = recorded(here / TOP)
    assert len({(one.trigger, one.at, one.head) for one in found}) == len(found)
    return Counter(one.trigger for one in found)


def moment(seconds: int) -> int:
    """Return a moment of some minutes ago, so that a drain knows no more of it than what it says."""
    return NOW_NS - 600_000_000_000 + seconds * 1_000_000_000


def commit(top: Path, name: str, content: str) -> None:
    """Commit a file."""
    (top / name).write_text(content)
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", content)


def head(top: Path) -> str:
    """Return the commit of HEAD."""
    return git(top, "rev-parse", "HEAD")


def git(top: Path, *args: str) -> str:
    """Run git."""
    return subprocess.run(["git", *args], cwd=top, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except GitmemError as error:
        raise SystemExit(f"{error}\n{error.hint}") from error
