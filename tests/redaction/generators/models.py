"""Models, their gateways, tools and traces."""

from __future__ import annotations

from tests.redaction.generators.making import (
    ALNUM,
    BASE64,
    HEX,
    LETTERS,
    LOWER,
    UPPER,
    URLSAFE,
    UUID,
    one,
    spell,
)

SHAPES = [
    # Anthropic
    one(
        "anthropic-api-key",
        "anthropic-key",
        spell("sk-ant-", ["api03", "admin01", "oat01"], "-", (URLSAFE, 93), "AA"),
    ),
    # OpenAI
    one(
        "openai-project-key",
        "openai-key",
        spell("sk-", ["proj", "svcacct", "admin"], "-", (URLSAFE, 74), "T3BlbkFJ", (URLSAFE, 74)),
    ),
    one("openai-user-key", "openai-key", spell("sk-", (ALNUM, 20), "T3BlbkFJ", (ALNUM, 20))),
    one("openai-session-key", "openai-key", spell("sess-", (ALNUM, 40))),
    one("openai-ephemeral-key", "openai-key", spell("ek_", (HEX, 32))),
    # OpenRouter, Helicone, Requesty
    one("openrouter-key", "openrouter-key", spell("sk-or-v1-", (HEX, 64))),
    one(
        "helicone-key",
        "helicone-key",
        spell("sk-helicone-", (LOWER, 7), "-", (LOWER, 7), "-", (LOWER, 7), "-", (LOWER, 7)),
    ),
    one("requesty-key", "requesty-key", spell("rqsty-sk-", (BASE64, 86), "==")),
    # Model providers
    one("groq-key", "groq-key", spell("gsk_", (ALNUM, 20), "WGdyb3FY", (ALNUM, 24))),
    one("xai-key", "xai-key", spell("xai-", (ALNUM, 80))),
    one("perplexity-key", "perplexity-key", spell("pplx-", (ALNUM, 48))),
    one("replicate-token", "replicate-token", spell("r8_", (ALNUM, 37))),
    one("together-marked-key", "together-key", spell("tgp_v1_", (URLSAFE, 43))),
    one("fireworks-key", "fireworks-key", spell("fw_", (ALNUM, 22))),
    one("elevenlabs-key", "elevenlabs-key", spell("sk_", (HEX, 48))),
    one("nvidia-key", "nvidia-key", spell("nvapi-", (URLSAFE, 64))),
    one("voyage-key", "voyage-key", spell("pa-", (URLSAFE, 43))),
    one("cerebras-key", "cerebras-key", spell("csk-", (LOWER, 48))),
    one("jina-key", "jina-key", spell("jina_", (HEX, 32), (URLSAFE, 28))),
    one("lambda-key", "lambda-key", spell("secret_ci-job_", (HEX, 32), ".", (ALNUM, 32))),
    one("anyscale-key", "anyscale-key", spell("esecret_", (LOWER, 26))),
    one("cartesia-key", "cartesia-key", spell("sk_car_", (ALNUM, 20))),
    one(
        "luma-key",
        "luma-key",
        spell(
            "luma-",
            *UUID,
            "-",
            *UUID,
        ),
    ),
    one("runway-key", "runway-key", spell("key_", (HEX, 128))),
    one(
        "fal-key",
        "fal-key",
        spell(*UUID, ":", (HEX, 32)),
    ),
    one("zhipu-key", "zhipu-key", spell((HEX, 31), "a.c", (ALNUM, 15)), "ZHIPUAI_API_KEY="),
    # Model hubs, training and traces
    one("huggingface-token", "huggingface-token", spell("hf_", (LETTERS, 34))),
    one("huggingface-org-token", "huggingface-token", spell("api_org_", (LETTERS, 34))),
    one("langsmith-key", "langsmith-key", spell("lsv2_", ["pt", "sk"], "_", (HEX, 32), "_", (HEX, 10))),
    one("langsmith-old-key", "langsmith-key", spell("ls__", (HEX, 32))),
    one(
        "langfuse-secret",
        "langfuse-key",
        spell("sk-lf-", *UUID),
    ),
    one("wandb-key", "wandb-key", spell((HEX, 40)), "wandb login "),
    one("llamacloud-key", "llamacloud-key", spell("llx-", (ALNUM, 48))),
    # Tools for agents
    one("tavily-key", "tavily-key", spell("tvly-", ["dev-", "prod-", ""], (ALNUM, 32))),
    one("firecrawl-key", "firecrawl-key", spell("fc-", (HEX, 32))),
    one("e2b-key", "e2b-key", spell("e2b_", (HEX, 40))),
    one("e2b-access-token", "e2b-key", spell("sk_e2b_", (HEX, 40))),
    one("modal-token-id", "modal-token", spell("ak-", (ALNUM, 22))),
    one("modal-token-secret", "modal-token", spell("as-", (ALNUM, 22))),
    one("brave-search-key", "brave-search-key", spell("BSA", (URLSAFE, 28))),
    one("browserbase-key", "browserbase-key", spell("bb_", ["live", "test"], "_", (URLSAFE, 27))),
    one("mem0-key", "mem0-key", spell("m0-", (ALNUM, 40))),
    one("letta-key", "letta-key", spell("sk-let-", (BASE64, 84), "==")),
    one("apify-token", "apify-token", spell("apify_api_", (ALNUM, 36))),
    one("cursor-key", "cursor-key", spell(["key", "crsr"], "_", (HEX, 64))),
    one("daytona-key", "daytona-key", spell("dtn_", (HEX, 64))),
    one("amp-token", "amp-token", spell("sgamp_user_", (UPPER, 26), "_", (HEX, 64))),
    one("runpod-key", "runpod-key", spell("rpa_", (UPPER, 42), (LOWER, 4))),
    one("baseten-key", "baseten-key", spell((ALNUM, 7), "a.b", (ALNUM, 31)), "BASETEN_API_KEY="),
    one("zep-key", "zep-key", spell("z_", (ALNUM, 90), ".", (URLSAFE, 86))),
]
