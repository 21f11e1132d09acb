"""Settings: who decides what, and what a committed file may not ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitmem.git.committed import COMMITTED_FILE
from gitmem.git.process import Git
from gitmem.git.repository import discover
from gitmem.git.settings import load, variable_for, without_repository
from gitmem.model.errors.arguments import BadSetting, SettingRefused
from gitmem.model.settings import PERSONAL_CHOICES, ChosenRemote, LevelRule, Settings
from tests.conftest import RealGit


@pytest.fixture
def environ(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return an environment that chooses nothing, not even to do without a sidecar as tests do."""
    return {name: value for name, value in environ.items() if not name.startswith("GITMEM_")}


def settings_at(top: Path, environ: Mapping[str, str]) -> Settings:
    return load(discover(top, Git(environ)), environ)


def test_nothing_chosen_gives_the_defaults(repository: Path, environ: Mapping[str, str]) -> None:
    assert settings_at(repository, environ) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("gitmem.ref", "memory", "memory_ref", "refs/heads/memory"),
        ("gitmem.ref", "refs/gitmem/team", "memory_ref", "refs/gitmem/team"),
        ("gitmem.level", "public", "level", "public"),
        ("gitmem.grace", "0", "grace_days", 0),
        ("gitmem.grace", "2w", "grace_days", 14),
        ("gitmem.retention", "1y", "retention_days", 365),
        ("gitmem.workers", "3", "workers", 3),
        ("gitmem.modelDir", "/srv/model", "model_dir", Path("/srv/model")),
        ("gitmem.sidecar", "no", "sidecar", False),
        ("gitmem.sidecarIdle", "5", "sidecar_idle_minutes", 5),
        ("gitmem.live", "true", "live", True),
        ("gitmem.carry", "false", "carry", False),
        ("gitmem.audit", "changes", "audit", "changes"),
        ("gitmem.audit", "off", "audit", "nothing"),
        ("gitmem.snapshotDays", "0", "snapshot_days", 0),
        ("gitmem.personal", "email, phone", "personal", frozenset({"email", "phone"})),
        ("gitmem.personal", "all", "personal", frozenset(PERSONAL_CHOICES)),
        ("gitmem.personal", "none", "personal", frozenset()),
        ("gitmem.payloads", "true", "payloads", True),
    ],
)
def test_setting_is_read_from_gits_configuration_and_the_environment(
    name: str,
    value: str,
    attribute: str,
    expected: object,
    repository: Path,
    environ: Mapping[str, str],
    git: RealGit,
) -> None:
    assert getattr(settings_at(repository, {**environ, variable_for(name): value}), attribute) == expected
    git("config", name, value, cwd=repository)
    assert getattr(settings_at(repository, environ), attribute) == expected


def test_environment_wins_over_gits_configuration(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("config", "gitmem.grace", "7", cwd=repository)
    assert settings_at(repository, {**environ, "GITMEM_GRACE": "9"}).grace_days == 9
    assert settings_at(repository, {**environ, "GITMEM_GRACE": ""}).grace_days == 7


def test_repositorys_configuration_wins_over_the_users(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("config", "--global", "gitmem.grace", "7", cwd=repository)
    assert settings_at(repository, environ).grace_days == 7
    git("config", "gitmem.grace", "8", cwd=repository)
    assert settings_at(repository, environ).grace_days == 8


def test_home_in_a_path_is_the_users(repository: Path, environ: Mapping[str, str]) -> None:
    found = settings_at(repository, {**environ, "GITMEM_MODEL_DIR": "~/models/a"})
    assert found.model_dir == Path(environ["HOME"]) / "models" / "a"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GITMEM_REF", "refs/tags/x"),
        ("GITMEM_LEVEL", "Public"),
        ("GITMEM_GRACE", "-1"),
        ("GITMEM_GRACE", "soon"),
        ("GITMEM_WORKERS", "0"),
        ("GITMEM_MODEL_DIR", "models"),
    ],
)
def test_unusable_value_is_refused_under_the_name_it_was_given(
    variable: str, value: str, repository: Path, environ: Mapping[str, str]
) -> None:
    with pytest.raises(BadSetting) as caught:
        settings_at(repository, {**environ, variable: value})
    assert (caught.value.name, caught.value.value) == (variable, value)
    assert caught.value.hint.startswith(f"unset {variable}")


