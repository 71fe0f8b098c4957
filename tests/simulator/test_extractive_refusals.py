"""What the simulated model cannot find it refuses, in each dialect's own form; the stand-in answers all the same."""

import asyncio

import pytest
from pydantic import BaseModel

from ingather import LLMTask, ParallelLLMExecutor, connect
from ingather.errors import Refused
from ingather.testing import Simulator

PATHS = {
    "openai/m": "{origin}/v1",
    "anthropic/m": "{origin}",
    "gemini/m": "{origin}",
    "azure/m": "{origin}",
}


class Facts(BaseModel):
    headquarters: str
    revenue: float


SILENT, TELLING = (
    "Our headquarters are in Oslo.",
    "Our headquarters are in Oslo. Revenue was $5 million.",
)


async def asked(sim, model, *texts, **options):
    provider = connect(
        model,
        base_url=PATHS[model].format(origin=sim.origin),
        api_key="k" * 12,
        retry=None,
        **options,
    )
    async with ParallelLLMExecutor(provider) as executor:
        results = await executor.gather([LLMTask(text, response_model=Facts) for text in texts])
    await provider.aclose()
    return results


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("openai/m", {"api": "chat"}),
        ("openai/m", {"api": "responses"}),
        ("anthropic/m", {}),
        ("anthropic/m", {"schema_mode": "tool"}),
        ("gemini/m", {}),
        ("azure/m", {}),
    ],
)
async def test_a_required_property_that_is_not_there_is_refused_in_every_dialect(model, options):
    async with Simulator() as sim:
        told, silent = await asked(sim, model, TELLING, SILENT, **options)
    assert told.unwrap() == Facts(headquarters="Oslo", revenue=5e6)
    assert isinstance(silent.error, Refused)
    assert "the text says nothing that fits 'revenue'" in str(silent.error)


async def test_the_stand_in_satisfies_any_schema():
    async with Simulator(model="echo") as sim:
        (silent,) = await asked(sim, "openai/m", SILENT)
    assert silent.unwrap() == Facts(headquarters="Oslo", revenue=0)


async def test_over_http_the_answer_is_that_of_the_model_in_this_process():
    task = LLMTask(
        f"<document>\n{TELLING}\n</document>\n\n- facts: Where is it, and what was the revenue?"
    )
    task.response_model = Facts
    async with Simulator() as sim:
        provider = connect("openai/m", base_url=sim.base_url)
        results = []
        for each in (provider, connect("offline/extractive")):
            async with ParallelLLMExecutor(each) as executor:
                results += await executor.gather([task])
        await provider.aclose()
    over_http, offline = (result.response for result in results)
    assert over_http is not None
    assert offline is not None
    assert over_http.content == offline.content


async def test_long_prompts_are_composed_beside_the_loop():
    text = " ".join(
        f"Fact {number} is that boat {number} costs ${number},000." for number in range(2000)
    )
    async with Simulator() as sim:
        provider = connect("openai/m", base_url=sim.base_url)
        composing = asyncio.create_task(
            asked_plainly(provider, f"{text}\n\nWhat does boat 7 cost?")
        )
        beats = 0
        while not composing.done():
            beats += 1
            await asyncio.sleep(0)
        await provider.aclose()
    assert composing.result() == "Fact 7 is that boat 7 costs $7,000."
    assert beats > 10


async def asked_plainly(provider, prompt):
    async with ParallelLLMExecutor(provider) as executor:
        (result,) = await executor.gather([LLMTask(prompt)])
    return result.unwrap().content
