"""Stand-ins for the hooks' stubs: they write events as docs/formats/spool.md says, and start nobody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path

HOOKS = ("pre-commit", "post-commit", "post-checkout", "post-merge", "post-rewrite", "pre-push")
_STEMS = count()

_STUB = """\
#!/bin/sh
hook=${0##*/}
git_dir=${GIT_DIR:-.git}
[ -f "$git_dir" ] && git_dir=$(git rev-parse --git-dir)
common=$(git rev-parse --git-common-dir)
spool=$common/gitmem/spool
[ -d "$spool" ] || exit 0
stem=$$-$hook
{
    echo "gitmem-event 1"
    echo "hook $hook"
    echo "pid $PPID"
    echo "cwd $PWD"
    echo "git_dir $git_dir"
    [ -n "$GIT_INDEX_FILE" ] && echo "index $GIT_INDEX_FILE"
    read -r line <"$git_dir/HEAD"
    case $line in
    ref:*)
        branch=${line#ref: }
        echo "branch $branch"
        [ -f "$common/$branch" ] && echo "head $(cat "$common/$branch")"
        ;;
    *) echo "head $line" ;;
    esac
    if [ "$hook" = pre-push ]; then echo "arg $1"; else for a in "$@"; do echo "arg $a"; done; fi
    echo
    [ "$hook" = post-rewrite ] && cat
} >"$spool/$stem.tmp"
mv "$spool/$stem.tmp" "$spool/$stem.event"
exit 0
"""


def install(repository: Path, common_dir: Path | None = None) -> Path:
    """Have real git leave an event for everything it does; return the spool."""
    common = common_dir or repository / ".git"
    spool = make_spool(common)
    for hook in HOOKS:
        path = common / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(_STUB)
        path.chmod(0o755)
    return spool


def make_spool(common_dir: Path) -> Path:
    """Make the folder that says that events are wanted."""
    spool = common_dir / "gitmem" / "spool"
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    return spool


def leave(
    spool: Path,
    hook: str,
    *,
    cwd: Path,
    git_dir: str = ".git",
    pid: int = 999_999_999,
    at_ns: int | None = None,
    args: Sequence[str] = (),
    given: bytes = b"",
    stem: str | None = None,
    **values: str,
) -> Path:
    """Leave an event; further values are its other lines."""
    lines = ["gitmem-event 1", f"hook {hook}", f"pid {pid}", f"cwd {cwd}", f"git_dir {git_dir}"]
    lines += [f"{key} {value}" for key, value in values.items()]
    lines += [f"arg {arg}" for arg in args]
    path = spool / f"{stem or f'{next(_STEMS):08}'}.event"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + given)
    if at_ns is not None:
        os.utime(path, ns=(at_ns, at_ns))
    return path


def dead_pid() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid
