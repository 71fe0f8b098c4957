"""Ours with `Hedge()`: as `ingather_executor.py`, and slow requests are sent a second time."""

from __future__ import annotations

from measured import PROMPT, main

from ingather import Hedge, LLMTask, ParallelLLMExecutor, connect

executor: ParallelLLMExecutor | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global executor  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if executor is None:
        provider = connect("openai/bench-model", base_url=base_url)
        executor = ParallelLLMExecutor(provider, max_concurrency=concurrency, hedge=Hedge())
    answered = 0
    async for result in executor.as_completed(LLMTask(PROMPT) for _ in range(calls)):
        answered += bool(result.success and result.value.content)
    return answered


async def close() -> None:
    if executor is not None:
        await executor.aclose()


main(run, close)
