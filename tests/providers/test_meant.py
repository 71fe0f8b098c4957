"""What is said to a model that names no provider."""

import pytest

from ingather import connect
from ingather.errors import SetupError
from ingather.providers.presets import DIALECTS, PRESETS
from ingather.providers.suggestions import meant

MEANT = {
    "openai:gpt-5": "openai/gpt-5",
    "anthropic:claude-haiku-4-5": "anthropic/claude-haiku-4-5",
    "google-gla:gemini-2.5-flash": "gemini/gemini-2.5-flash",
    "mistralai:mistral-small": "mistral/mistral-small",
    "ollama:llama3:8b": "ollama/llama3:8b",
    "huggingface:Qwen/Qwen3-8B": "huggingface/Qwen/Qwen3-8B",
    "gpt-5-mini": "openai/gpt-5-mini",
    "o3": "openai/o3",
    "ft:gpt-4o-mini:org": "openai/ft:gpt-4o-mini:org",
    "gpt-oss-20b": "ollama/gpt-oss-20b",
    "claude-sonnet-4-5": "anthropic/claude-sonnet-4-5",
    "gemini-2.5-pro": "gemini/gemini-2.5-pro",
    "models/gemini-2.5-pro": "gemini/gemini-2.5-pro",
    "grok-4": "xai/grok-4",
    "mistral-large-latest": "mistral/mistral-large-latest",
    "deepseek-chat": "deepseek/deepseek-chat",
    "sonar-pro": "perplexity/sonar-pro",
    "kimi-k2.5": "moonshot/kimi-k2.5",
    "glm-4.6": "zai/glm-4.6",
    "llama3.2": "ollama/llama3.2",
    "mistral:7b": "ollama/mistral:7b",
    "deepseek-r1:latest": "ollama/deepseek-r1:latest",
    "./models/mine.gguf": "llamacpp/mine.gguf",
    "model-q4.gguf": "llamacpp/model-q4.gguf",
    "grok/grok-4": "xai/grok-4",
    "x-ai/grok-4": "xai/grok-4",
    "GROQ/llama": "groq/llama",
    "groqq/llama": "groq/llama",
    "llama.cpp/any": "llamacpp/any",
    "lm_studio/any": "lmstudio/any",
    "hosted_vllm/org/m": "vllm/org/m",
    "together_ai/org/m": "together/org/m",
    "fireworks_ai/m": "fireworks/m",
    "nvidia_nim/m": "nvidia/m",
    "google/gemini-2.5-pro": "gemini/gemini-2.5-pro",
    "claude/opus": "anthropic/opus",
    "azure_openai/mine": "azure/mine",
    "ollama_chat/llama3": "ollama/llama3",
    "moonshot-ai/kimi": "moonshot/kimi",
}


@pytest.mark.parametrize(("model", "written"), MEANT.items())
def test_what_was_meant_is_said(model, written):
    assert meant(model) == f"Did you mean {written!r}?"
    with pytest.raises(SetupError, match=r"names no provider\. Did you mean"):
        connect(model)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("bedrock/anthropic.claude-3", "bedrock-runtime"),
        ("bedrock:anthropic.claude-3:0", "bedrock-runtime"),
        ("vertex_ai/gemini-2.5-pro", "Write gemini/NAME"),
        ("google-vertex:gemini-2.5-pro", "Write gemini/NAME"),
        ("cohere/command-r", "api.cohere.ai/compatibility/v1"),
        ("sagemaker/mine", "LiteLLM"),
        ("openai_compatible/m", "openai/NAME with base_url="),
        ("http://localhost:8000/v1", "Write the URL as base_url="),
        ("command-r", "who serves it, as in openai/command-r"),
    ],
)
def test_service_without_a_preset_has_another_way(model, said):
    with pytest.raises(SetupError, match=said):
        connect(model)


@pytest.mark.parametrize(
    "model", ["Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct", "mistralai/Mistral-7B"]
)
def test_model_of_hugging_face_may_be_in_many_places(model):
    assert f"vllm/{model}" in meant(model)
    assert f"openrouter/{model}" in meant(model)


def test_error_lists_all_providers_from_the_table():
    with pytest.raises(SetupError) as caught:
        connect("nobody/m")
    assert [name for name in (*DIALECTS, *PRESETS) if name not in str(caught.value)] == []
