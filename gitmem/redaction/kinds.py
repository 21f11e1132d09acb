"""What a placeholder may say that it stands for. Plain data, since reading a memory needs it and no rule.

A family shares its first word, so that a search for `gm:aws` finds all that AWS gives out. A released kind
stays for good: old placeholders are read for ever.
"""

from __future__ import annotations

from typing import Final

UNREDACTABLE: Final = "unredactable"
"""Text that was dropped whole, since no exact replacement could be vouched for."""

CUSTOM: Final = "custom-secret"
"""What a user's own rule finds, unless it names a kind that exists."""

SECRET_KINDS: Final = frozenset(
    """
    ably-key abuseipdb-key adafruit-key adobe-secret adyen-key age-secret-key agentops-key agora-certificate
    ai21-key airbrake-key airtable-token alchemy-key algolia-key alibaba-access-key alibaba-secret-key
    alpaca-key alphavantage-key amazon-lwa-token amp-token amplitude-key ansible-vault anthropic-key
    anyscale-key api-key-header apify-token apollo-key appsignal-key appveyor-token appwrite-key arcgis-key
    arcjet-key argocd-password asana-token assemblyai-key assigned-password assigned-secret atlassian-token
    attio-token auth0-secret authorization authorization-digest aws-access-key aws-appsync-key
    aws-bedrock-key aws-mws-token aws-secret-key aws-session-token aws-signature axiom-token azure-apim-key
    azure-batch-key azure-cache-key azure-client-secret azure-cognitive-key azure-container-registry-key
    azure-cosmos-key azure-devops-token azure-event-grid-key azure-event-hubs-key azure-functions-key
    azure-iot-key azure-key azure-publish-password azure-sas azure-search-key azure-service-bus-key
    azure-storage-key azure-web-pubsub-key backblaze-key balena-key baseten-key bigcommerce-token
    binance-key bitbucket-token bitcoin-key bitrise-token bitwarden-token box-token braintree-token
    brave-search-key brevo-key browserbase-key browserstack-key bugsnag-key buildkite-token bunny-key
    cal-com-key cartesia-key censys-key cerebras-key chargebee-key checkly-key checkout-com-key
    circleci-token civo-key clearbit-key clickhouse-key clickup-token clojars-token cloudflare-key
    cloudflare-token cloudflare-tunnel-token cloudflare-turnstile cloudinary-secret cockroach-key coda-token
    codacy-token codeclimate-token codecov-token cohere-key coinbase-key comet-key composio-key
    confluent-key consul-token contentful-token convex-key coralogix-key coveralls-token crates-io-token
    cursor-key customerio-key cypress-key databricks-token datadog-key datocms-token daytona-key dbt-token
    deepgram-key deepinfra-key deepl-key deepsource-dsn defined-token depot-token dialpad-key
    digitalocean-spaces-key digitalocean-token discord-token discord-webhook django-secret-key docker-auth
    docker-swarm-token docker-token doppler-token drone-token dropbox-token dsn-password duffel-token
    duo-secret dynatrace-token e2b-key easypost-key elastic-key elevenlabs-key erlang-cookie ethereum-key
    etherscan-key exa-key exoscale-key expo-token facebook-token fal-key fastly-token fauna-key fernet-key
    figma-token filestack-key finicity-secret finnhub-token firebase-key firecrawl-key fireworks-key
    fivetran-key flagsmith-key flask-secret-key flickr-key flutterwave-key fly-token fossa-key
    frame-io-token freshdesk-key frontegg-secret getstream-secret ghost-key giphy-key gitea-token
    github-token gitlab-token gocardless-token google-chat-webhook google-hmac-key google-key google-oauth
    google-recaptcha google-signature grafana-token groq-key gumroad-token harness-token hasura-secret
    helicone-key here-key heroku-token hetzner-token hex-key honeybadger-key honeycomb-key huawei-secret-key
    hubspot-token huggingface-token hume-key ibm-cloud-key ifttt-webhook imagekit-key incident-io-key
    infisical-token influxdb-token infura-key inngest-key instagram-token intercom-token ipinfo-token
    jenkins-token jfrog-key jina-key jotform-key jsr-token jumpcloud-key jwt k3s-token kaggle-key
    keycloak-secret klaviyo-key koyeb-token kraken-secret kubernetes-client-key kubernetes-token lambda-key
    langfuse-key langsmith-key laravel-key launchdarkly-key lemonsqueezy-key letta-key line-token linear-key
    linkedin-token linode-token litellm-key lithic-key livekit-secret llamacloud-key lob-key locationiq-key
    loggly-token logtail-token logzio-token loops-key luma-key mailchimp-key mailersend-token mailgun-key
    mailjet-key mailtrap-token make-webhook mandrill-key mapbox-token materialize-password matrix-token
    mattermost-token maven-password meilisearch-key mem0-key messagebird-key minisign-key mistral-key
    mixpanel-key modal-token mollie-key mongodb-atlas-key mux-secret n8n-key nats-seed neon-key
    neon-password netbird-token netlify-build-hook netlify-token netrc-password newrelic-key newsapi-key
    nextauth-secret ngrok-token nomad-token nostr-key notion-token novita-key novu-key npm-auth npm-token
    nuget-key nvidia-key oauth-code oauth-token octopus-key okta-token onepassword-token onesignal-key
    openai-key openrouter-key openshift-token openweathermap-key opsgenie-key optimizely-token
    oracle-auth-token ory-token ovh-key packagist-token paddle-key pagerduty-key particle-token paseto
    paseto-key password-hash patreon-token paypal-secret percy-token permit-key perplexity-key pgp-message
    pgpass-password phoenix-secret pinecone-key pinterest-token pipedream-key pipedrive-token plaid-token
    planetscale-token plivo-token polar-token polygon-io-key portainer-token portkey-key posthog-key
    postman-key postmark-token power-automate-webhook prefect-token prismic-token private-key
    private-key-jwk private-key-putty private-key-xml pulumi-token pusher-secret pushover-token pypi-token
    radar-key rails-key railway-token rancher-token rapidapi-key raygun-key razorpay-key readme-key
    recurly-key reddit-secret redis-password render-deploy-hook render-key replicate-token requesty-key
    resend-key revenuecat-key roboflow-key rollbar-token rootly-key rubygems-key rudderstack-key runpod-key
    runway-key salesforce-token sambanova-key sanity-token saucelabs-key scale-key scaleway-key
    scrapingbee-key secret-token segment-key semgrep-token sendbird-token sendgrid-key sentry-token
    serpapi-key serper-key session-cookie shippo-token shodan-key shopify-token shortcut-token slack-secret
    slack-token slack-webhook smartsheet-token snyk-token socket-key sonarqube-token sourcegraph-token
    sparkpost-key split-key splunk-token spotify-secret square-key statsig-key statuspage-key stellar-key
    storyblok-token strava-secret stripe-key stytch-secret sumologic-key supabase-key svix-token
    symfony-secret tailscale-key tavily-key taxjar-key teams-webhook telegram-token telnyx-key
    tencent-secret-id tencent-secret-key terraform-token tiktok-token tmdb-key todoist-token together-key
    toggl-token totp-secret traceloop-key transloadit-secret travis-token trello-token twilio-key
    twitch-token typeform-token typesense-key unkey-key unleash-token unsplash-key unstructured-key
    upcloud-token uploadcare-key upstash-token url-password urlscan-key vault-token vault-unseal-key
    vercel-deploy-hook vercel-token vimeo-token virustotal-key volcengine-key vonage-secret voyage-key
    vultr-key wandb-key weaviate-key webflow-token webhook-secret wireguard-key wise-token wordpress-salt
    workos-key writer-key x-token xai-key xata-key xendit-key yandex-key yandex-token zapier-webhook
    zeabur-token zendesk-token zep-key zerotier-token zhipu-key zilliz-key zoom-secret zulip-key
    """.split()
)
"""What the built-in rules find."""

KNOWN: Final = "known-value"
"""A value that was given as one to look for."""

KINDS: Final = SECRET_KINDS | {UNREDACTABLE, CUSTOM, KNOWN}
