"""Watching, alerting, flags and tests."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    ANYHEX,
    BASE32,
    BASE64,
    HEX,
    LETTERS,
    UPPER,
    UUID,
    one,
    spell,
)

SHAPES = [
    # Datadog
    one("datadog-app-key", "datadog-key", spell((HEX, 40)), "-H 'DD-APPLICATION-KEY: ", "'"),
    # New Relic
    one("newrelic-user-key", "newrelic-key", spell("NRAK-", (UPPER, 27))),
    one("newrelic-browser-key", "newrelic-key", spell("NRJS-", (HEX, 19))),
    one("newrelic-ingest-key", "newrelic-key", spell("NRII-", (ALNUM + "-", 32))),
    one("newrelic-license", "newrelic-key", spell((HEX, 36), "NRAL")),
    one("newrelic-admin-key", "newrelic-key", spell("NRAA-", (HEX, 27))),
    # Dynatrace
    one(
        "dynatrace-token",
        "dynatrace-token",
        spell("dt0", ["c01", "s01", "s02", "s08", "s16"], ".", (BASE32, 24), ".", (BASE32, 64)),
    ),
    one(
        "dynatrace-oauth",
        "dynatrace-token",
        spell("dt0s", ["01", "02", "06"], ".", (UPPER, 8), ".", (UPPER, 64)),
    ),
    # Grafana
    one("grafana-service-account", "grafana-token", spell("glsa_", (ALNUM, 32), "_", (ANYHEX, 8))),
    one("grafana-cloud-token", "grafana-token", spell("glc_eyJvIjoi", (ALNUM, 120))),
    one("grafana-api-key", "grafana-token", spell("eyJrIjoi", (ALNUM, 90))),
    # Sentry
    one("sentry-org-token", "sentry-token", spell("sntrys_eyJpYXQiOjE3", (ALNUM, 120), "_", (BASE64, 43))),
    one("sentry-user-token", "sentry-token", spell("sntry", ["u", "i"], "_", (HEX, 64))),
    # Honeycomb, Axiom, Logz.io, Loggly, Coralogix
    one("honeycomb-ingest-key", "honeycomb-key", spell("hca", ["i", "u"], "k_", (ALNUM, 58))),
    one("honeycomb-classic", "honeycomb-key", spell((HEX, 32)), "-H 'X-Honeycomb-Team: ", "'"),
    one(
        "axiom-token",
        "axiom-token",
        spell("xa", ["a", "p"], "t-", *UUID),
    ),
    one("logzio-token", "logzio-token", spell((LETTERS, 32)), "LOGZIO_SHIPPING_TOKEN="),
    one("coralogix-key", "coralogix-key", spell("cx", ["t", "u", "o", "p"], "p_", (ALNUM, 30))),
    one("loggly-token", "loggly-token", spell(*UUID), "https://logs-01.loggly.com/inputs/", "/tag/http/"),
    # PagerDuty, Rootly, Checkly
    one("pagerduty-routing-key", "pagerduty-key", spell((HEX, 32)), '{"routing_key": "', '"}'),
    one("rootly-key", "rootly-key", spell("rootly_", (HEX, 64))),
    one("checkly-key", "checkly-key", spell("cu_", (HEX, 32))),
    # Postman, Cypress, Percy
    one("postman-key", "postman-key", spell("PMAK-", (HEX, 24), "-", (HEX, 34))),
    one("postman-collection-key", "postman-key", spell("PMAT-", (UPPER, 26))),
    one("cypress-record-key", "cypress-key", spell(*UUID), "cypress run --record --key "),
    one("percy-marked-token", "percy-token", spell(["web", "app", "auto", "ss", "vmw"], "_", (HEX, 64))),
    # LaunchDarkly, Statsig, Unleash, Flagsmith, PostHog, Segment
    one("launchdarkly-key", "launchdarkly-key", spell(["api", "sdk", "mob", "rel"], "-", *UUID)),
    one("statsig-key", "statsig-key", spell(["secret-", "console-"], (ALNUM, 43))),
    one("flagsmith-key", "flagsmith-key", spell("ser.", (ALNUM, 22))),
    one("posthog-key", "posthog-key", spell("ph", ["x", "s"], "_", (ALNUM, 43))),
    one("segment-token", "segment-key", spell("sgp_", (ALNUM, 64))),
    # Honeybadger
    one("honeybadger-key", "honeybadger-key", spell("hb", ["p", "u"], "_", (ALNUM, 36))),
    # Elastic, Prefect, Inngest, Svix
    one("elastic-service-token", "elastic-key", spell("AAEAAWVsYXN0aWMv", (ALNUM, 60))),
    one("elastic-cloud-key", "elastic-key", spell("essu_", (BASE64, 60), "==")),
    one("prefect-token", "prefect-token", spell("pn", ["u", "b"], "_", (ALNUM, 36))),
    one("inngest-signing-key", "inngest-key", spell("signkey-", ["prod", "test"], "-", (HEX, 64))),
    one(
        "svix-token",
        "svix-token",
        spell(["sk", "testsk"], "_", (ALNUM, 32), ".", ["eu", "us", "in", "ca", "au"]),
    ),
]
