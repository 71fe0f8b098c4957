"""Ours: the executor with the OpenAI dialect, fed lazily, results taken as they come."""

from __future__ import annotations

from measured import PROMPT, main

from ingather import LLMTask, ParallelLLMExecutor, connect

executor: ParallelLLMExecutor | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global executor  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if executor is None:
        executor = ParallelLLMExecutor(
            connect("openai/bench-model", base_url=base_url), max_concurrency=concurrency
        )
    answered = 0
    async for result in executor.as_completed(LLMTask(PROMPT) for _ in range(calls)):
        answered += bool(result.success and result.value.content)
    return answered


async def close() -> None:
    if executor is not None:
        await executor.aclose()


main(run, close)
