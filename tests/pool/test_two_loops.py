"""Executors on several event loops share one quota: its limits hold for all, and none waits for a loop that ended."""

import asyncio
import contextlib
import gc
import random
import threading
import weakref

import pytest

from ingather import DeterministicTask, Limits, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import RateLimited, ServerFault
from tests.pool.two_loops import Clock
from tests.run.stand_ins import Wire, assert_at_rest, gate_of, llm_tasks, slots_of


@pytest.fixture
def clock():
    clock = Clock()
    yield clock
    for loop in tuple(clock.loops):
        clock.end(loop)


def fullest_minute(wires):
    moments = sorted(sent.began for wire in wires for sent in wire.ledger)
    return max(sum(1 for moment in moments if begin <= moment < begin + 60) for begin in moments)


def two(host, **kwargs):
    return [Wire(host=host, **kwargs) for _ in range(2)]


# -- under one clock


def test_two_loops_share_one_quota_and_take_turns(clock):
    wires = two("share and turn", latency=1.0, limits=Limits(requests_per_minute=60))
    executors = [ParallelLLMExecutor(wire, 10) for wire in wires]
    tasks = [clock.start(clock.loop(), executor.gather(llm_tasks(60))) for executor in executors]
    clock.run_until(lambda: all(task.done() for task in tasks))
    assert all(result.success for task in tasks for result in task.result())
    assert fullest_minute(wires) <= 60
    assert clock.now == pytest.approx(120.0, rel=0.03)
    first_half = [sum(1 for sent in wire.ledger if sent.began < 60) for wire in wires]
    assert abs(first_half[0] - first_half[1]) <= 2
    for executor in executors:
        assert_at_rest(executor)


def test_one_executor_on_two_loops_keeps_its_bound(clock):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    tasks = [clock.start(clock.loop(), executor.gather(llm_tasks(30))) for _ in range(2)]
    clock.run_until(lambda: all(task.done() for task in tasks))
    assert wire.peak == 3
    assert clock.now == pytest.approx(20.0)
    assert_at_rest(executor, wire)


def test_a_cap_on_calls_in_flight_holds_for_both(clock):
    wires = two("cap for both", latency=1.0, limits=Limits(max_concurrency=2))
    executors = [ParallelLLMExecutor(wire, 10) for wire in wires]
    tasks = [clock.start(clock.loop(), executor.gather(llm_tasks(20))) for executor in executors]
    clock.run_until(lambda: all(task.done() for task in tasks))
    assert clock.now == pytest.approx(20.0)


def test_a_429_on_one_loop_pauses_both(clock):
    def answer(prompt, number):
        return RateLimited("429", status=429, retry_after=30.0) if number == 1 else prompt

    wires = two("pauses both", latency=1.0)
    wires[0].answer = answer
    executors = [ParallelLLMExecutor(wire, 1) for wire in wires]
    loops = [clock.loop(), clock.loop()]
    tasks = [clock.start(loops[0], executors[0].gather(llm_tasks(2)))]
    clock.sleep(2.0)
    tasks.append(clock.start(loops[1], executors[1].gather(llm_tasks(2))))
    clock.run_until(lambda: all(task.done() for task in tasks))
    assert wires[1].ledger[0].began >= 31.0
    assert clock.now <= 36.0


# a place in flight comes free with its request, which a loop that is killed never ends: only its
# waiters are given up
@pytest.mark.parametrize(
    ("limits", "ends"),
    [
        pytest.param(Limits(requests_per_minute=30), "cancelled", id="rpm-cancelled"),
        pytest.param(Limits(requests_per_minute=30), "killed", id="rpm-killed"),
        pytest.param(Limits(max_concurrency=1), "cancelled", id="cap-cancelled"),
        pytest.param(
            Limits(requests_per_minute=30, max_concurrency=3), "cancelled", id="both-cancelled"
        ),
    ],
)
@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.2, 10.0, 61.0])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loop_that_ends_does_not_hold_up_the_other_one(clock, limits, seconds, ends, caplog):
    """Cancelled in order, or closed with its tasks as they are: its requests, its place and its timer are given up."""
    wires = two(f"{ends} {seconds} {limits}", latency=1.0, limits=limits)
    executors = [ParallelLLMExecutor(wire, 5) for wire in wires]
    goes, stays = clock.loop(), clock.loop()
    gone = clock.start(goes, executors[0].gather(llm_tasks(100)))
    task = clock.start(stays, executors[1].gather(llm_tasks(20)))
    clock.sleep(seconds)
    if ends == "cancelled":
        clock.end(goes)
        assert slots_of(executors[0]).in_use == 0
        assert gone.cancelled()
    else:
        clock.kill(goes)
        executors[0]._runs.take_dead()
        del gone
        gc.collect()
    clock.run_until(task.done, end=clock.now + 200.0)
    assert all(result.success for result in task.result())
    for executor in executors if ends == "cancelled" else ():
        assert_at_rest(executor)
    gc.collect()  # here, where what a killed loop's tasks say as they go is ignored


@pytest.mark.parametrize("seconds", [0.0, 0.5, 3.2, 10.0, 61.0])
def test_a_loop_that_is_blocked_does_not_hold_up_the_other_one(clock, seconds):
    """As a notebook's while its cell waits in `run_sync`: the quota's timer must not be that loop's alone."""
    wires = two(f"blocked {seconds}", latency=1.0, limits=Limits(requests_per_minute=30))
    executors = [ParallelLLMExecutor(wire, 5) for wire in wires]
    blocked, turning = clock.loop(), clock.loop()
    late = clock.start(blocked, executors[0].gather(llm_tasks(40)))
    task = clock.start(turning, executors[1].gather(llm_tasks(20)))
    clock.sleep(seconds)
    clock.loops.remove(blocked)
    clock.run_until(task.done, end=clock.now + 200.0)
    clock.loops.append(blocked)
    clock.run_until(late.done, end=clock.now + 200.0)
    assert all(result.success for result in [*task.result(), *late.result()])
    for executor in executors:
        assert_at_rest(executor)


