"""Refusals by a status alone: one request's own where its key is answered otherwise, else everybody's."""

import asyncio
from collections import Counter

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig, Store
from ingather.errors import AuthFailed, ModelNotFound, PoolFailure, QuotaExhausted
from tests.run.stand_ins import Wire, assert_at_rest, consume, llm_tasks, slots_of

pytestmark = pytest.mark.looptime

BY_STATUS = {
    "401": lambda: AuthFailed("no entry", status=401),
    "402": lambda: QuotaExhausted("more credits, or fewer max_tokens", status=402),
    "403": lambda: AuthFailed("blocked by a firewall", status=403),
    "404": lambda: ModelNotFound("no such file", status=404),
}
EACH_STATUS = pytest.mark.parametrize("status", BY_STATUS)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "answers.db") as store:
        yield store


def but_for(*refused, status="403"):
    """Answers all prompts but these."""
    return lambda prompt, number: BY_STATUS[status]() if prompt in refused else prompt


def failed(results):
    return {
        result.tag or str(result.index): type(result.error)
        for result in results
        if not result.success
    }


def alone(results):
    return [
        result for result in results if isinstance(result.error, PoolFailure) and result.error.alone
    ]


@EACH_STATUS
@pytest.mark.parametrize("bound", [1, 5])
async def test_one_request_is_refused_alone_once_the_key_was_answered(status, bound):
    refused = ["7", "8", "9", "10", "30"]
    wire = Wire(but_for(*refused, status=status), latency=1.0, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, bound)
    results = await executor.gather(llm_tasks(40))
    assert failed(results) == dict.fromkeys(refused, type(BY_STATUS[status]()))
    assert len(alone(results)) == len(refused)
    assert len(wire.ledger) == 40
    assert_at_rest(executor, wire)


@EACH_STATUS
async def test_two_refusals_before_any_answer_are_their_own(status):
    wire = Wire(but_for("0", "1", status=status), latency=1.0)
    results = await ParallelLLMExecutor(wire, 1).gather(llm_tasks(10))
    assert list(failed(results)) == ["0", "1"]


@EACH_STATUS
@pytest.mark.parametrize("method", ["gather", "as_completed"])
@pytest.mark.parametrize("bound", [1, 5])
async def test_three_refusals_before_any_answer_end_the_run(status, method, bound):
    wire = Wire(lambda prompt, number: BY_STATUS[status](), latency=1.0, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, bound)
    tasks = llm_tasks(500)
    results = await (
        executor.gather(tasks)
        if method == "gather"
        else consume(executor.as_completed(iter(tasks)))
    )
    assert len(failed(results)) == 500
    assert len(wire.ledger) <= 2 * bound + 2  # those of one moment come back in any order
    assert len(alone(results)) == 2 if bound == 1 else len(alone(results)) < 10
    assert_at_rest(executor, wire)


async def test_those_that_are_refused_at_once_end_nothing_while_others_sent_before_are_awaited():
    refused = [str(n) for n in range(30) if n % 3]
    wire = Wire(but_for(*refused), latency=lambda prompt: 0.01 if prompt in refused else 5.0)
    executor = ParallelLLMExecutor(wire, 8)
    assert list(failed(await executor.gather(llm_tasks(60)))) == refused
    assert_at_rest(executor, wire)


async def test_a_wrong_key_ends_the_run_soon_in_whichever_order_it_is_refused():
    wire = Wire(
        lambda prompt, number: BY_STATUS["401"](),
        latency=lambda prompt: 1.0 + hash(prompt) % 7 / 10,
    )
    executor = ParallelLLMExecutor(wire, 8)
    assert len(failed(await executor.gather(llm_tasks(500)))) == 500
    assert len(wire.ledger) <= 24
    assert_at_rest(executor, wire)


