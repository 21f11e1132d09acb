"""git's configuration files are read as git reads them, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitmem.git.configfile import ConfigUnclear, Entry, entries

VALUES = [
    "x y",
    " ",
    '"q z"',
    '\\"',
    "#",
    "\\n",
    "é",
    "-",
    ".",
    '""',
    '"a\\\\b"',
    ";c",
    "[x]",
    "=",
    "\t",
    '"',
    "\\",
]
LINES = [
    "[a]",
    '[A "b C"]',
    '[a "b\\"c"]',
    "[a.b]",
    "k",
    "Key = ",
    "  k2=1",
    "# c",
    "; c",
    "",
    '[s "t"] x = 1',
    "=",
    "\r",
]
FILES = st.lists(
    st.builds(
        lambda line, values: line + "".join(values),
        st.sampled_from(LINES),
        st.lists(st.sampled_from(VALUES), max_size=5),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@settings(max_examples=120)
@given(lines=FILES)
@example(lines=["[a]", 'k = "" x'])
@example(lines=['[submodule "x"]', "\tpath = ships/a b", '\turl = "c:\\\\d"'])
def test_what_is_read_is_what_git_reads(folder: Path, lines: list[str]) -> None:
    content = ("[first]\n" + "\n".join(lines) + "\n").encode()
    try:
        found = list(entries(content))
    except ConfigUnclear:
        return
    (folder / "file").write_bytes(content)
    finished = subprocess.run(
        ["git", "config", "--null", "--list", "--file", str(folder / "file")],
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    pairs = (entry.partition("\n") for entry in finished.stdout.decode().split("\0")[:-1])
    assert found == [Entry(name, value if end else "true") for name, end, value in pairs]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (
            b"[core]\n\tbare = false\n\tworktree = ../../x y  # z\n",
            [("core.bare", "false"), ("core.worktree", "../../x y")],
        ),
        (b'[remote "Origin"]\r\n\turl = "a;b"\r\n', [("remote.Origin.url", "a;b")]),
        (b"\xef\xbb\xbf[A]\nB\n", [("a.b", "true")]),
        (b'[submodule "a\\"b\\\\c"]\npath=caf\xe9', [('submodule.a"b\\c.path', "caf\udce9")]),
    ],
)
def test_what_git_writes_is_read(content: bytes, expected: list[tuple[str, str]]) -> None:
    assert list(entries(content)) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"k = 1\n",
        b"[a\n",
        b"[a]\nk v\n",
        b"[a]\nk = x\\\n y\n",
        b'[a]\nk = "x\n',
        b"[include]\npath = x\n",
        b'[includeIf "gitdir:x"]\npath = x\n',
        b"[a]\nk = a\tb\n",
        b"[a.b]\nk = 1\n",
        b"[a]\nk = \\q\n",
    ],
)
def test_what_is_unusual_is_left_to_git(content: bytes) -> None:
    with pytest.raises(ConfigUnclear):
        list(entries(content))
