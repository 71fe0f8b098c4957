"""The input is pulled as it is needed, and what goes wrong in it comes after what was begun."""

import asyncio
import itertools
from typing import Any

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor
from ingather.errors import Cancelled
from tests.run.stand_ins import Wire, assert_at_rest, consume, llm_tasks, other_tasks

BOUND = 3
WINDOW = 2 * BOUND + 16


class Iterator:
    """Gives tasks for ever, or up to the one at which it raises, each time it is asked; counts what was pulled."""

    def __init__(self, error=None, at=0):
        self.error = error
        self.at = at
        self.pulled = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.error is not None and self.pulled == self.at:
            raise self.error
        self.pulled += 1
        return LLMTask(str(self.pulled - 1))


class Generator(Iterator):
    def __iter__(self):
        while True:
            yield self.__next__()


class AsyncGenerator(Iterator):
    __iter__ = None  # type: ignore[assignment]

    async def __aiter__(self):
        while True:
            await asyncio.sleep(0)
            yield self.__next__()


SOURCES = pytest.mark.parametrize("kind", [Generator, AsyncGenerator, Iterator])


# -- it raises


@SOURCES
@pytest.mark.parametrize("at", [0, 1, 2, 10])
@pytest.mark.parametrize("method", ["as_completed", "in_order"])
@pytest.mark.looptime
async def test_what_was_begun_is_delivered_before_the_error(kind, at, method):
    wire = Wire(latency=lambda prompt: 5.0 - int(prompt) % 4)
    executor = ParallelLLMExecutor(wire, BOUND)
    source = kind(OSError("the file broke"), at)
    seen = []

    async def consumer():
        async for result in getattr(executor, method)(source):
            seen.append(result.unwrap().content)  # noqa: PERF401 - as many as come before the error

    with pytest.raises(OSError, match="the file broke"):
        await consumer()
    assert sorted(seen, key=int) == [str(i) for i in range(at)]
    assert len(wire.outcomes("answered")) == at
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@SOURCES
@pytest.mark.looptime
async def test_a_list_is_not_given_but_what_was_begun_has_ended(kind):
    wire = Wire(latency=5.0)
    executor = ParallelLLMExecutor(wire, BOUND)
    with pytest.raises(OSError, match="the file broke"):
        await executor.gather(kind(OSError("the file broke"), 10))
    assert len(wire.outcomes("answered")) == 10
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyError("k"), TimeoutError()], ids=repr)
@SOURCES
async def test_its_error_comes_as_it_is(kind, error):
    executor = ParallelLLMExecutor(Wire(), BOUND)
    with pytest.raises(type(error)) as raised:
        await executor.gather(kind(error, 2))
    assert raised.value is error


class Abort(BaseException):
    """Somebody's own."""


@SOURCES
@pytest.mark.looptime
async def test_what_is_no_exception_goes_through_at_once(kind):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, BOUND)
    with pytest.raises(Abort):
        await executor.gather(kind(Abort(), 2))
    assert asyncio.get_running_loop().time() == 0.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


async def test_what_cannot_be_iterated_is_said_at_once():
    executor = ParallelLLMExecutor(Wire(), BOUND)
    with pytest.raises(TypeError, match="iterable"):
        await executor.gather(LLMTask("x"))  # type: ignore[call-overload]
    assert_at_rest(executor)


async def test_what_is_no_task_fails_alone():
    executor = ParallelLLMExecutor(Wire(), BOUND)
    tasks: list[Any] = [LLMTask("x"), b"y", None, LLMTask("z")]
    results = await executor.gather(tasks)
    assert [type(result.error) for result in results] == [
        type(None),
        TypeError,
        TypeError,
        type(None),
    ]
    assert_at_rest(executor)


# -- it is pulled lazily


@SOURCES
@pytest.mark.looptime
async def test_an_endless_input_is_pulled_no_further_ahead_than_the_window(kind):
    executor = ParallelLLMExecutor(Wire(latency=1.0), BOUND)
    source = kind()
    async with executor.as_completed(source) as results:
        for taken in range(1, 201):
            await anext(results)
            assert source.pulled <= taken + WINDOW
    assert other_tasks() == set()


@SOURCES
@pytest.mark.looptime
async def test_a_slow_consumer_holds_the_input_back(kind):
    wire = Wire()
    executor = ParallelLLMExecutor(wire, BOUND)
    source = kind()
    async with executor.as_completed(source) as results:
        for taken in range(1, 10):
            await anext(results)
            await asyncio.sleep(1000.0)
            assert source.pulled <= taken + WINDOW
            assert len(wire.ledger) <= taken + WINDOW


@SOURCES
@pytest.mark.looptime
async def test_in_order_a_late_first_one_holds_the_input_back_within_its_bound(kind):
    wire = Wire(latency=lambda prompt: 1000.0 if prompt == "0" else 1.0)
    executor = ParallelLLMExecutor(wire, BOUND)
    source = kind()
    async with executor.in_order(source) as results:
        first = await anext(results)
        assert first.index == 0
        assert source.pulled <= 4 * WINDOW
        indexes = [(await anext(results)).index for _ in range(200)]
        assert indexes == list(range(1, 201))
        assert source.pulled <= 201 + 4 * WINDOW


@pytest.mark.looptime
async def test_nothing_is_pulled_before_the_first_result_is_asked_for():
    executor = ParallelLLMExecutor(Wire(), BOUND)
    source = Iterator()
    results = executor.as_completed(source)
    await asyncio.sleep(10.0)
    assert source.pulled == 0
    await anext(results)
    await results.aclose()


