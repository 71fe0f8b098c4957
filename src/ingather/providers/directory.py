"""Where each provider lives: its own host, the variables of its keys, and how it is made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Unpack
from urllib.parse import urlsplit

from ingather.errors import SetupError
from ingather.providers.anthropic import ANTHROPIC_URL, AnthropicProvider
from ingather.providers.azure import AzureProvider
from ingather.providers.compatible import ServiceProvider
from ingather.providers.gemini import GEMINI_URL, GeminiProvider
from ingather.providers.ollama import OLLAMA_URL, OllamaProvider, completed
from ingather.providers.openai import OPENAI_URL, OpenAIProvider, is_openai
from ingather.providers.presets import PRESETS, Preset
from ingather.providers.responses import ResponsesProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.providers.dialect_provider import DialectProvider, Options


class Home(NamedTuple):
    """A provider's, whether it has a dialect of its own or is one of `PRESETS`.

    `url`: base_url unless one is given, empty where every user has another. `made`: the provider's
    class, or a function that makes one. `keys`: variables with a key, of which the first that is
    set counts; `urls`: the same with a base_url, ``<PROVIDER>_BASE_URL`` if there are none. `path`:
    what is added to a base_url, and so is not its end. `takes`: options of its own. `example`: a
    base_url to show. `completed`: a base_url from what is written for one. `key_header`: the header
    that its key travels in.
    """

    url: str
    made: Callable[..., DialectProvider]
    keys: tuple[str, ...]
    path: str
    needs_key: bool = True
    urls: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    example: str = ""
    completed: Callable[[str], str] = str
    key_header: str = "authorization"


def _openai(
    model: str, *, base_url: str, api: str | None = None, **options: Unpack[Options]
) -> DialectProvider:
    """By Responses at OpenAI's own host, by Chat Completions at any other, unless `api` says which."""
    by_responses = (
        is_openai(base_url) if _checked_api(api, base_url) is None else api == "responses"
    )
    return (ResponsesProvider if by_responses else OpenAIProvider)(
        model, base_url=base_url, **options
    )


def _service(
    model: str, *, preset: Preset, base_url: str, api: str | None = None, **options: Unpack[Options]
) -> DialectProvider:
    if _checked_api(api, base_url) == "responses":
        return ResponsesProvider(model, base_url=base_url, **options)
    return ServiceProvider(model, base_url=base_url, takes_schemas=preset.takes_schemas, **options)


def _checked_api(api: str | None, base_url: str) -> str | None:
    if api not in ("responses", "chat", None):
        raise SetupError(f'api is "responses" or "chat", not {api!r}')
    if base_url.endswith("/responses"):
        raise SetupError(f"base_url ends before /responses, which is added to it: {base_url!r}")
    return api


def _home(preset: Preset) -> Home:
    return Home(
        preset.url,
        _openai if preset.start else partial(_service, preset=preset),
        preset.keys,
        "/chat/completions",
        needs_key=not preset.start,
        takes=("api",),
        completed=partial(completed, port=urlsplit(preset.url).port) if preset.start else str,
    )


HOMES: dict[str, Home] = {
    "openai": Home(OPENAI_URL, _openai, ("OPENAI_API_KEY",), "/chat/completions", takes=("api",)),
    "azure": Home(
        "",
        AzureProvider,
        ("AZURE_OPENAI_API_KEY",),
        "/chat/completions",
        urls=("AZURE_OPENAI_ENDPOINT",),
        takes=("api_version",),
        example="https://RESOURCE.openai.azure.com",
        key_header="api-key",
    ),
    "anthropic": Home(
        ANTHROPIC_URL,
        AnthropicProvider,
        ("ANTHROPIC_API_KEY",),
        "/messages",
        takes=("schema_mode",),
        key_header="x-api-key",
    ),
    "gemini": Home(
        GEMINI_URL,
        GeminiProvider,
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ":generateContent",
        key_header="x-goog-api-key",
    ),
    "ollama": Home(
        OLLAMA_URL,
        OllamaProvider,
        ("OLLAMA_API_KEY",),
        "/chat/completions",
        needs_key=False,
        urls=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
        completed=completed,
    ),
    **{name: _home(preset) for name, preset in PRESETS.items()},
}
