"""Ours with nothing configured: `max_concurrency=None`, so that what the provider takes is learnt."""

from __future__ import annotations

from measured import PROMPT, answered, main

from ingather import LLMTask, ParallelLLMExecutor, connect

executor: ParallelLLMExecutor | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    """`concurrency` is what others are given."""
    global executor  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if executor is None:
        executor = ParallelLLMExecutor(
            connect("openai/bench-model", base_url=base_url), max_concurrency=None
        )
    results = await executor.gather([LLMTask(PROMPT)] * calls)
    return answered(result.value.content if result.success else result.error for result in results)


async def close() -> None:
    if executor is not None:
        await executor.aclose()


main(run, close)
