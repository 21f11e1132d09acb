"""gitmem's entry beside somebody's hook: both run, nothing changes for theirs, and taking ours out leaves theirs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gitmem.git.hook_files import remove_files, write_files
from gitmem.git.hook_text import (
    HOOKS,
    find_block,
    is_shell_script,
    new_file,
    with_block,
    without_block,
)
from gitmem.model.errors.enabling import HookInTheWay
from gitmem.verbs.enabling import stub
from tests.hooks.spool import events, take_part

INPUT = b"0123 4567\n89ab cdef  extra \\n $x\n"

SHELL_SCRIPTS = {
    name: text
    for name, text in {
        "sh": "#!/bin/sh\n",
        "sh -e": "#!/bin/sh -e\n",
        "dash -eu": "#!/usr/bin/dash -eu\n",
        "bash": "#!/bin/bash\n",
        "env bash": "#!/usr/bin/env bash\n# a comment\n#\n",
        "env -S": "#!/usr/bin/env -S bash -eu\n",
        "busybox": "#!/usr/bin/busybox sh\n",
        "zsh": "#!/usr/bin/zsh\n",
        "mksh": "#! /usr/bin/mksh\n",
        "ksh": "#!/usr/bin/ksh\n",
    }.items()
    if shutil.which(name.split()[0]) or name.startswith("env")
}
# Says what it was given, and ends with 7.
BODY = """
set -eu
zero=${0##*/}; pipe=$(set -o 2>/dev/null | wc -l); input=$(cat; echo x)
[ -z "${gitmem_input-}" ] && [ -z "${line-}" ]
umask >"$OUT.umask"
printf '%s|%s|%s|%s' "$zero" "$#" "$*" "${input%x}" >"$OUT"
exit 7
"""


@pytest.fixture
def folder(repository: Path) -> Path:
    take_part(repository / ".git")
    return repository / ".git" / "hooks"


def put(path: Path, content: str, mode: int = 0o755) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def run_hook(path: Path, *args: str, stdin: bytes = b"") -> tuple[int, str]:
    """Run a hook as git does, and return how it ended and what it wrote down."""
    out = path.parent / "out"
    out.unlink(missing_ok=True)
    # What has no first line that names an interpreter the shell runs, as git has it.
    program = [] if not path.is_file() or path.read_bytes()[:2] in (b"#!", b"\x7fE") else ["sh"]
    finished = subprocess.run(
        [*program, f".git/hooks/{path.name}", *args],
        cwd=path.parents[2],
        input=stdin,
        env={**os.environ, "OUT": str(out)},
        check=False,
    )
    return finished.returncode, out.read_text() if out.exists() else ""


def install(folder: Path) -> None:
    write_files(folder, stub(), folder.parent / "gitmem")


def remove(folder: Path) -> None:
    remove_files([folder], folder.parent / "gitmem")


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every entry below a folder, with its mode and what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(folder))] = (status.st_mode, content)
    return found


@pytest.mark.parametrize("name", SHELL_SCRIPTS)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_shell_script_is_given_all_that_it_was_given_before(folder: Path, name: str, hook: str) -> None:
    path = put(folder / hook, SHELL_SCRIPTS[name] + BODY, 0o750)
    args = ["a b", "*", "$x"]
    before, at = run_hook(path, *args, stdin=INPUT), tree(folder)
    assert before == (7, f"{hook}|3|a b * $x|{INPUT.decode()}")
    at = {name: entry for name, entry in at.items() if not name.startswith("out")}
    install(folder)
    assert find_block(path.read_bytes())
    assert run_hook(path, *args, stdin=INPUT) == before
    for out in folder.glob("out*"):
        out.unlink()
    assert [event.hook for event in events(folder.parent)] == [hook]
    remove(folder)
    assert tree(folder) == at


@pytest.mark.parametrize("name", SHELL_SCRIPTS)
@pytest.mark.parametrize(
    "said", [b"", b"\n", b"a b\n", b"a b\n\n\n", b"\\n\\\\ $HOME `x` %s 'x' \"\n" * 5000]
)
def test_the_rest_of_a_script_reads_the_same_standard_input(folder: Path, name: str, said: bytes) -> None:
    body = 'cat >"$OUT"\n'
    path = put(folder / "post-rewrite", SHELL_SCRIPTS[name] + body)
    install(folder)
    assert run_hook(path, "amend", stdin=said) == (0, said.decode())
    (event,) = events(folder.parent)
    assert event.body == said


OTHERS = {
    "python": f"#!{sys.executable}\n"
    "import os, sys\n"
    "open(os.environ['OUT'], 'w').write('|'.join([str(len(sys.argv) - 1), ' '.join(sys.argv[1:]), sys.stdin.read()]))\n"
    "sys.exit(7)\n",
    "node": "#!/usr/bin/env node\n"
    "const fs = require('fs'), a = process.argv.slice(2)\n"
    "fs.writeFileSync(process.env.OUT, [a.length, a.join(' '), fs.readFileSync(0)].join('|'))\n"
    "process.exit(7)\n",
    "perl": "#!/usr/bin/perl\n"
    "open(O, '>', $ENV{OUT}); print O scalar(@ARGV), '|', join(' ', @ARGV), '|', <STDIN>; exit 7\n",
    "awk": "#!/usr/bin/awk -f\n"
    'BEGIN { printf "%s|%s|", ARGC - 1, ARGV[1] " " ARGV[2] " " ARGV[3] > ENVIRON["OUT"]\n'
    'while ((getline l < "-") > 0) print l > ENVIRON["OUT"]; exit 7 }\n',
    "no shebang": 'printf "%s|%s|" "$#" "$*" >"$OUT"; cat >>"$OUT"; exit 7\n',
    "odd options": '#!/bin/sh --\nprintf "%s|%s|" "$#" "$*" >"$OUT"; cat >>"$OUT"; exit 7\n',
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("hook", HOOKS)
def test_any_other_program_is_kept_and_called(folder: Path, name: str, hook: str) -> None:
    if name in ("node", "perl") and not shutil.which(name):
        pytest.skip(f"there is no {name} here")
    path = put(folder / hook, OTHERS[name], 0o711)
    args = ["a b", "*", "$x"]
    before = run_hook(path, *args, stdin=INPUT)
    (folder / "out").unlink()
    assert before == (7, f"3|a b * $x|{INPUT.decode()}")
    at = tree(folder)
    install(folder)
    install(folder)
    assert (folder / f"{hook}.before-gitmem").read_text() == OTHERS[name]
    assert run_hook(path, *args, stdin=INPUT) == before
    (folder / "out").unlink()
    assert [event.hook for event in events(folder.parent)] == [hook]
    remove(folder)
    assert tree(folder) == at


def test_a_binary_and_a_link_are_kept_and_called(folder: Path, repository: Path) -> None:
    shutil.copy("/usr/bin/env", folder / "pre-commit")
    (repository / "tools").mkdir()
    put(repository / "tools" / "hook", '#!/bin/sh\necho linked >"$OUT"\nexit 5\n')
    (folder / "post-commit").symlink_to("../../tools/hook")
    (folder / "post-merge").symlink_to("../../tools/gone")
    at = tree(folder)
    install(folder)
    assert run_hook(folder / "pre-commit", "false")[0] == 1
    assert run_hook(folder / "pre-commit", "true")[0] == 0
    assert run_hook(folder / "post-commit") == (5, "linked\n")
    assert run_hook(folder / "post-merge", "0") == (0, "")
    (folder / "out").unlink(missing_ok=True)
    assert len(events(folder.parent)) == 4
    assert (repository / "tools" / "hook").read_text() == '#!/bin/sh\necho linked >"$OUT"\nexit 5\n'
    remove(folder)
    assert tree(folder) == at


@pytest.mark.parametrize("content", ['#!/bin/sh\necho x >"$OUT"\n', "#!/usr/bin/env python3\n"])
def test_a_hook_that_git_does_not_run_is_not_woken(folder: Path, content: str) -> None:
    put(folder / "pre-commit", content, 0o644)
    at = tree(folder)
    install(folder)
    assert run_hook(folder / "pre-commit") == (0, "")
    assert len(events(folder.parent)) == 1
    remove(folder)
    assert tree(folder) == at


def test_a_hook_that_may_no_longer_be_executed_tells_again_and_stays_asleep(folder: Path) -> None:
    put(folder / "post-commit", '#!/bin/sh\necho woken >"$OUT"\n')
    put(folder / "post-merge", f"#!{sys.executable}\nprint('python')\n")
    install(folder)
    at = tree(folder)
    for name in ("pre-commit", "post-commit", "post-merge"):
        (folder / name).chmod(0o644)
    install(folder)
    assert run_hook(folder / "pre-commit") == (0, "")
    assert run_hook(folder / "post-commit") == (0, "")
    assert len(events(folder.parent)) == 2
    assert tree(folder)["post-merge"] == at["post-merge"]
    remove(folder)
    assert (folder / "post-commit").stat().st_mode & 0o777 == 0o644
    assert (folder / "post-commit").read_text() == '#!/bin/sh\necho woken >"$OUT"\n'
    assert not (folder / "pre-commit").exists()


@pytest.mark.parametrize("first", ["exit 0\n", "exec true\n", "\n\nexit 0\n", "set -e; false\n"])
def test_an_event_is_left_before_a_script_can_end(folder: Path, first: str) -> None:
    put(folder / "pre-commit", f"#!/bin/sh\n# about\n{first}")
    install(folder)
    run_hook(folder / "pre-commit")
    assert len(events(folder.parent)) == 1


def test_two_installs_are_one(folder: Path) -> None:
    put(folder / "pre-commit", "#!/bin/sh\nexit 0\n")
    put(folder / "post-merge", f"#!{sys.executable}\n")
    install(folder)
    once = tree(folder)
    install(folder)
    assert tree(folder) == once


def test_a_newer_stub_and_block_replace_older_ones(folder: Path) -> None:
    put(folder / "post-commit", "#!/bin/sh\necho mine\n")
    put(folder / "post-merge", f"#!{sys.executable}\n")
    install(folder)
    now = tree(folder)
    for name in ("post-commit", "post-merge", "pre-commit"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"|| :\n", b"|| : # of last year\nand more\n"))
    (folder / "gitmem-hook").write_bytes(b"#!/bin/sh\nexit 1\n")
    install(folder)
    assert tree(folder) == now


def test_what_somebody_writes_around_a_block_survives(folder: Path) -> None:
    put(folder / "post-commit", "#!/bin/sh\necho mine\n")
    put(folder / "post-merge", f"#!{sys.executable}\nprint('python')\n")
    install(folder)
    for name in ("pre-commit", "post-commit", "post-merge"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(b"#!/bin/sh\n", b"#!/bin/sh\n# above\n") + b"# below\n")
    install(folder)
    remove(folder)
    assert (folder / "pre-commit").read_text() == "#!/bin/sh\n# above\n# below\n"
    assert (folder / "post-commit").read_text() == "#!/bin/sh\n# above\necho mine\n# below\n"
    # The hook that ours called is called by what is left.
    assert ".before-gitmem" in (folder / "post-merge").read_text()
    assert subprocess.run([folder / "post-merge"], capture_output=True, check=True).stdout == b"python\n"


def test_what_an_earlier_hook_left_behind_is_not_written_over(folder: Path) -> None:
    put(folder / "pre-commit.before-gitmem", "somebody's\n")
    put(folder / "pre-commit", f"#!{sys.executable}\n")
    at = tree(folder)
    install(folder)
    assert (folder / "pre-commit.before-gitmem").read_text() == "somebody's\n"
    assert (folder / "pre-commit.before-gitmem2").read_text() == f"#!{sys.executable}\n"
    remove(folder)
    assert tree(folder) == at


def test_a_program_that_looks_at_its_own_name_is_left_alone(folder: Path) -> None:
    put(folder / "pre-commit", "#!/usr/bin/env ruby\nFile.basename($0)\n")
    put(folder / "post-commit", "#!/usr/bin/env ruby\n# overcommit\n")
    install(folder)
    assert (folder / "pre-commit").read_text() == "#!/usr/bin/env ruby\nFile.basename($0)\n"
    assert (folder / "post-commit").read_text() == "#!/usr/bin/env ruby\n# overcommit\n"


def test_a_folder_in_the_place_of_a_hook_is_named_before_anything_is_written(folder: Path) -> None:
    (folder / "pre-push").mkdir()
    at = tree(folder)
    with pytest.raises(HookInTheWay):
        install(folder)
    assert tree(folder) == at


def test_a_folder_that_we_made_goes_and_one_that_was_there_stays(folder: Path) -> None:
    shutil.rmtree(folder)
    install(folder)
    remove(folder)
    assert not folder.exists()
    folder.mkdir()
    install(folder)
    remove(folder)
    assert folder.is_dir()


def test_a_moved_stub_is_missed_by_nobody(folder: Path) -> None:
    put(folder / "post-commit", "#!/bin/sh\nset -eu\nexit 3\n")
    put(folder / "post-rewrite", '#!/bin/sh\nset -eu\ncat >"$OUT"\nexit 3\n')
    install(folder)
    (folder / "gitmem-hook").unlink()
    assert run_hook(folder / "pre-commit") == (0, "")
    assert run_hook(folder / "post-commit") == (3, "")
    assert run_hook(folder / "post-rewrite", stdin=INPUT) == (3, INPUT.decode())


def test_the_modes_are_what_the_umask_says_and_scripts_keep_theirs(folder: Path) -> None:
    put(folder / "post-commit", "#!/bin/sh\n", 0o777)
    before = os.umask(0o077)
    try:
        install(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "pre-commit").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "post-commit").stat().st_mode) == 0o777


@pytest.mark.parametrize(
    ("first", "is_shell"),
    [
        ("#!/bin/sh", True),
        ("#! /bin/bash -e", True),
        ("#!/usr/bin/env zsh", True),
        ("#!/usr/bin/env -S dash -eu", True),
        ("#!/bin/busybox ash", True),
        ("#!/bin/sh\r", False),
        ("#!/bin/bash -r", False),
        ("#!/bin/bash --posix", False),
        ("#!/bin/rbash", False),
        ("#!/usr/bin/fish", False),
        ("#!/usr/bin/env", False),
        ("#!", False),
        ("", False),
        ("/bin/sh", False),
        ("#!/usr/bin/python3 sh", False),
    ],
)
def test_a_shell_is_told_by_the_first_line(first: str, is_shell: bool) -> None:
    assert is_shell_script(f"{first}\nexit 0\n".encode()) is is_shell


@pytest.mark.parametrize("hook", HOOKS)
def test_taking_a_block_out_undoes_putting_it_in(hook: str) -> None:
    for text in ("#!/bin/sh\n", "#!/bin/sh\n# a\n#b\n\n# c\nx", "#!/bin/sh\n\r\n\x00", "#!/bin/sh\n# é\n"):
        content = text.encode()
        put_in = with_block(content, hook)
        assert put_in is not None
        assert without_block(put_in) == content
    assert with_block(b"#!/bin/sh", hook) is None
    assert with_block(b"#!/bin/sh\n# no line end", hook) is None
    assert without_block(new_file(hook)) is None
