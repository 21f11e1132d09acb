"""Clouds, hosting and networks."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE32,
    BASE64,
    DIGITS,
    HEX,
    LOWER,
    UPPER,
    URLSAFE,
    UUID,
    base64_of,
    one,
    spell,
)

SHAPES = [
    # Amazon Web Services
    one("aws-access-key", "aws-access-key", spell(["AKIA", "ASIA"], (BASE32, 16))),
    one("aws-bearer-id", "aws-access-key", spell(["ABIA", "ACCA"], (BASE32, 16))),
    one("aws-bedrock-key", "aws-bedrock-key", spell("ABSKQmVkcm9ja0FQSUtleS", (BASE64, 109), "=")),
    one("aws-bedrock-short-key", "aws-bedrock-key", spell("bedrock-api-key-", (BASE64, 400))),
    one(
        "aws-mws-token",
        "aws-mws-token",
        spell("amzn.mws.", *UUID),
    ),
    one("aws-mws-secret", "aws-mws-token", spell("amzn1.oa2-cs.v1.", (HEX, 64))),
    one("aws-appsync-key", "aws-appsync-key", spell("da2-", (LOWER, 26))),
    # Google Cloud
    one("google-api-key", "google-key", spell("AIzaSy", (URLSAFE, 33))),
    one("google-express-key", "google-key", spell("AQ.Ab8RN6", (URLSAFE, 44))),
    one("google-client-secret", "google-oauth", spell("GOCSPX-", (URLSAFE, 28))),
    one("google-access-token", "google-oauth", spell("ya29.a0A", (URLSAFE, 200))),
    one("google-hmac-key", "google-hmac-key", spell("GOOG1E", (UPPER, 55))),
    # Microsoft Azure
    one("azure-storage-marked", "azure-storage-key", spell((BASE64, 76), "+ASt", (BASE64, 6), "==")),
    one("azure-cosmos-marked", "azure-cosmos-key", spell((BASE64, 76), "ACDb", (BASE64, 6), "==")),
    one("azure-batch-marked", "azure-batch-key", spell((BASE64, 76), "+ABa", (BASE64, 6), "==")),
    one("azure-apim-marked", "azure-apim-key", spell((BASE64, 76), "APIM", (BASE64, 6), "==")),
    one("azure-service-bus-marked", "azure-service-bus-key", spell((BASE64, 33), "+ASb", (BASE64, 6), "=")),
    one("azure-event-hubs-marked", "azure-event-hubs-key", spell((BASE64, 33), "+AEh", (BASE64, 6), "=")),
    one("azure-iot-marked", "azure-iot-key", spell((BASE64, 33), "AIoT", (BASE64, 6), "=")),
    one("azure-event-grid-marked", "azure-event-grid-key", spell((BASE64, 33), "AZEG", (BASE64, 6), "=")),
    one("azure-cache-marked", "azure-cache-key", spell((BASE64, 33), "AzCa", (BASE64, 6), "=")),
    one(
        "azure-container-registry-marked",
        "azure-container-registry-key",
        spell((BASE64, 42), "+ACR", (ALNUM, 6)),
    ),
    one("azure-functions-marked", "azure-functions-key", spell((URLSAFE, 44), "AzFu", (URLSAFE, 6), "==")),
    one("azure-search-marked", "azure-search-key", spell((ALNUM, 42), "AzSe", (ALNUM, 6))),
    one("azure-common-key", "azure-key", spell((ALNUM, 52), "JQQJ9", (ALNUM, 27))),
    one(
        "azure-subscription-key",
        "azure-cognitive-key",
        spell((HEX, 32)),
        "-H 'Ocp-Apim-Subscription-Key: ",
        "'",
    ),
    one("azure-devops-marked", "azure-devops-token", spell((ALNUM, 76), "AZDO", (ALNUM, 4))),
    one(
        "azure-devops-pat",
        "azure-devops-token",
        spell(("abcdefghijklmnopqrstuvwxyz234567", 52)),
        "AZURE_DEVOPS_EXT_PAT=",
    ),
    # DigitalOcean
    one("digitalocean-token", "digitalocean-token", spell("do", ["p", "o", "r"], "_v1_", (HEX, 64))),
    one("digitalocean-model-key", "digitalocean-token", spell("sk-do-", (URLSAFE, 40))),
    one("digitalocean-spaces", "digitalocean-spaces-key", spell("DO00", (UPPER, 16))),
    # Alibaba Cloud
    one("alibaba-access-key", "alibaba-access-key", spell("LTAI", (ALNUM, 12))),
    # Tencent Cloud
    one("tencent-secret-id", "tencent-secret-id", spell("AKID", (ALNUM, 32))),
    # Volcengine
    one("volcengine-access-key", "volcengine-key", spell("AKLT", (URLSAFE, 40))),
    # Oracle Cloud
    one(
        "oracle-auth-token",
        "oracle-auth-token",
        spell((ALNUM, 6), ["(", ";", "+"], (ALNUM, 6), ["#", "{", ")"], (ALNUM, 6)),
        "OCI_AUTH_TOKEN=",
    ),
    # Yandex Cloud
    one("yandex-api-key", "yandex-key", spell("AQVN", (URLSAFE, 36))),
    one("yandex-static-key", "yandex-key", spell("YCAJE", (URLSAFE, 20))),
    one("yandex-static-secret", "yandex-key", spell("YCM", (URLSAFE, 37))),
    one("yandex-iam-token", "yandex-token", spell("t1.9euelZ", (URLSAFE, 190), ".", (URLSAFE, 86))),
    one("yandex-oauth-token", "yandex-token", spell("y0_AgAAAA", (URLSAFE, 49))),
    # Scaleway
    one("scaleway-access-key", "scaleway-key", spell("SCW", (UPPER, 17))),
    # Heroku
    one("heroku-token", "heroku-token", spell("HRKU-AA", (URLSAFE, 58))),
    # Fly.io
    one("fly-personal-token", "fly-token", spell("fo1_", (URLSAFE, 43))),
    # Render
    one("render-key", "render-key", spell("rnd_", (ALNUM, 28))),
    # Netlify
    one("netlify-token", "netlify-token", spell("nfp_", (ALNUM, 36))),
    # Vercel
    one("vercel-token", "vercel-token", spell("vc", ["p", "i", "a", "r", "k"], "_", (ALNUM, 56))),
    one("vercel-blob-token", "vercel-token", spell("vercel_blob_rw_", (ALNUM, 16), "_", (ALNUM, 20))),
    # Cloudflare
    one("cloudflare-token", "cloudflare-token", spell("cf", ["k", "ut", "at"], "_", (ALNUM, 40), (HEX, 8))),
    one("cloudflare-origin-ca", "cloudflare-token", spell("v1.0-", (HEX, 24), "-", (HEX, 146))),
    one("cloudflare-turnstile", "cloudflare-turnstile", spell("0x4AAAAAAA", (URLSAFE, 25))),
    one(
        "cloudflare-tunnel",
        "cloudflare-tunnel-token",
        base64_of('{"a":"', (HEX, 32), '","t":"', *UUID, '","s":"', (BASE64, 64), '"}'),
    ),
    # UpCloud
    one("upcloud-token", "upcloud-token", spell("ucat_", (UPPER, 26))),
    # Tailscale
    one(
        "tailscale-key",
        "tailscale-key",
        spell("tskey-", ["auth", "api", "client"], "-k", (ALNUM, 10), "CNTRL-", (ALNUM, 32)),
    ),
    # ngrok and NetBird
    one(
        "ngrok-authtoken",
        "ngrok-token",
        spell("2", (ALNUM, 26), "_", (ALNUM, 21)),
        "ngrok config add-authtoken ",
    ),
    one("netbird-token", "netbird-token", spell("nbp_", (ALNUM, 36))),
    # Backblaze
    one("backblaze-key", "backblaze-key", spell("K00", (DIGITS, 1), (BASE64, 27))),
    # K3s, Rancher, OpenShift, Portainer
    one("k3s-token", "k3s-token", spell("K10", (HEX, 64), "::server:", (HEX, 32))),
    one("openshift-token", "openshift-token", spell("sha256~", (URLSAFE, 43))),
    one("portainer-token", "portainer-token", spell("ptr_", (BASE64, 43), "=")),
]
