"""Watching, alerting, flags and tests."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    ANYHEX,
    BASE32,
    BASE64,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    URLSAFE,
    one,
    spell,
)

SHAPES = [
    # Datadog
    one("datadog-api-key", "datadog-key", spell((HEX, 32)), "DATADOG_KEY="),
    one("datadog-app-key", "datadog-key", spell((HEX, 40)), "DATADOG_KEY="),
    one("datadog-client-token", "datadog-key", spell("pub", (HEX, 32))),
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
    one("grafana-cloud-token", "grafana-token", spell("glc_eyJ", (BASE64, 40))),
    one("grafana-api-key", "grafana-token", spell("eyJrIjoi", (ALNUM, 70))),
    # Sentry
    one("sentry-org-token", "sentry-token", spell("sntrys_eyJ", (ALNUM + "+/=_", 80))),
    one("sentry-user-token", "sentry-token", spell("sntryu_", (HEX, 64))),
    one("sentry-integration-token", "sentry-token", spell("sntryi_", (HEX, 64))),
    one("sentry-old-token", "sentry-token", spell((HEX, 64)), "SENTRY_AUTH_TOKEN="),
    # Honeycomb, Axiom, Better Stack, Logz.io, Sumo Logic, Splunk, Loggly, Papertrail, Coralogix, Lightstep, Logflare, Highlight
    one("honeycomb-ingest-key", "honeycomb-key", spell("hca", ["i", "u"], "k_", (ALNUM, 58))),
    one("honeycomb-classic", "honeycomb-key", spell((HEX, 32)), "HONEYCOMB_KEY="),
    one(
        "axiom-token",
        "axiom-token",
        spell("xa", ["a", "p"], "t-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one("logzio-token", "logzio-token", spell((LETTERS, 32)), "LOGZIO_TOKEN="),
    one("sumologic-key", "sumologic-key", spell((ALNUM, 64)), "SUMOLOGIC_KEY="),
    one(
        "splunk-hec-token",
        "splunk-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "SPLUNK_TOKEN=",
    ),
    one("coralogix-key", "coralogix-key", spell("cx", ["t", "u", "o", "p"], "p_", (ALNUM, 30))),
    one(
        "loggly-token",
        "loggly-token",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "LOGGLY_TOKEN=",
    ),
    # PagerDuty, Opsgenie, incident.io, Rootly, Statuspage, Checkly
    one("pagerduty-token", "pagerduty-key", spell((URLSAFE, 20)), "PAGERDUTY_TOKEN="),
    one("pagerduty-routing-key", "pagerduty-key", spell((HEX, 32)), "PAGERDUTY_KEY="),
    one(
        "opsgenie-key",
        "opsgenie-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "OPSGENIE_KEY=",
    ),
    one(
        "incident-io-key", "incident-io-key", spell("inc_", ["development", "production"], "_", (URLSAFE, 40))
    ),
    one("rootly-key", "rootly-key", spell("rootly_", (HEX, 64))),
    one(
        "statuspage-key",
        "statuspage-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "STATUSPAGE_KEY=",
    ),
    one("checkly-key", "checkly-key", spell("cu_", (HEX, 32))),
    # Postman, Insomnia, BrowserStack, Sauce Labs, LambdaTest, Cypress, Percy, Applitools
    one("postman-key", "postman-key", spell("PMAK-", (HEX, 24), "-", (HEX, 34))),
    one("postman-collection-key", "postman-key", spell("PMAT-", (UPPER, 26))),
    one("browserstack-key", "browserstack-key", spell((ALNUM, 20)), "BROWSERSTACK_KEY="),
    one(
        "saucelabs-key",
        "saucelabs-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "SAUCE_ACCESS_KEY=",
    ),
    one(
        "cypress-record-key",
        "cypress-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "CYPRESS_RECORD_KEY=",
    ),
    one("percy-token", "percy-token", spell((HEX, 64)), "PERCY_TOKEN="),
    one("percy-marked-token", "percy-token", spell(["web", "app", "auto", "ss", "vmw"], "_", (HEX, 64))),
    # LaunchDarkly, Split, Statsig, Optimizely, ConfigCat, Unleash, Flagsmith, PostHog, Amplitude, Mixpanel, Segment, RudderStack
    one(
        "launchdarkly-api-token",
        "launchdarkly-key",
        spell("api-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one(
        "launchdarkly-sdk-key",
        "launchdarkly-key",
        spell("sdk-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one(
        "launchdarkly-relay-key",
        "launchdarkly-key",
        spell("rel-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one(
        "launchdarkly-mobile-key",
        "launchdarkly-key",
        spell("mob-", (HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
    ),
    one("split-key", "split-key", spell((LOWER, 40)), "SPLIT_API_KEY="),
    one("statsig-secret", "statsig-key", spell("secret-", (ALNUM, 40))),
    one("statsig-console-key", "statsig-key", spell("console-", (ALNUM, 40))),
    one("optimizely-token", "optimizely-token", spell("2:", (URLSAFE, 40)), "OPTIMIZELY_TOKEN="),
    one("flagsmith-key", "flagsmith-key", spell("ser.", (ALNUM, 22))),
    one("posthog-personal-key", "posthog-key", spell("phx_", (ALNUM, 40))),
    one("posthog-feature-key", "posthog-key", spell("phs_", (ALNUM, 40))),
    one("posthog-project-key", "posthog-key", spell("phc_", (ALNUM, 40))),
    one("amplitude-key", "amplitude-key", spell((HEX, 32)), "AMPLITUDE_KEY="),
    one("mixpanel-secret", "mixpanel-key", spell((HEX, 32)), "MIXPANEL_KEY="),
    one("segment-token", "segment-key", spell("sgp_", (ALNUM, 64))),
    one("segment-write-key", "segment-key", spell((ALNUM, 32)), "SEGMENT_WRITE_KEY="),
    one("rudderstack-key", "rudderstack-key", spell((ALNUM, 27)), "RUDDERSTACK_KEY="),
    # Rollbar, Bugsnag, Airbrake, Honeybadger, Raygun, AppSignal, Logtail
    one("rollbar-token", "rollbar-token", spell((HEX, 32)), "ROLLBAR_TOKEN="),
    one("rollbar-long-token", "rollbar-token", spell((HEX, 80)), "ROLLBAR_TOKEN="),
    one("bugsnag-key", "bugsnag-key", spell((HEX, 32)), "BUGSNAG_KEY="),
    one("airbrake-key", "airbrake-key", spell((HEX, 32)), "AIRBRAKE_KEY="),
    one("honeybadger-key", "honeybadger-key", spell("hb", ["p", "u"], "_", (ALNUM, 36))),
    one("raygun-key", "raygun-key", spell((ALNUM, 22)), "RAYGUN_KEY="),
    one(
        "appsignal-key",
        "appsignal-key",
        spell((HEX, 8), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 4), "-", (HEX, 12)),
        "APPSIGNAL_KEY=",
    ),
    one("logtail-token", "logtail-token", spell((ALNUM, 24)), "LOGTAIL_TOKEN="),
    # Kibana, Elastic, Prefect, Dagster, Airflow, Temporal, Inngest, Hookdeck, Svix
    one("elastic-api-key", "elastic-key", spell((BASE64, 58), "=="), "ELASTIC_API_KEY="),
    one("elastic-service-token", "elastic-key", spell("AAEAAWVsYXN0aWM", (URLSAFE, 30))),
    one("elastic-cloud-key", "elastic-key", spell("essu_", (BASE64, 40))),
    one("prefect-token", "prefect-token", spell("pn", ["u", "b"], "_", (ALNUM, 36))),
    one(
        "inngest-signing-key",
        "inngest-key",
        spell("signkey-", ["prod", "test", "branch", "staging"], "-", (HEX, 32)),
    ),
    one(
        "svix-token",
        "svix-token",
        spell(["sk", "testsk"], "_", (ALNUM, 32), ".", ["eu", "us", "in", "ca", "au"]),
    ),
]
