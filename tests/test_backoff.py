"""Exact arithmetic: randomness comes in as an argument, and nothing sleeps."""

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import BackoffStrategy, RetryConfig
from ingather.errors import (
    AuthFailed,
    BadRequest,
    Cancelled,
    Overloaded,
    RateLimited,
    SetupError,
    Truncated,
)
from ingather.retry import Attempts


def lowest():
    return 0.0


def middle():
    return 0.5


def highest():
    return 1.0


# -- the table


@pytest.mark.parametrize(
    ("config", "random", "delays"),
    [
        (RetryConfig(initial_delay=2, backoff_strategy="fixed"), lowest, [2, 2, 2, 2, 2]),
        (RetryConfig(initial_delay=2, backoff_strategy="linear"), lowest, [2, 4, 6, 8, 10]),
        (RetryConfig(initial_delay=2, backoff_strategy="exponential"), lowest, [2, 4, 8, 16, 32]),
        (RetryConfig(initial_delay=1, backoff_multiplier=3), lowest, [1, 3, 9, 27, 60]),
        (RetryConfig(initial_delay=4, backoff_multiplier=0.5), lowest, [4, 2, 1, 0.5, 0.25]),
        (RetryConfig(initial_delay=0), lowest, [0, 0, 0, 0, 0]),
        (
            RetryConfig(initial_delay=20, max_delay=50, backoff_strategy="linear"),
            lowest,
            [20, 40, 50, 50, 50],
        ),
        (RetryConfig(initial_delay=90, backoff_strategy="fixed"), lowest, [60, 60, 60, 60, 60]),
        (
            RetryConfig(initial_delay=10, max_delay=0, backoff_strategy="fixed"),
            lowest,
            [0, 0, 0, 0, 0],
        ),
        (RetryConfig(initial_delay=10, backoff_strategy="jitter"), lowest, [9, 18, 36, 60, 60]),
        (RetryConfig(initial_delay=10, backoff_strategy="jitter"), middle, [10, 20, 40, 60, 60]),
        (RetryConfig(initial_delay=10, backoff_strategy="jitter"), highest, [11, 22, 44, 60, 60]),
        (
            RetryConfig(initial_delay=10, backoff_strategy="jitter", jitter_range=0.5),
            lowest,
            [5, 10, 20, 40, 60],
        ),
        (
            RetryConfig(initial_delay=10, backoff_strategy="jitter", jitter_range=2),
            lowest,
            [0, 0, 0, 0, 0],
        ),
        (RetryConfig(initial_delay=2, backoff_strategy="decorrelated"), lowest, [2, 2, 2, 2, 2]),
        (
            RetryConfig(initial_delay=2, backoff_strategy="decorrelated"),
            middle,
            [2, 4, 7, 11.5, 18.25],
        ),
        (
            RetryConfig(initial_delay=2, backoff_strategy="decorrelated"),
            highest,
            [2, 6, 18, 54, 60],
        ),
    ],
)
def test_delays_of_five_failed_attempts(config, random, delays):
    attempts = Attempts(dataclasses.replace(config, max_attempts=9), random)
    assert [attempts.after_error(OSError()) for _ in range(5)] == pytest.approx(delays)


def test_the_five_strategies_and_their_names():
    assert [strategy.value for strategy in BackoffStrategy] == [
        "fixed",
        "linear",
        "exponential",
        "jitter",
        "decorrelated",
    ]


def test_the_defaults():
    config = RetryConfig()
    assert (config.max_attempts, config.initial_delay, config.max_delay) == (3, 1.0, 60.0)
    assert config.backoff_strategy is BackoffStrategy.EXPONENTIAL
    assert (config.backoff_multiplier, config.jitter_range) == (2.0, 0.1)
    hooks = (
        config.retry_on_exceptions,
        config.retry_on_exception,
        config.retry_on_result,
        config.on_retry,
        config.on_failure,
    )
    assert hooks == (None,) * 5


def test_the_cap_comes_after_the_jitter():
    config = RetryConfig(initial_delay=100, max_delay=95, backoff_strategy="jitter")
    assert config.delay(1, lowest) == pytest.approx(90)  # jittered below the cap: it stays there
    assert config.delay(1, highest) == 95


