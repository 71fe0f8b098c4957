"""Functions that call the executor again: they finish at any bound, and the bound holds."""

import asyncio
import contextlib
from math import prod

import pytest

from ingather import (
    DeterministicTask,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    run_sync,
)
from ingather.errors import AttemptTimeout, ServerFault
from tests.run.stand_ins import Wire, assert_at_rest, slots_of

WIDE = (40, 3, 2, 2)
WIDE_BELOW = (2, 2, 3, 40)
BOUNDS = pytest.mark.parametrize("bound", [1, 3])


class Tree:
    """Nested calls of an executor: a node at each level calls as many below it, the lowest are calls to a model."""

    def __init__(self, *executors):
        self.executors = executors
        self.open = self.most_open = 0

    def tasks(self, widths, path=()):
        for number in range(widths[0]):
            here = (*path, number)
            yield (
                LLMTask(".".join(map(str, here)))
                if len(widths) == 1
                else DeterministicTask(self.node(len(widths)), (widths[1:], here))
            )

    def node(self, level):
        raise NotImplementedError

    def executor(self, path):
        return self.executors[len(path) % len(self.executors)]

    @contextlib.contextmanager
    def counted(self):
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield
        finally:
            self.open -= 1

    async def below(self, widths, path):
        with self.counted():
            return leaves(await self.executor(path).gather(self.tasks(widths, path)))


def leaves(results):
    """How many calls to a model the tree below these results had; a failure is raised."""
    values = [result.unwrap() for result in results]
    return sum(1 if isinstance(value, LLMResponse) else value for value in values)


class Async(Tree):
    def node(self, level):
        return self.below


class Threads(Tree):
    def node(self, level):
        return lambda widths, path: run_sync(self.below(widths, path))


class Mixed(Tree):
    def node(self, level):
        return self.below if level % 2 else lambda widths, path: run_sync(self.below(widths, path))


class AllMethods(Tree):
    """Each level asks in another way."""

    async def below(self, widths, path):
        executor, tasks = self.executor(path), list(self.tasks(widths, path))
        match len(path) % 4:
            case 0:
                return leaves([result async for result in executor.in_order(tasks)])
            case 1:
                return leaves([result async for result in executor.as_completed(tasks)])
            case 2:
                return leaves(
                    (
                        await executor.execute({str(i): task for i, task in enumerate(tasks)})
                    ).values()
                )
            case _:
                return leaves(await executor.execute_sequential(tasks))

    def node(self, level):
        return self.below


class OwnLoops(Tree):
    """Each node runs an event loop of its own in its thread."""

    def node(self, level):
        return lambda widths, path: asyncio.run(self.below(widths, path))


def paths(widths):
    if not widths:
        return [()]
    return [(i, *rest) for i in range(widths[0]) for rest in paths(widths[1:])]


def assert_each_once(widths, *wires):
    sent = sorted(sent.prompt for wire in wires for sent in wire.outcomes("answered"))
    assert sent == sorted(".".join(map(str, path)) for path in paths(widths))
    assert sum(len(wire.ledger) for wire in wires) == prod(widths)


# -- it finishes, and the bound holds


@BOUNDS
@pytest.mark.parametrize("widths", [WIDE, WIDE_BELOW, (40, 40)])
@pytest.mark.parametrize("kind", [Async, AllMethods, Threads, Mixed])
async def test_four_levels_deep_and_forty_wide_finishes(kind, widths, bound):
    wire = Wire()
    executor = ParallelLLMExecutor(wire, bound)
    tree = kind(executor)
    async with asyncio.timeout(60):
        assert leaves(await executor.gather(tree.tasks(widths))) == prod(widths)
    assert wire.peak <= bound
    assert_each_once(widths, wire)
    assert_at_rest(executor, wire)


@BOUNDS
@pytest.mark.looptime
async def test_slow_calls_use_all_of_the_bound_and_no_more(bound):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)
    tree = Async(executor)
    await executor.gather(tree.tasks(WIDE))
    assert wire.peak == bound
    assert asyncio.get_running_loop().time() == pytest.approx(prod(WIDE) / bound, rel=0.02)
    assert_at_rest(executor, wire)


@BOUNDS
async def test_two_executors_nested_in_each_other_finish(bound):
    wires = Wire(), Wire()
    executors = [ParallelLLMExecutor(wire, bound) for wire in wires]
    tree = Async(*executors)
    async with asyncio.timeout(60):
        assert leaves(await executors[0].gather(tree.tasks(WIDE))) == prod(WIDE)
    assert max(wire.peak for wire in wires) <= bound
    assert_each_once(WIDE, *wires)
    for executor in executors:
        assert_at_rest(executor, *wires)