@pytest.mark.parametrize("seed", range(20))
def test_loops_that_come_and_go_leave_the_quota_as_it_was(clock, seed):
    """A random life: loops begin, are cancelled, throttled, end; at the end nothing is held and nothing waits."""
    dice = random.Random(seed)
    host = f"come and go {seed}"
    limits = Limits(requests_per_minute=120, max_concurrency=4)

    def answer(prompt, number):
        if dice.random() < 0.1:
            return RateLimited("429", status=429, retry_after=dice.choice([None, 0.5, 3.0]))
        return ServerFault("500", status=500) if dice.random() < 0.1 else prompt

    def new_wire():
        return Wire(
            answer, latency=lambda prompt: dice.choice([0.0, 0.3, 2.0]), host=host, limits=limits
        )

    retry = RetryConfig(max_attempts=10, initial_delay=0.5)
    wires = [new_wire() for _ in range(3)]
    executors = [
        ParallelLLMExecutor(wire, dice.choice([1, 3, 10]), default_retry=retry) for wire in wires
    ]
    stays = clock.loop()
    tasks = [clock.start(stays, executors[0].gather(llm_tasks(150)))]
    for _ in range(15):
        match dice.choice(["begin", "begin", "cancel", "end", "sleep"]):
            case "begin":
                loop = dice.choice(clock.loops) if dice.random() < 0.5 else clock.loop()
                tasks.append(
                    clock.start(loop, dice.choice(executors).gather(llm_tasks(dice.randrange(60))))
                )
            case "cancel":
                dice.choice(tasks[1:] or [asyncio.Future(loop=stays)]).cancel()
            case "end" if len(clock.loops) > 1:
                clock.end(dice.choice(clock.loops[1:]))
            case _:
                clock.sleep(dice.random() * 20)
    clock.run_until(lambda: all(task.done() for task in tasks), end=clock.now + 5_000)
    for executor, its_wire in zip(executors, wires, strict=True):
        assert_at_rest(executor, its_wire)
    assert fullest_minute([one for one in wires if one.ledger]) <= 120
    assert list(gate_of(executors[0]).waiting) == []


def test_loops_that_have_ended_are_not_kept():
    """A service may run a loop for each of its requests, and give up while the quota is paused."""
    wire = Wire(
        lambda prompt, number: (
            RateLimited("429", status=429, retry_after=100.0) if number == 1 else prompt
        )
    )
    executor = ParallelLLMExecutor(wire, 2)
    loops = []

    async def gives_up():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await executor.gather(llm_tasks(3))

    for _ in range(10):
        asyncio.run(gives_up())
    gc.collect()
    assert sum(loop() is not None for loop in loops) <= 1
    assert_at_rest(executor, wire)


# -- in real threads


def in_threads(*coroutine_functions):
    """Each in a thread and a loop of its own, begun together; an error of any is raised."""
    together, errors = threading.Barrier(len(coroutine_functions)), []

    def target(function):
        try:
            together.wait(30)
            asyncio.run(function())
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=target, args=(function,), daemon=True)
        for function in coroutine_functions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    for error in errors:
        raise error


def test_threads_that_share_an_executor_and_a_quota_finish_and_keep_both_bounds():
    wire = Wire(latency=0.0005, limits=Limits(max_concurrency=7))
    shared, own = ParallelLLMExecutor(wire, 5), ParallelLLMExecutor(wire, 5)
    wire.limits = None

    async def work():
        for executor in (shared, own) * 5:
            results = await executor.gather(llm_tasks(30))
            assert all(result.success for result in results)

    in_threads(*[work] * 4)
    assert wire.peak <= 7
    assert len(wire.ledger) == 4 * 10 * 30
    for executor in (shared, own):
        assert_at_rest(executor, wire)


def test_threads_that_nest_functions_and_calls_finish():
    wire = Wire()
    executor = ParallelLLMExecutor(wire, 2)

    async def parent(depth):
        below = [
            DeterministicTask(parent, (depth - 1,)) if depth else LLMTask("leaf") for _ in range(3)
        ]
        return await executor.gather(below)

    async def work():
        await executor.gather([DeterministicTask(parent, (2,)) for _ in range(5)])

    in_threads(*[work] * 4)
    assert wire.peak <= 2
    assert len(wire.ledger) == 4 * 5 * 27
    assert_at_rest(executor, wire)


def test_threads_that_are_throttled_fail_and_cancel_leave_nothing():
    def answer(prompt, number):
        if number % 97 == 0:
            return RateLimited("429", status=429, retry_after=0.002)
        return ServerFault("500", status=500) if number % 7 == 0 else prompt

    wire = Wire(answer, latency=0.0003, limits=Limits(max_concurrency=6))
    executors = [
        ParallelLLMExecutor(wire, bound, default_retry=RetryConfig(5, 0.001)) for bound in (2, 5)
    ]

    async def work():
        for turn in range(25):
            task = asyncio.create_task(executors[turn % 2].gather(llm_tasks(20)))
            if turn % 3:
                await asyncio.sleep(0.0007 * (turn % 5))
                task.cancel()
            await asyncio.wait([task])

    in_threads(*[work] * 4)
    for executor in executors:
        assert_at_rest(executor, wire)
    pool = gate_of(executors[0])
    assert pool.controller.in_flight == 0
