"""What extraction by parts costs, in two tables.

    python benchmarks/extraction.py [--quick] [prime] [ladder]

**prime**: on llama.cpp's server, with its tiny model of random weights: how many prompt tokens its cache holds, how
many it has to process, and how long that takes, with `prime` and without, in alternating runs.

**ladder**: on the simulator, where 10 % of the calls for a component fail for good and 10 % answer what is no JSON,
both decided by the request: calls and tokens of the ladder, beside the way of the article that this
follows, in which a component that fails means the whole prompt again.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, create_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ingather import ExtractTask, LLMTask, ParallelLLMExecutor, connect
from ingather.testing import Say, Simulator
from ingather.testing.simulator.faults import Schema
from tests.servers.llama import serving

NAMES = ("products", "segments", "customers", "rivals", "strategy", "regulation", "people", "sites")
SENTENCE = "Segment {0} sold {1} units to {2} customers in region {3}, against {4} competitors. "


# -- prime


def parts_model() -> Any:
    """Eight lists of short words: answers of a few tokens, so that reading the text is what takes the time."""
    entry = create_model("Entry", name=(str, Field(max_length=12)))
    entries: Any = list[entry]
    fields: dict[str, Any] = {
        name: (entries, Field(description=f"The {name}.", max_length=2)) for name in NAMES
    }
    return create_model("Parts", **fields)


@dataclass(frozen=True)
class Reading:
    """Of one extraction: prompt tokens in all, those from the cache, parts that found the text there, seconds."""

    prompt: int
    cached: int
    shared: int
    wall: float

    @property
    def processed(self) -> int:
        return self.prompt - self.cached


async def read_once(url: str, text: str, model: Any, *, prime: bool) -> Reading:
    provider = connect("openai/tiny", base_url=url, temperature=0)
    executor = ParallelLLMExecutor(provider, max_concurrency=len(NAMES))
    begun = time.perf_counter()
    (result,) = await executor.gather(
        [ExtractTask(text, model, split="fields", prime=prime, fallback=())]
    )
    wall = time.perf_counter() - begun
    await provider.aclose()  # type: ignore[attr-defined]
    assert result.success, result.error
    assert result.usage is not None
    assert result.parts is not None
    usages = [part.usage for part in result.parts.values() if part.usage is not None]
    shared = sum(usage.cached_tokens > usage.input_tokens / 2 for usage in usages)
    return Reading(result.usage.input_tokens, result.usage.cached_tokens, shared, wall)


def prime_table(*, quick: bool) -> None:
    sentences, runs = (60, 1) if quick else (100, 7)
    model = parts_model()
    print(
        f"prime: {len(NAMES)} parts about one text, all sent at once; medians of {runs} "
        f"alternating runs\n"
    )
    head = (
        ("prompt tokens", 15),
        ("cached", 10),
        ("processed", 11),
        ("parts cached", 14),
        ("wall, s", 10),
    )
    print(f"{'slots':>5}  {'prime':<6}" + "".join(f"{name:>{width}}" for name, width in head))
    for slots in (1, 2, 4):
        taken: dict[bool, list[Reading]] = {False: [], True: []}
        with serving("--parallel", str(slots), "--context", "32768") as url:
            for number in range(2 * runs):
                prime = bool(number % 2)
                made = (
                    SENTENCE.format(number, 7 * at, at, at % 5, at % 3) for at in range(sentences)
                )
                # its beginning differs: nothing is cached yet
                text = f"Report {number} of {slots}. " + "".join(made)
                taken[prime].append(asyncio.run(read_once(url, text, model, prime=prime)))
        for prime, readings in taken.items():
            prompt, cached, processed, shared, wall = (
                statistics.median(getattr(one, name) for one in readings)
                for name in ("prompt", "cached", "processed", "shared", "wall")
            )
            row = (
                f"{prompt:,.0f}",
                f"{cached:,.0f}",
                f"{processed:,.0f}",
                f"{shared:.0f} of {len(NAMES)}",
                f"{wall:.2f}",
            )
            cells = "".join(f"{each:>{width}}" for each, (_, width) in zip(row, head, strict=True))
            print(f"{slots:>5}  {'yes' if prime else 'no':<6}" + cells, flush=True)
    print()


# -- ladder

SAID = "Of its {0} the company says that number {1} is what matters most, as it was in the year before. "


class Told(BaseModel):
    """What one component says."""

    summary: str = Field(description="What the text says of it.")


def whole_model() -> Any:
    fields: dict[str, Any] = {
        name: (Told, Field(description=f"What is said of {name}.")) for name in NAMES
    }
    return create_model("Report", **fields)


def by_the_request(
    failing: float, babbling: float, wholes: bool, prompt: str, schema: Schema | None
) -> str | Say | None:
    """Whether this very request fails or babbles, each time that it comes. `wholes`: also one that asks for several."""
    asked = set(schema["properties"]) if schema is not None else set()  # type: ignore[call-overload]
    if asked & set(NAMES) and not wholes:
        return None
    drawn = hashlib.sha256(prompt.encode() + str(sorted(asked)).encode()).digest()
    share = int.from_bytes(drawn[:6], "big") / 2**48
    if share < failing:
        return "400" if drawn[6] % 2 else "500"
    return Say("The text does not say it in so many words.") if share < failing + babbling else None


async def by_ladder(rungs: Any, executor: ParallelLLMExecutor, texts: list[str], model: Any) -> int:
    results = await executor.gather(
        [ExtractTask(text, model, split="fields", fallback=rungs) for text in texts]
    )
    return sum(result.success and not result.missing for result in results)


async def all_or_whole(executor: ParallelLLMExecutor, texts: list[str], model: Any) -> int:
    """The article's way: a call for each component; if any fails, one for all of it, and the good ones are lost."""

    async def one(text: str) -> bool:
        asked = [
            LLMTask(
                f"{text}\n\nExtract {name}: {field.description}",
                response_model=field.annotation,
                reasks=0,
            )
            for name, field in model.model_fields.items()
        ]
        if all(result.success for result in await executor.gather(asked)):
            return True
        questions = "\n".join(
            f"{name}: {field.description}" for name, field in model.model_fields.items()
        )
        (result,) = await executor.gather(
            [LLMTask(f"{text}\n\nExtract:\n{questions}", response_model=model)]
        )
        return result.success

    return sum(await asyncio.gather(*map(one, texts)))


