"""The rules by themselves: what they find, and what they leave alone."""

from __future__ import annotations

import base64
import hashlib
import uuid
from random import Random

import pytest

from gitmem.redaction.matching import Judge, ReadyRule
from gitmem.redaction.personal import PERSONAL
from gitmem.redaction.placeholders import KINDS, UNREDACTABLE, USER_RULE
from gitmem.redaction.redactor import Redactor
from gitmem.redaction.rules import BUILT_IN, COMPILED, Rule, RuleSet
from tests.redaction.compiling import compiled
from tests.redaction.generators.contexts import PGPASS
from tests.redaction.shapes import ALNUM, SHAPES, Shape, pick

KEY = bytes(range(32))


def names(shape: Shape) -> str:
    return shape.kind


@pytest.mark.parametrize("shape", SHAPES, ids=names)
def test_secret_goes_and_its_surroundings_stay(shape: Shape) -> None:
    redactor = Redactor(KEY)
    for seed in range(3):
        secret = shape.secret(Random(seed))
        line = f"see {shape.before}{secret}{shape.behind} for it\n".encode()
        redacted = redactor.line(line).decode()
        assert redacted.startswith(f"see {shape.before}[gm:{shape.kind}:"), f"seed {seed}: {redacted}"
        assert redacted.endswith(f"]{shape.behind} for it\n"), f"seed {seed}: {redacted}"
        assert redacted.count("[gm:") == 1, f"seed {seed}: {redacted}"


def test_every_rule_has_a_generator_and_finds_what_it_makes() -> None:
    made = {shape.name: shape for shape in (*SHAPES, PGPASS) if shape.name}
    assert made.keys() == {rule.name for rule in BUILT_IN.rules}
    for rule in BUILT_IN.rules:
        shape = made[rule.name]
        line = f" {shape.before}{shape.secret(Random(1))}{shape.behind}".lstrip(" " * (shape is PGPASS))
        assert list(ReadyRule(0, rule).matches(line.encode(), Judge())), rule.name


def test_what_is_compiled_is_the_catalogue() -> None:
    assert COMPILED.read_text("utf-8") == compiled(), "run: python -m tests.redaction.compiling"


def test_there_are_more_than_two_hundred_providers_and_formats() -> None:
    names = [rule.name for rule in BUILT_IN.rules]
    assert len(names) == len(set(names)) >= 300


def test_every_kind_has_a_rule() -> None:
    made = {rule.kind for rule in (*BUILT_IN.rules, *PERSONAL)}
    assert made | {UNREDACTABLE, USER_RULE, "known-value"} == KINDS


def random_hashes(rng: Random) -> list[str]:
    digest = rng.randbytes(64)
    return [
        digest[:20].hex(),
        digest[:32].hex(),
        str(uuid.UUID(bytes=digest[:16])),
        f"index {digest[:4].hex()}..{digest[4:8].hex()} 100644",
        f'"integrity": "sha512-{base64.b64encode(digest).decode()}"',
        f"h1:{base64.b64encode(digest[:32]).decode()}",
        f"sha256:{hashlib.sha256(digest).hexdigest()}",
    ]


TRAPS = [
    "a task-force of the risk-management-and-compliance-department-of-many-words",
    "keys begin with AKIA, temporary ones with ASIA; tokens with ghp_ or glpat-, or sk-ant-",
    "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "v1.0-rc1 2.11.0-beta.3+build.5 1.0.0-20240102030405-abcdef012345",
    "https://example.com:8080/a?b=c@d http://localhost:3000/@scope/pkg ssh://git@host:22/x",
    "https://user@example.com/ https://example.com/a:b@c mailto:someone@example.com",
    "postgres://app:${DB_PASSWORD}@db/app postgres://app:$PASSWORD@db https://x:$(pass)@h",
    "https://<user>:<token>@github.com https://user:****@host https://user:{password}@host",
    "redis://:{{ password }}@h amqp://u:%(password)s@h http://u:%PASSWORD%@h http://u:xxxxx@h https://u:...@h",
    "connect to http://localhost:3000?next=me@example.com or http://h:80#a@b",
    "curl -H 'Authorization: Bearer $TOKEN' -H 'Authorization: Bearer <token>' -H 'Authorization: Basic ...'",
    'headers = {"Authorization": f"Bearer {token}"} # Authorization: Bearer YOUR_ACCESS_TOKEN',
    "Bearer authentication is described in section 2; basic authentication is not",
    "-----BEGIN RSA PRIVATE KEY----- is how such a file begins",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    "sk-proj-your-api-key-goes-here-please".replace("please", "here"),
    "xoxb-your-token-here-xxxxxxxxxxxx ghp_" + "x" * 36 + " sk-" + "X" * 48,
    "hf_hub_download_to_the_cache_of_models npm_config_registry npm_package_dependencies_with_a_long_name",
    "https://hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
    "secret_key_base and aws_secret_access_key are set elsewhere",
    "sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXX0=",
    "const settings = window.document.location.href.split('?')[0]",
    'the eyJ at the beginning of a token is {" in base64',
]


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_no_secret_stays(trap: str) -> None:
    line = trap.encode() + b"\n"
    assert Redactor(KEY).line(line) == line


