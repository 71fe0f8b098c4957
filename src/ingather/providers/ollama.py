"""The dialect of Ollama: Chat Completions, of which it knows a part and ignores the rest without a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack
from urllib.parse import SplitResult, urlsplit

from ingather.errors import SetupError
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.openai import ChatCompletions
from ingather.providers.several import refuse_several

if TYPE_CHECKING:
    from collections.abc import Mapping

OLLAMA_URL = "http://localhost:11434/v1"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - where it listens is not where one calls
_IN_THE_MODEL = "set it in a Modelfile"
_NOT_HERE = {
    "options": "write its fields beside the other parameters",
    "num_ctx": f"{_IN_THE_MODEL}, or OLLAMA_CONTEXT_LENGTH where the server runs",
    "num_predict": "write max_tokens",
    "keep_alive": "set OLLAMA_KEEP_ALIVE where the server runs",
    "format": "write response_format",
    "think": "write reasoning_effort",
    **dict.fromkeys(
        ("top_k", "min_p", "repeat_penalty", "repeat_last_n", "mirostat"), _IN_THE_MODEL
    ),
}


@dataclass(frozen=True)
class OllamaChatCompletions(ChatCompletions):
    """``POST /v1/chat/completions`` of Ollama.

    Raises `SetupError` for parameters of its other API, which this one would ignore: a prompt would
    be cut, an answer be without end.

    >>> OllamaChatCompletions().fields({"model": "m", "max_completion_tokens": 9})
    {'max_tokens': 9, 'model': 'm'}
    """

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        refuse_several(params, "Ollama")
        for name in params:
            if name in _NOT_HERE:
                raise SetupError(f"Ollama ignores {name!r} here: {_NOT_HERE[name]}")
        if "max_completion_tokens" not in params:
            return params
        rest = {name: value for name, value in params.items() if name != "max_completion_tokens"}
        return {"max_tokens": params["max_completion_tokens"], **rest}


class OllamaProvider(DialectProvider):
    """Asks an Ollama server; see `DialectProvider` for what it takes.

    >>> OllamaProvider("llama3")
    OllamaProvider('llama3' at localhost:11434)
    """

    def __init__(
        self, model: str, *, base_url: str = OLLAMA_URL, **options: Unpack[Options]
    ) -> None:
        super().__init__(OllamaChatCompletions(), model, base_url=base_url, **options)


def completed(text: str, port: int | None = 11434) -> str:
    """A base_url from what Ollama itself takes for one in ``OLLAMA_HOST``, and other tools without its path.

    What is no host comes back as it is. `port`: of a host that is written without one.

    >>> completed("0.0.0.0"), completed("gpu:8080"), completed("https://llm.example")
    ('http://127.0.0.1:11434/v1', 'http://gpu:8080/v1', 'https://llm.example/v1')
    """
    text = text.strip().strip("\"'").strip()
    url = _split(text)
    if url is None:
        return text
    host = url.hostname or "127.0.0.1"
    host = _EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
    port = url.port if url.port is not None or "://" in text else port
    return url._replace(
        netloc=host if port is None else f"{host}:{port}", path=url.path.rstrip("/") or "/v1"
    ).geturl()


def _split(text: str) -> SplitResult | None:
    if text.count(":") > 1 and "://" not in text and not text.startswith("["):
        text = f"[{text}]"  # an IPv6 address, which has no port then
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        _ = url.port
    except ValueError:
        return None
    return None if url.username is not None else url