FAULTS = {
    "nothing fails": (0.0, 0.0, False),
    "10 % + 10 % of components": (0.1, 0.1, False),
    "and of whole prompts": (0.1, 0.1, True),
}
WAYS: Mapping[str, Any] = {
    "the ladder": partial(by_ladder, ("retry", "single", "partial")),
    "without its first rung": partial(by_ladder, ("single", "partial")),
    "the whole prompt again": all_or_whole,
}


async def run_way(way: Any, texts: list[str], model: Any, script: Any) -> tuple[int, Any]:
    async with Simulator(script=script) as sim:
        provider = connect("openai/any", base_url=sim.base_url)
        filled = await way(ParallelLLMExecutor(provider, max_concurrency=50), texts, model)
        await provider.aclose()  # type: ignore[attr-defined]
        return filled, sim.stats()


def ladder_table(*, quick: bool) -> None:
    count = 20 if quick else 100
    # some 7,000 tokens by the simulator's rule: an Item of a filing
    said = "".join(SAID.format(name, at) for at in range(35) for name in NAMES)
    texts = [f"Report {number}. {said}" for number in range(count)]
    model = whole_model()
    print(
        f"ladder: {count} extractions of {len(NAMES)} components; tokens are those of the calls "
        f"that were answered\n"
    )
    head = ("calls", "prompt tokens", "answer tokens", "complete")
    print(f"{'':<58}" + "".join(f"{name:>15}" for name in head))
    for what, faults in FAULTS.items():
        for way, run in WAYS.items():
            filled, stats = asyncio.run(
                run_way(run, texts, model, partial(by_the_request, *faults))
            )
            figures = [
                f"{stats[name]:,}" for name in ("calls", "prompt_tokens", "completion_tokens")
            ]
            row = [*figures, f"{filled} of {count}"]
            print(f"{what + ': ' + way:<58}" + "".join(f"{each:>15}" for each in row), flush=True)
    print()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller and once: a look, not a figure to quote"
    )
    parser.add_argument(
        "tables", nargs="*", choices=["prime", "ladder", []], help="which of them; both by default"
    )
    arguments = parser.parse_args()
    for name, table in (("prime", prime_table), ("ladder", ladder_table)):
        if not arguments.tables or name in arguments.tables:
            table(quick=arguments.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