def test_hashes_and_ids_stay() -> None:
    redactor = Redactor(KEY)
    for seed in range(50):
        for text in random_hashes(Random(seed)):
            line = f'{{"text": "{text}"}}\n'.encode()
            assert redactor.line(line) == line, f"seed {seed}"


def test_a_key_name_exempts_nothing() -> None:
    redactor = Redactor(KEY)
    for name in ("session_id", "file_path", "id", "sha", "name"):
        secret = SHAPES[0].secret(Random(7))
        assert secret.encode() not in redactor.line(f'{{"{name}":"{secret}"}}'.encode())


def test_the_more_specific_rule_names_the_secret() -> None:
    secret = SHAPES[0].secret(Random(3))
    for line in (f"Authorization: Bearer {secret}", f"https://x:{secret}@github.com"):
        assert b"[gm:github-token:" in Redactor(KEY).line(line.encode())


def test_several_secrets_side_by_side_all_go() -> None:
    secrets = [shape.secret(Random(seed)) for seed in range(2) for shape in SHAPES if not shape.before]
    assert secrets
    redactor = Redactor(KEY)
    for first in range(0, len(secrets), 12):
        some = secrets[first : first + 12]
        redacted = redactor.line(" ".join(some).encode()).decode()
        assert not [secret for secret in some if secret in redacted]


@pytest.mark.parametrize("mark", ["\x1b[1;32m", "\\033[0m", "%3D", "\\x3d", "=", "_", "/", "\u00e9"])
def test_secret_behind_a_mark_that_ends_in_letters_goes(mark: str) -> None:
    redactor = Redactor(KEY)
    for seed, shape in enumerate(SHAPES):
        if not shape.before:
            secret = shape.secret(Random(seed))
            assert secret not in redactor.line(f"x{mark}{secret} y".encode()).decode(), shape


def test_key_printed_with_line_numbers_goes() -> None:
    secret = next(shape for shape in SHAPES if shape.kind == "private-key").secret(Random(5))
    for mark in ("{:6}\u2192", "{:4} | ", "{}: ", "> ", "+", "-"):
        printed = "\n".join(mark.format(number) + line for number, line in enumerate(secret.split("\n"), 1))
        redacted = Redactor(KEY).line(printed.encode()).decode()
        assert not [line for line in secret.split("\n")[1:-1] if line in redacted], mark


def test_key_cut_short_goes() -> None:
    secret = next(shape for shape in SHAPES if shape.kind == "private-key").secret(Random(5))
    for length in range(100, len(secret), 37):
        redacted = Redactor(KEY).line(secret[:length].encode()).decode()
        assert "\n" not in redacted, length


def test_key_in_a_list_of_strings_goes_and_the_list_stays() -> None:
    secret = next(shape for shape in SHAPES if shape.kind == "private-key").secret(Random(5))
    rng = Random(1)
    line = ('["' + '", "'.join(secret.split("\n")) + f'", "{pick(rng, ALNUM, 3)}"]').encode()
    redacted = Redactor(KEY).line(line)
    assert redacted.count(b'"') == line.count(b'"')
    assert not [part for part in secret.split("\n")[1:-1] if part.encode() in redacted]


def test_fingerprint_follows_every_part_of_a_rule() -> None:
    rule = Rule("jwt", "core", "pattern", "skip")
    variants = [
        rule,
        Rule("npm-token", "core", "pattern", "skip"),
        Rule("jwt", "cor", "epattern", "skip"),
        Rule("jwt", "core", "pattern2", "skip"),
        Rule("jwt", "core", "pattern", ""),
    ]
    assert len({RuleSet((variant,)).fingerprint for variant in variants}) == len(variants)
    assert RuleSet((rule,)).fingerprint == RuleSet((rule,)).fingerprint
