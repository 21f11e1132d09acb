"""Code hosts, builds, packages and frameworks."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    ANYHEX,
    HEX,
    LOWER,
    UPPER,
    UPPERHEX,
    URLSAFE,
    UUID,
    base64_of,
    crc_base62,
    one,
    spell,
)

SHAPES = [
    # GitHub
    one("github-token", "github-token", crc_base62(["ghp_", "gho_", "ghu_", "ghr_"], 30)),
    one("github-installation", "github-token", crc_base62(["ghs_"], 30)),
    one("github-pat-fine-grained", "github-token", spell("github_pat_", (ALNUM, 22), "_", (ALNUM, 59))),
    # GitLab
    one(
        "gitlab-token",
        "gitlab-token",
        spell(
            [
                "glpat",
                "gloas",
                "gldt",
                "glrt",
                "glcbt",
                "glptt",
                "glft",
                "glimt",
                "glagent",
                "glsoat",
                "glffct",
            ],
            "-",
            (URLSAFE, 20),
        ),
    ),
    one("gitlab-runner-registration", "gitlab-token", spell("GR1348941", (URLSAFE, 20))),
    # Atlassian
    one(
        "atlassian-token",
        "atlassian-token",
        spell(["ATATT3", "ATCTT3", "ATSTT3"], "xFfGF0", (URLSAFE, 176), "=", (UPPERHEX, 8)),
    ),
    one("atlassian-oauth-secret", "atlassian-token", spell("ATOA", (ALNUM + "-=_", 60))),
    one("bitbucket-app-password", "bitbucket-token", spell("ATBB", (ALNUM, 32))),
    # Sourcegraph
    one("sourcegraph-token", "sourcegraph-token", spell("sgp_", ["local_", ""], (HEX, 40))),
    one("sourcegraph-instance-token", "sourcegraph-token", spell("sgp_", (ANYHEX, 16), "_", (HEX, 40))),
    one("sourcegraph-service-token", "sourcegraph-token", spell(["slk_", "sgd_", "sgs_"], (HEX, 64))),
    # Code Climate and DeepSource
    one("codeclimate-token", "codeclimate-token", spell((HEX, 64)), "export CC_TEST_REPORTER_ID="),
    # CircleCI, Buildkite, AppVeyor
    one("circleci-token", "circleci-token", spell("CCI", ["PAT", "PRJ"], "_", (ALNUM, 22), "_", (HEX, 40))),
    one("buildkite-user-token", "buildkite-token", spell("bkua_", (HEX, 40))),
    one(
        "buildkite-agent-token", "buildkite-token", spell("bk", ["ct", "aj", "at"], "_", (ALNUM + "-._", 40))
    ),
    one("buildkite-package-token", "buildkite-token", spell("bkp", ["s", "r", "t"], "_", (URLSAFE, 40))),
    one("appveyor-token", "appveyor-token", spell("v2.", (LOWER, 20))),
    # Octopus, Harness, Depot
    one("octopus-key", "octopus-key", spell("API-", (UPPER, 30))),
    one(
        "harness-token",
        "harness-token",
        spell(["pat", "sat"], ".", (URLSAFE, 22), ".", (HEX, 24), ".", (ALNUM, 20)),
    ),
    one("depot-token", "depot-token", spell("depot_", ["org", "project", "user"], "_", (HEX, 64))),
    # Pulumi, Terraform, Vault, Doppler, Infisical, 1Password, Bitwarden
    one("pulumi-token", "pulumi-token", spell("pul-", (HEX, 40))),
    one("vault-token", "vault-token", spell(["hvs.CAESI", "hvb.AAAAAQ", "hvr.CAESI"], (URLSAFE, 90))),
    one("vault-old-token", "vault-token", spell("s.", (ALNUM, 24)), "VAULT_TOKEN="),
    one("vault-approle-secret", "vault-token", spell(*UUID), "VAULT_SECRET_ID="),
    one(
        "doppler-token", "doppler-token", spell("dp.", ["pt", "ct", "sa", "scim", "audit"], ".", (ALNUM, 40))
    ),
    one(
        "infisical-service-token", "infisical-token", spell("st.", (HEX, 24), ".", (HEX, 32), ".", (HEX, 32))
    ),
    one(
        "onepassword-service-account",
        "onepassword-token",
        spell("ops_eyJzaWduSW5BZGRyZXNzIjoi", (ALNUM, 800)),
    ),
    # npm, PyPI, RubyGems, NuGet, crates.io, Clojars, Packagist, Maven, JSR
    one("npm-token", "npm-token", crc_base62(["npm_"], 30)),
    one("yarn-auth-ident", "npm-token", spell((LOWER, 6), ":", (ALNUM, 12)), "    npmAuthIdent: "),
    one("pypi-token", "pypi-token", spell("pypi-AgEIcHlwaS5vcmc", (URLSAFE, 150))),
    one("rubygems-key", "rubygems-key", spell("rubygems_", (HEX, 48))),
    one("nuget-key", "nuget-key", spell("oy2", (LOWER, 43))),
    one("crates-io-token", "crates-io-token", spell("cio", (ALNUM, 32))),
    one("clojars-token", "clojars-token", spell("CLOJARS_", (HEX, 60))),
    one(
        "packagist-token",
        "packagist-token",
        spell("packagist_", ["u", "o", "a"], ["ut", "at", "rt", "ack"], "_", (HEX, 68)),
    ),
    one("jsr-token", "jsr-token", spell("jsr", ["p", "d", "t"], "_", (ALNUM, 32))),
    # Docker
    one("docker-token", "docker-token", spell("dckr_", ["pat", "oat"], "_", (URLSAFE, 27))),
    one("docker-swarm-token", "docker-swarm-token", spell("SWMTKN-1-", (LOWER, 50), "-", (LOWER, 25))),
    # JFrog
    one("jfrog-api-key", "jfrog-key", spell("AKC", (ALNUM, 70))),
    one("jfrog-reference-token", "jfrog-key", base64_of("reftkn:01:", ("0123456789", 10), ":", (ALNUM, 27))),
    # Snyk, SonarQube, Socket
    one("snyk-pat", "snyk-token", spell("snyk_uat.", (HEX, 8), ".", (URLSAFE, 60))),
    one("sonarqube-token", "sonarqube-token", spell("sq", ["p", "u", "a"], "_", (HEX, 40))),
    one("socket-key", "socket-key", spell("sktsec_", (URLSAFE, 40), "_api")),
    # Frameworks' own secrets
    one(
        "django-insecure-key",
        "django-secret-key",
        spell("django-insecure-", ("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)", 50)),
    ),
    one(
        "fernet-key",
        "fernet-key",
        spell((URLSAFE, 42), ["A", "E", "I", "M", "c", "g", "k", "w"], "="),
        "fernet_key: ",
    ),
    one(
        "erlang-cookie", "erlang-cookie", spell(("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 20)), "RABBITMQ_ERLANG_COOKIE="
    ),
]
