"""Which values of the environment and of `.env` files are secret, and which files are looked at."""

from __future__ import annotations

import os
import string
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmem.redaction.environment import LEAST_BYTES, MOST_VALUES, assignments_of, known_values
from gitmem.verbs.knowing import known_values_at


def drawn(seed: int, length: int = 24) -> str:
    rng = Random(seed)
    return "aZ9" + "".join(rng.choices(string.ascii_letters + string.digits, k=length - 3))


@pytest.mark.parametrize(
    "name",
    [
        "API_KEY", "STRIPE_SECRET", "GITHUB_TOKEN", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PASS", "SSH_PASSPHRASE",
        "AWS_CREDENTIALS", "SENTRY_DSN", "apiKey", "authToken", "npm_config_//registry.example.org/:_authToken",
        "NEXT_SECRET_KEY", "SECRET_KEY_BASE",
    ],
)  # fmt: skip
def test_name_that_says_so_makes_a_value_secret(name: str, seed: int) -> None:
    if name == "SSH_PASSPHRASE":
        name = "DEPLOY_PASSPHRASE"
    for value in (drawn(seed), "correct-horse-7", "Tr0ub4dor&3", "6f1c2e9a-9f8e-4f7e-9f8e-6f1c2e9a0b1d"):
        assert known_values({name: value}, []) == (value.encode(),)


def test_value_that_looks_drawn_is_secret_whatever_its_name(seed: int) -> None:
    value = drawn(seed, 40)
    assert known_values({"SOMETHING": value}, []) == (value.encode(),)


def test_password_of_an_address_is_secret_and_the_address_is_not() -> None:
    found = known_values({"DATABASE_URL": "postgres://app:s3cr%40t-pass@db.internal:5432/app"}, [])
    assert found == (b"s3cr%40t-pass", b"s3cr@t-pass")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "short1"),
        ("API_KEY", "development"),
        ("API_KEY", "changeme-please-1"),
        ("API_KEY", "your-api-key-here-1"),
        ("API_KEY", "${OTHER_KEY_OF_MINE}"),
        ("API_KEY", "<put-your-key-in-1>"),
        ("API_KEY", "$SOME_OTHER_KEY"),
        ("API_KEY", "xxxxxxxxxxxxxxxx"),
        ("KEY_FILE", "/etc/ssl/private/key.pem"),
        ("KEY_FILE", "~/.ssh/id_ed25519"),
        ("KEY_FILE", "./keys/server.key1"),
        ("TOKEN_TTL", "86400000"),
        ("TOKEN_EXPIRY", "2026-05-08"),
        ("PASSWORD_HASHER", "argon2.example.org"),
        ("AUTH_URL", "https://login.acme.io/oauth"),
        ("AUTH_HOST", "login.acme.io:8443"),
        ("AUTH_USER", "ada@lovelace.io"),
        ("TOKEN_VERSION", "v12.34.56-beta.7"),
        ("NEXT_PUBLIC_KEY", "pk-1234567890"),
        ("DEBUG", "true"),
        ("GREETING", "hello wonderful world"),
        ("LS_COLORS", "rs=0:di=01;34:ln=01;36"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-XXXX/agent.123"),
        ("PWD", "/home/Ada1/Source2/Tides3"),
        ("LANG", "en_US.UTF-8"),
        ("INVOCATION_ID", "aZ9bY8cX7dW6eV5fU4gT3hS2"),
        ("GIT_AUTHOR_KEY", "aZ9bY8cX7dW6eV5fU4gT3hS2"),
        ("MODULE_SEARCH_PATH", "aZ9bY8cX7dW6eV5fU4gT3hS2"),
        ("CLASS", "AbstractSingletonProxyFactoryBean"),
        ("COMMIT", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ],
)
def test_what_also_stands_in_ordinary_text_is_no_secret(name: str, value: str) -> None:
    assert known_values({name: value}, []) == ()


