"""When to try again, and after how long. Arithmetic only: randomness comes in as an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class BackoffStrategy(StrEnum):
    """How the delay grows with the number `n` of the attempt that failed (from 1), before the cap `max_delay`.

    FIXED ``initial_delay``; LINEAR ``initial_delay * n``; EXPONENTIAL ``initial_delay *
    backoff_multiplier ** (n - 1)``; JITTER the exponential delay times ``1 ± jitter_range``;
    DECORRELATED first ``initial_delay``, then between that and three times the previous delay (the
    "decorrelated jitter" of AWS's architecture blog, 2015).
    """

    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    JITTER = "jitter"
    DECORRELATED = "decorrelated"


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """When a task is tried again.

    `max_attempts` includes the first; 429s, re-asks and hedges are not counted. Delays are in
    seconds. `retry_on_exceptions`: only these types; `retry_on_exception`: only where it says True
    (give one of the two, or none: then ingather's own errors are retried only if transient, an
    `EmptyAnswer` once, all others always). `retry_on_result`: a value for which it says True counts
    as a failed attempt; on the last attempt such a value is returned all the same.
    `on_retry(attempt, error)` runs before each sleep that follows an exception, `on_failure(error)`
    when the attempts are used up.

    Raises ValueError for numbers out of range, or two filters.

    >>> from ingather import RetryConfig
    >>> RetryConfig(max_attempts=5, backoff_strategy="fixed").delay(2, random=lambda: 0.5)
    1.0
    """

    max_attempts: int = 3
    initial_delay: float = 1.0
    max_delay: float = 60.0
    backoff_strategy: BackoffStrategy | str = BackoffStrategy.EXPONENTIAL
    backoff_multiplier: float = 2.0
    jitter_range: float = 0.1
    retry_on_exceptions: Sequence[type[BaseException]] | None = None
    retry_on_exception: Callable[[Exception], bool] | None = None
    retry_on_result: Callable[[Any], bool] | None = None  # of whatever the task gives
    on_retry: Callable[[int, Exception], object] | None = None
    on_failure: Callable[[Exception], object] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "backoff_strategy", BackoffStrategy(self.backoff_strategy))
        if self.max_attempts < 1:
            raise ValueError(
                f"max_attempts includes the first attempt, so it is at least 1, not "
                f"{self.max_attempts!r}"
            )
        for name in ("initial_delay", "max_delay", "backoff_multiplier", "jitter_range"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"RetryConfig({name}) is a finite number >= 0, not {value!r}")
        if self.retry_on_exceptions is not None and self.retry_on_exception is not None:
            raise ValueError("give retry_on_exceptions or retry_on_exception, not both")

    def retries(self, error: Exception) -> bool:
        """Whether `error` is worth another attempt, attempts permitting."""
        if self.retry_on_exception is not None:
            return self.retry_on_exception(error)
        if self.retry_on_exceptions is not None:
            return isinstance(error, tuple(self.retry_on_exceptions))
        return _default_retries(error) > 0

    @property
    def is_filtered(self) -> bool:
        """Whether the user says which errors are worth another attempt."""
        return self.retry_on_exception is not None or self.retry_on_exceptions is not None

    def delay(
        self, attempt: int, random: Callable[[], float], previous: float | None = None
    ) -> float:
        """Seconds to sleep after failed attempt `attempt` (from 1).

        `random` gives numbers from 0 to 1; `previous` is the delay before, which only DECORRELATED
        looks at.
        """
        match self.backoff_strategy:
            case BackoffStrategy.FIXED:
                seconds = self.initial_delay
            case BackoffStrategy.LINEAR:
                seconds = self.initial_delay * attempt
            case BackoffStrategy.EXPONENTIAL:
                seconds = self._exponential(attempt)
            case BackoffStrategy.JITTER:
                seconds = self._exponential(attempt) * (1 + self.jitter_range * (2 * random() - 1))
            case BackoffStrategy.DECORRELATED:
                low, high = (
                    self.initial_delay,
                    3 * previous if previous is not None else self.initial_delay,
                )
                seconds = low + (high - low) * random()
        return max(0.0, min(seconds, self.max_delay))

    def _exponential(self, attempt: int) -> float:
        try:
            return self.initial_delay * self.backoff_multiplier ** (attempt - 1)
        except OverflowError:
            return math.inf if self.initial_delay else 0.0


class Attempts:
    """One call's way through a `RetryConfig`: counts its failures, and says how long to sleep or that it is over.

    `random` gives numbers from 0 to 1. `refused`: whether the last value was not good enough.

    >>> Attempts(RetryConfig(max_attempts=2), random=lambda: 0.5).after_error(RuntimeError("once"))
    1.0
    """

    __slots__ = ("_few", "_previous", "_random", "config", "failed", "refused")

    def __init__(self, config: RetryConfig, random: Callable[[], float]) -> None:
        self.config = config
        self.failed = 0
        self._few = 0  # failures that are tried again only a few times
        self.refused = False
        self._random = random
        self._previous: float | None = None

    def after_error(
        self, error: Exception, may_retry: Callable[[Exception], bool] | None = None
    ) -> float | None:
        """Seconds to sleep before the next attempt; None: `error` is final.

        `may_retry` is asked last, where the policy itself would try again.
        """
        self.failed += 1
        most = math.inf if self.config.is_filtered else _default_retries(error)
        self._few += most < math.inf
        if not self.config.retries(error):
            return None
        is_over = self.failed >= self.config.max_attempts or self._few > most
        if is_over or (may_retry is not None and not may_retry(error)):
            if self.config.on_failure is not None:
                self.config.on_failure(error)
            return None
        if self.config.on_retry is not None:
            self.config.on_retry(self.failed, error)
        return self._delay()

    def after_result(self, value: object) -> float | None:
        """Seconds to sleep before the next attempt, where `value` is not good enough; None: it is final."""
        bad = self.config.retry_on_result
        if bad is None:
            return None
        self.refused = bool(bad(value))
        if not self.refused or self.failed + 1 >= self.config.max_attempts:
            return None
        self.failed += 1
        return self._delay()

    def _delay(self) -> float:
        self._previous = self.config.delay(self.failed, self._random, self._previous)
        return self._previous

    def __repr__(self) -> str:
        return f"Attempts({self.failed} of {self.config.max_attempts} failed)"


def _default_retries(error: Exception) -> float:
    """How often an error is tried again where the policy does not say; others than ours, always."""
    retries: float = getattr(error, "default_retries", math.inf)
    return retries
