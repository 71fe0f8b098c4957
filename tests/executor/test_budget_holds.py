"""Whatever happens to the calls: what a provider bills in truth stays below the cap, and nothing stays reserved."""

import asyncio
import contextlib
import random
import threading

import pytest

from ingather import Budget, Hedge, LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.errors import (
    BadBody,
    BudgetSpent,
    ConnectFailed,
    ConnectionLost,
    Overloaded,
    RateLimited,
    ServerFault,
    Truncated,
)
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, assert_at_rest

PRICES = {"*": (1_000_000.0, 2_000_000.0)}  # one USD a token in, two a token out
UNBILLED = [
    RateLimited("429", status=429, retry_after=0.5),
    Overloaded("503", status=503),
    ServerFault("500", status=500),
    ConnectFailed("refused"),
]
PERHAPS_BILLED = [ConnectionLost("cut"), BadBody("half", status=200), Overloaded("502", status=502)]


class Till(Wire):
    """Bills what it answers, and at random what it was cancelled at or whose answer was lost.

    A prompt ``"bytes|cap"`` has so many bytes, and an answer of at most so many tokens.
    """

    def __init__(self, dice, faults):
        self.dice = dice
        self.faults = faults
        self.billed = self.tokens = 0.0
        super().__init__(
            self.answered,
            latency=lambda prompt: dice.choice([0.0, 0.2, 1.0, 6.0]),
            estimate=lambda prompt: Tokens(1, max_output=int(prompt.split("|")[1])),
            retry=RetryConfig(3, initial_delay=0.1),
        )

    def bill(self, prompt):
        usage = Usage(
            self.dice.randint(0, len(prompt)), self.dice.randint(0, int(prompt.split("|")[1]))
        )
        self.billed += usage.input_tokens + 2 * usage.output_tokens
        self.tokens += usage.total_tokens
        return usage

    def answered(self, prompt, number):
        if self.dice.random() < self.faults:
            if self.dice.random() < 0.5:
                return self.dice.choice(UNBILLED)
            usage = self.bill(prompt)
            lost = self.dice.choice([*PERHAPS_BILLED, "cut", "uncounted"])
            if lost == "cut":
                return Truncated("cut", response=LLMResponse(prompt, usage=usage))
            return LLMResponse(prompt) if lost == "uncounted" else lost
        return LLMResponse(prompt, usage=self.bill(prompt))

    async def send(self, request):
        try:
            return await super().send(request)
        except asyncio.CancelledError:
            if self.dice.random() < 0.5:
                self.bill(request.body.decode())
            raise


def tasks_of(dice, number):
    return [
        LLMTask(
            f"{i:05}|{dice.choice([1, 5, 20, 60])}",
            timeout=dice.choice([None, 3.0]),
            deadline=dice.choice([None, None, 2.0]),
        )
        for i in range(number)
    ]


@pytest.mark.looptime
@pytest.mark.parametrize("faults", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("seed", range(12))
async def test_a_random_schedule_never_costs_more_than_the_cap(seed, faults):
    dice = random.Random(f"{seed} {faults}")
    tills = [Till(dice, faults) for _ in range(dice.choice([1, 1, 3]))]
    cap, most = dice.choice([(300.0, None), (3000.0, None), (None, 1500), (4000.0, 1500)])
    budget = Budget(max_cost_usd=cap, max_tokens=most, prices=PRICES)
    hedge = dice.choice([None, Hedge(after=0.5, max_extra=1.0)])
    executors = [
        ParallelLLMExecutor(till, dice.choice([1, 5, 40]), budget=budget, hedge=hedge)
        for till in tills
    ]
    runs = [asyncio.create_task(executor.gather(tasks_of(dice, 100))) for executor in executors]
    if dice.random() < 0.3:
        await asyncio.sleep(dice.uniform(0, 10))
        dice.choice(runs).cancel()
    results = await asyncio.gather(*runs, return_exceptions=True)
    assert sum(till.billed for till in tills) <= budget.spent.usd + 1e-6
    assert budget.spent.usd <= (cap or float("inf"))
    assert sum(till.tokens for till in tills) <= budget.spent.tokens
    assert budget.spent.tokens <= (most or float("inf"))
    assert budget.reserved.usd == pytest.approx(0.0, abs=1e-9)
    assert budget.reserved.tokens == pytest.approx(0.0, abs=1e-9)
    unsent = [
        r
        for run in results
        if isinstance(run, list)
        for r in run
        if isinstance(r.error, BudgetSpent)
    ]
    assert not unsent or budget.left < 0.5  # who found no money found it spent
    for executor, till in zip(executors, tills, strict=True):
        assert_at_rest(executor, till)


@pytest.mark.looptime
@pytest.mark.parametrize("width", [1, 10, 200])
async def test_nearly_all_of_the_cap_is_used_where_one_call_is_a_hundredth_of_it(width):
    dice = random.Random(width)
    till = Till(dice, 0.2)
    budget = Budget(max_cost_usd=6000.0, prices=PRICES)  # 8 bytes and 20 tokens: at most 48
    await ParallelLLMExecutor(till, width, budget=budget).gather(
        [LLMTask(f"{i:05}|20") for i in range(3000)]
    )
    assert 0.95 * 6000 <= budget.spent.usd <= 6000
    assert till.billed <= budget.spent.usd


def test_threads_with_loops_of_their_own_share_a_budget():
    dice = random.Random(1)
    budget = Budget(max_cost_usd=2000.0, prices=PRICES)
    tills = [Till(dice, 0.2) for _ in range(4)]
    for till in tills:
        till.latency = 0.001

    def work(till):
        asyncio.run(
            ParallelLLMExecutor(till, 8, budget=budget).gather(
                [LLMTask(f"{i:05}|20") for i in range(100)]
            )
        )

    threads = [threading.Thread(target=work, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(till.billed for till in tills) <= budget.spent.usd <= 2000.0
    assert budget.spent.usd > 1900.0
    assert budget.reserved.usd == pytest.approx(0.0, abs=1e-9)


def test_a_loop_that_is_closed_under_its_calls_leaves_nothing_reserved_for_good():
    dice = random.Random(1)
    budget = Budget(max_cost_usd=120.0, prices=PRICES)  # two calls at once
    till = Till(dice, 0.0)
    till.latency = 60.0
    loop = asyncio.new_event_loop()
    run = loop.create_task(
        ParallelLLMExecutor(till, 8, budget=budget).gather([LLMTask("00000|20")] * 6)
    )
    with contextlib.suppress(TimeoutError):
        loop.run_until_complete(asyncio.wait_for(asyncio.shield(run), 0.05))
    run.cancel()
    loop.run_until_complete(asyncio.wait([run]))
    loop.close()
    assert budget.reserved.usd == pytest.approx(0.0, abs=1e-9)
    assert budget.spent.usd == 96.0


@pytest.mark.looptime
async def test_an_answer_that_is_dearer_than_it_could_be_makes_later_ones_reserve_more():
    def answer(prompt, number):
        return LLMResponse(prompt, usage=Usage(8, 50))

    wire = Wire(answer, estimate=lambda prompt: Tokens(1, max_output=10), latency=1.0)
    budget = Budget(max_cost_usd=1000.0, prices=PRICES)
    await ParallelLLMExecutor(wire, 1, budget=budget).gather([LLMTask("12345678")] * 40)
    assert budget.spent.usd == 9 * 108  # and no tenth, which by its own word would cost 28
    assert wire.peak == 1
