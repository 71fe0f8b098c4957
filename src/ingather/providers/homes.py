"""Where each dialect lives: its own host, the variables of its keys, and how its provider is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingather.providers.openai import OPENAI_URL, OpenAIProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.providers.wire import DialectProvider


class Home(NamedTuple):
    """A dialect's.

    `url`: base_url unless one is given. `made`: the provider's class, or a function that makes one. `keys`: variables
    with a key, of which the first that is set counts. `path`: what is added to a base_url, and so is not its end.
    """

    url: str
    made: Callable[..., DialectProvider]
    keys: tuple[str, ...]
    path: str
    needs_key: bool = True


HOMES: dict[str, Home] = {
    "openai": Home(OPENAI_URL, OpenAIProvider, ("OPENAI_API_KEY",), "/chat/completions"),
    "ollama": Home(
        "http://localhost:11434/v1", OpenAIProvider, ("OLLAMA_API_KEY",), "/chat/completions", needs_key=False
    ),
}
