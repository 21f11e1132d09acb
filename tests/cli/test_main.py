"""The entry point: global options, finding commands, exit codes, and what a failure looks like."""

from __future__ import annotations

import ast
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

import gitmem
from gitmem.cli import main, root
from gitmem.cli.bugs import describe, without_values
from gitmem.cli.command import Command, Group
from gitmem.cli.commands import COMMANDS
from gitmem.cli.context import context_of_process
from gitmem.model.errors.arguments import DirectoryMissing
from gitmem.model.errors.store import NoMemory
from tests.cli.terminal import run_on_terminal
from tests.conftest import IMPORTED_FROM, CommandLine, RealGit

# The entry point with one command more, which fails as its argument says.
FAILING = """
import os, sys
import click
from gitmem.cli import main
from gitmem.cli.command import Command
from gitmem.cli.commands import COMMANDS, Entry
from gitmem.model.errors.store import NoMemory
import types

@click.command("fail", cls=Command, examples=["gitmem fail bug"])
@click.argument("how")
@click.option("--password", default="")
@click.pass_obj
def command(context, how, password):
    context.output.say("before")
    if how == "bug":
        try:
            raise KeyError("text of a transcript")
        except KeyError:
            raise ValueError(password)
    if how == "expected":
        raise NoMemory("refs/heads/x\\x1b[2J")
    if how == "nothing":
        click.get_current_context().exit(1)
    if how == "interrupt":
        os.kill(os.getpid(), 2)
    if how == "pipe":
        raise BrokenPipeError("of a socket")
    if how == "many":
        for n in range(100_000):
            context.output.say(str(n))
    if how == "prompt":
        context.output.say(str(context.is_interactive), context.git.environ["GIT_TERMINAL_PROMPT"])

sys.modules["gitmem.cli.commands.fail"] = types.SimpleNamespace(command=command)
COMMANDS["fail"] = Entry("fail", "Fail.")
sys.exit(main.main())
"""


def fail(*args: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(IMPORTED_FROM)}
    return subprocess.run(
        [sys.executable, "-P", "-c", FAILING, "fail", *args],
        cwd=cwd,
        env=environ,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},  # type: ignore[call-overload]
    )


def test_version_is_the_packages(tmp_path: Path, run: CommandLine) -> None:
    assert run("--version", cwd=tmp_path).stdout == f"gitmem {gitmem.__version__}\n"


def test_help_lists_every_command(tmp_path: Path, run: CommandLine) -> None:
    finished = run("-h", cwd=tmp_path)
    assert COMMANDS
    for name, entry in COMMANDS.items():
        assert f"  {name} " in finished.stdout
        assert entry.help[:30] in finished.stdout
    assert run("--help", cwd=tmp_path).stdout == finished.stdout


def test_every_module_of_the_table_exports_a_command() -> None:
    assert COMMANDS
    for name in COMMANDS:
        command = root.load(name)
        assert isinstance(command, Command | Group), f"{name}: use cls=Command, which adds -C and examples"
        assert command.name == name
        for each in (command, *(command.commands.values() if isinstance(command, Group) else ())):
            assert isinstance(each, Command | Group), f"{name} {each.name}"
            assert each.examples, f"{name} {each.name} shows no example"
            assert each.help, f"{name} {each.name} has no help"


def test_every_command_module_is_in_the_table() -> None:
    folder = IMPORTED_FROM / "gitmem" / "cli" / "commands"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules
    assert {entry.module for entry in COMMANDS.values()} == modules


def test_help_of_the_table_is_one_sentence() -> None:
    assert COMMANDS
    for name, entry in COMMANDS.items():
        assert entry.help.endswith("."), name
        assert len(entry.help) <= 80, name


def test_help_of_a_group_has_whole_sentences(tmp_path: Path, run: CommandLine) -> None:
    for group in ("index", "model"):
        table = run(group, "-h", cwd=tmp_path).stdout.partition("Commands:")[2]
        assert table
        assert "..." not in table


def test_help_of_a_command_shows_an_example(tmp_path: Path, run: CommandLine) -> None:
    assert 'Examples:\n  eval "$(gitmem completion bash)"' in run("completion", "-h", cwd=tmp_path).stdout


def test_no_command_at_all_is_answered_with_the_help(tmp_path: Path, run: CommandLine) -> None:
    finished = run(cwd=tmp_path, status=2)
    assert finished.stdout == ""
    assert "Find:\n  search " in finished.stderr


