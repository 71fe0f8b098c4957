"""Whole runs in the Anthropic and Gemini dialects, against the simulator: limits, faults, schemas."""

import pytest
from pydantic import BaseModel

from ingather import LLMTask, ParallelLLMExecutor, RetryConfig, connect
from ingather.errors import Filtered, Overloaded, QuotaExhausted, Refused, Truncated
from ingather.providers.dialect_provider import DialectProvider
from ingather.testing import Simulator

DIALECTS = pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
AT_ONCE = RetryConfig(max_attempts=3, initial_delay=0.0, max_delay=0.0)


class Person(BaseModel):
    name: str
    age: int
    notes: dict[str, str] = {}


class Plain(BaseModel):
    name: str
    age: int


async def run(dialect, simulator, tasks, **options):
    provider = connect(f"{dialect}/tiny", base_url=simulator.origin, retry=AT_ONCE, **options)
    async with ParallelLLMExecutor(provider, max_concurrency=8) as executor:
        results = await executor.gather(tasks)
    assert isinstance(provider, DialectProvider)
    await provider.aclose()
    return results


@DIALECTS
async def test_limit_is_waited_for_and_nothing_is_lost(dialect):
    async with Simulator(rpm=6000, burst=4, script={"Name 7": ["429"]}) as simulator:
        results = await run(dialect, simulator, [LLMTask(f"Name {n}") for n in range(30)])
    assert all(result.success for result in results)
    rejected = simulator.stats()["rejected"]
    assert sum(result.rejected for result in results) == rejected > 0
    assert sum(result.attempts for result in results) == len(simulator.ledger)


@DIALECTS
@pytest.mark.parametrize("model", [Plain, Person])
async def test_schema_comes_back_as_an_instance(dialect, model):
    async with Simulator() as simulator:
        (result,) = await run(
            dialect, simulator, [LLMTask("Ann is 34 years old. Who?", response_model=model)]
        )
    person = result.unwrap()
    assert (type(person), person.age) == (model, 34)


async def test_schema_comes_back_by_a_tool():
    async with Simulator() as simulator:
        tasks = [LLMTask("Ann is 34 years old. Who?", response_model=Plain)]
        (result,) = await run("anthropic", simulator, tasks, schema_mode="tool")
    assert result.unwrap().age == 34


@pytest.mark.parametrize(
    ("dialect", "step", "error"),
    [
        ("anthropic", "refusal", Refused),
        ("gemini", "refusal", Refused),
        ("gemini", "content_filter", Filtered),
        ("anthropic", "length", Truncated),
        ("gemini", "length", Truncated),
        ("anthropic", "quota", QuotaExhausted),
        ("gemini", "quota", QuotaExhausted),
        ("anthropic", "529,529,529", Overloaded),
    ],
)
async def test_what_happens_is_typed(dialect, step, error):
    async with Simulator(script={"Fail": step.split(",")}) as simulator:
        (result,) = await run(dialect, simulator, [LLMTask("Fail")])
    assert type(result.error) is error


@DIALECTS
async def test_overload_is_tried_again(dialect):
    async with Simulator(script={"Again": ["503", "503", "ok"]}) as simulator:
        (result,) = await run(dialect, simulator, [LLMTask("Again")])
    assert (result.success, result.attempts, result.rejected) == (True, 3, 0)