def test_decorrelated_goes_on_from_the_capped_delay():
    config = RetryConfig(
        initial_delay=2, max_delay=10, backoff_strategy="decorrelated", max_attempts=9
    )
    attempts = Attempts(config, highest)
    assert [attempts.after_error(OSError()) for _ in range(3)] == pytest.approx([2, 6, 10])
    attempts = Attempts(config, iter([1.0, 1.0, 1.0, 0.5]).__next__)
    assert [attempts.after_error(OSError()) for _ in range(4)] == pytest.approx(
        [2, 6, 10, 10]
    )  # U(2, 30), not U(2, 54)
    assert config.delay(4, middle, previous=6) == pytest.approx(10)


@pytest.mark.parametrize("strategy", ["exponential", "jitter"])
@pytest.mark.parametrize("multiplier", [2, 2.0, 1e300])
def test_a_delay_too_large_for_a_float_is_capped(strategy, multiplier):
    config = RetryConfig(
        backoff_strategy=strategy, backoff_multiplier=multiplier, max_attempts=10_000
    )
    assert config.delay(9_999, middle) == 60.0


def test_no_delay_stays_none_however_often_it_is_multiplied():
    assert RetryConfig(initial_delay=0, backoff_multiplier=1e300).delay(99, middle) == 0.0


# -- for all numbers

seconds = st.floats(0, 1e6)
configs = st.builds(
    RetryConfig,
    max_attempts=st.integers(1, 50),
    initial_delay=seconds,
    max_delay=seconds,
    backoff_strategy=st.sampled_from(BackoffStrategy),
    backoff_multiplier=st.floats(0, 1e6),
    jitter_range=st.floats(0, 10),
)
chance = st.floats(0, 1)


@given(configs, st.integers(1, 100_000), chance, st.none() | seconds)
def test_a_delay_is_a_number_from_nothing_to_the_cap(config, attempt, random, previous):
    delay = config.delay(attempt, lambda: random, previous)
    assert math.isfinite(delay)
    assert 0 <= delay <= config.max_delay


@given(st.floats(0, 1e3), st.floats(1, 10), st.integers(1, 30), st.floats(0, 1), chance)
def test_jitter_stays_in_its_range_around_the_exponential_delay(
    initial, multiplier, attempt, spread, random
):
    plain = initial * multiplier ** (attempt - 1)
    config = RetryConfig(3, initial, 1e300, "jitter", multiplier, spread)
    delay = config.delay(attempt, lambda: random)
    assert plain * (1 - spread) * (1 - 1e-9) <= delay <= plain * (1 + spread) * (1 + 1e-9)


@given(st.floats(0.001, 1e3), st.floats(1, 1e3), st.lists(chance, min_size=2, max_size=20))
def test_decorrelated_stays_between_the_first_delay_and_three_times_the_last(
    initial, factor, chances
):
    config = RetryConfig(99, initial, initial * factor, "decorrelated")
    attempts = Attempts(config, iter(chances).__next__)
    delays = [attempts.after_error(OSError()) or 0.0 for _ in chances]
    assert delays[0] == initial
    for previous, delay in itertools.pairwise(delays):
        assert initial * (1 - 1e-9) <= delay <= min(3 * previous, config.max_delay) * (1 + 1e-9)


@given(configs.filter(lambda config: config.backoff_multiplier >= 1), st.integers(1, 40))
def test_without_chance_delays_never_shrink(config, attempt):
    if config.backoff_strategy not in (BackoffStrategy.JITTER, BackoffStrategy.DECORRELATED):
        assert config.delay(attempt, middle) <= config.delay(attempt + 1, middle)


@given(configs)
def test_all_attempts_together_are_max_attempts(config):
    attempts = Attempts(config, middle)
    sleeps = 0
    while attempts.after_error(OSError()) is not None:
        sleeps += 1
    assert sleeps + 1 == attempts.failed == config.max_attempts