@pytest.mark.parametrize("name", ["index", "model"])
def test_a_command_of_commands_alone_says_how_it_is_used(tmp_path: Path, run: CommandLine, name: str) -> None:
    finished = run(name, cwd=tmp_path, status=2)
    assert finished.stderr.startswith(f"Usage: gitmem {name} ")
    assert "error:" not in finished.stderr


def test_an_option_without_its_argument_leads_to_the_help_of_its_command(
    tmp_path: Path, run: CommandLine
) -> None:
    assert "gitmem forget -h: shows" in run("forget", "--request", cwd=tmp_path, status=2).stderr


def test_unknown_command_names_the_nearest(tmp_path: Path, run: CommandLine) -> None:
    finished = run("complete", cwd=tmp_path, status=2)
    assert finished.stderr == (
        "error: could not run 'complete': there is no such command\nhint: gitmem completion: is the nearest\n"
    )


def test_unknown_command_like_no_other_points_at_the_list(tmp_path: Path, run: CommandLine) -> None:
    assert "hint: gitmem -h: lists the commands" in run("qqqq", cwd=tmp_path, status=2).stderr


@pytest.mark.parametrize(
    "arguments", [("--nonsense",), ("completion",), ("completion", "csh"), ("--color", "red")]
)
def test_wrong_usage_exits_with_2_and_says_where_the_help_is(
    arguments: tuple[str, ...], tmp_path: Path, run: CommandLine
) -> None:
    finished = run(*arguments, cwd=tmp_path, status=2)
    assert finished.stdout == ""
    assert finished.stderr.startswith("error: ")
    assert "-h: shows how it is used" in finished.stderr


@pytest.mark.parametrize("program", ["gitmem", "git-mem"])
def test_program_is_called_what_it_was_called(
    program: str, tmp_path: Path, git: RealGit, environ: dict[str, str]
) -> None:
    path = tmp_path / program
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom gitmem.cli.main import main\nsys.exit(main())\n")
    path.chmod(0o755)
    surroundings = {"PATH": f"{tmp_path}:{environ['PATH']}", "PYTHONPATH": str(IMPORTED_FROM)}
    if program == "git-mem":
        assert git("mem", "-h", cwd=tmp_path, environ=surroundings).startswith("Usage: git mem ")
    else:
        told = subprocess.run([path, "-h"], capture_output=True, env={**environ, **surroundings}, check=True)
        assert told.stdout.startswith(b"Usage: gitmem ")


@pytest.mark.parametrize("before", [True, False])
def test_directory_may_be_said_before_the_command_and_after(
    before: bool, tmp_path: Path, run: CommandLine
) -> None:
    where = ("-C", str(tmp_path / "gone"))
    arguments = (*where, "completion", "bash") if before else ("completion", *where, "bash")
    finished = run(*arguments, cwd=tmp_path, status=2)
    assert f"could not work in {tmp_path / 'gone'}: there is no such directory" in finished.stderr


