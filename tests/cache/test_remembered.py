"""With a store, what was bought once is not bought again: by the same program, another one, or another kind of task."""

import asyncio

import pytest
from pydantic import BaseModel

from ingather import (
    EchoProvider,
    ExtractTask,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Store,
    Usage,
    connect,
)
from ingather.admission.permit import Slots
from ingather.admission.quotas import Quotas
from ingather.engine.context import Context
from ingather.errors import ServerFault, StoreError, Truncated
from ingather.events import Remembered
from ingather.store.key import Key
from tests.run.stand_ins import Wire


class Person(BaseModel):
    name: str


class Strict(BaseModel):
    name: str

    def model_post_init(self, context):
        if self.name != "Emma":
            raise ValueError("only Emma")


async def test_the_second_time_nothing_is_sent(executor_of):
    executor = executor_of()
    first = await executor.gather([LLMTask("a"), LLMTask("b")])
    again = await executor.gather([LLMTask("a"), LLMTask("b")])
    assert len(executor.wire.ledger) == 2
    assert [result.cached for result in first + again] == [False, False, True, True]
    assert [result.value.content for result in again] == ["a", "b"]


async def test_what_a_remembered_result_says_it_cost_is_nothing(executor_of):
    executor = executor_of(lambda prompt, number: LLMResponse("x", usage=Usage(7, 3), cost_usd=0.5))
    (first,) = await executor.gather([LLMTask("a")])
    (again,) = await executor.gather([LLMTask("a")])
    assert (first.attempts, first.usage, first.cost_usd) == (1, Usage(7, 3), 0.5)
    assert (again.attempts, again.rejected, again.usage, again.cost_usd) == (0, 0, Usage(0, 0), 0.0)
    assert (again.response.usage, again.response.cost_usd) == (Usage(7, 3), 0.5), (
        "what it once took"
    )


async def test_an_event_says_where_an_answer_came_from(executor_of):
    executor = executor_of()
    await executor.gather([LLMTask("a")])
    executor.events.clear()
    await executor.gather([LLMTask("b"), LLMTask("a")])
    assert [
        (event.index, event.source) for event in executor.events if isinstance(event, Remembered)
    ] == [(1, "store")]


async def test_another_program_has_the_same_answers(executor_of, tmp_path):
    await executor_of(host="one").gather([LLMTask("a")])
    other = executor_of(host="one", store=tmp_path / "run.db")
    (result,) = await other.gather([LLMTask("a")])
    await other.aclose()
    assert result.cached
    assert other.wire.ledger == []


async def test_each_sample_has_an_answer_of_its_own(executor_of):
    executor = executor_of(lambda prompt, number: str(number))
    first = await executor.gather([LLMTask("a", sample=number) for number in range(3)])
    again = await executor.gather([LLMTask("a", sample=number) for number in range(3)])
    assert len(executor.wire.ledger) == 3
    assert [one.value.content for one in first] == [one.value.content for one in again]
    assert len({one.value.content for one in first}) == 3


async def test_failures_are_not_remembered(executor_of):
    outcomes = [ServerFault("down"), "up"]
    executor = executor_of(lambda prompt, number: outcomes[number - 1])
    results = [(await executor.gather([LLMTask("a")]))[0] for _ in range(3)]
    assert [(one.success, one.cached) for one in results] == [
        (False, False),
        (True, False),
        (True, True),
    ]


async def test_what_failed_is_run_again_alone(executor_of):
    executor = executor_of(
        lambda prompt, number: ServerFault("down") if number in (2, 4) else prompt
    )
    results = await executor.gather([LLMTask(letter) for letter in "abcde"])
    failed = [result.task for result in results if not result.success]
    assert [
        one.success
        for one in await executor.gather(result.task for result in results if not result.success)
    ] == [
        True,
        True,
    ]
    assert len(executor.wire.ledger) == 5 + len(failed) == 7


async def test_a_cut_answer_is_not_remembered(executor_of):
    cut = LLMResponse("so far", finish_reason="length")
    executor = executor_of(
        lambda prompt, number: [cut, Truncated("cut", response=cut), "whole"][number - 1]
    )
    results = [(await executor.gather([LLMTask("a")]))[0] for _ in range(4)]
    assert [one.cached for one in results] == [False, False, False, True]
    assert results[-1].value.content == "whole"


class TestWithAResponseModel:
    async def test_the_value_is_an_instance_both_times(self, executor_of):
        executor = executor_of(lambda prompt, number: '{"name": "Emma"}')
        results = [
            (await executor.gather([LLMTask("a", response_model=Person)]))[0] for _ in range(2)
        ]
        assert [one.value for one in results] == [Person(name="Emma")] * 2
        assert [one.cached for one in results] == [False, True]

    async def test_an_answer_that_does_not_fit_is_not_remembered(self, executor_of):
        answers = ["no", '{"name": "Emma"}']
        executor = executor_of(lambda prompt, number: answers[number - 1])
        results = [
            (await executor.gather([LLMTask("a", response_model=Person, reasks=0)]))[0]
            for _ in range(3)
        ]
        assert [one.success for one in results] == [False, True, True]
        assert [one.cached for one in results] == [False, False, True]

    async def test_an_answer_that_was_corrected_is_remembered_for_what_was_asked(self, executor_of):
        answers = ["no", '{"name": "Emma"}']
        executor = executor_of(lambda prompt, number: answers[number - 1])
        results = [
            (await executor.gather([LLMTask("a", response_model=Person)]))[0] for _ in range(2)
        ]
        assert [one.value for one in results] == [Person(name="Emma")] * 2
        assert [one.attempts for one in results] == [2, 0]

    async def test_what_a_stricter_model_does_not_take_is_asked_again(self, executor_of):
        answers = ['{"name": "Otto"}', '{"name": "Emma"}']
        executor = executor_of(lambda prompt, number: answers[number - 1])
        same_schema = type("Person", (Strict,), {})
        await executor.gather([LLMTask("a", response_model=type("Person", (Person,), {}))])
        (result,) = await executor.gather([LLMTask("a", response_model=same_schema)])
        assert (result.value.name, result.cached) == ("Emma", False)
        (result,) = await executor.gather([LLMTask("a", response_model=same_schema)])
        assert (result.value.name, result.cached) == ("Emma", True)

    def test_another_schema_is_another_question(self):
        class Aged(Person):
            age: int

        provider = connect("openai/m", base_url="http://127.0.0.1:9/v1")
        context = Context(provider, Slots(1), Quotas())
        tasks = [LLMTask("a", response_model=model) for model in (Person, Aged, None)]
        requests = [context.question(task).on(context.route).request for task in tasks]
        assert len({Key(request).hash for request in requests if request is not None}) == 3