def test_env_file_is_read_as_shells_and_dotenv_read_it() -> None:
    text = (
        "# a comment\nexport A_KEY=plain-value-1 # behind it\nB_KEY='single # quoted 2'\n"
        'C_KEY="double \\"quoted\\"\\n3"\r\n  D_KEY = spaced-value-4\nE_KEY: yaml-value-5\n'
        'F_KEY="over\nseveral\nlines"\nG_KEY=\n# H_KEY=not-this-one-8\nI_KEY=`back quoted`\nJ_KEY=with#inside\n'
    )
    assert list(assignments_of(text)) == [
        ("A_KEY", "plain-value-1"),
        ("B_KEY", "single # quoted 2"),
        ("C_KEY", 'double "quoted"\n3'),
        ("D_KEY", "spaced-value-4"),
        ("E_KEY", "yaml-value-5"),
        ("F_KEY", "over\nseveral\nlines"),
        ("G_KEY", ""),
        ("I_KEY", "back quoted"),
        ("J_KEY", "with#inside"),
    ]


def test_value_over_several_lines_is_known_by_its_lines_too(seed: int) -> None:
    lines = [drawn(seed + n, 64) for n in range(3)]
    text = 'KEY="-----BEGIN THING-----\n' + "\n".join(lines) + '\n-----END THING-----\n"'
    found = known_values({}, [text])
    assert {line.encode() for line in lines} < set(found)
    assert not [value for value in found if value.startswith(b"-----") and b"\n" not in value]


def test_values_are_bounded_and_the_longest_come_first() -> None:
    environ = {f"KEY_{n}": drawn(n, 12 + n % 40) for n in range(3000)}
    found = known_values({**environ, "HUGE_KEY": "aZ9-" * 100_000}, [])
    assert len(found) == MOST_VALUES
    assert list(map(len, found)) == sorted(map(len, found), reverse=True)
    assert len(found[0]) < 100


@given(st.text(alphabet="AK_=:'\"`\\#\n $1z", max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert all(len(value) >= LEAST_BYTES for value in known_values({}, [text]))


@pytest.mark.parametrize("unit", ["A='", 'A="', 'A="\\', "A=`", "A=$", "=", "export ", "A= #"])
def test_hostile_file_is_read_in_its_length(unit: str) -> None:
    assert len(list(assignments_of((unit + "\n") * 20_000))) <= 20_000


def put(path: Path, name: str, seed: int) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    value = drawn(seed)
    path.write_text(f"{name}={value}\n")
    return value.encode()


def test_env_files_of_the_tree_are_read_and_others_are_not(tmp_path: Path) -> None:
    top = tmp_path / "tree"
    wanted = {
        put(top / ".env", "A_KEY", 1),
        put(top / ".env.production", "A_KEY", 2),
        put(top / ".envrc", "A_KEY", 3),
        put(top / "services" / "api" / ".env.local", "A_KEY", 4),
        put(top / "prod.env", "A_KEY", 5),
    }
    for number, name in enumerate(
        [
            ".env.example",
            ".env.sample",
            ".env.template",
            ".env.production.example",
            "env",
            ".environment",
            "x.env.py",
        ]
    ):
        put(top / name, "A_KEY", 100 + number)
    put(top / "node_modules" / "x" / ".env", "A_KEY", 201)
    put(top / ".venv" / ".env", "A_KEY", 202)
    put(top / "a" / "b" / "c" / ".env", "A_KEY", 203)
    put(tmp_path / "elsewhere" / ".env", "A_KEY", 204)
    (top / "linked").symlink_to(tmp_path / "elsewhere")
    (top / ".env.linked").symlink_to(tmp_path / "elsewhere" / ".env")
    os.mkfifo(top / ".env.pipe")
    (top / ".env.folder").mkdir()
    assert set(known_values_at({}, [top, tmp_path / "missing"])) == wanted


def test_file_that_may_not_be_read_is_passed_over(tmp_path: Path) -> None:
    value = put(tmp_path / ".env", "A_KEY", 1)
    put(tmp_path / ".env.closed", "A_KEY", 2)
    (tmp_path / ".env.closed").chmod(0)
    assert value in known_values_at({}, [tmp_path])


def test_many_files_and_folders_are_bounded(tmp_path: Path) -> None:
    for number in range(90):
        put(tmp_path / f".env.{number:03}", "A_KEY", number)
    assert len(known_values_at({}, [tmp_path])) == 64


def test_only_the_beginning_of_a_huge_file_is_read(tmp_path: Path) -> None:
    first, last = drawn(1), drawn(2)
    (tmp_path / ".env").write_text(f"A_KEY={first}\n" + "# filler\n" * 60_000 + f"B_KEY={last}\n")
    assert known_values_at({}, [tmp_path]) == (first.encode(),)