@SOURCES
@pytest.mark.looptime
async def test_after_closing_nothing_more_is_pulled(kind):
    executor = ParallelLLMExecutor(Wire(latency=1.0), BOUND)
    source = kind()
    results = executor.as_completed(source)
    await anext(results)
    await results.aclose()
    pulled = source.pulled
    await asyncio.sleep(100.0)
    assert source.pulled == pulled


@pytest.mark.looptime
async def test_a_slow_input_keeps_what_has_come_in_running():
    """Each task begins as it comes; nothing waits for the next one."""
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, BOUND)

    async def slow():
        for i in range(5):
            await asyncio.sleep(10.0)
            yield LLMTask(str(i))

    ended = [asyncio.get_running_loop().time() async for _ in executor.as_completed(slow())]
    assert ended == [11.0, 21.0, 31.0, 41.0, 51.0]


@pytest.mark.looptime
async def test_a_queue_fed_from_the_results_is_an_input():
    """A crawl: each answer brings more tasks; the input ends when all of them are done."""
    executor = ParallelLLMExecutor(Wire(latency=1.0), BOUND)
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    queue.put_nowait("")

    async def tasks():
        while (item := await queue.get()) is not None:
            yield LLMTask(item)

    seen: set[str] = set()
    async for result in executor.as_completed(tasks()):
        seen.add(result.unwrap().content)
        if len(result.value.content) < 3:
            for letter in "abc":
                queue.put_nowait(result.value.content + letter)
        if len(seen) == 40:
            queue.put_nowait(None)
    assert seen == {
        "".join(word) for size in range(4) for word in itertools.product("abc", repeat=size)
    }
    assert other_tasks() == set()


@pytest.mark.looptime
async def test_an_input_that_fails_lets_nested_calls_end():
    executor = ParallelLLMExecutor(Wire(latency=2.0), BOUND)

    async def function():
        await asyncio.sleep(30.0)
        return await executor.gather(llm_tasks(3))

    def tasks():
        yield DeterministicTask(function)
        yield LLMTask("x")
        raise OSError("the file broke")

    seen = []

    async def consumer():
        async for result in executor.as_completed(tasks()):
            seen.append(result.success)  # noqa: PERF401 - as many as come before the error

    with pytest.raises(OSError, match="the file broke"):
        await consumer()
    assert seen == [True, True]
    assert asyncio.get_running_loop().time() == 32.0


@pytest.mark.looptime
async def test_the_same_iterator_may_feed_two_calls():
    executor = ParallelLLMExecutor(Wire(latency=1.0), BOUND)
    shared = iter(llm_tasks(50))
    mine, yours = await asyncio.gather(
        consume(executor.as_completed(shared)), executor.gather(shared)
    )
    assert sorted(int(result.value.content) for result in mine + yours) == list(range(50))


# -- it raises what would only end whoever takes the results


class Broken:
    """Gives two tasks, then raises, however it is asked: an iterator, an async one, or a generator of either kind."""

    def __init__(self, error):
        self.error = error
        self.given = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.given += 1
        if self.given > 2:
            raise self.error
        return LLMTask(str(self.given))


class AsyncBroken(Broken):
    __iter__ = None  # type: ignore[assignment]

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        return self.__next__()


async def async_generator(error):
    for task in llm_tasks(2):
        yield task
    raise error


def generator(error):
    yield from llm_tasks(2)
    raise error


async def of_a_cancelled_task(error):
    """As when a queue's reader was cancelled from elsewhere."""
    for task in llm_tasks(2):
        yield task
    reader = asyncio.ensure_future(asyncio.sleep(100.0))
    asyncio.get_running_loop().call_later(1.0, reader.cancel)
    await reader


ENDING = [asyncio.CancelledError, GeneratorExit, StopIteration, StopAsyncIteration]


@pytest.mark.parametrize("error", ENDING)
@pytest.mark.parametrize(
    "kind", [Broken, AsyncBroken, generator, async_generator, of_a_cancelled_task]
)
@pytest.mark.parametrize("method", ["gather", "as_completed", "in_order"])
@pytest.mark.looptime
async def test_an_input_that_was_cut_short_is_never_taken_for_one_that_ended(kind, error, method):
    error = error()
    if (kind is Broken and isinstance(error, StopIteration)) or (
        kind is AsyncBroken and isinstance(error, StopAsyncIteration)
    ):
        return  # which is how these end
    wire = Wire(latency=5.0)
    executor = ParallelLLMExecutor(wire, BOUND)
    seen = []

    async def consumer():
        if method == "gather":
            await executor.gather(kind(error))
        async for result in getattr(executor, method)(kind(error)):
            seen.append(result.success)  # noqa: PERF401 - as many as come before the error

    with pytest.raises((Cancelled, RuntimeError)) as raised:
        await consumer()
    if isinstance(raised.value, Cancelled):
        assert ("CancelledError" if kind is of_a_cancelled_task else type(error).__name__) in str(
            raised.value
        )
    if kind not in (AsyncBroken, async_generator) or isinstance(error, Exception):
        assert len(wire.outcomes("answered")) == 2
        assert seen == ([] if method == "gather" else [True] * 2)
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_is_cancelled_while_it_waits_for_input_is_just_cancelled():
    async def forever():
        yield LLMTask("0")
        await asyncio.sleep(1000.0)

    executor = ParallelLLMExecutor(Wire(latency=1.0), BOUND)
    waiting = asyncio.create_task(executor.gather(forever()))
    await asyncio.sleep(5.0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert_at_rest(executor)
