"""Providers of other distributions, found by the entry-point group ``ingather.providers``.

A plug-in names a factory in its pyproject.toml, ``[project.entry-points."ingather.providers"]``,
``acme = "acme_llm:connect"``. ``connect("acme/NAME", base_url=…, temperature=0)`` then calls
``connect("NAME", base_url=…, temperature=0)`` of `acme_llm`: with the model's name and just those
keyword arguments that were given. docs/write-a-provider.md makes one.
"""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.providers.base import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Factory = Callable[..., object]

GROUP = "ingather.providers"


def installed() -> list[str]:
    """The names that plug-ins have here, in alphabetical order."""
    return sorted({each.name for each in entry_points(group=GROUP)})


def provider_of(name: str, model: str, options: Mapping[str, object]) -> Provider | None:
    """What the plug-in of this name makes for `model`; None where there is no such plug-in."""
    factory = factory_named(name)
    return None if factory is None else made(factory, name, model, options)


def factory_named(name: str) -> Factory | None:
    """The factory that a plug-in has under this name, None where none has.

    Raises `SetupError` where two have it, or where it cannot be imported.
    """
    found = {(_home(each), each.value): each for each in entry_points(group=GROUP, name=name)}
    if not found:
        return None
    if len(found) > 1:
        homes = " and ".join(sorted(home for home, _ in found))
        raise SetupError(f"{name!r} is a provider of {homes}: uninstall all of them but one")
    [(home, _)] = found
    [entry] = found.values()
    try:
        factory = entry.load()
    except Exception as error:
        raise SetupError(
            f"the provider {name!r} of {home} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not callable(factory):
        raise SetupError(f"the provider {name!r} of {home} is not a factory: {entry.value}")
    return factory  # type: ignore[no-any-return]  # what an entry point loads has no type


def made(factory: Factory, name: str, model: str, options: Mapping[str, object]) -> Provider:
    """What `factory` makes for `model`. `name`: of the plug-in, for messages.

    Raises `SetupError` for options that it does not take and for what is no provider; what the
    factory itself raises goes through.
    """
    try:
        inspect.signature(factory).bind(model, **options)
    except TypeError as error:
        raise SetupError(f"the provider {name!r} cannot be made so: {error}") from None
    except ValueError:  # of a kind that has no signature to look at
        pass
    provider = factory(model, **options)
    if not isinstance(provider, Provider) or isinstance(provider, type):
        raise SetupError(
            f"the provider {name!r} is not one: its factory gave {provider!r:.80}, which has no "
            f"`async def complete(messages, config_overrides=None)`"
        )
    return provider


def _home(entry: EntryPoint) -> str:
    return "an unknown distribution" if entry.dist is None else entry.dist.name
