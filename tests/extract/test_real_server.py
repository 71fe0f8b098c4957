"""A server that we did not write, held to the schema of each part, with a prompt cache that it reports."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from ingather import ExtractTask, ParallelLLMExecutor, connect
from ingather.extract.outline import Outline
from ingather.schema import Schema
from tests.servers.llama import serving

PASSAGE = """\
Nordlys Marine builds aluminium workboats and patrol vessels in Bergen. Its customers are ports, pilots and coast \
guards. It competes on delivery time with larger yards. Sales depend on public budgets and are highest in spring. """

Word = Annotated[str, Field(max_length=16)]


class Product(BaseModel):
    name: Word = Field(description="What it is called.")
    kind: Literal["boat", "service", "other"]
    share: float | None = Field(None, ge=0, le=1)


class Seat(BaseModel):
    city: Word
    country: Word = "Norway"


class Business(BaseModel):
    products: list[Product] = Field(description="What the company sells.", max_length=2)
    seat: Seat = Field(description="Where the company is.")
    customers: list[Word] = Field(description="Who buys from it.", max_length=3)
    rivals: list[Word] = Field(default=[], description="With whom it competes.", max_length=3)
    season: Literal["spring", "summer", "autumn", "winter"] | None = Field(
        None, description="When it sells most."
    )
    risks: Annotated[list[Word], Field(min_length=1, max_length=2)]


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with serving("--parallel", "1") as url:
        yield url


async def extracted(url, task, bound=1) -> Any:
    provider = connect("openai/tiny", base_url=url, temperature=0)
    (result,) = await ParallelLLMExecutor(provider, bound).gather([task])
    await provider.aclose()
    return result


def assert_valid(result, model):
    """Each part came at the first try, in the form that was asked for, and nothing around it."""
    assert result.error is None
    assert result.missing == ()
    assert set(result.parts) == set(Outline.of(model).asked)
    for part in result.parts.values():
        assert (part.origin, part.attempts) == ("part", 1)
        assert not Schema.of(part.task.response_model).parse(part.response.content).lenient
    assert model.model_validate_json(result.value.model_dump_json()) == result.value


@pytest.mark.parametrize("prime", [False, True])
@pytest.mark.parametrize("bound", [1, 4])
async def test_every_part_is_valid_and_the_text_is_read_once(llama, bound, prime):
    task = ExtractTask(f"Report {bound}, {prime}. {PASSAGE * 4}", Business, prime=prime)
    result = await extracted(llama, task, bound)
    assert_valid(result, Business)
    first, *others = sorted(result.parts.values(), key=lambda part: part.usage.cached_tokens)
    # most letters are a token of this model's
    text = min(len(PASSAGE) * 4 // 2, first.usage.input_tokens // 2)
    assert first.usage.cached_tokens < text
    assert all(part.usage.cached_tokens > text for part in others)
    assert result.usage.cached_tokens == sum(
        part.usage.cached_tokens for part in result.parts.values()
    )


async def test_one_prompt_for_all_is_valid_too(llama):
    result = await extracted(llama, ExtractTask(PASSAGE, Business, split="single"))
    assert result.error is None
    assert {part.origin for part in result.parts.values()} == {"single"}
    assert result.attempts == 1


async def test_a_text_beyond_the_context_is_sent_once_for_all_its_parts(llama):
    task = ExtractTask(PASSAGE * 60, Business, split="fields")
    result = await extracted(llama, task)
    assert not result.success
    assert result.attempts == 1
    assert {type(part.error).__name__ for part in result.parts.values()} == {"TooLong"}


# -- real filings

READ = {"aapl-1994.txt": 20_000, "reac-2015.htm": 12_000}  # tokens that Item 1 has at least


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "whose"), [("aapl-1994.txt", "ours"), ("reac-2015.htm", "tenk's")]
)
async def test_the_business_of_a_real_filing(filings, name, whose):
    """With all components of the 10-K analysis it takes a minute, and two for the longer text."""
    filing_module = pytest.importorskip("tenk.filing")
    model = (
        pytest.importorskip("tenk.models.business").BusinessAnalysisSection
        if whose == "tenk's"
        else Business
    )
    filing = await asyncio.to_thread(filing_module.read_filing, filings / name)
    text = next(item.text for item in filing.items if item.item == "1")
    with serving("--parallel", "1", "--context", "32768") as url:
        result = await extracted(url, ExtractTask(text, model, split="fields", prime=True))
    assert_valid(result, model)
    assert result.usage.input_tokens > len(result.parts) * READ[name]
    assert result.usage.cached_tokens > (len(result.parts) - 1) * READ[name]
