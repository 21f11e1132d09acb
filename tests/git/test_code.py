"""Questions about the user's commits, against what real git says of each alone."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from gitmem.git import code, heads, staged
from gitmem.git.code import Changes, Pair, changes, commits, patch_ids
from gitmem.git.process import Git
from gitmem.git.repository import Repository, discover
from gitmem.model.ids import Oid
from gitmem.model.records import PathChange
from tests.conftest import RealGit


@pytest.fixture
def found(repository: Path) -> Repository:
    return discover(repository, Git(dict(os.environ)))


@pytest.fixture
def user() -> Git:
    return Git(dict(os.environ))


def pairs_of(git: RealGit, repository: Path, *revisions: str) -> list[Pair]:
    rows = git("rev-list", "--parents", *(revisions or ["HEAD"]), cwd=repository).splitlines()
    words = [row.split() for row in rows]
    return [Pair(Oid(row[0]), Oid(row[1]) if len(row) > 1 else None) for row in words]


def patch_id(git: RealGit, repository: Path, pair: Pair) -> str:
    shown = ["--root", pair.commit] if pair.base is None else [pair.base, pair.commit]
    patch = git("diff-tree", "-p", *shown, cwd=repository)
    return git("patch-id", "--stable", cwd=repository, stdin=patch + "\n").split()[0] if patch else ""


def test_commits_are_looked_up_by_id_and_by_head(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    git("checkout", "-q", "-b", "side", cwd=repository)
    side = git.commit(repository, "b.txt")
    git("checkout", "-q", "main", cwd=repository)
    git("merge", "-q", "--no-ff", "--no-edit", "side", cwd=repository)
    merge, tree = git("rev-parse", "HEAD", "HEAD^{tree}", cwd=repository).split()
    blob = git("rev-parse", "HEAD:b.txt", cwd=repository)
    known = commits(found, user, ["HEAD", merge, "0" * 39 + "1", tree, blob, "not a name", merge])
    assert list(known) == ["HEAD", merge]
    assert known[merge] == known["HEAD"] == code.CommitFacts(Oid(merge), Oid(tree), (Oid(first), Oid(side)))
    assert commits(found, user, []) == {}


def test_a_squash_names_what_it_is_made_of(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    git("checkout", "-q", "-b", "side", cwd=repository)
    made = [git.commit(repository, f"{name}.txt") for name in "bc"]
    git("checkout", "-q", "main", cwd=repository)
    git("merge", "-q", "--squash", "side", cwd=repository)
    git("commit", "-q", "--no-edit", cwd=repository)
    assert commits(found, user, ["HEAD"])["HEAD"].squashed == tuple(reversed(made))
    assert code.squashed_in(b"a commit like any other\n\ncommit " + b"1" * 40 + b"\n") == ()


def test_changes_and_patch_ids_are_those_that_git_tells_of_each(
    git: RealGit, repository: Path, found: Repository, user: Git, seed: int
) -> None:
    rng = random.Random(seed)
    names = ["a.txt", "b c.txt", "ü.txt", "deep/er/d.txt", "-x"]
    for n in range(30):
        for name in rng.sample(names, rng.randint(1, 3)):
            path = repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_text().splitlines() if path.exists() else []
            rng.shuffle(before)
            path.write_text("\n".join([*before[: rng.randint(0, 9)], f"{n} {rng.random()}", ""]))
        git("add", "-A", ".", cwd=repository)
        git("commit", "-q", "--allow-empty", "-m", f"{n}", cwd=repository)
    pairs = pairs_of(git, repository)
    pairs += [Pair(pairs[0].commit, pairs[9].commit), Pair(pairs[3].commit, None)]
    told = changes(found, user, pairs)
    assert set(told) == set(pairs)
    ids = patch_ids(found, user, pairs)
    for pair in pairs:
        assert ids.get(pair, "") == patch_id(git, repository, pair) or pair.base is None
        base = [pair.base] if pair.base else ["--root"]
        rows = git("diff-tree", "-r", "-z", "--numstat", *base, pair.commit, cwd=repository).split("\0")
        lines = [row.split("\t") for row in rows if "\t" in row]
        assert [(one.path, one.added, one.removed) for one in told[pair].listed] == [
            (path, int(added), int(removed)) for added, removed, path in lines
        ]
        assert told[pair].more == 0


def test_a_patch_id_does_not_depend_on_what_is_configured(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    git("mv", "a.txt", "b.txt", cwd=repository)
    (repository / "c.txt").write_text("".join(f"{n}\n" for n in range(50)))
    git("add", ".", cwd=repository)
    git("commit", "-q", "-m", "move", cwd=repository)
    pairs = pairs_of(git, repository)
    before = patch_ids(found, user, pairs)
    for name, value in {
        "diff.algorithm": "patience",
        "diff.context": "9",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "copies",
        "diff.external": "false",
        "color.ui": "always",
        "color.diff": "always",
        "core.quotePath": "false",
        "diff.submodule": "log",
        "diff.interHunkContext": "5",
        "patchid.stable": "false",
    }.items():
        git("config", name, value, cwd=repository)
    assert patch_ids(found, user, pairs) == before
    assert len(before) == 2


FUNCTION = "/*\n * {0}\n */\n{0} {{\n  1\n\n  2\n}}\n\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("diff.suppressBlankEmpty", "true"),
        ("diff.indentHeuristic", "false"),
        ("diff.ignoreSubmodules", "all"),
        ("submodule.sub.ignore", "all"),
        ("core.attributesFile", "attributes"),
    ],
)
def test_a_patch_id_does_not_depend_on_how_blank_lines_groups_and_submodules_are_shown(
    git: RealGit, repository: Path, found: Repository, user: Git, tmp_path: Path, name: str, value: str
) -> None:
    (tmp_path / "attributes").write_text("*.b -diff\n")
    git("init", "-q", "sub", cwd=repository)
    for functions in (("one", "two"), ("one", "new", "two")):
        git.commit(repository / "sub", "a.txt", str(functions))
        for file in ("a.a", "b.b"):
            (repository / file).write_text("".join(map(FUNCTION.format, functions)))
        (repository / ".gitmodules").write_text('[submodule "sub"]\n\tpath = sub\n\turl = ../sub\n')
        git("-c", "advice.addEmbeddedRepo=false", "add", ".", cwd=repository)
        git("commit", "-q", "-m", "functions", cwd=repository)
    pairs = pairs_of(git, repository)
    before = patch_ids(found, user, pairs)
    git("config", name, str(tmp_path / value) if value == "attributes" else value, cwd=repository)
    assert patch_ids(found, user, pairs) == before


def test_a_merge_is_compared_with_its_first_parent(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    git("checkout", "-q", "-b", "side", cwd=repository)
    git.commit(repository, "b.txt", "1\n2\n")
    git("checkout", "-q", "main", cwd=repository)
    git.commit(repository, "c.txt")
    git("merge", "-q", "--no-edit", "side", cwd=repository)
    [pair] = pairs_of(git, repository, "-1", "HEAD")
    assert changes(found, user, [pair])[pair].listed == (PathChange("b.txt", 2, 0),)
    assert patch_ids(found, user, [pair])[pair] == patch_id(git, repository, pair)


def test_a_submodule_and_a_binary_file_are_told(
    git: RealGit, repository: Path, found: Repository, user: Git, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    git("init", "-q", str(inner), cwd=tmp_path)
    git.commit(inner)
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub", cwd=repository)
    (repository / "image").write_bytes(bytes(300))
    git("add", ".", cwd=repository)
    git("commit", "-q", "-m", "both", cwd=repository)
    [pair] = pairs_of(git, repository, "-1", "HEAD")
    listed = {one.path: (one.added, one.removed) for one in changes(found, user, [pair])[pair].listed}
    assert listed == {".gitmodules": (3, 0), "image": (-1, -1), "sub": (1, 0)}
    assert pair in patch_ids(found, user, [pair])


def test_a_thousand_changes_are_listed_and_the_rest_counted(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    (repository / "many").mkdir()
    for n in range(1_200):
        (repository / "many" / f"{n}").write_text(f"{n}\n")
    git("add", ".", cwd=repository)
    git("commit", "-q", "-m", "many", cwd=repository)
    [pair] = pairs_of(git, repository, "-1", "HEAD")
    told = changes(found, user, [pair])[pair]
    assert (len(told.listed), told.more) == (1_000, 200)


def test_paths_that_are_long_are_counted(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    blob = git("rev-parse", "HEAD:a.txt", cwd=repository)
    long = "/".join(["x" * 200] * 30)
    git("update-index", "--add", "--cacheinfo", f"100644,{blob},{long}", cwd=repository)
    git("commit", "-q", "-m", "long", cwd=repository)
    [pair] = pairs_of(git, repository, "-1", "HEAD")
    assert changes(found, user, [pair])[pair] == Changes((), 1)


def test_a_diff_that_is_too_long_has_no_patch_id_and_others_have_theirs(
    git: RealGit, repository: Path, found: Repository, user: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "MAX_PATCH_BYTES", 20_000)
    monkeypatch.setattr(code, "_PATCHES_BYTES", 5_000)
    monkeypatch.setattr(code, "_LONGEST_PIECE_BYTES", 1_000)
    for n in range(12):
        content = f"{n} " * (12_000 if n % 5 == 4 else 700)
        git.commit(repository, f"{n}.txt", content if n % 2 else content.replace(" ", "\n"))
    pairs = pairs_of(git, repository)
    ids = patch_ids(found, user, pairs)
    assert [pairs.index(pair) for pair in pairs if pair not in ids] == [2, 7]
    assert all(ids[pair] == patch_id(git, repository, pair) for pair in ids if pair.base)


def test_what_is_damaged_has_no_answer_and_others_have_theirs(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    for n in range(6):
        git.commit(repository, "b.txt", f"{n}\n")
    pairs = pairs_of(git, repository)
    tree = git("rev-parse", f"{pairs[2].commit}^{{tree}}", cwd=repository)
    path = repository / ".git/objects" / tree[:2] / tree[2:]
    path.chmod(0o600)
    path.write_bytes(b"rubbish")
    told, ids = changes(found, user, pairs), patch_ids(found, user, pairs)
    assert set(told) == set(ids) == set(pairs) - set(pairs[1:3])


def test_hundreds_of_commits_are_asked_about_in_batches(
    git: RealGit, repository: Path, found: Repository, user: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "_AT_ONCE", 7)
    for n in range(20):
        git.commit(repository, "b.txt", f"{n}\n")
    pairs = pairs_of(git, repository)
    assert set(changes(found, user, pairs)) == set(patch_ids(found, user, pairs)) == set(pairs)


def test_head_is_where_it_is_and_was(git: RealGit, repository: Path, found: Repository, user: Git) -> None:
    first = git("rev-parse", "HEAD", cwd=repository)
    dates = {"GIT_COMMITTER_DATE": "2026-01-01T10:00:00Z"}
    git("commit", "-q", "--allow-empty", "-m", "two", cwd=repository, environ=dates)
    second = git("rev-parse", "HEAD", cwd=repository)
    assert heads.standpoint(found, user) == heads.Standpoint(Oid(second), "main")
    git("checkout", "-q", "--detach", first, cwd=repository)
    assert heads.standpoint(found, user) == heads.Standpoint(Oid(first), None)
    moves = heads.moves(found, user)
    assert moves.commits == (first, second, first)
    assert list(moves.at_s) == sorted(moves.at_s), "a clock that was set back is no matter"
    assert moves.at(moves.at_s[0] - 1) is None
    assert moves.at(moves.at_s[-1] + 100) == first


def test_an_unborn_head_is_a_branch_without_a_commit(git: RealGit, tmp_path: Path, user: Git) -> None:
    git("init", "-q", str(tmp_path / "new"), cwd=tmp_path)
    found = discover(tmp_path / "new", user)
    assert heads.standpoint(found, user) == heads.Standpoint(None, "main")
    assert heads.moves(found, user) == heads.Moves((), ())
    assert heads.moves(found, user).at(5) is None
    assert staged.staged_tree(found, user) == git("hash-object", "-t", "tree", "/dev/null", cwd=tmp_path)
    assert staged.staged_changes(found, user, None) == Changes()


@pytest.mark.parametrize("main", ["main", "master"])
def test_a_branch_began_where_it_left_the_main_one(
    git: RealGit, repository: Path, found: Repository, user: Git, tmp_path: Path, main: str
) -> None:
    git("branch", "-M", main, cwd=repository)
    hub = tmp_path / "hub.git"
    git("init", "-q", "--bare", str(hub), cwd=tmp_path)
    git("remote", "add", "origin", str(hub), cwd=repository)
    git("push", "-q", "-u", "origin", main, cwd=repository)
    base = git("rev-parse", "HEAD", cwd=repository)
    git("checkout", "-q", "-b", "side", cwd=repository)
    middle = git.commit(repository, "b.txt")
    git("push", "-q", "-u", "origin", "side", cwd=repository)
    head = git.commit(repository, "c.txt")
    assert heads.bases(found, user, Oid(head), "side", "origin") == (base, middle)
    assert heads.bases(found, user, Oid(head), None, "origin") == (base,)
    assert heads.bases(found, user, Oid(head), "side", "https://nobody/knows") == (base, middle)
    assert heads.bases(found, user, Oid(base), main, "origin") == ()
    assert heads.bases(found, user, Oid("1" * 40), "side", "origin") == ()


def test_what_is_staged_is_told_without_a_trace(
    git: RealGit, repository: Path, found: Repository, user: Git
) -> None:
    (repository / "new.txt").write_text("1\n2\n")
    (repository / "a.txt").write_text("changed and not staged\n")
    git("add", "new.txt", cwd=repository)
    objects = set((repository / ".git/objects").glob("??/*"))
    index = (repository / ".git/index").read_bytes()
    (repository / ".git/index.lock").touch()  # another git is at it
    tree = staged.staged_tree(found, user)
    told = staged.staged_changes(found, user, Oid(git("rev-parse", "HEAD", cwd=repository)))
    (repository / ".git/index.lock").unlink()
    assert told.listed == (PathChange("new.txt", 2, 0),)
    assert set((repository / ".git/objects").glob("??/*")) == objects
    assert (repository / ".git/index").read_bytes() == index
    assert tree == git("write-tree", cwd=repository)
    assert staged.staged_changes(found, user, Oid("1" * 40)) == Changes()
    (repository / "other").write_bytes(b"no index")
    assert staged.staged_tree(found, user, repository / "other") is None
    assert staged.staged_tree(found, user, repository) is None


def test_a_split_index_is_read(git: RealGit, repository: Path, found: Repository, user: Git) -> None:
    git("update-index", "--split-index", cwd=repository)
    (repository / "new.txt").write_text("1\n")
    git("add", ".", cwd=repository)
    assert staged.staged_tree(found, user) == git("write-tree", cwd=repository)
