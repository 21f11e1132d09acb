"""All forms of secrets that the built-in rules know, as shapes: what other tests take them from."""

from __future__ import annotations

from tests.redaction.generators import (
    cloud,
    code,
    contexts,
    data,
    keys,
    messaging,
    models,
    operations,
    payment,
    web,
    work,
)
from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    HEX,
    UPPER,
    URLSAFE,
    Shape,
    basic,
    jwt,
    naked_key,
    pem,
    pick,
    slack,
    spell,
    token,
    wrapped_key,
)

__all__ = [
    "ALNUM",
    "BASE64",
    "GITHUB",
    "HEX",
    "SHAPES",
    "SLACK",
    "UPPER",
    "URLSAFE",
    "Shape",
    "jwt",
    "pem",
    "pick",
    "token",
]

GITHUB = [Shape("github-token", token(f"gh{letter}" + "_", ALNUM, 36)) for letter in "pousr"]
SLACK = [Shape("slack-token", slack(letter)) for letter in "abprs"]

_VARIANTS = [
    *GITHUB,
    *SLACK,
    Shape("aws-secret-key", token("", BASE64, 40), "SecretAccessKey: '", "'"),
    Shape("stripe-key", token("sk" + "_test_", ALNUM, 99)),
    Shape("openai-key", token("sk" + "-", ALNUM, 48)),
    Shape("openai-key", token("sk" + "-proj-", URLSAFE, 120)),
    Shape("anthropic-key", token("sk" + "-ant-api03-", URLSAFE, 95)),
    Shape("anthropic-key", token("sk" + "-ant-admin01-", URLSAFE, 95)),
    Shape("anthropic-key", token("sk" + "-ant-oat01-", URLSAFE, 95)),
    Shape("private-key", pem("RSA PRIVATE KEY")),
    Shape("private-key", pem("PRIVATE KEY", lines=24)),
    Shape("private-key", pem("OPENSSH PRIVATE KEY", width=70)),
    Shape("private-key", pem("PGP PRIVATE KEY BLOCK")),
    Shape("private-key", naked_key),
    Shape("private-key", wrapped_key),
    Shape("url-password", token("", ALNUM + "@", 14), "redis://:", "@cache"),
    Shape("authorization", token("", ALNUM + "._", 40), "Authorization: Bearer "),
    Shape("authorization", basic, "Authorization: Basic "),
    Shape("authorization", spell((ALNUM, 28), (HEX[:10], 2)), "sent Bearer "),
]
"""Further shapes of kinds that have a generator of their own."""

SHAPES = [
    *_VARIANTS,
    *(
        shape
        for room in (keys, cloud, code, operations, data, messaging, payment, models, work, web, contexts)
        for shape in room.SHAPES
    ),
    *contexts.ASSIGNMENTS,
]
"""Every form of every kind that the built-in rules know."""
