"""Whatever happens to a store's files: it opens, says what is left out, and is complete after the next round."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitmem import disk
from gitmem.model.errors.store import DiskRefused
from indexer.vectors import block, graph
from indexer.vectors.store import Vectors
from indexer.vectors.writing import append, build_graphs, keep_only
from tests.conftest import CHECKOUT, IMPORTED_FROM
from tests.vectors.clusters import MODEL, clustered, fill, keys_for, opened

_READ_ONLY = """
import json, os, sys
from pathlib import Path
from gitmem.model.errors.store import DiskRefused
from tests.vectors.test_damage import KEYS, MODEL, VECTORS, answers, append, opened
import hnswlib
if os.geteuid() == 0:
    os.setuid(65534)
folder = Path(sys.argv[1])
store = opened(folder)
assert (store.count, store.damaged) == (len(KEYS), ())
try:
    append(folder, MODEL, KEYS[:1], VECTORS[:1])
except DiskRefused as error:
    print(json.dumps([answers(store), error.why]))
"""

COUNT = 900
KEYS, VECTORS = keys_for(5, COUNT), clustered(5, COUNT)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of two blocks with graphs and one without, which stays as it is."""
    folder = tmp_path_factory.mktemp("whole") / "vectors"
    complete(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """Return a copy to be harmed."""
    shutil.copytree(whole, tmp_path / "vectors")
    return tmp_path / "vectors"


def complete(folder: Path) -> None:
    """Do what an indexer does: append what is missing, and build graphs; the first 800 rows are to have one."""
    for at, until in ((0, 400), (400, 800)):
        missing = set(opened(folder, with_graphs=False).missing(KEYS[at:until].tolist()))
        which = [n for n in range(at, until) if int(KEYS[n]) in missing]
        append(folder, MODEL, KEYS[which], VECTORS[which])
        build_graphs(folder, MODEL, crossover=399, shard_rows=400)
    append(folder, MODEL, KEYS[800:], VECTORS[800:])


def answers(store: Vectors) -> list[list[int]]:
    return [store.nearest(query, 5)[0].tolist() for query in VECTORS[::90]]


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    rewrite(path, b"")


def cut_in_half(path: Path) -> None:
    rewrite(path, path.read_bytes()[: path.stat().st_size // 2])


def cut_one_byte(path: Path) -> None:
    rewrite(path, path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    rewrite(path, path.read_bytes() + bytes(8))


def overwrite(path: Path) -> None:
    rewrite(path, b"\xa5" * path.stat().st_size)


def make_a_folder_of_it(path: Path) -> None:
    path.unlink()
    path.mkdir()


def change_a_byte(place: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 0x10
        rewrite(path, bytes(content))

    return change


def rewrite(path: Path, content: bytes) -> None:
    """Put another file in its place: memory that an older snapshot has mapped stays as it is."""
    path.unlink()
    path.write_bytes(content)


HARMS = {
    "removed": remove,
    "empty": empty,
    "cut in half": cut_in_half,
    "cut by a byte": cut_one_byte,
    "longer": lengthen,
    "overwritten": overwrite,
    "first byte changed": change_a_byte(0),
    "early byte changed": change_a_byte(0.01),
    "a byte changed": change_a_byte(0.6),
    "last byte changed": change_a_byte(1),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_is_harmed_is_left_out_named_and_made_again(
    folder: Path, whole: Path, harm: Callable[[Path], None]
) -> None:
    expected = answers(opened(folder))
    keys = KEYS.tolist()
    names = sorted(path.name for path in folder.iterdir() if path.name not in ("lock", "state.json"))
    assert [sum(name.startswith(kind) for name in names) for kind in ("rows", "graph", "axes")] == [3, 2, 2]
    for name in names[1:6]:  # one of the axes, both graphs, two of the blocks
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
        harm(folder / name)
        store = opened(folder)
        if name.startswith("rows"):
            assert store.damaged == (name,)
            assert len(store.missing(keys)) in (100, 400)
            assert store.count + len(store.missing(keys)) == COUNT
        else:
            assert store.damaged == (name.replace("axes", "graph"),)
            assert (store.count, store.without_graph) == (COUNT, 500)
            assert answers(store) == expected
            assert opened(folder, with_graphs=False).damaged == ()
        complete(folder)
        store = opened(folder)
        assert (store.damaged, store.count, store.missing(keys)) == ((), COUNT, []), name
        assert store.without_graph <= 400, name
        assert answers(store) == expected


def test_a_damaged_graph_is_made_again_however_few_rows_it_has(folder: Path) -> None:
    change_a_byte(0.5)(next(folder.glob("graph-*")))
    assert build_graphs(folder, MODEL, crossover=10_000) == 1
    assert (opened(folder).damaged, opened(folder).without_graph) == ((), 100)


def test_a_folder_in_a_files_place_is_left_out(folder: Path) -> None:
    name = opened(folder).blocks[0].entry.name
    make_a_folder_of_it(folder / name)
    assert opened(folder).damaged == (name,)


def test_a_block_of_another_model_or_of_another_place_is_left_out(folder: Path) -> None:
    first, _, last = [at.entry.name for at in opened(folder).blocks]
    other, same = (folder / first).read_bytes(), (folder / last).read_bytes()
    rewrite(folder / last, other)
    assert opened(folder).damaged == (last,)
    rewrite(folder / last, same)
    text = (folder / "state.json").read_text()
    (folder / "state.json").write_text(text.replace(f'"model": "{MODEL}"', '"model": "another"'))
    assert len(Vectors.open(folder, "another", with_graphs=False).damaged) == 3


def test_no_graph_is_loaded_before_its_bytes_hold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hnswlib

    class Watched(hnswlib.Index):  # type: ignore[misc]
        def load_index(self, *_: object) -> None:
            pytest.fail("hnswlib was given a damaged file")

    for path in folder.glob("graph-*"):
        change_a_byte(0.999)(path)
    monkeypatch.setattr(hnswlib, "Index", Watched)
    assert len(opened(folder).damaged) == 2


NONSENSE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"7",
    b"\xff" * 100,
    b"[" * 100_000,
    b'{"version": 2, "model": "made-of-noise", "dimensions": 384, "blocks": []}',
    b'{"version": 1, "model": "made-of-noise", "dimensions": "384", "blocks": []}',
    b'{"version": 1, "model": "made-of-noise", "dimensions": 384, "blocks": [{}]}',
    b'{"version": 1, "model": 5, "dimensions": 384, "blocks": []}',
    b'{"version": 1, "model": "made-of-noise", "dimensions": 384, "blocks": 5}',
]


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_a_state_that_says_nothing_is_damage(folder: Path, content: bytes) -> None:
    expected = answers(opened(folder))
    (folder / "state.json").write_bytes(content)
    store = opened(folder)
    assert (store.damaged, store.count) == (("state.json",), 0)
    complete(folder)
    assert answers(opened(folder)) == expected
    assert len(list(folder.glob("rows-*"))) == 3


def change_block(**changes: object) -> Callable[[dict], object]:
    return lambda state: state["blocks"][0].update(changes)


LIES: dict[str, Callable[[dict], object]] = {
    "a block elsewhere": change_block(name="rows-/../../../secret"),
    "a block's absolute path": change_block(name="/etc/passwd"),
    "a block that is no text": change_block(name=5),
    "fewer than no rows": change_block(rows=-1),
    "very many rows": change_block(rows=1 << 62),
    "rows that are true": change_block(rows=True),
    "a graph that is a text": change_block(graph="graph-1"),
    "a graph elsewhere": lambda state: state["blocks"][0]["graph"]["index"].update(name="graph-../x"),
    "a graph without a digest": lambda state: state["blocks"][0]["graph"]["index"].update(sha256=None),
    "a block twice": lambda state: state["blocks"].append(state["blocks"][0]),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_state_that_lies_leads_nowhere(folder: Path, lie: Callable[[dict], object]) -> None:
    values = json.loads((folder / "state.json").read_text())
    lie(values)
    (folder / "state.json").write_text(json.dumps(values))
    assert opened(folder).damaged == ("state.json",)


@pytest.mark.parametrize(
    "change", [{"rows": 399}, {"rows": 0}, {"rows": 1 << 39}, {"name": "rows-0"}], ids=str
)
def test_a_state_that_is_wrong_about_a_block_leaves_it_out(folder: Path, change: dict[str, object]) -> None:
    values = json.loads((folder / "state.json").read_text())
    values["blocks"][0].update(change)
    (folder / "state.json").write_text(json.dumps(values))
    store = opened(folder)
    assert (store.damaged, store.count) == ((values["blocks"][0]["name"],), COUNT - 400)


def test_a_snapshot_outlives_its_files(folder: Path) -> None:
    store = opened(folder)
    expected = answers(store)
    shutil.rmtree(folder)
    assert answers(store) == expected
    assert store.size_bytes == 0
    assert store.refreshed().count == 0
    complete(folder)
    assert answers(store.refreshed()) == expected


@pytest.mark.parametrize("kind", ["graph-*", "axes-*"])
def test_a_graph_that_goes_behind_its_check_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def hold_and_go(there: Path, files: graph.GraphFiles) -> bool:
        for path in there.glob(kind):
            path.unlink()
        return True

    monkeypatch.setattr(graph, "holds", hold_and_go)
    store = opened(folder)
    assert len(store.damaged) == 2
    assert (store.count, store.without_graph) == (COUNT, COUNT)


def test_files_that_go_while_they_are_opened_are_looked_for_once_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that merges blocks removes them behind its new state, which a reader may not have seen yet."""
    read = block.read
    changes = iter([lambda: keep_only(folder, MODEL, set(KEYS[1:].tolist()))])

    def read_late(path: Path, *args: object, **options: object) -> object:
        for change in changes:
            change()
        return read(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(block, "read", read_late)
    store = opened(folder)
    assert (store.count, store.damaged) == (COUNT - 1, ())


def test_reading_has_no_effect_on_the_disk(folder: Path, seed: int) -> None:
    def refuse(effect: disk.Effect, path: Path) -> None:
        raise DiskRefused(effect, str(path), os.strerror(30))

    with disk.observe(refuse):
        store = opened(folder)
        assert store.damaged == ()
        assert len(answers(store)) == 10
        assert sum(len(page[0]) for page in store.ordered(clustered(seed, 1)[0])) == COUNT
        with pytest.raises(DiskRefused):
            append(folder, MODEL, keys_for(seed + 1, 1), clustered(seed + 1, 1))
    assert opened(folder).count == COUNT


def test_a_folder_that_may_only_be_read_is_searched(folder: Path) -> None:
    """In a process of its own that is not root, which may write anywhere."""
    expected = answers(opened(folder))
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(folder, Path(place) / "vectors")
        for path in (Path(place), *Path(place).rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        Path(place).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-P", "-c", _READ_ONLY, str(Path(place) / "vectors")],
            env={"PYTHONPATH": f"{IMPORTED_FROM}{os.pathsep}{CHECKOUT}", "HOME": "/"},
            cwd="/",
            capture_output=True,
            text=True,
        )
        (Path(place) / "vectors").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [expected, "Permission denied"]


def test_where_no_folder_can_be_made_an_append_says_so(tmp_path: Path, seed: int) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskRefused):
        append(tmp_path / "file" / "vectors", MODEL, keys_for(seed, 1), clustered(seed, 1))
    assert opened(tmp_path / "file" / "vectors").count == 0
    assert opened(tmp_path / "file").count == 0


@pytest.mark.parametrize("what", ["append", "build", "keep"])
def test_a_disk_that_is_full_at_any_effect_leaves_the_store_as_it_was(
    folder: Path, whole: Path, seed: int, what: str
) -> None:
    more = (keys_for(seed + 1, 60), clustered(seed + 1, 60))
    live = set(KEYS[::2].tolist())
    work: dict[str, Callable[[], int]] = {
        "append": lambda: append(folder, MODEL, *more),
        "build": lambda: build_graphs(folder, MODEL, crossover=0, shard_rows=450),
        "keep": lambda: keep_only(folder, MODEL, live),
    }
    point = 0
    while True:
        left = point

        def fill_up(effect: disk.Effect, path: Path) -> None:
            nonlocal left
            if left == 0 and effect != "remove":
                raise DiskRefused(effect, str(path), os.strerror(28))
            left -= effect != "remove"

        try:
            with disk.observe(fill_up):
                work[what]()
            break
        except DiskRefused:
            point += 1
        store = opened(folder)
        assert store.damaged == ()
        assert store.count in ({COUNT} if what != "keep" else {COUNT, COUNT // 2})
        assert not list(folder.glob(f"{disk.UNPUBLISHED}*"))
        work[what]()
        assert opened(folder).count == {"append": COUNT + 60, "build": COUNT, "keep": COUNT // 2}[what]
        shutil.rmtree(folder)
        shutil.copytree(whole, folder)
    assert point >= 4


@pytest.fixture
def little_space() -> Iterator[None]:
    """Let no file of this process grow beyond some bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("little_space")
def test_a_graph_that_the_disk_took_a_part_of_is_not_published(tmp_path: Path, seed: int) -> None:
    """hnswlib says nothing when its writes fail."""
    fill(tmp_path, seed, 480)
    with pytest.raises(DiskRefused):
        build_graphs(tmp_path, MODEL, crossover=0)
    store = opened(tmp_path)
    assert (store.count, store.without_graph, store.damaged) == (480, 480, ())
    assert not list(tmp_path.glob("graph-*"))