def test_directories_add_up_as_in_git(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = repository / "a"
    below.mkdir()
    monkeypatch.chdir(tmp_path)
    context = context_of_process()
    context.move(Path("repository"))
    context.move(Path("a"))
    assert context.start.samefile(below)
    assert context.repository.top == repository
    with pytest.raises(DirectoryMissing):
        context.move(Path("b"))


def test_directory_that_was_asked_for_wins_over_a_hooks_repository(
    tmp_path: Path, repository: Path, git: RealGit, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "--quiet", "other", cwd=tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.chdir(repository)
    assert context_of_process().repository.git_dir == tmp_path / "other" / ".git"
    context = context_of_process()
    context.move(repository)
    assert context.repository.top == repository


def test_directory_that_was_removed_is_an_expected_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    shutil.rmtree(gone)
    with pytest.raises(DirectoryMissing, match="the current directory"):
        context_of_process().start  # noqa: B018 (reading it is what is tested)


def test_expected_failure_is_told_below_the_output_with_a_hint_and_clean(tmp_path: Path) -> None:
    finished = fail("expected", cwd=tmp_path, stderr=subprocess.STDOUT)
    assert finished.returncode == NoMemory.exit_code == 1
    assert finished.stdout == (
        "before\nerror: could not find a memory in this repository: refs/heads/x does not exist\n"
        f"hint: {NoMemory.hint}\n"
    )


def test_command_may_say_that_nothing_was_found(tmp_path: Path) -> None:
    finished = fail("nothing", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "before\n", "")


def test_interrupt_is_130_and_no_traceback(tmp_path: Path) -> None:
    finished = fail("interrupt", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (130, "error: interrupted\n")


def test_bug_is_3_and_its_report_holds_nothing_of_the_user(tmp_path: Path, home: Path) -> None:
    finished = fail("bug", "--password=hunter2", cwd=tmp_path)
    assert finished.returncode == 3
    (report,) = (home / ".local" / "state" / "gitmem" / "reports").iterdir()
    assert str(report) in finished.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "command: gitmem fail … --password=…\n" in text
    assert "builtins.KeyError at" in text
    assert text.index("builtins.KeyError") < text.index("builtins.ValueError")
    assert gitmem.__version__ in text
    for secret in ("hunter2", "transcript"):
        assert secret not in text + finished.stderr


def test_bug_is_shown_whole_to_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITMEM_TRACEBACK", "1")
    assert "ValueError: hunter2" in fail("bug", "--password=hunter2", cwd=tmp_path).stderr


def test_report_is_written_elsewhere_when_the_home_directory_refuses(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".local").write_text("a file where a directory should be")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    finished = fail("bug", cwd=tmp_path)
    assert finished.returncode == 3
    assert len(list(tmp_path.glob("gitmem-*.txt"))) == 1


def test_bug_is_told_even_if_no_report_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def refuse(*args: object) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("gitmem.cli.bugs.write_report", refuse)
    # Anything that a command was never written for will do.
    context = context_of_process()
    monkeypatch.setattr(context.output, "say", None)
    assert main.run(["--version"], context) == 3
    assert b"TypeError; no report could be written: Read-only file system" in capfdbinary.readouterr().err


def test_broken_pipe_of_another_kind_is_a_bug(tmp_path: Path) -> None:
    assert fail("pipe", cwd=tmp_path).returncode == 3


@pytest.mark.parametrize("how", ["many", "nothing"])
def test_reader_that_goes_away_is_met_in_silence(how: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    finished = fail(how, cwd=tmp_path, stdout=writer)
    os.close(writer)
    assert finished.stderr == ""
    assert finished.returncode == (128 + signal.SIGPIPE if how == "many" else 141)


def test_full_disk_behind_standard_output_is_an_expected_failure(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        finished = fail("nothing", cwd=tmp_path, stdout=full)
    assert finished.returncode == 1
    assert "No space left on device" in finished.stderr


def test_closed_standard_output_is_no_bug(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -P -m gitmem --version >&-'
    finished = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)}, check=False
    )
    assert finished.returncode == 0


def test_nothing_prompts_without_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_TERMINAL_PROMPT")
    assert fail("prompt", cwd=tmp_path).stdout == "before\nFalse0\n"


def test_colour_is_chosen_on_the_command_line(tmp_path: Path, run: CommandLine) -> None:
    assert "\x1b[31merror:" in run("--color", "always", "qqqq", cwd=tmp_path, status=2).stderr
    assert "\x1b" not in run("qqqq", cwd=tmp_path, status=2).stderr
    assert "\x1b[31merror:" in run_on_terminal("-m", "gitmem", "qqqq", cwd=tmp_path)[1]
    assert "\x1b" not in run_on_terminal("-m", "gitmem", "--color", "never", "qqqq", cwd=tmp_path)[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_calls_gitmem(shell: str, tmp_path: Path, run: CommandLine) -> None:
    script = run("completion", shell, cwd=tmp_path).stdout
    assert "_GITMEM_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script.encode(), check=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("gitmem comp", "completion"), ("gitmem completion f", "fish"), ("gitmem --ver", "--version")],
)
def test_command_lines_are_completed(words: str, expected: str, tmp_path: Path, run: CommandLine) -> None:
    asked = {
        "_GITMEM_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    assert run(cwd=tmp_path, environ=asked).stdout == f"plain,{expected}\n"


def test_completing_a_directory_goes_nowhere(tmp_path: Path, run: CommandLine) -> None:
    asked = {
        "_GITMEM_COMPLETE": "bash_complete",
        "COMP_WORDS": "gitmem -C /gone completion z",
        "COMP_CWORD": "4",
    }
    assert run(cwd=tmp_path, environ=asked).stdout == "plain,zsh\n"


def test_command_line_is_reported_without_what_a_user_wrote() -> None:
    argv = ["-C", "/home/ada", "completion", "--limit=3", "-n3", "words", "--", "--secret"]
    assert without_values(argv) == ["-C", "…", "completion", "--limit=…", "-n", "…", "--", "…"]


def test_report_names_the_frames_of_the_code() -> None:
    with pytest.raises(SyntaxError) as caught:
        ast.parse("(")
    assert " in test_report_names_the_frames_of_the_code" in describe(caught.value, [], "now")


def test_global_options_have_help() -> None:
    options = [param for param in root.root.params if isinstance(param, click.Option)]
    assert len(options) >= 4
    assert all(option.help for option in options)