class TestWithAPolicyOnResults:
    async def test_a_value_that_it_refuses_is_not_remembered(self, executor_of):
        retry = RetryConfig(
            max_attempts=2, initial_delay=0, retry_on_result=lambda value: value.content == "bad"
        )
        executor = executor_of(lambda prompt, number: "bad", default_retry=retry)
        results = [(await executor.gather([LLMTask("a")]))[0] for _ in range(2)]
        assert [(one.success, one.attempts, one.cached) for one in results] == [
            (True, 2, False)
        ] * 2

    async def test_nor_is_one_from_the_store_taken(self, executor_of):
        executor = executor_of(lambda prompt, number: str(number))
        await executor.gather([LLMTask("a")])
        retry = RetryConfig(retry_on_result=lambda value: value.content == "1")
        (result,) = await executor.gather([LLMTask("a", retry=retry)])
        assert (result.value.content, result.cached) == ("2", False)


async def test_echo_and_bare_providers_are_never_remembered(store):
    class Bare:
        calls = 0

        async def complete(self, messages, config_overrides=None):
            self.calls += 1
            return LLMResponse("x")

    bare, echo = Bare(), EchoProvider()
    for provider in (bare, echo):
        with pytest.warns(
            UserWarning, match=f"store= has no effect on the answers of {type(provider).__name__}"
        ):
            executor = ParallelLLMExecutor(provider, store=store)
        results = await executor.gather([LLMTask("a"), LLMTask("a")]) + await executor.gather(
            [LLMTask("a")]
        )
        assert not any(result.cached for result in results)
    stats = await asyncio.to_thread(store.stats)
    assert (bare.calls, echo.call_count, stats.answers) == (3, 3, 0)


async def test_without_a_store_identical_calls_are_all_sent(executor_of):
    executor = executor_of(store=None)
    await executor.gather([LLMTask("a")] * 3)
    assert len(executor.wire.ledger) == 3


class Firm(BaseModel):
    name: str
    city: str


class TestAnExtraction:
    @staticmethod
    def answer(prompt, number):
        field = "name" if '"name"' in prompt or "name" in prompt else "city"
        return f'{{"{field}": "{field}"}}'

    async def test_takes_its_parts_from_the_store(self, executor_of):
        executor = executor_of(lambda prompt, number: '{"name": "N", "city": "C"}')
        task = ExtractTask("A text", Firm, split="single")
        first, again = [(await executor.gather([task]))[0] for _ in range(2)]
        assert first.value == again.value == Firm(name="N", city="C")
        assert (first.cached, again.cached) == (False, True)
        assert (again.attempts, again.cost_usd, again.usage) == (0, 0.0, Usage(0, 0))
        assert {part.origin for part in again.parts.values()} == {"cache"}


async def test_an_executor_closes_a_store_that_it_opened_and_no_other(tmp_path, store):
    async with ParallelLLMExecutor(Wire(), store=tmp_path / "own.db") as executor:
        await executor.gather([LLMTask("a")])
    assert not (tmp_path / "own.db-wal").exists()
    async with ParallelLLMExecutor(Wire(), store=store):
        pass
    assert (await asyncio.to_thread(store.stats)).runs == 0


def test_a_store_is_one_or_the_path_of_one():
    with pytest.raises(TypeError, match="store is a Store, the path of one, or None, not 3"):
        ParallelLLMExecutor(EchoProvider(), store=3)  # type: ignore[arg-type]


async def test_a_store_that_was_closed_is_said_to_be(executor_of, store):
    executor = executor_of()
    await store.aclose()
    with pytest.raises(StoreError, match="is closed"):
        await executor.gather([LLMTask("a")])
    assert executor.wire.ledger == []


async def test_refresh_asks_again_once(executor_of, tmp_path):
    executor = executor_of(lambda prompt, number: f"old {number}", host="r")
    await executor.gather([LLMTask("a")])
    async with Store(tmp_path / "run.db", refresh=True) as fresh:
        other = executor_of(lambda prompt, number: f"new {number}", host="r", store=fresh)
        results = [(await other.gather([LLMTask("a")]))[0] for _ in range(2)]
    assert [(one.value.content, one.cached) for one in results] == [
        ("new 1", False),
        ("new 1", True),
    ]


async def test_read_only_buys_what_is_not_there_and_keeps_none_of_it(executor_of, tmp_path, store):
    await executor_of(host="o").gather([LLMTask("a")])
    async with Store(tmp_path / "run.db", read_only=True) as fixed:
        executor = executor_of(host="o", store=fixed)
        results = await executor.gather([LLMTask("a"), LLMTask("b"), LLMTask("b", sample=1)])
    assert [one.cached for one in results] == [True, False, False]
    stats = await asyncio.to_thread(store.stats)
    assert (stats.answers, stats.runs) == (1, 1)