@EACH_STATUS
@pytest.mark.parametrize("refused", [["2", "4", "6", "8"], ["7", "8", "9", "10"]])
async def test_a_stored_run_gets_past_what_was_refused(status, refused, store):
    for count in (20, 40, 60):
        wire = Wire(but_for(*refused, status=status), latency=1.0, host=str(store))
        results = await ParallelLLMExecutor(wire, 1, store=store).gather(llm_tasks(count))
        assert list(failed(results)) == refused
        assert len(wire.ledger) == 20 + (len(refused) if count > 20 else 0)


async def test_with_answers_in_the_store_a_wrong_key_ends_the_run_all_the_same(store):
    await ParallelLLMExecutor(Wire(latency=1.0), 1, store=store).gather(llm_tasks(10))
    wire = Wire(lambda prompt, number: BY_STATUS["401"](), latency=1.0)
    results = await ParallelLLMExecutor(wire, 1, store=store).gather(llm_tasks(500))
    assert len(failed(results)) == 490
    assert len(wire.ledger) == 13


async def test_an_answer_of_another_model_vouches_for_the_key():
    wire = Wire(
        lambda prompt, number: BY_STATUS["403"]() if prompt == "forbidden" else prompt, latency=1.0
    )
    executor = ParallelLLMExecutor(wire, 1)
    forbidden = [LLMTask("forbidden", config_overrides={"model": "other"}) for _ in range(5)]
    results = await executor.gather(
        [LLMTask("first"), *forbidden, LLMTask("fine", config_overrides={"model": "other"})]
    )
    assert [result.success for result in results] == [True, *[False] * 5, True]


async def test_but_not_for_a_model_that_is_not_there():
    wire = Wire(
        lambda prompt, number: BY_STATUS["404"]() if prompt == "missing" else prompt, latency=1.0
    )
    executor = ParallelLLMExecutor(wire, 1)
    missing = [LLMTask("missing", config_overrides={"model": "other"}) for _ in range(10)]
    results = await executor.gather([LLMTask("first"), *missing, LLMTask("last")])
    assert len(failed(results)) == 10
    assert results[-1].success
    assert Counter(sent.prompt for sent in wire.ledger)["missing"] == 3


@pytest.mark.parametrize("code", ["invalid_api_key", "account_deactivated", "insufficient_quota"])
async def test_the_providers_own_code_ends_the_run_at_once_even_after_answers(code):
    error = QuotaExhausted if "quota" in code else AuthFailed
    wire = Wire(
        lambda prompt, number: error("over", status=401, code=code) if number > 10 else prompt,
        latency=1.0,
    )
    results = await ParallelLLMExecutor(wire, 1).gather(llm_tasks(50))
    assert len(failed(results)) == 40
    assert len(wire.ledger) == 11
    assert not alone(results)


async def test_each_run_finds_out_anew_whether_its_key_is_accepted():
    broken = False
    wire = Wire(lambda prompt, number: BY_STATUS["401"]() if broken else prompt, latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)
    await executor.gather(llm_tasks(3))
    broken = True
    await executor.gather(llm_tasks(100))
    assert len(wire.outcomes("AuthFailed")) == 3


async def test_another_executor_of_the_key_finds_out_for_itself():
    host = "each for itself"
    fine, refused = (
        Wire(latency=1.0, host=host),
        Wire(lambda prompt, number: BY_STATUS["403"](), latency=1.0, host=host),
    )
    executors = [ParallelLLMExecutor(wire, 1) for wire in (fine, refused)]
    first, second = await asyncio.gather(
        *(executor.gather(llm_tasks(20)) for executor in executors)
    )
    assert not failed(first)
    assert len(failed(second)) == 20
    assert len(refused.ledger) == 3


async def test_a_refusal_alone_is_no_probe_and_leaves_nothing_behind():
    wire = Wire(but_for("1"), latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    await executor.gather([*llm_tasks(6), DeterministicTask(asyncio.sleep, (1.0,))])
    assert slots_of(executor).in_use == 0
    assert not failed(await executor.gather(llm_tasks(1)))