# -- which exceptions


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (RuntimeError(), True),
        (TimeoutError(), True),
        (KeyError(), True),
        (Overloaded("x"), True),
        (BadRequest("x"), False),
        (AuthFailed("x"), False),
        (Truncated("x"), False),
        (RateLimited("x"), False),  # never comes here: it is flow control
        (Cancelled("x"), False),
        (SetupError("x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_with_no_filter_foreign_exceptions_and_our_transient_ones_are_retried(error, again):
    assert RetryConfig().retries(error) is again


def test_a_list_of_exceptions_takes_their_subclasses_and_nothing_else():
    config = RetryConfig(retry_on_exceptions=[OSError, BadRequest])
    assert [
        config.retries(error)
        for error in (ConnectionError(), BadRequest("x"), Overloaded("x"), KeyError())
    ] == [
        True,
        True,
        False,
        False,
    ]
    assert not RetryConfig(retry_on_exceptions=()).retries(OSError())


def test_a_predicate_decides_alone():
    config = RetryConfig(retry_on_exception=lambda error: "again" in str(error))
    assert [
        config.retries(error) for error in (OSError("again"), AuthFailed("again"), OSError("no"))
    ] == [
        True,
        True,
        False,
    ]


# -- one call's way through


def test_hooks_are_told_what_failed_and_when_it_is_over():
    heard: list[object] = []
    config = RetryConfig(
        3, on_retry=lambda attempt, error: heard.append((attempt, error)), on_failure=heard.append
    )
    errors = [OSError("1"), OSError("2"), OSError("3")]
    attempts = Attempts(config, middle)
    assert [attempts.after_error(error) for error in errors] == [1.0, 2.0, None]
    assert heard == [(1, errors[0]), (2, errors[1]), errors[2]]


def test_an_exception_that_is_not_retried_calls_no_hook():
    heard: list[object] = []
    config = RetryConfig(1, retry_on_exceptions=[KeyError], on_failure=heard.append)
    assert Attempts(config, middle).after_error(OSError()) is None
    assert heard == []


def test_a_good_value_is_final():
    assert Attempts(RetryConfig(), middle).after_result("anything") is None
    assert (
        Attempts(RetryConfig(retry_on_result=lambda value: value is None), middle).after_result("x")
        is None
    )


def test_a_bad_value_sleeps_until_the_last_attempt():
    heard: list[object] = []
    config = RetryConfig(
        3,
        retry_on_result=lambda value: value is None,
        on_retry=lambda *what: heard.append(what),
        on_failure=heard.append,
    )
    attempts = Attempts(config, middle)
    assert [attempts.after_result(None) for _ in range(3)] == [1.0, 2.0, None]
    assert heard == []


def test_bad_values_and_exceptions_count_together():
    attempts = Attempts(RetryConfig(3, retry_on_result=lambda value: True), middle)
    assert attempts.after_result("bad") == 1.0
    assert attempts.after_error(OSError()) == 2.0
    assert attempts.after_result("bad") is None


def test_a_repr_shows_how_far_it_is():
    attempts = Attempts(RetryConfig(3), middle)
    attempts.after_error(OSError())
    assert repr(attempts) == "Attempts(1 of 3 failed)"


# -- what is refused


@pytest.mark.parametrize("bad", [0, -1, -100])
def test_fewer_than_one_attempt_raises(bad):
    with pytest.raises(ValueError, match="max_attempts"):
        RetryConfig(max_attempts=bad)


@pytest.mark.parametrize(
    "name", ["initial_delay", "max_delay", "backoff_multiplier", "jitter_range"]
)
@pytest.mark.parametrize("bad", [-0.1, math.inf, math.nan])
def test_numbers_that_are_no_times_raise(name, bad):
    with pytest.raises(ValueError, match=name):
        RetryConfig(**{name: bad})


@pytest.mark.parametrize("bad", ["", "Exponential", "polynomial", 3])
def test_another_strategy_raises(bad):
    with pytest.raises(ValueError, match="BackoffStrategy"):
        RetryConfig(backoff_strategy=bad)


def test_two_filters_raise():
    with pytest.raises(ValueError, match="not both"):
        RetryConfig(retry_on_exceptions=[OSError], retry_on_exception=lambda error: True)


def test_a_policy_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RetryConfig().max_attempts = 5  # type: ignore[misc]
