"""docs/formats/store.md and the memory's own README say what is so: a stranger reads a session with git and zstd."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gitmem.format import codec, layout, memory, records, segments
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.storage import open_storage
from gitmem.model import records as model
from gitmem.model.ids import RecordId
from gitmem.model.records import Record
from gitmem.verbs.starting import ROOT_FILES
from tests.conftest import CHECKOUT, RealGit
from tests.verify.memories import Draft, write

DOCUMENT = (CHECKOUT / "docs/formats/store.md").read_text("utf-8")
STRUCTS = [
    kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
]


@pytest.fixture
def zstd() -> None:
    """Ask for the program; only a developer's machine may do without."""
    if shutil.which("zstd") is None:
        if os.environ.get("CI"):
            pytest.fail("there is no zstd: apt-get install zstd")
        pytest.skip("there is no zstd on this machine")


@pytest.fixture
def filled(tmp_path: Path, git: RealGit, seed: int) -> tuple[Path, Draft, RecordId]:
    """Return a repository with a session of several groups, generations and captures, and the last of them."""
    path = tmp_path / "filled"
    git("init", "--quiet", str(path), cwd=tmp_path)
    rng = random.Random(seed)
    draft = Draft("claude-code", "0c1d")

    def lines(count: int) -> bytes:
        return b"".join(
            b'{"n":%d,"text":"%s"}\n' % (n, rng.randbytes(rng.randint(1, 900)).hex().encode())
            for n in range(count)
        )

    last = draft.capture(lines(40))
    last = draft.capture(lines(3000) + b"half a li", [last])
    last = draft.capture(lines(20), [last])
    last = draft.capture(rng.randbytes(3000) + b"\n\0no line end", [last], keep=1500)
    last = draft.capture(lines(2) + b"tail", [last])
    git_ = Git(dict(os.environ))
    with closing(open_storage(discover(path, git_), git_)) as storage:
        write(storage, [draft])
    return path, draft, last


def shell(script: str, cwd: Path, **variables: str) -> bytes:
    finished = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    assert not finished.stderr, finished.stderr.decode()
    return finished.stdout


def test_the_document_mentions_every_kind_and_field_of_every_record() -> None:
    assert len(STRUCTS) > 10
    for struct in STRUCTS:
        if issubclass(struct, Record) and struct is not Record:
            kind = struct.__struct_config__.tag
            assert f'"kind":"{kind}"' in DOCUMENT, kind
        for name in struct.__struct_fields__:
            assert re.search(rf"[`,\[ ]{name}[`,\]]", DOCUMENT), f"{struct.__name__}.{name}"


def test_tables_list_the_fields_in_the_order_in_which_they_are_written() -> None:
    for title, struct in (
        ("session", model.Session),
        ("capture", model.Capture),
        ("register", model.Register),
    ):
        section = DOCUMENT.split(f"\n### {title}\n")[1].split("\n### ")[0]
        rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
        named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
        required = [
            n
            for n in struct.__struct_fields__
            if n
            in struct.__struct_fields__[: len(struct.__struct_fields__) - len(struct.__struct_defaults__)]
        ]
        assert set(named) == set(struct.__struct_fields__), title
        assert named == [*required, *(n for n in struct.__struct_fields__ if n not in required)]


def test_the_document_states_every_bound() -> None:
    for value, text in (
        (records.MAX_RECORD_BYTES, "16 MiB"),
        (segments.MAX_SEGMENT_BYTES, "256 KiB"),
        (segments.MAX_GROUP_BYTES, "2 MiB"),
        (codec.MAX_WINDOW_BYTES, "8 MiB"),
    ):
        number, unit = text.split()
        assert value == int(number) << {"KiB": 10, "MiB": 20}[unit]
        assert text in DOCUMENT
    assert f"at most {segments.MAX_GROUP_SEGMENTS} segments" in DOCUMENT
    assert f"version {memory.FORMAT_VERSION}" in DOCUMENT


