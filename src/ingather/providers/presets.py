"""Well-known servers that speak OpenAI's Chat Completions, by name: one table of where they are and what they need."""

from __future__ import annotations

from typing import NamedTuple

DIALECTS = ("openai", "anthropic", "gemini", "azure", "ollama")
"""What has an API of its own: see `homes`."""


class Preset(NamedTuple):
    """One server, or one program that people run as a server of their own.

    `title`: its name as it is written. `url`: its base_url. `keys`: variables with a key, of which
    the first that is set counts. `start`: the command that starts it, with ``MODEL`` for the
    model's name; empty for a service, which wants a key. `takes_schemas`: whether it keeps to a
    JSON schema in ``response_format``; else the schema is put in the prompt.
    """

    title: str
    url: str
    keys: tuple[str, ...]
    start: str = ""
    takes_schemas: bool = True


PRESETS: dict[str, Preset] = {
    "cerebras": Preset("Cerebras", "https://api.cerebras.ai/v1", ("CEREBRAS_API_KEY",)),
    "deepinfra": Preset(
        "DeepInfra", "https://api.deepinfra.com/v1/openai", ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN")
    ),
    "deepseek": Preset(
        "DeepSeek", "https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",), takes_schemas=False
    ),
    "fireworks": Preset(
        "Fireworks", "https://api.fireworks.ai/inference/v1", ("FIREWORKS_API_KEY",)
    ),
    "groq": Preset("Groq", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
    "huggingface": Preset("Hugging Face", "https://router.huggingface.co/v1", ("HF_TOKEN",)),
    "mistral": Preset("Mistral", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
    "moonshot": Preset(
        "Moonshot",
        "https://api.moonshot.ai/v1",
        ("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY"),
        takes_schemas=False,
    ),
    "nebius": Preset(
        "Nebius Token Factory", "https://api.tokenfactory.nebius.com/v1", ("NEBIUS_API_KEY",)
    ),
    "nvidia": Preset("NVIDIA NIM", "https://integrate.api.nvidia.com/v1", ("NVIDIA_API_KEY",)),
    "openrouter": Preset("OpenRouter", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)),
    "perplexity": Preset(
        "Perplexity", "https://api.perplexity.ai", ("PERPLEXITY_API_KEY", "PPLX_API_KEY")
    ),
    "sambanova": Preset("SambaNova", "https://api.sambanova.ai/v1", ("SAMBANOVA_API_KEY",)),
    "together": Preset("Together AI", "https://api.together.xyz/v1", ("TOGETHER_API_KEY",)),
    "xai": Preset("xAI", "https://api.x.ai/v1", ("XAI_API_KEY",)),
    "zai": Preset("Z.ai", "https://api.z.ai/api/paas/v4", ("ZAI_API_KEY",), takes_schemas=False),
    "llamacpp": Preset(
        "llama.cpp", "http://localhost:8080/v1", ("LLAMA_API_KEY",), "llama-server -m FILE.gguf"
    ),
    "lmstudio": Preset(
        "LM Studio",
        "http://localhost:1234/v1",
        ("LM_API_TOKEN", "LMSTUDIO_API_KEY"),
        "lms server start",
    ),
    "sglang": Preset(
        "SGLang",
        "http://localhost:30000/v1",
        ("SGLANG_API_KEY",),
        "python -m sglang.launch_server --model-path MODEL",
    ),
    "vllm": Preset("vLLM", "http://localhost:8000/v1", ("VLLM_API_KEY",), "vllm serve MODEL"),
}

SERVICES = tuple(name for name, preset in PRESETS.items() if not preset.start)
OWN_SERVERS = tuple(name for name, preset in PRESETS.items() if preset.start)
