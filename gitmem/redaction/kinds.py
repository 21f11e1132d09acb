"""What a placeholder may say that it stands for. Plain data, since reading a memory needs it and no rule.

A family shares its first word, so that a search for `gm:aws` finds all that AWS gives out. A released kind
stays for good: old placeholders are read for ever.
"""

from __future__ import annotations

from typing import Final

UNREDACTABLE: Final = "unredactable"
"""Text that was dropped whole, since no exact replacement could be vouched for."""

USER_RULE: Final = "user-rule"
"""What a rule of the user's own found: the names of such rules are nobody else's business."""

KNOWN_VALUE: Final = "known-value"
"""What was read in the environment or in a file of settings."""

SECRET_KINDS: Final = frozenset(
    """
    ably-key adafruit-key adobe-secret adyen-key age-secret-key agora-certificate airtable-token alchemy-key
    alibaba-access-key alpaca-key amazon-lwa-token amp-token ansible-vault anthropic-key anyscale-key
    api-key-header apify-token apollo-key appveyor-token appwrite-key arcgis-key arcjet-key asana-token
    assigned-password assigned-secret atlassian-token authorization authorization-digest aws-access-key
    aws-appsync-key aws-bedrock-key aws-mws-token aws-secret-key aws-session-token aws-signature axiom-token
    azure-apim-key azure-batch-key azure-cache-key azure-client-secret azure-cognitive-key
    azure-container-registry-key azure-cosmos-key azure-devops-token azure-event-grid-key
    azure-event-hubs-key azure-functions-key azure-iot-key azure-key azure-sas azure-search-key
    azure-service-bus-key azure-storage-key backblaze-key baseten-key bitbucket-token bitcoin-key
    bitwarden-token braintree-token brave-search-key brevo-key browserbase-key buildkite-token cal-com-key
    cartesia-key cerebras-key checkly-key checkout-com-key circleci-token clearbit-key clickhouse-key
    clickup-token clojars-token cloudflare-token cloudflare-tunnel-token cloudflare-turnstile cockroach-key
    codeclimate-token confluent-key contentful-token convex-key coralogix-key crates-io-token cursor-key
    cypress-key databricks-token datadog-key daytona-key dbt-token deepl-key deepsource-dsn defined-token
    depot-token digitalocean-spaces-key digitalocean-token discord-token discord-webhook django-secret-key
    docker-auth docker-swarm-token docker-token doppler-token dropbox-token dsn-password duffel-token
    duo-secret dynatrace-token e2b-key easypost-key elastic-key elevenlabs-key erlang-cookie ethereum-key
    facebook-token fal-key fauna-key fernet-key figma-token firebase-key firecrawl-key fireworks-key
    flagsmith-key flask-secret-key flutterwave-key fly-token frame-io-token ghost-key github-token
    gitlab-token google-hmac-key google-key google-oauth google-signature grafana-token groq-key
    harness-token helicone-key heroku-token honeybadger-key honeycomb-key hubspot-token huggingface-token
    ifttt-webhook imagekit-key infisical-token infura-key inngest-key instagram-token intercom-token
    ipinfo-token jfrog-key jina-key jsr-token jumpcloud-key jwt k3s-token kaggle-key klaviyo-key
    kubernetes-client-key kubernetes-token lambda-key langfuse-key langsmith-key laravel-key
    launchdarkly-key letta-key linear-key linkedin-token llamacloud-key lob-key locationiq-key loggly-token
    logzio-token luma-key mailchimp-key mailersend-token mailgun-key mailjet-key make-webhook mandrill-key
    mapbox-token materialize-password matrix-token maven-password mem0-key minisign-key modal-token
    mollie-key mongodb-atlas-key n8n-key nats-seed neon-key neon-password netbird-token netlify-build-hook
    netlify-token netrc-password newrelic-key ngrok-token nostr-key notion-token npm-auth npm-token
    nuget-key nvidia-key oauth-code oauth-token octopus-key okta-token onepassword-token onesignal-key
    openai-key openrouter-key openshift-token openweathermap-key oracle-auth-token ory-token packagist-token
    paddle-key pagerduty-key paseto paseto-key password-hash percy-token permit-key perplexity-key
    pgp-message pgpass-password pinecone-key pinterest-token plaid-token planetscale-token polar-token
    portainer-token posthog-key postman-key prefect-token prismic-token private-key private-key-jwk
    private-key-putty private-key-xml pulumi-token pushover-token pypi-token radar-key rancher-token
    rapidapi-key readme-key redis-password render-deploy-hook render-key replicate-token requesty-key
    resend-key rootly-key rubygems-key runpod-key runway-key salesforce-token scale-key scaleway-key
    secret-token segment-key sendgrid-key sentry-token session-cookie shippo-token shopify-token slack-token
    slack-webhook snyk-token socket-key sonarqube-token sourcegraph-token square-key statsig-key stellar-key
    stripe-key stytch-secret supabase-key svix-token tailscale-key tavily-key teams-webhook telegram-token
    telnyx-key tencent-secret-id terraform-token tiktok-token together-key totp-secret trello-token
    twilio-key twitch-token typeform-token unkey-key unleash-token upcloud-token url-password vault-token
    vault-unseal-key vercel-deploy-hook vercel-token volcengine-key voyage-key wandb-key webhook-secret
    wireguard-key wordpress-salt workos-key x-token xai-key xata-key xendit-key yandex-key yandex-token
    zapier-webhook zep-key zhipu-key
    """.split()  # noqa: SIM905 (a list would take a line for each)
)
"""What the built-in rules find."""

PERSONAL_KINDS: Final = frozenset({"card", "email", "home", "iban", "ip", "national-id", "phone", "ssn"})

KINDS: Final = SECRET_KINDS | PERSONAL_KINDS | {UNREDACTABLE, USER_RULE, KNOWN_VALUE}

PAYLOADS: Final = frozenset(
    """
    payload-7z payload-bmp payload-bzip2 payload-class payload-data payload-elf payload-flac payload-font
    payload-gif payload-gzip payload-ico payload-jpeg payload-macho payload-mp3 payload-mp4 payload-ogg
    payload-pdf payload-pe payload-png payload-riff payload-sqlite payload-tar payload-tiff payload-wasm
    payload-wav payload-webp payload-xz payload-zip payload-zstd
    """.split()  # noqa: SIM905 (a list would take a line for each)
)
"""Kinds of payloads: images and other binary content, whose placeholder tells its size too."""
