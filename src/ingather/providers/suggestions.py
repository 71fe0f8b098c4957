"""What was meant by a model that names no provider we know: other tools' prefixes, bare names, slips. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches

from ingather.providers.presets import DIALECTS, OWN_SERVERS, PRESETS, SERVICES

WITHOUT_SERVER = ("echo", "offline")
KNOWN = (*DIALECTS, *PRESETS, *WITHOUT_SERVER)
FORMS = (
    f"PROVIDER/NAME, where PROVIDER is one of {', '.join(DIALECTS)}; {', '.join(SERVICES)}; "
    f'or {", ".join(OWN_SERVERS)}; "openai/NAME" with base_url= reaches every other compatible server; '
    '"offline/extractive" and "echo" need none'
)

_ALSO = {  # other tools' names for the same
    name: ours
    for ours, names in {
        "anthropic": "claude anthropic-chat",
        "azure": "azure-openai azureopenai azure-ai azure-text",
        "fireworks": "fireworks-ai fireworksai",
        "gemini": "google google-gla google-genai google-ai googleai google-generative-ai palm models",
        "huggingface": "hf hugging-face huggingface-hub",
        "llamacpp": "llama.cpp llama-cpp llama-server llama-cpp-python llamafile",
        "lmstudio": "lm-studio lm.studio",
        "mistral": "mistral-ai",
        "moonshot": "moonshot-ai kimi",
        "nebius": "nebius-ai nebius-token-factory",
        "nvidia": "nvidia-nim nim nvidia-ai-endpoints",
        "ollama": "ollama-chat ollama-local",
        "openai": "openai-chat openai-responses chatgpt text-completion-openai",
        "openrouter": "open-router",
        "perplexity": "perplexity-ai pplx",
        "sambanova": "samba-nova",
        "sglang": "sgl",
        "together": "together-ai togetherai togethercomputer",
        "vllm": "hosted-vllm vllm-openai",
        "xai": "grok x-ai x.ai",
        "zai": "z-ai z.ai zhipuai zhipu bigmodel",
    }.items()
    for name in names.split()
}
_MAKERS = {
    "mistralai": "mistral",
    "deepseek-ai": "deepseek",
    "moonshotai": "moonshot",
    "zai-org": "zai",
}
"""Makers of models, who have a service too: a model of theirs may be here or there."""
_OPENAI_FORM = 'Write openai/NAME with base_url="{}" and {}.'
_ELSEWHERE = {  # services that have no preset, and how to reach them
    **dict.fromkeys(
        ("bedrock", "bedrock-converse", "aws", "amazon", "amazon-bedrock"),
        _OPENAI_FORM.format(
            "https://bedrock-runtime.REGION.amazonaws.com/openai/v1",
            "a Bedrock API key as api_key=",
        ),
    ),
    **dict.fromkeys(
        ("vertex", "vertex-ai", "vertexai", "google-vertex", "google-vertexai", "vertex-ai-beta"),
        "Write gemini/NAME with a Gemini API key, or openai/google/NAME with Vertex AI's "
        "OpenAI-compatible base_url= "
        "and an access token as api_key=.",
    ),
    "cohere": _OPENAI_FORM.format("https://api.cohere.ai/compatibility/v1", "your key as api_key="),
    "databricks": _OPENAI_FORM.format(
        "https://WORKSPACE/serving-endpoints", "your token as api_key="
    ),
    **dict.fromkeys(
        (
            "openai-compatible",
            "openai-like",
            "custom-openai",
            "custom",
            "litellm-proxy",
            "litellm",
            "local",
            "localai",
        ),
        "Write openai/NAME with base_url= for an OpenAI-compatible server.",
    ),
    **dict.fromkeys(
        (
            "sagemaker",
            "replicate",
            "watsonx",
            "snowflake",
            "ai21",
            "cloudflare",
            "github",
            "oci",
            "gigachat",
        ),
        "Write openai/NAME with base_url= if it has an OpenAI-compatible API, or put a gateway "
        "such as LiteLLM's proxy "
        "in front of it.",
    ),
}
_FAMILIES = (  # how the names of a maker's models begin
    (re.compile(r"(?:gpt(?!-oss)|chatgpt|codex|text-davinci|ft:gpt)-|o[1-9](?:-|$)"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini|learnlm"), "gemini"),
    (re.compile(r"grok"), "xai"),
    (
        re.compile(
            r"(?:open-)?(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral)-"
        ),
        "mistral",
    ),
    (re.compile(r"deepseek-(?:chat|reasoner|v\d)"), "deepseek"),
    (re.compile(r"sonar(?:-|$)"), "perplexity"),
    (re.compile(r"kimi|moonshot"), "moonshot"),
    (re.compile(r"glm-"), "zai"),
    (
        re.compile(
            r"(?:llama|qwen|qwq|gemma|phi|mistral|deepseek|gpt-oss|smollm|granite|olmo|tinyllama)"
        ),
        "ollama",
    ),
)
# as Ollama's models have them
_TAG = re.compile(r":(?:latest|[\d.]+[bm]\b|[a-z]*-?cloud|.*q\d)", re.IGNORECASE)


def meant(model: str) -> str:
    """What to write in place of `model`, as a sentence.

    >>> meant("openai:gpt-5"), meant("claude-haiku-4-5"), meant("grok/grok-4")
    ("Did you mean 'openai/gpt-5'?", "Did you mean 'anthropic/claude-haiku-4-5'?", "Did you mean 'xai/grok-4'?")
    """
    if "://" in model:
        return "Write the URL as base_url=, and openai/NAME for the model that is served there."
    prefix, name = _divided(model)
    if not prefix:
        return _by_name(name)
    written = prefix.lower().replace("_", "-")
    if written in _ELSEWHERE:
        return _ELSEWHERE[written]
    ours = written if written in KNOWN else _ALSO.get(written) or _near(written)
    if ours and written not in _MAKERS:
        return f"Did you mean {(ours + '/' + name if name else ours)!r}?"
    if name.lower().endswith(".gguf"):
        return f"Did you mean {'llamacpp/' + name.rpartition('/')[2]!r}?"
    places = [f"{_MAKERS[written]}/{name}"] if written in _MAKERS else []
    places += [
        f"{where}/{prefix}/{name}" for where in ("vllm", "openrouter", "huggingface", "together")
    ]
    return f"Write before it where that model is served, as in {', '.join(places)}."


def _near(written: str) -> str:
    """The provider of which `written` is likely a slip."""
    if near := get_close_matches(written, KNOWN, 1, cutoff=0.7):
        return near[0]
    return _ALSO[near[0]] if (near := get_close_matches(written, _ALSO, 1, cutoff=0.85)) else ""


def _by_name(name: str) -> str:
    whose = _family(name)
    if whose:
        return f"Did you mean {whose + '/' + name!r}?"
    if near := get_close_matches(name.lower(), KNOWN, 1, cutoff=0.7):
        return f"Did you mean {near[0] if near[0] == 'echo' else near[0] + '/NAME'!r}?"
    if not name:
        return "For example 'openai/gpt-5-mini'."
    return f"Write before it who serves it, as in {', '.join(f'{who}/{name}' for who in ('openai', 'ollama', 'vllm'))}."


def _divided(model: str) -> tuple[str, str]:
    """The prefix, before a slash or as other tools have it before a colon, and the rest; none of a bare name."""
    prefix, slash, name = model.strip().partition("/")
    before, colon, after = prefix.partition(":")
    known = before.lower().replace("_", "-") in {*KNOWN, *_ALSO, *_ELSEWHERE, *_MAKERS}
    if colon and after and known and not _TAG.match(colon + after):
        # with a colon, it is the service that is named
        before = _MAKERS.get(before.lower(), before)
        return before, after + slash + name
    return (prefix, name) if slash else ("", model.strip())


def _family(name: str) -> str:
    if _TAG.search(name):
        return "ollama"
    if name.lower().endswith(".gguf"):
        return "llamacpp"
    return next((whose for pattern, whose in _FAMILIES if pattern.match(name.lower())), "")
