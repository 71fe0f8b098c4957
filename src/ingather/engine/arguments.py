"""The arguments of an executor, checked, and made into what it works with."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ingather.admission.permit import Slots
from ingather.events import Listener
from ingather.hedge import Hedge
from ingather.money.budget import Budget
from ingather.providers.base import Provider, WireProvider
from ingather.providers.capabilities import capabilities_of
from ingather.retry import RetryConfig
from ingather.store import Store
from ingather.task_params import warn_of_typos

if TYPE_CHECKING:
    from ingather.events import Event
    from ingather.progress import Progress
    from ingather.report import Summary

# calls in flight for max_concurrency=None; how many of these are right, the pool learns
_MOST = 1000


def check_policies(retry: object, overrides: object, budget: object, hedge: object) -> None:
    """Raise TypeError for the first that is of another kind; warn of parameters that are likely slips."""
    if overrides is not None and not isinstance(overrides, Mapping):
        raise TypeError(
            f"default_config_overrides is a mapping of parameters, not {overrides!r:.80}"
        )
    warn_of_typos(overrides)
    given = (
        ("default_retry", retry, RetryConfig),
        ("budget", budget, Budget),
        ("hedge", hedge, Hedge),
    )
    for name, value, kind in given:
        if not isinstance(value, kind | None):
            raise TypeError(f"{name} is a {kind.__name__} or None, not {value!r:.80}")


def connected(provider: Provider | str) -> Provider:
    """The provider itself, or what `connect` makes of a model's name. Raises TypeError for what is no provider."""
    if isinstance(provider, str):
        from ingather.providers.connect import connect

        return connect(provider)
    if not isinstance(provider, Provider):
        raise TypeError(
            f"a provider has `async def complete(messages, config_overrides=None)`: "
            f"{provider!r:.80} has not"
        )
    if isinstance(provider, type):
        raise TypeError(f"a provider is an object, not its class: write {provider.__name__}(…)")
    try:
        inspect.signature(provider.complete).bind([], config_overrides=None)
    except TypeError as error:
        raise TypeError(
            f"{type(provider).__name__}.complete must take (messages, config_overrides=None): "
            f"{error}"
        ) from None
    except ValueError:  # of a kind that has no signature to look at
        pass
    return provider


def opened(store: Store | str | os.PathLike[str] | None) -> Store | None:
    """The store itself, or the one at that path. Raises TypeError for what is neither."""
    if isinstance(store, str | os.PathLike):
        return Store(store)
    if not isinstance(store, Store | None):
        raise TypeError(f"store is a Store, the path of one, or None, not {store!r:.80}")
    return store


def subscribers(
    on_event: Callable[[Event], None] | None,
    progress: bool | Callable[[Summary], object] | Progress | None,
) -> tuple[Callable[[Event], None], ...]:
    """Who is told all events. Raises TypeError for a function that cannot be told, or is asynchronous."""
    if on_event is not None and (not callable(on_event) or _is_async(on_event)):
        raise TypeError(
            f"on_event is a function (not async) that takes an event, not {on_event!r:.80}"
        )
    told = () if on_event is None else (Listener("on_event", on_event),)
    if progress is None or progress is False:
        return told
    if progress is not True and (not callable(progress) or _is_async(progress)):
        raise TypeError(
            f"progress is True, a function (not async) that takes a Summary, or a Progress, not "
            f"{progress!r:.80}"
        )
    from ingather.progress import Progress

    if not isinstance(progress, Progress):
        progress = Progress(each_run=True, call=None if progress is True else progress)
    return (*told, Listener("progress", progress))


def _is_async(function: Callable[..., object]) -> bool:
    return any(inspect.iscoroutinefunction(each) for each in (function, type(function).__call__))


def slots_for(max_concurrency: int | None, provider: Provider) -> Slots:
    """The bound of an executor. Raises ValueError for one that is no whole number above 0, nor None."""
    if max_concurrency is None:
        from ingather.transport.open_files import most_connections

        limits = capabilities_of(provider).limits
        set_by_user = None if limits is None else limits.max_concurrency
        return Slots(set_by_user or max(1, min(_MOST, int(most_connections()))), is_adaptive=True)
    if (
        isinstance(max_concurrency, bool)
        or not isinstance(max_concurrency, int)
        or max_concurrency < 1
    ):
        raise ValueError(
            f"max_concurrency is a whole number of at least 1, or None: not {max_concurrency!r}"
        )
    return Slots(max_concurrency)


def warn_of_no_effect(provider: Provider, store: Store | None, hedge: Hedge | None) -> None:
    """Warn, at the line that makes the executor, of what a provider with only ``complete`` cannot have."""
    if isinstance(provider, WireProvider):
        return
    name = type(provider).__name__
    if store is not None:
        warnings.warn(
            f"store= has no effect on the answers of {name}: only those of the library's own "
            f"providers (connect) are "
            "kept, or of one that has prepare() and send()",
            stacklevel=3,
        )
    if hedge is not None:
        warnings.warn(
            f"hedge= has no effect on {name}: only requests of the library's own providers "
            f"(connect) are sent twice",
            stacklevel=3,
        )