async def test_two_executors_on_one_quota_nested_in_each_other_finish():
    wires = [Wire(host="nested-in-each-other") for _ in range(2)]
    executors = [ParallelLLMExecutor(wire, 1) for wire in wires]
    tree = Threads(*executors)
    async with asyncio.timeout(60):
        assert leaves(await executors[0].gather(tree.tasks(WIDE))) == prod(WIDE)
    assert_each_once(WIDE, *wires)


@BOUNDS
async def test_functions_that_run_a_loop_of_their_own_finish(bound):
    # then asyncio itself objects to calls from a foreign thread
    asyncio.get_running_loop().set_debug(True)
    wire = Wire()
    executor = ParallelLLMExecutor(wire, bound)
    tree = OwnLoops(executor)
    async with asyncio.timeout(60):
        assert leaves(await executor.gather(tree.tasks((10, 3, 2)))) == 60
    assert wire.peak <= bound
    assert_at_rest(executor, wire)


class Router:
    """A bare provider that answers by asking an executor, down to the leaves."""

    executor: ParallelLLMExecutor

    def __init__(self):
        self.in_flight = self.peak = 0

    async def complete(self, messages, config_overrides=None):
        width, _, rest = messages[-1].content.partition(" ")
        if rest:
            results = await self.executor.gather([LLMTask(rest) for _ in range(int(width))])
            return LLMResponse(str(sum(int(result.unwrap().content) for result in results)))
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        return LLMResponse("1")


@BOUNDS
async def test_a_bare_provider_that_calls_its_own_executor_finishes(bound):
    provider = Router()
    executor = provider.executor = ParallelLLMExecutor(provider, bound)
    async with asyncio.timeout(60):
        results = await executor.gather([LLMTask("4 3 2 leaf") for _ in range(40)])
    assert [result.unwrap().content for result in results] == ["24"] * 40
    assert provider.peak == bound
    assert_at_rest(executor)


@BOUNDS
@pytest.mark.looptime
async def test_what_runs_before_the_nested_call_is_under_the_bound_too(bound):
    """Functions that work before they ask: they and the calls on the wire together stay within it."""
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)

    async def work(widths):
        wire.in_flight += 1
        wire.peak = max(wire.peak, wire.in_flight)
        await asyncio.sleep(0.7)
        wire.in_flight -= 1
        tasks = [
            DeterministicTask(work, (widths[1:],)) if widths[1:] else LLMTask("leaf")
            for _ in range(widths[0])
        ]
        await executor.gather(tasks)

    await executor.gather([DeterministicTask(work, ((3, 2),)) for _ in range(40)])
    assert wire.peak == bound
    assert len(wire.ledger) == 40 * 3 * 2


@BOUNDS
@pytest.mark.looptime
async def test_no_more_parents_are_open_than_the_window_has(bound):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)
    tree = Async(executor)
    await executor.gather(tree.tasks((100, 3)))
    assert bound < tree.most_open <= 2 * bound + 16


@pytest.mark.looptime
async def test_nested_work_goes_before_work_that_was_begun_later():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)

    async def parent(name):
        return await executor.gather([LLMTask(f"{name}{i}") for i in range(3)])

    await executor.gather([DeterministicTask(parent, (name,)) for name in "abcdefgh"])
    prompts = [sent.prompt for sent in wire.ledger]
    finished = [prompts.index(f"{name}2") for name in "abcdefgh"]
    assert finished == sorted(finished)
    assert prompts[:3] == ["a0", "a1", "a2"]


# -- giving the slot back


@pytest.mark.looptime
@BOUNDS
async def test_a_function_that_asks_again_and_again_gives_back_one_slot(bound):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)
    seen = []

    async def parent():
        for _ in range(3):
            await asyncio.gather(*(executor.gather([LLMTask("x")]) for _ in range(4)))
            seen.append(slots_of(executor).in_use)

    await executor.gather([DeterministicTask(parent) for _ in range(10)])
    assert min(seen) >= 0
    assert wire.peak <= bound
    assert len(wire.ledger) == 120
    assert_at_rest(executor, wire)


