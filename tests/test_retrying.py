import asyncio
import functools

import pytest

from ingather import RetryConfig, RetryExecutor
from ingather.errors import BadRequest


class Flaky:
    """Fails as often as it is told, then gives its arguments."""

    def __init__(self, failures, error=ConnectionError):
        self.errors = [error(f"failure {i + 1}") for i in range(failures)]
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.calls <= len(self.errors):
            raise self.errors[self.calls - 1]
        return args, kwargs

    async def as_coroutine(self, *args, **kwargs):
        await asyncio.sleep(0)
        return self(*args, **kwargs)


def policy(max_attempts=3, initial_delay=0.0, **options):
    return RetryConfig(max_attempts, initial_delay, **options)


def retrying(*args, **options):
    return RetryExecutor(policy(*args, **options))


def run(executor, way, func, *args, **kwargs):
    if way == "execute_sync":
        return executor.execute_sync(func, *args, **kwargs)
    return asyncio.run(executor.execute(func, *args, **kwargs))


both_ways = pytest.mark.parametrize("way", ["execute", "execute_sync"])


@both_ways
def test_arguments_go_through_and_the_value_comes_back(way):
    assert run(retrying(), way, Flaky(0), 1, 2, config="c", func_name="f") == (
        (1, 2),
        {"config": "c", "func_name": "f"},
    )


@both_ways
def test_it_calls_again_until_it_succeeds(way):
    flaky = Flaky(2)
    assert run(retrying(3), way, flaky, "x") == (("x",), {})
    assert flaky.calls == 3


@both_ways
def test_the_last_exception_itself_is_raised(way):
    flaky = Flaky(9)
    with pytest.raises(ConnectionError, match="failure 3") as caught:
        run(retrying(3), way, flaky)
    assert caught.value is flaky.errors[2]
    assert flaky.calls == 3


@both_ways
def test_one_attempt_is_no_retry(way):
    flaky = Flaky(1)
    with pytest.raises(ConnectionError):
        run(retrying(1), way, flaky)
    assert flaky.calls == 1


@both_ways
def test_an_exception_outside_the_list_is_raised_at_once(way):
    heard: list[object] = []
    flaky = Flaky(9, ValueError)
    with pytest.raises(ValueError, match="failure 1"):
        run(retrying(5, retry_on_exceptions=[ConnectionError], on_failure=heard.append), way, flaky)
    assert flaky.calls == 1
    assert heard == []


@both_ways
def test_our_own_final_errors_are_raised_at_once(way):
    flaky = Flaky(9, BadRequest)
    with pytest.raises(BadRequest):
        run(retrying(5), way, flaky)
    assert flaky.calls == 1


@both_ways
def test_a_predicate_decides_on_exceptions(way):
    flaky = Flaky(9)
    with pytest.raises(ConnectionError, match="failure 2"):
        run(retrying(5, retry_on_exception=lambda error: "1" in str(error)), way, flaky)


@both_ways
def test_a_value_that_is_not_good_enough_is_asked_for_again(way):
    values = iter([None, None, "good"])
    assert (
        run(retrying(5, retry_on_result=lambda value: value is None), way, lambda: next(values))
        == "good"
    )


@both_ways
def test_the_last_value_is_given_all_the_same(way):
    values = iter(["bad 1", "bad 2", "unused"])
    assert (
        run(retrying(2, retry_on_result=lambda value: True), way, lambda: next(values)) == "bad 2"
    )


@both_ways
def test_an_exception_of_the_predicate_is_a_failed_attempt(way):
    values = iter([0, 2])
    assert (
        run(retrying(2, retry_on_result=lambda value: 1 / value > 1), way, lambda: next(values))
        == 2
    )


@both_ways
def test_hooks_hear_of_each_failure_and_of_the_end(way):
    heard: list[object] = []
    flaky = Flaky(9)
    executor = retrying(
        3,
        on_retry=lambda attempt, error: heard.append((attempt, str(error))),
        on_failure=lambda error: heard.append(str(error)),
    )
    with pytest.raises(ConnectionError):
        run(executor, way, flaky)
    assert heard == [(1, "failure 1"), (2, "failure 2"), "failure 3"]


@both_ways
def test_the_policy_is_three_attempts_where_none_is_given(way):
    flaky = Flaky(0)
    executor = RetryExecutor()
    assert executor.config == RetryConfig()
    assert run(executor, way, flaky) == ((), {})


@both_ways
def test_what_is_no_exception_goes_through(way):
    calls = []

    class Alarm(BaseException):
        pass

    def ring():
        calls.append(1)
        raise Alarm

    with pytest.raises(Alarm):
        run(retrying(5), way, ring)
    assert len(calls) == 1


# -- async


async def test_a_coroutine_function_is_awaited_in_each_attempt():
    flaky = Flaky(2)
    assert await retrying(3).execute(flaky.as_coroutine, 1, key="k") == ((1,), {"key": "k"})
    assert flaky.calls == 3


class Awaitable:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value


@pytest.mark.parametrize(
    "kind", ["partial", "lambda", "method", "future", "awaitable object", "task"]
)
async def test_whatever_can_be_awaited_is_awaited(kind):
    async def double(x):
        return 2 * x

    def future(x):
        done = asyncio.get_running_loop().create_future()
        done.set_result(2 * x)
        return done

    func = {
        "partial": functools.partial(double),
        "lambda": lambda x: double(x),  # noqa: PLW0108 - it is not marked as async
        "method": Flaky(0).as_coroutine,
        "future": future,
        "awaitable object": lambda x: Awaitable(2 * x),
        "task": lambda x: asyncio.ensure_future(double(x)),
    }[kind]
    assert await retrying().execute(func, 21) == (((21,), {}) if kind == "method" else 42)


@pytest.mark.looptime
async def test_it_sleeps_by_the_policy_between_attempts():
    clock = asyncio.get_running_loop()
    moments = []

    async def failing():
        moments.append(clock.time())
        raise OSError

    with pytest.raises(OSError):
        await retrying(4, 2.0, max_delay=5.0).execute(failing)
    assert moments == pytest.approx([0, 2, 6, 11])


@pytest.mark.looptime
async def test_a_cancellation_ends_the_sleep_and_is_no_failure():
    heard: list[object] = []
    flaky = Flaky(9)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(retrying(9, 10.0, on_failure=heard.append).execute(flaky), 5)
    assert flaky.calls == 1
    assert heard == []


# -- sync


def test_the_sync_form_sleeps_in_its_thread(monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with pytest.raises(ConnectionError):
        retrying(4, 2.0, max_delay=5.0).execute_sync(Flaky(9))
    assert slept == [2.0, 4.0, 5.0]


@pytest.mark.parametrize("kind", ["coroutine function", "lambda", "partial", "awaitable object"])
def test_an_async_function_passed_to_the_sync_form_raises_and_says_what_to_do(kind):
    flaky = Flaky(0)
    func = {
        "coroutine function": flaky.as_coroutine,
        "lambda": lambda: flaky.as_coroutine(),  # noqa: PLW0108 - it is not marked as async
        "partial": functools.partial(flaky.as_coroutine),
        "awaitable object": lambda: Awaitable(1),
    }[kind]
    with pytest.raises(TypeError, match="await"):
        retrying(5).execute_sync(func)
    assert flaky.calls == 0


def test_a_repr_shows_the_policy():
    assert "max_attempts=7" in repr(retrying(7))
