"""Extractions over HTTP, through each dialect, against a provider that fails in the ways that providers do."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel, Field

from ingather import ExtractTask, Limits, ParallelLLMExecutor, RetryConfig, connect
from ingather.errors import AuthFailed, BadRequest, MissingFields, Truncated
from ingather.testing import Say, Simulator
from tests.extract.stand_ins import by_origin
from tests.simulator.asking import until

TEXT = """\
Nordlys Marine AS builds aluminium workboats and patrol vessels in Bergen, Norway. The company was founded in 1987 and \
has 412 employees. Revenue was $64.2 million in the last fiscal year. The company sells its boats in Norway, Iceland \
and Canada. It competes with Havfisk Verft and with larger yards. Winters are mild."""


class Place(BaseModel):
    city: str = Field(description="The city where the company builds its boats.")


class Firm(BaseModel):
    products: list[str] = Field(description="What the company builds and sells.")
    place: Place = Field(description="Where the company builds its boats.")
    founded: int = Field(description="The year in which the company was founded.")
    employees: int | None = Field(None, description="How many employees the company has.")
    rivals: list[str] = Field(default=[], description="With whom the company competes.")


QUICK = RetryConfig(max_attempts=2, initial_delay=0.001, max_delay=0.001)
WAYS = ["openai", "responses", "anthropic", "gemini", "azure"]


FAULTS = [
    "500", "503", "drop", "reset", "truncate", "malformed", "html", "empty", "null", "length", "refusal", "429:0",
]  # fmt: skip


def provider_of(way, sim, **params):
    match way:
        case "openai":
            return connect("openai/m", base_url=sim.base_url, **params)
        case "responses":
            return connect("openai/m", base_url=sim.base_url, api="responses", **params)
        case "anthropic":
            return connect("anthropic/m", base_url=sim.origin, max_tokens=4000, **params)
        case "gemini":
            return connect("gemini/m", base_url=sim.origin, **params)
        case _:
            return connect("azure/m", base_url=sim.origin, api_key="k", **params)


@asynccontextmanager
async def serving(way="openai", bound=10, *, params=None, **settings) -> AsyncIterator[Any]:
    """A simulated provider, and an executor that asks it."""
    async with Simulator(**settings) as sim:
        provider = provider_of(way, sim, **(params or {}))
        yield sim, ParallelLLMExecutor(provider, bound, default_retry=QUICK)
        await provider.aclose()


def one(text="", split="fields"):
    return ExtractTask(text or TEXT, Firm, split=split)


def asked_in(prompt):
    return tuple(
        re.findall(r"^- (\w+)", prompt.rpartition("Extract from the document:\n")[2], re.MULTILINE)
    )


@pytest.mark.parametrize("split", ["fields", "single"])
@pytest.mark.parametrize("way", WAYS)
async def test_every_dialect_fills_a_model_from_a_text(way, split):
    async with serving(way) as (sim, executor):
        (result,) = await executor.gather([one(split=split)])
        assert result.error is None
        assert isinstance(result.value, Firm)
        assert all(part.success for part in result.parts.values())
        assert result.missing == ()
        assert result.attempts == len(sim.ledger) == (5 if split == "fields" else 1)
        assert result.usage.input_tokens == sum(call.prompt_tokens for call in sim.ledger)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_befalls_a_part_and_is_got_over(way, fault):
    async with serving(way, script={"- founded": [fault]}) as (sim, executor):
        (result,) = await executor.gather([one()])
        assert result.error is None
        assert result.parts["founded"].origin == (
            "retry" if fault in ("length", "refusal") else "part"
        )
        assert {part.origin for name, part in result.parts.items() if name != "founded"} == {"part"}
        assert result.attempts == len(sim.ledger) == 6


async def test_what_is_decided_by_the_request_goes_on_to_the_single_prompt():
    def decide(prompt, schema):
        return {("founded",): "400", ("employees",): Say("about four hundred")}.get(
            asked_in(prompt)
        )

    async with serving(script=decide) as (sim, executor):
        (result,) = await executor.gather([one()])
        assert by_origin(result) == {
            "part": {"products", "place", "rivals"},
            "single": {"founded", "employees"},
        }
        # an answer that does not fit is sent back, a 400 is not
        assert result.attempts == len(sim.ledger) == 5 + 1 + 1


async def test_a_part_that_is_cut_at_the_limit_of_the_output():
    async with serving(script={"- products": ["length"] * 9}) as (sim, executor):
        (result,) = await executor.gather([one()])
        assert isinstance(result.error, MissingFields)
        assert isinstance(result.error.__cause__, Truncated)
        assert result.usage.output_tokens == sum(call.completion_tokens for call in sim.ledger)


async def test_a_wrong_key_is_paid_for_once():
    async with serving(bound=2, params={"api_key": "wrong"}, api_key="right", latency=0.02) as (
        sim,
        executor,
    ):
        results = await executor.gather([one() for _ in range(20)])
        assert all(isinstance(result.error, AuthFailed) for result in results)
        assert len(sim.ledger) <= 2


async def test_parts_that_are_refused_do_not_stop_the_others_of_a_data_set():
    texts = [TEXT if number % 3 else TEXT.replace("Bergen", "Oslo") for number in range(9)]
    async with serving(
        bound=4, script=lambda prompt, schema: "400" if "Bergen" in prompt else None
    ) as (sim, executor):
        results = await executor.gather([one(text) for text in texts])
        assert [result.success for result in results] == [text != TEXT for text in texts]
        assert {type(result.error.__cause__) for result in results if not result.success} == {
            BadRequest
        }
        assert sum(result.attempts for result in results) == len(sim.ledger)


async def test_under_faults_by_chance_nothing_is_lost_and_all_is_counted():
    # no "drop": on a connection used before, the request goes again
    faults = "500,503,truncate,slow,malformed,html"
    async with serving(bound=20, error_rate=0.2, seed=7, faults=faults, trickle=0.001) as (
        sim,
        executor,
    ):
        results = await executor.gather([one(f"{TEXT} Report {number}.") for number in range(40)])
        assert sum(result.attempts for result in results) == len(sim.ledger)
        # which the seed decides, and not when it runs
        assert all(result.success for result in results)
        right = Counter(
            call.fingerprint
            for call in sim.ledger
            if call.status == 200 and call.fault in ("", "slow")
        )
        # what had been answered rightly was not sent a second time
        assert set(right.values()) == {1}


async def test_the_limits_of_the_quota_hold_for_parts_as_for_any_call():
    limits = Limits(requests_per_minute=6000, max_concurrency=3)
    async with serving(bound=50, params={"limits": limits}, latency=0.005) as (sim, executor):
        results = await executor.gather([one() for _ in range(6)])
        assert all(result.success for result in results)
        assert sim.stats()["peak_in_flight"] <= 3


async def test_cancelled_midway_no_connection_stays():
    async with serving(bound=20, latency=5.0) as (sim, executor):
        tasks = [one() for _ in range(3)]
        running = asyncio.create_task(executor.gather(tasks))
        await until(lambda: sim.stats()["in_flight"] == 15)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: sim.stats()["in_flight"] == 0)
        assert sim.stats()["disconnected"] == 15
