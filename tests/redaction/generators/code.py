"""Code hosts, builds, packages and frameworks."""

from __future__ import annotations

from tests.redaction.generators.making import ALNUM, ANYHEX, BASE64, HEX, LOWER, UPPER, URLSAFE, one, spell

SHAPES = [
    # GitHub
    one("github-pat-classic", "github-token", spell("ghp_", (ALNUM, 36))),
    one("github-oauth", "github-token", spell("gho_", (ALNUM, 36))),
    one("github-user-to-server", "github-token", spell("ghu_", (ALNUM, 36))),
    one("github-installation", "github-token", spell("ghs_", (ALNUM + "-._", 36))),
    one("github-refresh", "github-token", spell("ghr_", (ALNUM, 36))),
    one("github-pat-fine-grained", "github-token", spell("github_pat_", (ALNUM, 22))),
    # GitLab
    one("gitlab-pat", "gitlab-token", spell("glpat-", (ALNUM, 20))),
    one("gitlab-oauth-secret", "gitlab-token", spell("gloas-", (ALNUM, 20))),
    one("gitlab-deploy-token", "gitlab-token", spell("gldt-", (ALNUM, 20))),
    one("gitlab-runner", "gitlab-token", spell("glrt", ["r", ""], "-", (ALNUM, 20))),
    one("gitlab-runner-registration", "gitlab-token", spell("GR1348941", (URLSAFE, 20))),
    one("gitlab-ci-job", "gitlab-token", spell("glcbt-", (ALNUM, 20))),
    one("gitlab-trigger", "gitlab-token", spell("glptt-", (ALNUM, 20))),
    one("gitlab-feed", "gitlab-token", spell("glft-", (ALNUM, 20))),
    one("gitlab-incoming-mail", "gitlab-token", spell("glimt-", (ALNUM, 20))),
    one("gitlab-agent", "gitlab-token", spell("glagent-", (ALNUM, 20))),
    one("gitlab-workspace", "gitlab-token", spell("glwt-", (ALNUM, 20))),
    one("gitlab-scim", "gitlab-token", spell("glsoat-", (ALNUM, 20))),
    one("gitlab-feature-flags", "gitlab-token", spell("glffct-", (ALNUM, 20))),
    # Atlassian
    one("atlassian-api-token", "atlassian-token", spell("ATATT3", (ALNUM + "-=_", 180))),
    one("atlassian-service-token", "atlassian-token", spell("ATSTT3", (ALNUM + "-=_", 180))),
    one("atlassian-connect-token", "atlassian-token", spell("ATCTT3", (ALNUM + "-=_", 180))),
    one("atlassian-oauth-secret", "atlassian-token", spell("ATOA", (ALNUM + "-=_", 60))),
    one("atlassian-old-token", "atlassian-token", spell((ALNUM, 24)), "ATLASSIAN_TOKEN="),
    one("bitbucket-app-password", "bitbucket-token", spell("ATBB", (ALNUM, 32))),
    one("bitbucket-client-secret", "bitbucket-token", spell((ALNUM, 32)), "BITBUCKET_SECRET="),
    # Gitea, Gogs and Forgejo
    one("gitea-token", "gitea-token", spell((HEX, 40)), "GITEA_TOKEN="),
    # Sourcegraph
    one("sourcegraph-token", "sourcegraph-token", spell("sgp_", ["local_", ""], (HEX, 40))),
    one("sourcegraph-instance-token", "sourcegraph-token", spell("sgp_", (ANYHEX, 16), "_", (HEX, 40))),
    one("sourcegraph-cody-gateway", "sourcegraph-token", spell("slk_", (HEX, 64))),
    one("sourcegraph-dotcom-token", "sourcegraph-token", spell("sgd_", (HEX, 64))),
    one("sourcegraph-license", "sourcegraph-token", spell("sgs_", (HEX, 64))),
    # Codecov, Coveralls, Codacy, Code Climate
    one(
        "codecov-token",
        "codecov-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "CODECOV_TOKEN=",
    ),
    one("coveralls-token", "coveralls-token", spell((ALNUM, 33)), "COVERALLS_TOKEN="),
    one("codacy-token", "codacy-token", spell((ALNUM, 20)), "CODACY_TOKEN="),
    one("codeclimate-token", "codeclimate-token", spell((HEX, 64)), "CC_TEST_REPORTER_ID_TOKEN="),
    # CircleCI, Buildkite, Travis, Drone, Semaphore, Bitrise, AppVeyor
    one("circleci-pat", "circleci-token", spell("CCIPAT_", (ALNUM, 22), "_", (HEX, 40))),
    one("circleci-project-token", "circleci-token", spell("CCIPRJ_", (ALNUM, 22), "_", (HEX, 40))),
    one("circleci-old-token", "circleci-token", spell((HEX, 40)), "CIRCLECI_TOKEN="),
    one("buildkite-user-token", "buildkite-token", spell("bkua_", (HEX, 40))),
    one(
        "buildkite-agent-token", "buildkite-token", spell("bk", ["ct", "aj", "at"], "_", (ALNUM + "-._", 40))
    ),
    one("buildkite-package-token", "buildkite-token", spell("bkp", ["s", "r", "t"], "_", (URLSAFE, 40))),
    one("travis-token", "travis-token", spell((URLSAFE, 22)), "TRAVIS_TOKEN="),
    one("drone-token", "drone-token", spell((ALNUM, 32)), "DRONE_TOKEN="),
    one("bitrise-token", "bitrise-token", spell((URLSAFE, 86)), "BITRISE_TOKEN="),
    one("appveyor-token", "appveyor-token", spell("v2.", (LOWER, 20))),
    # Jenkins, TeamCity, Octopus, Harness, Spacelift, Argo CD, Nx, Depot, Earthly
    one("jenkins-token", "jenkins-token", spell("11", (HEX, 32)), "JENKINS_TOKEN="),
    one("octopus-key", "octopus-key", spell("API-", (UPPER, 26))),
    one(
        "harness-token",
        "harness-token",
        spell(["pat", "sat"], ".", (URLSAFE, 22), ".", (HEX, 24), ".", (ALNUM, 20)),
    ),
    one("depot-token", "depot-token", spell("depot_", ["org", "project", "user"], "_", (HEX, 64))),
    one("argocd-initial", "argocd-password", spell((ALNUM + "-", 16)), "ARGOCD_PASSWORD="),
    # Pulumi, Terraform, Vault, Consul, Nomad, Doppler, Infisical, 1Password, Bitwarden, Akeyless
    one("pulumi-token", "pulumi-token", spell("pul-", (HEX, 40))),
    one("vault-service-token", "vault-token", spell("hvs.", (URLSAFE, 24))),
    one("vault-batch-token", "vault-token", spell("hvb.", (URLSAFE, 90))),
    one("vault-recovery-token", "vault-token", spell("hvr.", (URLSAFE, 24))),
    one("vault-old-token", "vault-token", spell(["s", "b"], ".", (ALNUM, 24)), "VAULT_TOKEN="),
    one(
        "vault-approle-secret",
        "vault-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "VAULT_SECRET_ID=",
    ),
    one(
        "consul-token",
        "consul-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "CONSUL_HTTP_TOKEN=",
    ),
    one(
        "nomad-token",
        "nomad-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "NOMAD_TOKEN=",
    ),
    one(
        "doppler-token", "doppler-token", spell("dp.", ["pt", "ct", "sa", "scim", "audit"], ".", (ALNUM, 40))
    ),
    one(
        "infisical-service-token", "infisical-token", spell("st.", (HEX, 24), ".", (HEX, 32), ".", (HEX, 32))
    ),
    one("infisical-client-secret", "infisical-token", spell((HEX, 64)), "INFISICAL_KEY="),
    one("onepassword-service-account", "onepassword-token", spell("ops_eyJ", (ALNUM + "-=_", 200))),
    # npm, PyPI, RubyGems, NuGet, crates.io, Clojars, Hex, Packagist, CocoaPods, Conan, Maven, Gradle
    one("npm-token", "npm-token", spell("npm_", (ALNUM, 36))),
    one("pypi-token", "pypi-token", spell("pypi-AgE", (URLSAFE, 50))),
    one("rubygems-key", "rubygems-key", spell("rubygems_", (HEX, 48))),
    one("nuget-key", "nuget-key", spell("oy2", (LOWER, 43))),
    one("crates-io-token", "crates-io-token", spell("cio", (ALNUM, 32))),
    one("clojars-token", "clojars-token", spell("CLOJARS_", (HEX, 60))),
    one("hex-key", "hex-key", spell((HEX, 32)), "HEX_API_KEY="),
    one(
        "packagist-token",
        "packagist-token",
        spell("packagist_", ["u", "o", "a"], ["ut", "at", "rt", "ack"], "_", (HEX, 68)),
    ),
    one("jsr-token", "jsr-token", spell("jsr", ["p", "d", "t"], "_", (ALNUM, 32))),
    # Docker and registries
    one("docker-pat", "docker-token", spell("dckr_pat_", (URLSAFE, 27))),
    one("docker-org-token", "docker-token", spell("dckr_oat_", (URLSAFE, 27))),
    one("docker-swarm-token", "docker-swarm-token", spell("SWMTKN-1-", (LOWER, 50), "-", (LOWER, 25))),
    # JFrog and Sonatype
    one("jfrog-api-key", "jfrog-key", spell("AKC", (ALNUM, 70))),
    one("jfrog-reference-token", "jfrog-key", spell("cmVmdGtu", (ALNUM, 56))),
    # Snyk, SonarQube, Semgrep, Mend, FOSSA, Checkmarx, Socket, GitGuardian
    one(
        "snyk-token",
        "snyk-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "SNYK_TOKEN=",
    ),
    one("snyk-pat", "snyk-token", spell("snyk_", ["uat", "sat"], ".", (HEX, 8), ".", (URLSAFE, 40))),
    one("sonarqube-token", "sonarqube-token", spell("sq", ["p", "u", "a"], "_", (HEX, 40))),
    one("sonar-old-token", "sonarqube-token", spell((HEX, 40)), "SONAR_TOKEN="),
    one("semgrep-token", "semgrep-token", spell((HEX, 64)), "SEMGREP_TOKEN="),
    one("fossa-key", "fossa-key", spell((HEX, 32)), "FOSSA_KEY="),
    one("socket-key", "socket-key", spell("sktsec_", (URLSAFE, 40), "_api")),
    # Frameworks' own secrets
    one("rails-master-key", "rails-key", spell((HEX, 32)), "RAILS_MASTER_KEY="),
    one("rails-secret-key-base", "rails-key", spell((HEX, 64)), "SECRET_KEY_BASE="),
    one(
        "django-insecure-key", "django-secret-key", spell("django-insecure-", (ALNUM + "!#$%&()*+-=@^_", 50))
    ),
    one("nextauth-secret", "nextauth-secret", spell((BASE64, 42), ("=", 1)), "NEXTAUTH_SECRET="),
    one("phoenix-secret-key-base", "phoenix-secret", spell((BASE64, 64)), "SECRET_KEY_BASE="),
    one("symfony-app-secret", "symfony-secret", spell((HEX, 32)), "APP_SECRET="),
    one("fernet-key", "fernet-key", spell((URLSAFE, 43), "="), "FERNET_KEY="),
    one(
        "erlang-cookie",
        "erlang-cookie",
        spell(("-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_", 20)),
        "ERLANG_COOKIE_KEY=",
    ),
]