def test_the_document_lists_every_form_of_path() -> None:
    block = DOCUMENT.split("## The tree")[1].split("\n\n    ")[1].split("\n\n")[0]
    forms = [form for line in block.splitlines() for form in line.split()]
    assert len(forms) == 12
    kinds = set()
    for form in forms:
        path = (
            form.replace("aa", "01")
            .replace("id60", "0" * 60)
            .replace("id62", "0" * 62)
            .replace("id64", "0" * 64)
        )
        kinds.add(layout.place(tuple(path.split("/"))).kind)
    assert kinds == set(layout.EntryKind.__args__)  # type: ignore[attr-defined]


def test_examples_of_records_are_in_canonical_form() -> None:
    examples = re.findall(r'^    (\{"kind":"(?:[^}]|\n     |\}(?=[,\]}]))*\})$', DOCUMENT, re.MULTILINE)
    assert len(examples) == 6
    for example in examples:
        whole = example.replace("\n     ", "").replace("2026-02-03T06:34:50.123Z", "…")
        whole = whole.replace('"at":"…"', '"at":"2026-02-03T06:34:50.123Z"')
        whole = re.sub(
            r'"(session|target|beginning|redaction|previous|subject)":"[^"]*"', rf'"\1":"{"0" * 64}"', whole
        )
        whole = re.sub(r'\[\["[0-9a-f]+…"', f'[["{"0" * 64}"', whole)
        whole = re.sub(r'"(parents|tombstones)":\["[^"]*"', rf'"\1":["{"0" * 64}"', whole)
        whole = re.sub(r'"(head)":"[^"]*"', rf'"\1":"{"0" * 40}"', whole)
        plain = re.sub(r'"replaces":\["[^"]*"', f'"replaces":["{"0" * 40}"', whole).encode()
        kind = next(
            s
            for s in STRUCTS
            if issubclass(s, Record) and s.__struct_config__.tag == msgspec.json.decode(plain)["kind"]
        )
        name = hashlib.sha256(plain).hexdigest()
        if kind is model.Session:
            name = records.session_id(msgspec.json.decode(plain, type=model.Session))
        records.unseal(codec.compress(plain), name, "docs/formats/store.md", kind)


@pytest.mark.usefixtures("zstd")
def test_the_commands_of_the_document_print_a_session_byte_for_byte(
    filled: tuple[Path, Draft, RecordId], tmp_path: Path
) -> None:
    path, draft, last = filled
    find, read = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    listed = shell(find, path).decode().split()
    assert {"/".join(name) for name in draft.files} == set(listed)
    folder = "/".join(layout.session_folder(draft.id))
    for capture in draft.captures:
        work = tmp_path / capture
        work.mkdir()
        said = shell(read, work, memory="gitmem", folder=folder, head=capture, GIT_DIR=str(path / ".git"))
        assert said == draft.texts[capture]
    assert draft.texts[last].endswith(b"tail")


@pytest.mark.usefixtures("zstd")
def test_the_commands_of_the_memorys_readme_work(filled: tuple[Path, Draft, RecordId], git: RealGit) -> None:
    path, draft, _ = filled
    readme = git("cat-file", "blob", "gitmem:README.md", cwd=path)
    assert readme.encode() + b"\n" == ROOT_FILES["README.md"]
    commands = re.findall(r"^    ((?:git|zstd) .*)$", readme, re.MULTILINE)
    assert len(commands) == 5
    capture, following, *_ = draft.captures
    assert draft.captures[following].parents == (capture,)
    [first] = [entry.name for entry in draft.captures[capture].segments]
    second = draft.captures[following].segments[0]

    def run(command: str, name: str = "") -> bytes:
        folder = "/".join(layout.session_folder(draft.id))
        command = command.replace("sessions/12/34/<60 digits>", folder)
        return shell(re.sub(r"(?:56|78)/<62 digits>", f"{name[:2]}/{name[2:]}", command), path)

    session, a_capture, alone, another, patched = commands
    assert msgspec.json.decode(run(session), type=model.Session).native_id == "0c1d"
    assert msgspec.json.decode(run(a_capture, capture), type=model.Capture) == draft.captures[capture]
    text = run(alone, first)
    assert text == draft.texts[capture]
    run(another, second.name)
    blob = (path / "segment").read_bytes()
    assert (blob[-1], blob[-33:-1].hex()) == (32, first)
    (path / "PREFIX").write_bytes(text)
    assert run(patched) == draft.texts[following][len(text) : len(text) + second.bytes]
