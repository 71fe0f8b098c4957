"""`RetryExecutor`: the retry policy on its own, around any function."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from typing import TYPE_CHECKING, Any

from ingather.retry import Attempts, RetryConfig

if TYPE_CHECKING:
    from collections.abc import Callable


class RetryExecutor:
    """Calls a function until it succeeds or `config` says it is over.

    >>> from ingather import RetryConfig, RetryExecutor
    >>> RetryExecutor(RetryConfig(max_attempts=3)).execute_sync(max, 1, 2)
    2
    """

    def __init__(self, config: RetryConfig | None = None) -> None:
        self.config = config or RetryConfig()

    async def execute(self, func: Callable[..., object], *args: object, **kwargs: object) -> Any:
        """``func(*args, **kwargs)``, awaited where it can be; its last exception once the attempts are used up."""
        attempts = Attempts(self.config, random.random)
        while True:
            try:
                value = func(*args, **kwargs)
                if inspect.isawaitable(value):
                    value = await value
                delay = attempts.after_result(value)
            except Exception as error:
                delay = attempts.after_error(error)
                if delay is None:
                    raise
            else:
                if delay is None:
                    return value
            await asyncio.sleep(delay)

    def execute_sync(self, func: Callable[..., object], *args: object, **kwargs: object) -> Any:
        """The same for a synchronous `func`, sleeping in this thread. Raises TypeError where `func` is async."""
        attempts = Attempts(self.config, random.random)
        while True:
            try:
                value = func(*args, **kwargs)
                if inspect.isawaitable(value):
                    if inspect.iscoroutine(value):
                        value.close()
                    break
                delay = attempts.after_result(value)
            except Exception as error:
                delay = attempts.after_error(error)
                if delay is None:
                    raise
            else:
                if delay is None:
                    return value
            time.sleep(delay)
        raise TypeError(f"{func!r} is async: use `await execute(…)`")

    def __repr__(self) -> str:
        return f"RetryExecutor({self.config!r})"