async def test_asking_for_nothing_at_all_is_a_nested_call_too():
    executor = ParallelLLMExecutor(Wire(), 1)

    async def parent():
        return await executor.gather([])

    results = await executor.gather([DeterministicTask(parent) for _ in range(50)])
    assert [result.unwrap() for result in results] == [[]] * 50
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_background_task_that_outlives_its_function_takes_nobodys_slot():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)
    late = []

    async def leaves_a_task_behind():
        async def later():
            await asyncio.sleep(5.0)
            return await executor.gather([LLMTask("late"), LLMTask("later")])

        late.append(asyncio.create_task(later()))

    await executor.gather(
        [DeterministicTask(leaves_a_task_behind), *(LLMTask(str(i)) for i in range(20))]
    )
    assert [result.success for result in await late[0]] == [True, True]
    assert wire.peak == 1
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_no_slot_idles_when_many_parents_end_in_one_moment():
    """A long parent stays aside; whatever ends beside it, the other tasks keep all slots busy."""
    for bound in (1, 2, 4):
        wire = Wire(latency=10.0)
        executor = ParallelLLMExecutor(wire, bound)
        begun = asyncio.get_running_loop().time()

        async def parent(seconds, executor=executor):
            await executor.gather([])
            await asyncio.sleep(seconds)

        parents = [
            DeterministicTask(parent, (seconds,)) for seconds in (1000.0, *[10.0] * (2 * bound))
        ]
        await executor.gather([*parents, *(LLMTask(str(i)) for i in range(40))])
        starts = [sent.began - begun for sent in wire.ledger]
        assert starts == [10.0 * (i // bound) for i in range(40)]


# -- failures and times


@pytest.mark.looptime
async def test_a_parent_that_times_out_takes_its_nested_calls_with_it_and_leaves_the_others():
    wire = Wire(latency=lambda prompt: 100.0 if prompt == "slow" else 1.0)
    executor = ParallelLLMExecutor(wire, 1)

    async def parent(prompt):
        return await executor.gather([LLMTask(prompt)])

    results = await executor.gather(
        [
            DeterministicTask(parent, ("slow",), timeout=5.0),
            *(DeterministicTask(parent, ("swift",)) for _ in range(3)),
        ]
    )
    assert [type(result.error) for result in results] == [
        AttemptTimeout,
        type(None),
        type(None),
        type(None),
    ]
    assert [sent.prompt for sent in wire.outcomes("cancelled")] == ["slow"]
    assert asyncio.get_running_loop().time() == 8.0
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_fail_fast_below_ends_the_calls_below_only():
    wire = Wire(
        lambda prompt, number: RuntimeError(prompt) if prompt == "bad" else prompt, latency=1.0
    )
    executor = ParallelLLMExecutor(wire, 3)

    async def parent():
        return await executor.gather(
            [LLMTask("bad"), *(LLMTask("good") for _ in range(5))], fail_fast=True
        )

    outer = await executor.gather(
        [DeterministicTask(parent), *(LLMTask("beside") for _ in range(5))]
    )
    assert all(result.success for result in outer)
    assert [result.success for result in outer[0].value].count(True) <= 2
    assert len(outer[0].unwrap()) == 6
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_faults_and_retries_below_keep_the_bound():
    def answer(prompt, number):
        return ServerFault("500", status=500) if number % 6 == 0 else prompt

    wire = Wire(answer, latency=1.0, retry=RetryConfig(max_attempts=8, initial_delay=3.0))
    executor = ParallelLLMExecutor(wire, 2)
    tree = Async(executor)
    assert leaves(await executor.gather(tree.tasks((10, 3, 2)))) == 60
    assert wire.peak == 2
    assert len(wire.outcomes("answered")) == 60
    assert_at_rest(executor, wire)


async def test_a_parent_that_raises_after_its_nested_calls_has_failed_alone():
    executor = ParallelLLMExecutor(Wire(), 1)

    async def parent(number):
        await executor.gather([LLMTask("x"), LLMTask("y")])
        if number % 2:
            raise ValueError(number)

    results = await executor.gather([DeterministicTask(parent, (i,)) for i in range(10)])
    assert [result.success for result in results] == [True, False] * 5
    assert_at_rest(executor)


async def test_run_sync_in_an_async_function_says_await():
    executor = ParallelLLMExecutor(Wire(), 1)

    async def parent():
        return run_sync(executor.gather([LLMTask("x")]))

    (result,) = await executor.gather([DeterministicTask(parent)])
    assert isinstance(result.error, RuntimeError)
    assert "await" in str(result.error)
    assert_at_rest(executor)


async def test_a_nested_deadline_of_the_executor_is_for_each_call_of_a_method():
    executor = ParallelLLMExecutor(Wire(), 1, deadline=1000.0)
    tree = Mixed(executor)
    assert leaves(await executor.gather(tree.tasks((3, 3)))) == 9


# -- stages: the input of one call is what another one gives


@BOUNDS
@pytest.mark.looptime
async def test_stages_of_one_executor_feed_each_other(bound):
    wire = Wire(lambda prompt, number: prompt + "'", latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)

    async def next_stage(results):
        async for result in results:
            yield LLMTask(result.unwrap().content)

    first = executor.as_completed(LLMTask(str(i)) for i in range(30))
    second = executor.in_order(next_stage(first))
    third = executor.as_completed(next_stage(second))
    contents = sorted([result.unwrap().content async for result in third])
    assert contents == sorted(f"{i}'''" for i in range(30))
    assert wire.peak == bound
    assert asyncio.get_running_loop().time() <= 90 / bound + 5
    assert_at_rest(executor, wire)
