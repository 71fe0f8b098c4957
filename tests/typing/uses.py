"""What type checkers make of the public names: never run, but checked by mypy and pyright.

A line that must be an error has an ignore, and both checkers complain of one that is not needed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, assert_type

from pydantic import BaseModel

from ingather import (
    DeterministicTask,
    EchoProvider,
    ExtractTask,
    LLMMessage,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    Provider,
    Task,
    TaskResult,
    connect,
    run_sync,
)


class Person(BaseModel):
    name: str


async def length(text: str) -> int:
    return len(text)


def upper(text: str) -> str:
    return text.upper()


# -- tasks

assert_type(LLMTask("Hello"), LLMTask[LLMResponse])
assert_type(LLMTask("Hello", temperature=0, system="Be brief."), LLMTask[LLMResponse])
assert_type(LLMTask("Who?", response_model=Person), LLMTask[Person])
assert_type(LLMTask("Who?", response_model=list[Person]), LLMTask[list[Person]])
assert_type(LLMTask("How many?", {"top_p": 1}, response_model=int), LLMTask[int])
assert_type(LLMTask[str]("Which?", response_model=Literal["a", "b"]), LLMTask[str])
assert_type(LLMTask("Which?", response_model=Literal["a", "b"]), LLMTask[Any])
assert_type(DeterministicTask(length, ("text",)), DeterministicTask[int])
assert_type(DeterministicTask(upper, ("text",)), DeterministicTask[str])
assert_type(ExtractTask("A text.", Person), ExtractTask[Person])
assert_type(ExtractTask("A text.", list[Person], split="fields"), ExtractTask[list[Person]])

several: list[Task] = [LLMTask("Hello"), DeterministicTask(upper), ExtractTask("A text.", Person)]
texts: Task[str] = DeterministicTask(upper)

LLMTask()  # type: ignore[call-overload]
LLMTask(42)  # type: ignore[call-overload]
LLMTask("Hello", retry="often")  # type: ignore[call-overload]
ExtractTask("A text.")  # type: ignore[call-overload]
ExtractTask("A text.", Person, split="halves")  # type: ignore[call-overload]
numbers: Task[int] = DeterministicTask(upper)  # type: ignore[arg-type]


# -- results


async def results(executor: ParallelLLMExecutor) -> None:
    people = await executor.gather(LLMTask(f"Who is {n}?", response_model=Person) for n in "abc")
    assert_type(people, list[TaskResult[Person]])
    assert_type(people[0].unwrap(), Person)
    assert_type(people[0].value, Person | None)
    print(people[0].unwrap().age)  # type: ignore[attr-defined]
    print(people[0].value.name)  # type: ignore[union-attr]

    assert_type(await executor.gather(["One", "Two"]), list[TaskResult[LLMResponse]])
    assert_type(await executor.gather([LLMTask("One")]), list[TaskResult[LLMResponse]])
    assert_type(await executor.gather([DeterministicTask(length)]), list[TaskResult[int]])
    assert_type(await executor.gather({"a": ExtractTask("", Person)}), list[TaskResult[Person]])
    assert_type(await executor.gather(several), list[TaskResult[Any]])
    assert_type(await executor.gather(answers()), list[TaskResult[Person]])

    named = await executor.execute({"a": LLMTask("One"), "b": LLMTask("Two")})
    assert_type(named, dict[str, TaskResult[LLMResponse]])
    assert_type(named["a"].unwrap().content, str)
    assert_type(await executor.execute({"a": "One"}), dict[str, TaskResult[LLMResponse]])
    mixed = await executor.execute_mixed({"a": "One", "b": DeterministicTask(length)})
    mixed["b"].unwrap()
    assert_type(await executor.execute_sequential([LLMTask("One")]), list[TaskResult[LLMResponse]])

    async for person in executor.as_completed([LLMTask("Who?", response_model=Person)]):
        assert_type(person, TaskResult[Person])
    async with executor.in_order(["One"]) as ordered:
        async for answer in ordered:
            assert_type(answer.unwrap(), LLMResponse)

    await executor.gather(LLMTask("One"))  # type: ignore[call-overload]
    await executor.gather([1, 2])  # type: ignore[arg-type]
    await executor.execute([LLMTask("One")])  # type: ignore[call-overload]


async def answers() -> AsyncIterator[LLMTask[Person]]:
    yield LLMTask("Who?", response_model=Person)


def synchronously(executor: ParallelLLMExecutor) -> None:
    assert_type(run_sync(length("text")), int)
    done = run_sync(executor.execute({"a": LLMTask("Who?", response_model=Person)}))
    assert_type(done["a"].unwrap(), Person)
    for result in executor.as_completed(["One"]):
        assert_type(result.unwrap(), LLMResponse)
    run_sync(length)  # type: ignore[arg-type]


def held(result: TaskResult) -> object:
    """Whoever says no type is held to none."""
    return result.unwrap().anything


# -- providers


class Wide:
    async def complete(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> LLMResponse:
        return LLMResponse(str(messages[-1].content))


class Narrow:
    async def complete(
        self, messages: list[LLMMessage], config_overrides: dict[str, Any] | None = None
    ) -> LLMResponse:
        return LLMResponse(str(messages[-1].content))


class Text:
    async def complete(
        self, messages: list[LLMMessage], config_overrides: dict[str, Any] | None = None
    ) -> str:
        return str(messages[-1].content)


providers: list[Provider] = [Wide(), Narrow(), EchoProvider(), connect("openai/any")]
ParallelLLMExecutor(Narrow())
ParallelLLMExecutor("openai/any", max_concurrency=None)
ParallelLLMExecutor(Text())  # type: ignore[arg-type]
ParallelLLMExecutor(42)  # type: ignore[arg-type]


async def connected() -> None:
    provider = connect("openai/any", base_url="http://localhost:8000/v1", temperature=0)
    assert_type(await provider.complete("Hello"), LLMResponse)
    provider.schema_mode = None
    provider.schema_words = False
    if provider.limits is not None:
        assert_type(provider.limits.requests_per_minute, float | None)
    await provider.aclose()
