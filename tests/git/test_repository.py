"""Finding a repository: every kind of it, from everywhere inside it, with git as the oracle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git.process import Git
from gitmem.git.repository import discover, identity, superproject
from gitmem.model.errors.repositories import ForeignOwner, GitFailed, GitMissing, NotARepository
from tests.conftest import RealGit
from tests.git.test_process import fake_git

ANOTHER_UID = 12345


@pytest.fixture
def finder(environ: Mapping[str, str]) -> Git:
    return Git(environ)


def test_repository_is_found_from_its_top(repository: Path, finder: Git) -> None:
    found = discover(repository, finder)
    assert found.top == repository
    assert found.git_dir == found.common_dir == repository / ".git"
    assert found.state_dir == repository / ".git" / "gitmem"
    assert (found.hash_name, found.ref_format) == ("sha1", "files")
    assert (found.is_bare, found.is_shallow, found.is_partial) == (False, False, False)


def test_repository_is_found_from_below(repository: Path, finder: Git) -> None:
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    assert discover(below, finder) == discover(repository, finder)


def test_repository_is_found_through_a_link(repository: Path, tmp_path: Path, finder: Git) -> None:
    below = repository / "a"
    below.mkdir()
    (tmp_path / "link").symlink_to(below)
    assert discover(tmp_path / "link", finder) == discover(repository, finder)


def test_repository_without_a_commit_is_found(tmp_path: Path, git: RealGit, finder: Git) -> None:
    git("init", "--quiet", cwd=tmp_path)
    assert discover(tmp_path, finder).top == tmp_path


def test_detached_head_makes_no_difference(repository: Path, git: RealGit, finder: Git) -> None:
    before = discover(repository, finder)
    git("checkout", "--quiet", "--detach", cwd=repository)
    assert discover(repository, finder) == before


def test_git_directory_has_no_working_tree(repository: Path, finder: Git) -> None:
    found = discover(repository / ".git", finder)
    assert (found.top, found.git_dir, found.is_bare) == (None, repository / ".git", False)
    assert found.name == "repository"


def test_bare_repository_is_found(tmp_path: Path, repository: Path, git: RealGit, finder: Git) -> None:
    git("clone", "--quiet", "--bare", str(repository), "shelf.git", cwd=tmp_path)
    git("remote", "remove", "origin", cwd=tmp_path / "shelf.git")
    found = discover(tmp_path / "shelf.git" / "refs", finder)
    assert (found.top, found.git_dir, found.is_bare) == (None, tmp_path / "shelf.git", True)
    assert found.name == "shelf"
    assert superproject(found, finder) is None


def test_linked_worktree_shares_the_common_directory(
    tmp_path: Path, repository: Path, git: RealGit, finder: Git
) -> None:
    git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), cwd=repository)
    below = tmp_path / "side" / "a"
    below.mkdir()
    found = discover(below, finder)
    assert found.top == tmp_path / "side"
    assert found.git_dir == repository / ".git" / "worktrees" / "side"
    assert found.common_dir == repository / ".git"
    assert found.name == "repository"


def test_submodule_is_a_repository_of_its_own_that_knows_who_has_it(
    tmp_path: Path, repository: Path, git: RealGit, finder: Git
) -> None:
    git("init", "--quiet", "outer", cwd=tmp_path)
    outer = tmp_path / "outer"
    git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "inner", cwd=outer
    )
    found = discover(outer / "inner", finder)
    assert found.top == outer / "inner"
    assert found.git_dir == found.common_dir == outer / ".git" / "modules" / "inner"
    assert superproject(found, finder) == outer
    assert superproject(discover(outer, finder), finder) is None


def test_shallow_clone_says_so(tmp_path: Path, repository: Path, git: RealGit, finder: Git) -> None:
    git.commit(repository, content="two\n")
    git("clone", "--quiet", "--depth=1", f"file://{repository}", "clone", cwd=tmp_path)
    assert discover(tmp_path / "clone", finder).is_shallow


def test_partial_clone_says_so(tmp_path: Path, repository: Path, git: RealGit, finder: Git) -> None:
    git("config", "uploadpack.allowFilter", "true", cwd=repository)
    git("clone", "--quiet", "--filter=blob:none", f"file://{repository}", "clone", cwd=tmp_path)
    assert discover(tmp_path / "clone", finder).is_partial


def test_remote_that_promises_nothing_makes_no_partial_clone(
    repository: Path, git: RealGit, finder: Git
) -> None:
    git("config", "remote.origin.promisor", "false", cwd=repository)
    assert not discover(repository, finder).is_partial


def test_sha256_repository_says_so(tmp_path: Path, git: RealGit, finder: Git) -> None:
    git("init", "--quiet", "--object-format=sha256", cwd=tmp_path)
    assert discover(tmp_path, finder).hash_name == "sha256"


@pytest.mark.parametrize(
    ("told", "expected"), [("--show-ref-format", "files"), ("files", "files"), ("reftable", "reftable")]
)
def test_reference_format_is_read_where_git_knows_the_question(
    told: str, expected: str, tmp_path: Path, environ: Mapping[str, str]
) -> None:
    lines = f"false\\nfalse\\nsha1\\n{told}\\n{tmp_path}/.git\\n.git\\n{tmp_path}"
    git = fake_git(tmp_path, environ, f"if 'rev-parse' in sys.argv: print('{lines}')\nelse: sys.exit(1)")
    assert discover(tmp_path, git).ref_format == expected


def test_reftable_is_seen_by_a_git_that_has_it(tmp_path: Path, git: RealGit, finder: Git) -> None:
    version = tuple(int(part) for part in git("version", cwd=tmp_path).split()[2].split(".")[:2])
    if version < (2, 45):
        pytest.skip(f"git {version} has no reftable; a git that says so is imitated above")
    git("init", "--quiet", "--ref-format=reftable", cwd=tmp_path)
    assert discover(tmp_path, finder).ref_format == "reftable"


def test_hook_is_told_its_repository_by_the_environment(
    tmp_path: Path, repository: Path, environ: Mapping[str, str]
) -> None:
    hook = Git({**environ, "GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index"})
    assert discover(repository, hook).git_dir == repository / ".git"
    away = Git({**environ, "GIT_DIR": str(repository / ".git"), "GIT_WORK_TREE": str(repository)})
    assert discover(tmp_path, away).top == repository


def test_search_elsewhere_does_not_follow_the_hook(
    tmp_path: Path, repository: Path, git: RealGit, environ: Mapping[str, str]
) -> None:
    git("init", "--quiet", "other", cwd=tmp_path)
    hook = Git({**environ, "GIT_DIR": str(repository / ".git")})
    assert discover(tmp_path / "other", hook.elsewhere()).git_dir == tmp_path / "other" / ".git"


@pytest.mark.parametrize("where", ["", "gone"])
def test_directory_outside_any_repository_is_refused(where: str, tmp_path: Path, finder: Git) -> None:
    with pytest.raises(NotARepository) as caught:
        discover(tmp_path / where, finder)
    assert caught.value.path == str(tmp_path / where)


def test_repository_of_another_user_is_refused(
    tmp_path: Path, repository: Path, environ: Mapping[str, str]
) -> None:
    if os.getuid() == 0:
        for path in (repository, *repository.rglob("*")):
            os.chown(path, ANOTHER_UID, -1)
        others = Git(environ)
    else:
        # What git's own tests use: only root can give a directory away.
        others = Git({**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    with pytest.raises(ForeignOwner) as caught:
        discover(repository, others)
    assert caught.value.path == str(repository)
    assert f"safe.directory {repository}" in caught.value.hint


def test_hint_for_another_users_repository_helps(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    others = Git({**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    with pytest.raises(ForeignOwner) as caught:
        discover(repository, others)
    command = caught.value.hint.partition(":")[0].split()
    git(*command[1:], cwd=repository)
    assert discover(repository, others).top == repository


def test_owner_is_refused_in_the_words_of_an_older_git(tmp_path: Path, environ: Mapping[str, str]) -> None:
    said = "fatal: unsafe repository ('/srv/x' is owned by someone else)"
    git = fake_git(tmp_path, environ, f'sys.stderr.write("{said}"); sys.exit(128)')
    with pytest.raises(ForeignOwner) as caught:
        discover(tmp_path, git)
    assert caught.value.path == "/srv/x"


def test_repository_of_an_unknown_kind_is_refused_in_gits_words(
    repository: Path, git: RealGit, finder: Git
) -> None:
    git("config", "core.repositoryformatversion", "1", cwd=repository)
    git("config", "extensions.tomorrow", "true", cwd=repository)
    with pytest.raises(GitFailed, match="tomorrow"):
        discover(repository, finder)


def test_path_with_a_line_end_is_refused_and_not_misread(tmp_path: Path, git: RealGit, finder: Git) -> None:
    strange = tmp_path / "two\nlines"
    strange.mkdir()
    git("init", "--quiet", cwd=strange)
    with pytest.raises(GitFailed, match="its path holds a line end"):
        discover(strange, finder)


def test_path_that_is_not_utf8_survives(tmp_path: Path, git: RealGit, finder: Git) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    strange.mkdir()
    git("init", "--quiet", cwd=strange)
    assert discover(strange, finder).top == strange


def test_missing_git_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GitMissing):
        discover(tmp_path, Git({"PATH": "/nowhere"}))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/team/engine.git", "engine"),
        ("https://example.org/team/engine/", "engine"),
        ("git@example.org:team/engine.git", "engine"),
        ("git@example.org:engine", "engine"),
        ("ssh://git@example.org:2222/engine.git", "engine"),
        ("/srv/git/engine.git", "engine"),
        ("../engine/.git", "engine"),
        ("https://user:word@example.org", "repository"),
        ("https://user:word@example.org/", "repository"),
        ("..", "repository"),
        ("", "repository"),
    ],
)
def test_name_comes_from_origin_and_never_from_its_credentials(
    url: str, name: str, repository: Path, git: RealGit, finder: Git
) -> None:
    git("config", "remote.origin.url", url, cwd=repository)
    assert discover(repository, finder).name == name


def test_configuration_keeps_every_value_in_order(repository: Path, git: RealGit, finder: Git) -> None:
    git("config", "--add", "gitmem.level", "team", cwd=repository)
    git("config", "--add", "gitmem.level", "private", cwd=repository)
    with (repository / ".git" / "config").open("a") as file:
        file.write('[remote "A.b"]\n\tgitmem\n[gitmem]\n\tref = "two\\nlines"\n')
    config = discover(repository, finder).config
    assert config["gitmem.level"] == ("team", "private")
    assert config["remote.A.b.gitmem"] == ("true",)
    assert config["gitmem.ref"] == ("two\nlines",)


def test_identity_is_what_git_would_write(
    repository: Path, environ: Mapping[str, str], git: RealGit, finder: Git
) -> None:
    name, email = identity(discover(repository, finder), environ)
    assert git("var", "GIT_AUTHOR_IDENT", cwd=repository).startswith(f"{name} <{email}> ")


def test_identity_of_the_environment_wins(repository: Path, environ: Mapping[str, str], finder: Git) -> None:
    author = {"GIT_AUTHOR_NAME": "Grace <b> Example.", "GIT_AUTHOR_EMAIL": "grace@example.org"}
    found = identity(discover(repository, finder), {**environ, **author})
    assert found == ("Grace b Example", "grace@example.org")


def test_identity_without_any_is_the_login_and_never_a_failure(
    repository: Path, environ: Mapping[str, str]
) -> None:
    bare = {**environ, "GIT_CONFIG_GLOBAL": os.devnull, "LOGNAME": "ada"}
    found = discover(repository, Git(bare))
    assert identity(found, bare) == ("ada", "ada@localhost")
    assert identity(found, {}).email.endswith("@localhost")
    assert identity(found, {"LOGNAME": "<>"}) == ("unknown", "unknown@localhost")


def test_a_name_that_is_no_text_can_be_told(tmp_path: Path, git: RealGit, finder: Git) -> None:
    top = tmp_path / os.fsdecode(b"tides\xff")
    top.mkdir()
    git("init", "--quiet", cwd=top)
    assert discover(top, finder).name == r"tides\xff"