def test_hint_for_a_bad_configuration_takes_it_back(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("config", "gitmem.level", "secret", cwd=repository)
    with pytest.raises(BadSetting) as caught:
        settings_at(repository, environ)
    command = caught.value.hint.partition("; ")[2].partition(":")[0].split()
    git(*command[1:], cwd=repository)
    assert settings_at(repository, environ) == Settings()


def test_no_remote_is_chosen_by_merely_being_there(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("remote", "add", "origin", "https://example.org/a.git", cwd=repository)
    assert settings_at(repository, environ).remotes == ()


def test_chosen_remotes_are_found_with_their_levels(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    chosen = {"origin": "true", "back.up": "private, team", "site": "public", "old": "false"}
    for name, value in chosen.items():
        git("config", f"remote.{name}.gitmem", value, cwd=repository)
    assert settings_at(repository, environ).remotes == (
        ChosenRemote("back.up", frozenset({"private", "team"})),
        ChosenRemote("origin", frozenset({"team"})),
        ChosenRemote("site", frozenset({"public"})),
    )


@pytest.mark.parametrize("value", ["ephemeral", "team,ephemeral", "everything"])
def test_remote_cannot_be_given_what_does_not_exist(
    value: str, repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("config", "remote.origin.gitmem", value, cwd=repository)
    with pytest.raises(BadSetting):
        settings_at(repository, environ)


@pytest.mark.parametrize("level", ["team", "private", "ephemeral"])
def test_committed_file_may_lower_the_level(level: str, repository: Path, environ: Mapping[str, str]) -> None:
    (repository / COMMITTED_FILE).write_text(f'level = "{level}"\n')
    assert settings_at(repository, environ).level == level


def test_user_wins_over_the_committed_file(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    (repository / COMMITTED_FILE).write_text('level = "private"\n')
    git("config", "gitmem.level", "public", cwd=repository)
    assert settings_at(repository, environ).level == "public"


def test_committed_file_adds_personal_data_that_goes_and_takes_none_back(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    (repository / COMMITTED_FILE).write_text('personal = ["email"]\npayloads = false\n')
    assert settings_at(repository, environ).personal == {"email"}
    git("config", "gitmem.personal", "phone", cwd=repository)
    git("config", "gitmem.payloads", "true", cwd=repository)
    settings = settings_at(repository, environ)
    assert settings.personal == {"email", "phone"}
    assert not settings.payloads
    assert settings_at(repository, {**environ, "GITMEM_PERSONAL": "none"}).personal == {"email"}


def test_empty_committed_file_changes_nothing(repository: Path, environ: Mapping[str, str]) -> None:
    (repository / COMMITTED_FILE).write_text("")
    assert settings_at(repository, environ) == Settings()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'level = "public"', "level"),
        (b'personal = "none"', "personal"),
        (b"personal = true", "personal"),
        (b'personal = ["email", "secrets"]', "personal"),
        (b'personal = [["email"]]', "personal"),
        (b"payloads = true", "payloads"),
        (b'payloads = "no"', "payloads"),
        (b"payloads = 0", "payloads"),
        (b'level = "secret"', "level"),
        (b"level = 3", "level"),
        (b'ref = "refs/heads/main"', "ref"),
        (b'modelDir = "/tmp/model"', "modelDir"),
        (b'[remote.origin]\nurl = "https://example.org"', "remote"),
        (b'[hook]\ncommand = "sh"', "hook"),
        (b"level = ", "the file"),
        (b'level = "\xff"', "the file"),
        (b"#" * 100_000, "the file"),
        (b"level = " + b"[" * 60_000, "the file"),
    ],
)
def test_committed_file_may_ask_for_nothing_else(
    content: bytes, name: str, repository: Path, environ: Mapping[str, str]
) -> None:
    path = repository / COMMITTED_FILE
    path.write_bytes(content)
    with pytest.raises(SettingRefused) as caught:
        settings_at(repository, environ)
    assert (caught.value.path, caught.value.name) == (str(path), name)


def test_committed_link_is_not_followed(repository: Path, tmp_path: Path, environ: Mapping[str, str]) -> None:
    (tmp_path / "other.toml").write_text('level = "private"')
    (repository / COMMITTED_FILE).symlink_to(tmp_path / "other.toml")
    with pytest.raises(SettingRefused, match="no ordinary file"):
        settings_at(repository, environ)


def test_pipe_in_the_place_of_the_committed_file_blocks_nobody(
    repository: Path, environ: Mapping[str, str]
) -> None:
    os.mkfifo(repository / COMMITTED_FILE)
    with pytest.raises(SettingRefused, match="no ordinary file"):
        settings_at(repository, environ)


def test_bare_repository_has_no_committed_file(
    tmp_path: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("init", "--quiet", "--bare", cwd=tmp_path)
    (tmp_path / COMMITTED_FILE).write_text("nonsense")
    assert settings_at(tmp_path, environ) == Settings()


@pytest.mark.parametrize(
    ("name", "variable"), [("gitmem.ref", "GITMEM_REF"), ("gitmem.grace", "GITMEM_GRACE")]
)
def test_variable_is_the_settings_name_in_capitals(name: str, variable: str) -> None:
    assert variable_for(name) == variable


def test_without_a_repository_the_environment_says_it_all() -> None:
    environ = {"GITMEM_SIDECAR": "false", "GITMEM_CATCH_UP_MS": "5", "GITMEM_MODEL_DIR": "/models"}
    found = without_repository(environ)
    assert (found.sidecar, found.catch_up_ms, found.model_dir) == (False, 5, Path("/models"))
    assert without_repository({}) == Settings()
    with pytest.raises(BadSetting):
        without_repository({"GITMEM_SIDECAR": "perhaps"})


def test_rules_for_agents_and_folders_come_from_gits_configuration(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    git("config", "gitmem.agent.codex.level", "private", cwd=repository)
    git("config", "gitmem.path.infra/Prod.level", "ephemeral", cwd=repository)
    assert set(settings_at(repository, environ).level_rules) == {
        LevelRule("agent", "codex", "private"),
        LevelRule("path", "infra/Prod", "ephemeral"),
    }


def test_committed_file_has_rules_for_agents_and_folders(
    repository: Path, environ: Mapping[str, str]
) -> None:
    text = '[agents]\ncodex = "private"\n[paths]\n"infra" = "ephemeral"\n'
    (repository / COMMITTED_FILE).write_text(text)
    assert settings_at(repository, environ).level_rules == (
        LevelRule("agent", "codex", "private", is_committed=True),
        LevelRule("path", "infra", "ephemeral", is_committed=True),
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("agents = 3\n", "agents"),
        ('[agents]\ncodex = "secret"\n', "agents.codex"),
        ('[paths]\n"/etc" = "private"\n', "paths./etc"),
        ('[paths]\n"../other" = "private"\n', "paths.../other"),
        ('[redaction]\nrules = "x"\n', "redaction"),
    ],
)
def test_committed_rule_that_cannot_be_one_is_refused(
    text: str, name: str, repository: Path, environ: Mapping[str, str]
) -> None:
    (repository / COMMITTED_FILE).write_text(text)
    with pytest.raises(SettingRefused) as caught:
        settings_at(repository, environ)
    assert caught.value.name == name


def test_whom_to_seal_to_is_in_gits_configuration_alone(
    repository: Path, environ: Mapping[str, str], git: RealGit
) -> None:
    for value in ("age1one", "ssh-ed25519 AAAA ada", "age1one"):
        git("config", "--add", "gitmem.recipient", value, cwd=repository)
    for value in ("/srv/identity", "~/.ssh/id"):
        git("config", "--add", "gitmem.identity", value, cwd=repository)
    found = settings_at(repository, {**environ, "GITMEM_RECIPIENT": "x", "GITMEM_IDENTITY": "/x"})
    assert found.recipients == ("age1one", "ssh-ed25519 AAAA ada")
    assert found.identities == (Path("/srv/identity"), Path(environ["HOME"], ".ssh/id"))
    git("config", "--add", "gitmem.identity", "beside", cwd=repository)
    with pytest.raises(BadSetting):
        settings_at(repository, environ)
