"""A random life: tasks, faults, limits, times and ends by chance, drawn from a seed; the invariants hold each time."""

import asyncio
import contextlib
import random

import pytest

from ingather import DeterministicTask, Limits, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import AuthFailed, Cancelled, IngatherError, RateLimited, ServerFault
from tests.run.stand_ins import (
    Wire,
    assert_at_rest,
    assert_usable,
    consume,
    consume_in_block,
    other_tasks,
)


class Abort(BaseException):
    """Somebody's own."""


class Life:
    """One executor, or two that call each other, and the dice that decide about all they do."""

    def __init__(self, seed):
        self.dice = dice = random.Random(seed)
        limits = dice.choice([None, Limits(requests_per_minute=600), Limits(max_concurrency=2)])
        self.wires = [self._wire(limits) for _ in range(dice.choice([1, 1, 2]))]
        self.executors = [
            ParallelLLMExecutor(
                wire,
                dice.choice([1, 2, 5]),
                default_retry=RetryConfig(
                    max_attempts=dice.choice([1, 3]), initial_delay=dice.choice([0.0, 0.5])
                ),
                default_per_task_timeout=dice.choice([None, None, 3.0]),
                deadline=dice.choice([None, None, 20.0]),
                fail_fast=dice.random() < 0.2,
            )
            for wire in self.wires
        ]
        self.fatal = dice.random() < 0.1
        self.closed = False

    def _wire(self, limits):
        dice = self.dice

        def answer(prompt, number):
            roll = dice.random()
            if roll < 0.08:
                return RateLimited("429", status=429, retry_after=dice.choice([None, 0.0, 0.7]))
            if roll < 0.16:
                return ServerFault("500", status=500)
            if roll < 0.161:
                return AuthFailed("401", status=401)
            return asyncio.CancelledError() if roll < 0.166 else prompt

        return Wire(
            answer,
            latency=lambda prompt: dice.choice([0.0, 0.0, 0.1, 1.0, 5.0]),
            limits=limits,
            farewell=dice.choice([0.0, 0.0, 0.3]),
        )

    def task(self, depth):
        dice = self.dice
        timeout, deadline = dice.choice([None, None, 0.5]), dice.choice([None, None, None, 2.0])
        if depth == 0 or dice.random() < 0.5:
            return LLMTask("x", timeout=timeout, deadline=deadline)
        function = dice.choice([self.short, self.parent, self.parent, self.raises])
        return DeterministicTask(function, (depth - 1,), timeout=timeout, deadline=deadline)

    def tasks(self, depth):
        return [self.task(depth) for _ in range(self.dice.randrange(20))]

    async def short(self, depth):
        await asyncio.sleep(self.dice.choice([0.0, 0.1, 1.0]))

    async def raises(self, depth):
        await asyncio.sleep(self.dice.choice([0.0, 0.2]))
        if self.fatal:
            raise Abort
        raise self.dice.choice([ValueError(), asyncio.CancelledError(), TimeoutError()])

    async def parent(self, depth):
        await self.call(depth, self.tasks(depth))

    async def call(self, depth, tasks):
        dice = self.dice
        executor = dice.choice(self.executors)
        whole = not executor._fail_fast  # then each task of a list is told of, whatever ends it
        match dice.randrange(7):
            case 0 | 1:
                results = await executor.gather(tasks)
            case 2:
                results = list(
                    (
                        await executor.execute({str(i): task for i, task in enumerate(tasks)})
                    ).values()
                )
            case 3:
                results = await consume(executor.as_completed(iter(tasks)))
                whole = whole and executor._deadline is None and not self.closed
            case 4:
                results = await consume_in_block(executor.in_order(tasks))
                whole = whole and not self.closed
            case 5:
                return await self._leave_early(executor.as_completed(tasks))
            case _:
                results = await executor.execute_sequential(tasks)
        self.check(tasks, results, whole=whole)
        return results

    async def _leave_early(self, results):
        async with results:
            async for _ in results:
                if self.dice.random() < 0.3:
                    break

    def check(self, tasks, results, *, whole):
        indexes = [result.index for result in results]
        assert len(set(indexes)) == len(indexes)
        assert not whole or sorted(indexes) == list(range(len(tasks)))
        for result in results:
            assert result.success == (result.error is None)
            assert isinstance(result.error, IngatherError | ValueError | TimeoutError | None)
            assert result.rejected <= result.attempts
            assert result.duration_ms >= 0
            assert result.queued_ms >= 0

    async def live(self):
        dice = self.dice
        runs = [
            asyncio.create_task(self.call(3, self.tasks(3)))
            for _ in range(dice.choice([1, 1, 2, 4]))
        ]
        for _ in range(dice.randrange(4)):
            for _ in range(dice.randrange(30)):
                await asyncio.sleep(0)
            await asyncio.sleep(dice.choice([0.0, 0.1, 0.5, 2.0]))
            match dice.randrange(4):
                case 0 | 1:
                    dice.choice(runs).cancel()
                case 2:
                    self.closed = True
                    await dice.choice(self.executors).aclose()
                case _:
                    await asyncio.sleep(dice.choice([1.0, 10.0]))
        # who takes results of an executor that somebody closes
        told = [Cancelled] if self.closed else []
        for run in runs:
            with contextlib.suppress(asyncio.CancelledError, Abort, *told):
                await run


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.looptime(noop_cycles=3)
async def test_whatever_happens_nothing_is_left_and_all_is_told(seed):
    life = Life(seed)
    await life.live()
    assert other_tasks() == set()
    for executor, wire in zip(life.executors, life.wires, strict=True):
        assert wire.peak <= executor.max_concurrency
        assert_at_rest(executor, wire)
        await assert_usable(executor)
